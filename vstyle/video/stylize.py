"""The whole path: decode, track, paint, encode. One frame in is one frame out."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Protocol, TypeVar

import av

from vstyle.engine.base import Engine, Noting, Picture
from vstyle.errors import InputError, OutputError, UsageError
from vstyle.folders import exists, is_folder
from vstyle.video.decode import (
    Clip,
    Frame,
    Packet,
    Source,
    open_clip,
)
from vstyle.video.flow import Tracked, track
from vstyle.video.memory import keep_freed
from vstyle.video.opening import check_readable
from vstyle.video.paint import Painted, Ready, carry, ready, show
from vstyle.video.plan import Encoding, Plan, plan_encoding, reading_for
from vstyle.video.prefetch import prefetch
from vstyle.video.reading import WHOLE, Reading
from vstyle.video.sink import open_sink
from vstyle.video.standard import STANDARD
from vstyle.video.stills import parts_of
from vstyle.video.streams import FILE, Container, container_for
from vstyle.video.threads import leave_cores

T = TypeVar("T")
U = TypeVar("U")


@dataclass(frozen=True)
class Job:
    """What is known before the first frame is painted: all is open, checked and decided."""

    source: Source
    plan: Plan
    engine: Engine
    stdout: int  # the descriptor for what goes to STANDARD

    @property
    def clip(self) -> Clip:
        """What is painted."""
        return self.source.clip

    @property
    def notes(self) -> tuple[str, ...]:
        """What the output will not have as the source has it."""
        return self.plan.notes


@dataclass(frozen=True)
class Report:
    """What was done."""

    job: Job
    notes: tuple[str, ...]  # those of the job, then what was found out on the way
    frames: int
    seconds: float  # from the first frame to the finished file, by the clock on the wall
    painted: int  # frames in this run; fewer than all if it went on from an earlier one

    @property
    def clip(self) -> Clip:
        """What was painted."""
        return self.job.clip


DEFAULTS = Encoding()

Watch = Callable[[Job, Iterable[Frame]], Iterable[Frame]]
"""Sees the painted frames go by: must yield all of them, and may draw something meanwhile."""


def unwatched(job: Job, frames: Iterable[Frame]) -> Iterable[Frame]:  # noqa: ARG001
    """Let the frames go by."""
    return frames


@dataclass
class Spaced:
    """Finds out whether a container that holds no times shows every frame when it should."""

    container: Container
    rate: Fraction | None  # frames per second
    wrong: bool = False
    _first: float | None = None
    _next: int = 0  # the first place that is free

    def add(self, time: float) -> None:
        """Look at the next frame, shown at `time`, in seconds."""
        if self.rate is None or not (self.container.untimed or self.container.fixed_rate):
            return
        self._first = time if self._first is None else self._first
        place = round((time - self._first) * float(self.rate))
        # Where places can stay empty, only two frames for one are too many.
        late = self.container.untimed and place > self._next
        self.wrong = self.wrong or place < self._next or late
        self._next = max(place, self._next) + 1


class Tap(Protocol):
    """Sees what every stage hands on: must yield all of it, and may time the stage meanwhile.

    The stages are `decode`, `flow` and `ready`, in a thread of their own; in another `wait` (for
    that one) and `carry`, which takes the engine's work in; then `idle` (waiting for the painted
    frame) and `grade`. Each asks the one before it.
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
    reading: Reading = WHOLE,
    encoding: Encoding = DEFAULTS,
    overwrite: bool = False,
    watch: Watch = unwatched,
    tap: Tap = untapped,
) -> Report:
    """Paint the video at `path` and write it to `destination`; see `prepare` and `perform`."""
    with prepare(
        path,
        destination,
        make_engine,
        reading=reading,
        encoding=encoding,
        overwrite=overwrite,
    ) as job:
        return perform(job, strength=strength, watch=watch, tap=tap)


@contextmanager
def prepare(
    path: Path,
    destination: Path,
    make_engine: Callable[[], Engine],
    *,
    reading: Reading = WHOLE,
    encoding: Encoding = DEFAULTS,
    overwrite: bool = False,
    stdout: int = 1,
) -> Iterator[Job]:
    """Open the video at `path` and decide how it becomes `destination`; either may be STANDARD.

    `reading` says which part of it is wanted, and how.
    `make_engine` is called once all else is known to be right. Nothing is written. Raises
    UsageError, InputError or OutputError.
    """
    keep_freed()
    leave_cores()
    check_ends(path, destination, stdout)
    container_for(destination, encoding.format)
    if destination != STANDARD:
        check_place(path, destination, overwrite)
        destination = destination.resolve()  # a link stays, what it points to is written
    with open_clip(path, reading_for(reading, destination, encoding), encoding.patience) as source:
        plan = replace(plan_encoding(source, destination, encoding), replaces=overwrite)
        yield Job(source, plan, make_engine(), stdout)


