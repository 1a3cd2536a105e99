"""`vstyle`, and `python -m vstyle`, which is the same."""

import signal


def main() -> None:
    """Run the command line."""
    # Until it can be handled, Ctrl-C ends the program without a word, as it would a small one.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from vstyle.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
