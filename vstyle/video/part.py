"""A file that grows under a hidden name beside its place, and takes its own when it is complete."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path

import av

from vstyle.errors import OutputError
from vstyle.folders import exists

_SLACK = Fraction(1, 2)
"""Seconds that a file may end before its last picture begins: GIF and TS round and estimate."""

_LONGEST = 200
"""Bytes of a file's name that a hidden one is made of: file systems take no more than 255."""


class PlaceTakenError(OutputError):
    """The name of an output has been given to another file while it was made."""


def hidden(destination: Path, ending: str) -> Path:
    """Return a hidden name beside a file, that says which one it belongs to."""
    whole = os.fsencode(destination.name)
    name = whole[:_LONGEST].decode(errors="ignore")
    if name.encode() != whole:  # it was too long, or no text
        name += hashlib.sha256(whole).hexdigest()[:16]
    return destination.with_name(f".{name}.{ending}")


def part_of(destination: Path) -> Path:
    """Return the hidden name that this process gives to a file while it grows."""
    return hidden(destination, f"vstyle-{os.getpid()}.part")


@contextmanager
def part_file(destination: Path, keep: bool) -> Iterator[Path]:
    """Make the hidden file; whatever happens in the block, it is gone in the end.

    Unless it is to be kept, and there is something in it.
    """
    part = part_of(destination)
    try:
        part.touch(exist_ok=False)
    except OSError as error:
        raise OutputError(
            f"{destination.parent} cannot be written: {error.strerror}",
            "Choose another place for the output.",
        ) from error
    try:
        yield part
    except PlaceTakenError:
        keep = True
        raise
    finally:
        if not (keep and part.exists() and part.stat().st_size):
            part.unlink(missing_ok=True)


def publish(part: Path, destination: Path, last: Fraction | None, replaces: bool) -> None:
    """Give the finished file its name, if it reaches to `last`, the time of its last picture.

    OutputError if it is too short, or cannot be renamed; PlaceTakenError if it would replace
    another and must not.
    """
    if not part.exists():
        raise OutputError(f"{part} was taken away while it grew", "Run it again.")
    if part.stat().st_size == 0:
        raise OutputError("ffmpeg ended well but wrote nothing", "Run it again.")
    end = None if last is None else _end(part)
    if end is not None and last is not None and end < last - _SLACK:
        raise OutputError(
            f"ffmpeg ended well but wrote {float(end):.1f} s of {float(last):.1f} s",
            "Try another --codec or another container.",
        )
    if exists(destination) and not replaces:
        raise PlaceTakenError(
            f"{destination} came to be meanwhile, and is left alone",
            f"What was painted is whole, in {part}.",
        )
    try:
        part.replace(destination)
    except OSError as error:
        raise OutputError(
            f"{destination} cannot be written: {error.strerror}",
            "Choose another place for the output.",
        ) from error


def _end(part: Path) -> Fraction | None:
    """Return the time at which a file ends, in seconds, if it says so."""
    try:
        with av.open(f"file:{part}") as container:
            if container.duration is None:
                return None
            return Fraction((container.start_time or 0) + container.duration, av.time_base)
    except av.FFmpegError as error:
        raise OutputError(
            f"ffmpeg ended well but its file cannot be read: {error.strerror}",
            "Try another --codec or another container.",
        ) from error
