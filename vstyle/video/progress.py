"""How far work in pieces is, kept on disk, where one run at a time goes on with it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from vstyle.engine.base import Picture
from vstyle.errors import OutputError, UsageError
from vstyle.video.canvas import Canvas

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_JOB = "job.json"  # says what work is done in a folder


@dataclass
class Memory:
    """What painting goes on from."""

    picture: Picture | None = None  # the last one that the engine has painted
    canvas: Canvas | None = None  # the one that it was painted on


@dataclass
class Progress:
    """How far the work is: what is in the finished pieces, and how to go on."""

    pieces: int = 0
    frames: int = 0
    packets: int = 0  # of sound
    complete: bool = False  # there are no more frames
    end: int = 0  # when the last frame is over, in ticks of the clip; 0: not known
    memory: Memory = field(default_factory=Memory)  # of the last frame that was written


@contextmanager
def opened(folder: Path, mark: str) -> Iterator[Progress]:
    """Give how far the work in a folder is; make the folder if there is none.

    `mark` says what work it is. UsageError if it is other work, or another run is at it;
    OutputError if the folder cannot be used.
    """
    with _job(folder) as job:
        try:
            found = job.read()
            if not found:
                job.write(mark)
                job.flush()
            elif found != mark:
                raise UsageError(
                    f"{folder} holds an unfinished run with another input, style, model or option",
                    "Repeat that run's options, or remove the folder.",
                )
            done = _load(folder)
            kept = {folder / _JOB, *pieces_in(folder, done.pieces)}
            for path in folder.iterdir():  # what the crash left unfinished
                if path.suffix != ".npz" and path not in kept:
                    path.unlink()
        except OSError as error:
            raise _unusable(folder, error) from error
        yield done


@contextmanager
def _job(folder: Path) -> Iterator[IO[str]]:
    """Open the file that says what work is done in a folder, for one run at a time."""
    try:
        folder.mkdir(exist_ok=True)
        job = (folder / _JOB).open("a+")
    except OSError as error:
        raise _unusable(folder, error) from error
    with job:
        if fcntl is not None:
            try:
                fcntl.flock(job, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UsageError(
                    f"another run is at work in {folder}", "Wait for it, or stop it."
                ) from error
            except OSError:
                pass  # a place that has no locks
        job.seek(0)
        yield job


def _unusable(folder: Path, error: OSError) -> OutputError:
    return OutputError(
        f"{folder} cannot be used: {error.strerror}", "Make room, or leave out --resume."
    )


def pieces_in(folder: Path, count: int) -> list[Path]:
    """Return the names of the first pieces."""
    return [folder / f"{number:06d}.nut" for number in range(count)]


def _load(folder: Path) -> Progress:
    """Read how far the work is; what cannot be read was never finished."""
    try:
        with (
            (folder / "progress.npz").open("rb") as file,  # else a torn one would stay open
            np.load(file, allow_pickle=False) as entries,
        ):
            numbers = [int(number) for number in entries["numbers"]]
            pieces, frames, packets, complete, end = numbers
            memory = _recall(entries)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return Progress()
    done = Progress(pieces, frames, packets, bool(complete), end, memory)
    return done if all(path.exists() for path in pieces_in(folder, done.pieces)) else Progress()


def save(folder: Path, done: Progress) -> None:
    """Write how far the work is, all of it or nothing."""
    numbers = [done.pieces, done.frames, done.packets, int(done.complete), done.end]
    part = folder / "next.part"
    try:
        with part.open("wb") as file:
            np.savez(file, **_noted(done.memory, numbers))
            file.flush()
            os.fsync(file.fileno())
        part.replace(folder / "progress.npz")
    except OSError as error:
        raise OutputError(f"{folder} cannot be written: {error.strerror}", "Make room.") from error


def settle(piece: Path) -> None:
    """Wait until a piece is on the disk: nothing must say that it is there before."""
    try:
        with piece.open("rb+") as file:
            os.fsync(file.fileno())
    except OSError as error:
        raise OutputError(f"{piece} cannot be kept: {error.strerror}", "Make room.") from error


def _noted(memory: Memory, numbers: list[int]) -> dict[str, Any]:
    """Return what is remembered, and how far the work is, as arrays."""
    assert memory.picture is not None
    assert memory.canvas is not None
    first, second = memory.canvas.shifts
    return {
        "numbers": np.array(numbers),
        "picture": memory.picture,
        "first": first,
        "second": second,
        "along": memory.canvas.along,
        "age": np.array(memory.canvas.age),
    }


def _recall(entries: Mapping[str, NDArray[Any]]) -> Memory:
    """Undo `_noted`. Raises KeyError if something is missing."""
    shifts = entries["first"], entries["second"]
    return Memory(entries["picture"], Canvas(shifts, entries["along"], float(entries["age"])))
