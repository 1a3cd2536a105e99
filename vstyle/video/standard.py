"""Standard input and output as the ends of the path: `-`, for people a dash, here a name."""

import os
import select
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from vstyle.errors import InputError, OutputError

_TICK = 0.5  # seconds

STANDARD = Path("-")
"""Stands for standard input or output. A file of that name is `/its/folder/-`."""


def name_of(path: Path) -> str:
    """Return what to call a path in a sentence."""
    return "standard input" if path == STANDARD else str(path)


class StandardInput:
    """Standard input for FFmpeg to read from; `stop` ends a read that waits for more.

    A read is an InputError if nothing comes for `patience` seconds; 0: it waits for ever.
    """

    def __init__(self, patience: float, descriptor: int = 0) -> None:
        self._descriptor: Final = descriptor
        self._patience: Final = patience
        self._stopped, self._stop = os.pipe()

    def read(self, size: int) -> bytes:
        """Return what there is, up to `size` bytes; nothing at the end or when stopped."""
        waited = 0.0
        # In ticks: by the clock, whoever stops both ends of a pipe for a while would be punished.
        while not (ready := select.select([self._descriptor, self._stopped], [], [], _TICK)[0]):
            waited += _TICK
            if self._patience and waited >= self._patience:
                raise InputError(
                    f"standard input gave nothing for {self._patience:g} s",
                    "Does its sender hang? --patience 0 waits for ever.",
                )
        return b"" if self._stopped in ready else os.read(self._descriptor, size)

    def stop(self) -> None:
        """Let every read, now and later, return at once with nothing."""
        os.write(self._stop, b"!")

    def close(self) -> None:
        """Give back what `stop` needs; standard input itself stays open."""
        os.close(self._stopped)
        os.close(self._stop)


@contextmanager
def reserved_output() -> Iterator[int]:
    """Give standard output to the caller alone; what others print meanwhile goes to stderr.

    Yields the descriptor to write the data to.
    """
    try:
        data = os.dup(1)
    except OSError as error:
        raise OutputError(
            f"standard output cannot be written: {error.strerror}", "Is it closed? Use -o FILE."
        ) from error
    os.dup2(2, 1)
    try:
        yield data
    finally:
        os.dup2(data, 1)
        os.close(data)
