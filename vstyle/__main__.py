"""`vstyle`, and `python -m vstyle`, which is the same."""

import signal


def main() -> None:
    """Run the command line."""
    heeded = signal.getsignal(signal.SIGINT) is not signal.SIG_IGN  # as in a script's background
    # Until it can be handled, Ctrl-C ends the program without a word, as it would a small one.
    if heeded:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from vstyle.cli.app import main as run

    if heeded:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    run()


if __name__ == "__main__":
    main()