def perform(
    job: Job, *, strength: float = 1.0, watch: Watch = unwatched, tap: Tap = untapped
) -> Report:
    """Paint what was prepared.

    Raises InputError, if a strict reading finds damage, or OutputError; then the destination is as
    it was. BrokenPipeError if the
    reader of standard output leaves.
    """
    source, plan = job.source, job.plan
    begin = time.perf_counter()
    count, spaced = 0, Spaced(plan.container, source.clip.rate)
    with open_sink(plan, source, job.stdout) as sink, painting(job, tap=tap) as made:
        shown = show(tap("idle", frames_of(made, sink.packet)), job.engine, strength)
        for frame in watch(job, tap("grade", shown)):
            sink.frame(frame)
            spaced.add(frame.time)
            count += 1
    notes = plan.notes + found_out(job)
    if spaced.wrong:
        notes += (f"{plan.container.muxer} holds no times: the frames were not evenly spaced",)
    return Report(job, notes, count, time.perf_counter() - begin, count)


@contextmanager
def painting(
    job: Job,
    follow: Callable[[Iterator[Frame]], Iterator[Tracked]] = track,
    last: Picture | None = None,
    tap: Tap = untapped,
) -> Iterator[Iterator[Painted | Packet]]:
    """Paint the frames of a job in threads of their own; leave the packets where they were.

    One thread decodes, follows the motion and makes ready; the other paints, which has to wait for
    the frame before. `follow` is how motion is followed, `last` the picture before the first.
    """
    source, engine = job.source, job.engine

    def made_ready(frames: Iterator[Frame]) -> Iterator[Ready]:
        return tap("ready", ready(tap("flow", follow(frames)), engine))

    def painted(turns: Iterator[Ready]) -> Iterator[Painted]:
        return tap("carry", carry(tap("wait", turns), engine, last))

    ahead = among(tap("decode", source.items), made_ready)
    with (
        closing(prefetch(ahead, stop=source.stop)) as turns,
        closing(prefetch(among(turns, painted), depth=1, stop=source.stop)) as made,
    ):
        yield made


def found_out(job: Job) -> tuple[str, ...]:
    """Return what the user should know that was not known before painting."""
    engine = job.engine.notes if isinstance(job.engine, Noting) else ()
    apart: tuple[str, ...] = ()
    if job.source.damage.again:
        apart = tuple(
            f"the clock begins again: {way.what} stream {way.stream} does not follow the picture"
            for way in job.plan.routes
            if way.source == FILE
        )
    return job.source.damage.notes() + apart + engine


def check_ends(path: Path, destination: Path, stdout: int) -> None:
    """Raise what is wrong with the input, or with a terminal that is meant for data."""
    check_readable(path)
    if path == STANDARD and sys.stdin is None:  # Python found it closed
        raise InputError("standard input is closed", "Name a file, or use a pipe.")
    if path == STANDARD and os.isatty(0):
        raise UsageError("video would be read from the terminal", "Name a file, or use a pipe.")
    if destination == STANDARD and os.isatty(stdout):
        raise UsageError("video would be written to the terminal", "Add -o FILE, or use a pipe.")


def check_place(path: Path, destination: Path, overwrite: bool) -> None:
    """Raise what is wrong with the place of the output before anything is made."""
    folder = destination.resolve().parent
    if exists(destination):
        if destination.is_dir():
            raise UsageError(f"{destination} is a directory", "Name the file to write in it.")
        if path != STANDARD and any(map(destination.samefile, parts_of(path))):
            raise UsageError(f"{destination} is the input itself", "Choose another output name.")
        if not destination.is_file():
            raise UsageError(f"{destination} is not a plain file", "Choose another output name.")
        if not overwrite:
            raise UsageError(f"{destination} exists", "Add --overwrite, or choose another name.")
    if not is_folder(folder):
        raise OutputError(f"{folder} is no directory", "Make it first, or choose another place.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{folder} cannot be written", "Choose another place for the output.")
    try:
        destination.lstat()
    except FileNotFoundError:
        pass
    except OSError as error:  # its name is too long, say
        raise OutputError(
            f"{destination.name} cannot be written: {error.strerror}", "Choose another name."
        ) from error


def among(
    items: Iterable[T | Packet], stage: Callable[[Iterator[T]], Iterator[U]]
) -> Iterator[U | Packet]:
    """Yield what a stage makes of the frames among packets, and the packets where they were."""
    between: list[Packet] = []
    for made in stage(frames_of(items, between.append)):
        yield from between
        between.clear()
        yield made
    yield from between


def frames_of(items: Iterable[T | Packet], carry: Callable[[Packet], object]) -> Iterator[T]:
    """Yield the frames and hand the packets between them to `carry`, as they come."""
    for item in items:
        if isinstance(item, av.Packet):
            carry(item)
        else:
            yield item
