"""`python -m vstyle` is the same as `vstyle`."""

from vstyle.cli.app import main

if __name__ == "__main__":
    main()
