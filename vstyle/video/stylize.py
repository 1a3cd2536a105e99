"""The whole path: decode, track, paint, encode. One frame in is one frame out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from vstyle.engine.base import Engine
from vstyle.errors import OutputError, UsageError
from vstyle.video.decode import Clip, Frame, Packet, check_readable, open_clip
from vstyle.video.encode import Encoding, open_sink, plan_encoding
from vstyle.video.flow import track
from vstyle.video.paint import paint
from vstyle.video.prefetch import prefetch
from vstyle.video.streams import container_for

T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """What is known before the first frame is painted."""

    clip: Clip
    notes: tuple[str, ...]  # what the output will not have as the source has it


@dataclass(frozen=True)
class Report:
    """What was done."""

    destination: Path
    clip: Clip
    notes: tuple[str, ...]
    frames: int
    seconds: float  # from the first frame to the finished file, by the clock on the wall


DEFAULTS = Encoding()

Watch = Callable[[Job, Iterable[Frame]], Iterable[Frame]]
"""Sees the painted frames go by: must yield all of them, and may draw something meanwhile."""


def unwatched(job: Job, frames: Iterable[Frame]) -> Iterable[Frame]:  # noqa: ARG001
    """Let the frames go by."""
    return frames


class Tap(Protocol):
    """Sees what every stage hands on: must yield all of it, and may time the stage meanwhile.

    The stages are `decode` (in a thread of its own), `wait` (for that thread), `flow` and `carry`,
    which takes the engine's work in. Each asks the one before it.
    """

    def __call__(self, stage: str, items: Iterator[T]) -> Iterator[T]:
        """Yield the items of a stage."""
        ...


def untapped(stage: str, items: Iterator[T]) -> Iterator[T]:  # noqa: ARG001
    """Let the items go by."""
    return items


def stylize(
    path: Path,
    destination: Path,
    make_engine: Callable[[], Engine],
    *,
    strength: float = 1.0,
    encoding: Encoding = DEFAULTS,
    overwrite: bool = False,
    watch: Watch = unwatched,
    tap: Tap = untapped,
) -> Report:
    """Paint the video at `path` and write it to `destination`.

    `make_engine` is called once all else is known to be right, and before anything is written.
    Raises UsageError, InputError or OutputError; then `destination` is as it was.
    """
    check_paths(path, destination, overwrite)
    destination = destination.resolve()  # a link stays, what it points to is written
    with open_clip(path) as source:
        plan = plan_encoding(source, destination, encoding)
        engine = make_engine()
        begin = time.perf_counter()
        count = 0
        decoded = tap("decode", source.items)
        with open_sink(plan, source) as sink, closing(prefetch(decoded)) as items:
            frames = tap("wait", frames_of(items, sink.packet))
            tracked = tap("flow", track(frames))
            painted = tap("carry", paint(tracked, engine, strength))
            for frame in watch(Job(source.clip, plan.notes), painted):
                sink.frame(frame)
                count += 1
    seconds = time.perf_counter() - begin
    return Report(destination, source.clip, plan.notes, count, seconds)


def check_paths(path: Path, destination: Path, overwrite: bool) -> None:
    """Raise what is wrong with the two paths before anything is opened or made."""
    check_readable(path)
    container_for(destination)
    folder = destination.resolve().parent
    if destination.exists():
        if destination.is_dir():
            raise UsageError(f"{destination} is a directory", "Name the file to write in it.")
        if destination.samefile(path):
            raise UsageError(f"{destination} is the input itself", "Choose another output name.")
        if not destination.is_file():
            raise UsageError(f"{destination} is not a plain file", "Choose another output name.")
        if not overwrite:
            raise UsageError(f"{destination} exists", "Add --overwrite, or choose another name.")
    if not folder.is_dir():
        raise OutputError(f"{folder} is no directory", "Make it first, or choose another place.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{folder} cannot be written", "Choose another place for the output.")


def frames_of(items: Iterable[Frame | Packet], carry: Callable[[Packet], None]) -> Iterator[Frame]:
    """Yield the frames and hand the packets between them to `carry`, as they come."""
    for item in items:
        if isinstance(item, Frame):
            yield item
        else:
            carry(item)
