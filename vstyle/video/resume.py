"""Work that survives a crash: it is done in pieces on disk, and what is there is not done again.

A piece is a NUT file of PIECE encoded frames and the sound between them. With each goes the last
painted picture and its canvas, so that painting goes on as if it had never stopped. In the end the
pieces are joined, packet by packet. A run that was stopped and one that was not make the same
pieces.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import av
import numpy as np
from numpy.typing import NDArray

from vstyle.engine.base import Picture
from vstyle.errors import OutputError, UsageError
from vstyle.video.canvas import Canvas
from vstyle.video.decode import Frame, Packet
from vstyle.video.encode import Plan, open_sink
from vstyle.video.flow import Tracked, track
from vstyle.video.paint import Painted, show
from vstyle.video.pipe import Pipe, carried_codecs
from vstyle.video.standard import STANDARD
from vstyle.video.stills import files_of, is_sequence
from vstyle.video.streams import CONTAINERS, PIPE
from vstyle.video.stylize import Job, Report, Watch, found_out, frames_of, painting, unwatched

_END = 1 << 20  # bytes

PIECE = 120
"""Frames in a piece: what a crash can cost, and the most that lie between two keyframes."""


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


@dataclass
class _Outlet:
    """Where packets go: past those of finished pieces, into the piece that is being written."""

    skip: int
    pipe: Pipe | None = None
    count: int = field(default=0)

    def carry(self, packet: Packet) -> None:
        self.count += 1
        if self.count > self.skip:
            assert self.pipe is not None
            self.pipe.packet(packet)


def folder_of(destination: Path) -> Path:
    """Return the hidden folder in which the pieces of an output are kept."""
    return destination.with_name(f".{destination.name}.vstyle-resume")


def check_resumable(job: Job) -> None:
    """Raise UsageError if the work cannot be done in pieces."""
    plan = job.plan
    if STANDARD in {plan.destination, job.clip.path}:
        raise UsageError("--resume needs files at both ends", "Name an input and an output file.")
    container = plan.container
    apart = container.untimed or container.still or container.fixed_rate
    if apart or not _fits(plan.codec):
        what = plan.destination.suffix if apart else plan.codec
        raise UsageError(f"{what} cannot be made in pieces", "Leave out --resume.")


def _fits(encoder: str) -> bool:
    """Tell whether NUT holds what an encoder makes, in frames that need none of another piece."""
    codec = av.Codec(encoder, "w") if encoder in av.codecs_available else None
    return codec is None or codec.canonical_name in carried_codecs() - {"gif"}


def perform_in_pieces(
    job: Job, mark: str, *, strength: float = 1.0, watch: Watch = unwatched
) -> Report:
    """Paint what was prepared, going on from the pieces of an earlier run of the same work.

    `mark` says what else makes it the same: the contents of style and model. Raises as
    `stylize.perform` does; the pieces stay then. UsageError if they are those of other work.
    """
    check_resumable(job)
    begin = time.perf_counter()
    folder = folder_of(job.plan.destination)
    done = _open(folder, _mark(job, mark, strength))
    before = done.frames
    if not done.complete:
        _paint_pieces(job, folder, done, strength, watch)
    _join(job, folder, done)
    shutil.rmtree(folder)
    notes = job.plan.notes + found_out(job)
    if before:
        notes += (f"went on after {before} frames that were there",)
    return Report(job, notes, done.frames, time.perf_counter() - begin, done.frames - before)


def _mark(job: Job, mark: str, strength: float) -> str:
    """Return all that makes the work what it is; equal marks, equal pieces."""
    clip, plan = job.clip, job.plan
    file = [_contents(clip.path), str(clip.reading)]
    routes = [str(way) for way in plan.routes]
    return json.dumps([file, plan.video, plan.even, routes, strength, mark, PIECE], indent=1)


def _contents(path: Path) -> str:
    """Return a hash that tells an input from others, whatever it is called and wherever it is.

    Of every file in it, the length and both ends: there, containers say when they were made.
    """
    digest = hashlib.sha256()
    for file in files_of(path).values() if is_sequence(path) else [path]:
        size = file.stat().st_size
        digest.update(size.to_bytes(8, "little"))
        with file.open("rb") as data:
            digest.update(data.read(_END))
            data.seek(max(0, size - _END))
            digest.update(data.read(_END))
    return digest.hexdigest()


def _open(folder: Path, mark: str) -> Progress:
    """Return how far the work in a folder is; make the folder if there is none."""
    try:
        folder.mkdir(exist_ok=True)
        job = folder / "job.json"
        if not job.exists():
            job.write_text(mark)
        elif job.read_text() != mark:
            raise UsageError(
                f"{folder} holds an unfinished run with another input, style, model or option",
                "Repeat that run's options, or remove the folder.",
            )
        done = _load(folder)
        for path in folder.iterdir():  # what the crash left unfinished
            if path != job and path.suffix != ".npz" and path not in _pieces(folder, done.pieces):
                path.unlink()
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be used: {error.strerror}", "Make room, or leave out --resume."
        ) from error
    return done


def _pieces(folder: Path, count: int) -> list[Path]:
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
    return done if all(path.exists() for path in _pieces(folder, done.pieces)) else Progress()


def _save(folder: Path, done: Progress) -> None:
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


def _paint_pieces(job: Job, folder: Path, done: Progress, strength: float, watch: Watch) -> None:
    """Paint all frames that are not in a finished piece; `done` is kept up to date."""
    tag = _tag(job.plan)  # means nothing in NUT
    plan = replace(
        job.plan,
        video=tuple(word for word in job.plan.video if word not in tag),
        container=replace(CONTAINERS[".nut"], options=()),
        routes=tuple(replace(way, encoder="copy") for way in job.plan.routes if way.source == PIPE),
        keep=False,
        shifted=True,
    )
    outlet = _Outlet(done.packets)
    ahead = _Ahead()
    follow = partial(_follow, ahead, done=done.frames, canvas=done.memory.canvas)
    with painting(job, follow, done.memory.picture) as made:
        painted = _remembered(frames_of(made, outlet.carry), done.memory)
        shown = show(painted, job.engine, strength)
        pictures = iter(watch(job, shown))
        while not done.complete:
            (place,) = _pieces(folder, done.pieces + 1)[-1:]
            with open_sink(replace(plan, destination=place), job.source) as pipe:
                outlet.pipe = pipe
                for frame in islice(pictures, PIECE):
                    pipe.frame(frame)
                    done.frames += 1
                    done.end = frame.pts + frame.duration if frame.duration else 0
            done.pieces += 1
            done.packets, done.complete = outlet.count, ahead.count == done.frames
            _save(folder, done)


@dataclass
class _Ahead:
    """Gives each frame when the next one has been read; with the last one the count is known."""

    count: int = 0  # of all frames

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for number, (frame, following) in enumerate(pairwise(chain(frames, [None])), 1):
            if following is None:
                self.count = number
            assert frame is not None
            yield frame


def _remembered(frames: Iterable[Painted], memory: Memory) -> Iterator[Painted]:
    """Keep in `memory` what to go on from after the frame that was yielded last."""
    for made in frames:
        memory.picture, memory.canvas = made.picture, made.canvas
        yield made


def _follow(
    ahead: _Ahead, frames: Iterator[Frame], done: int, canvas: Canvas | None
) -> Iterator[Tracked]:
    """Yield the frames after those that are done, with what is known of each.

    `canvas` is that of the last one that is done.
    """
    tracked = track(islice(ahead(frames), max(0, done - 1), None), canvas)
    return islice(tracked, min(done, 1), None)  # the motion begins with one that is done


def _tag(plan: Plan) -> tuple[str, ...]:
    """Return the options of a plan that name the codec in the file."""
    return next((pair for pair in pairwise(plan.video) if pair[0] == "-tag:v:0"), ())


def _join(job: Job, folder: Path, done: Progress) -> None:
    """Write the packets of all pieces into the output."""
    pieces = _pieces(folder, done.pieces)
    plan = replace(job.plan, video=("-c:v:0", "copy", *_tag(job.plan)), even=False)
    with (
        av.open(f"file:{pieces[0]}") as first,
        open_sink(plan, job.source, encoded=first.streams.video[0]) as pipe,
    ):
        for piece in pieces:
            with av.open(f"file:{piece}") as container:
                for packet in container.demux():
                    if packet.size:
                        pipe.forward(packet)
        pipe.end = done.end * job.clip.time_base if done.end else None
