"""Work that survives a crash: it is done in pieces on disk, and what is there is not done again.

A piece is a NUT file of PIECE encoded frames and the sound between them. With each goes the last
painted picture and its canvas, so that painting goes on as if it had never stopped. In the end the
pieces are joined, packet by packet. A run that was stopped and one that was not make the same
pieces.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, islice, pairwise
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from vstyle.errors import OutputError, UsageError
from vstyle.video.canvas import Canvas
from vstyle.video.decode import Clip, Frame, Packet
from vstyle.video.flow import Tracked, track
from vstyle.video.paint import Painted, show
from vstyle.video.part import hidden
from vstyle.video.pipe import Pipe, carried_codecs
from vstyle.video.plan import Plan
from vstyle.video.progress import Memory, Progress, opened, pieces_in, save, settle
from vstyle.video.sink import open_sink
from vstyle.video.standard import STANDARD
from vstyle.video.stills import parts_of
from vstyle.video.streams import CONTAINERS, PIPE
from vstyle.video.stylize import Job, Report, Watch, found_out, frames_of, painting, unwatched

_END = 1 << 20  # bytes
_ALPHA_BESIDE = {"libvpx", "libvpx-vp9"}  # their packets have alpha beside them, NUT's do not

PIECE = 120
"""Frames in a piece: what a crash can cost, and the most that lie between two keyframes."""


@dataclass
class _Outlet:
    """Where packets go: into the piece that is being written."""

    count: int  # of all packets, those of finished pieces too
    pipe: Pipe | None = None

    def carry(self, packet: Packet) -> None:
        self.count += 1
        assert self.pipe is not None
        self.pipe.packet(packet)


def folder_of(destination: Path) -> Path:
    """Return the hidden folder in which the pieces of an output are kept."""
    return hidden(destination, "vstyle-resume")


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
    if job.clip.alpha and plan.codec in _ALPHA_BESIDE:
        raise UsageError(
            f"{plan.codec} cannot be made in pieces where it is transparent", "Leave out --resume."
        )


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
    with opened(folder, _mark(job, mark, strength)) as done:
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
    for file in parts_of(path):
        size = file.stat().st_size
        digest.update(size.to_bytes(8, "little"))
        with file.open("rb") as data:
            digest.update(data.read(_END))
            data.seek(max(0, size - _END))
            digest.update(data.read(_END))
    return digest.hexdigest()


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
        replaces=True,
    )
    outlet = _Outlet(done.packets)
    known = max(0, done.frames - 1)  # motion begins with the last frame that is done
    ahead = _Ahead(known)
    follow = partial(_follow, ahead, skip=done.frames - known, canvas=done.memory.canvas)
    rest = replace(job.source, items=_after(job.source.items, known, done.packets))
    with painting(replace(job, source=rest), follow, done.memory.picture) as made:
        painted = _remembered(frames_of(made, outlet.carry), done.memory)
        shown = show(painted, job.engine, strength)
        pictures = iter(watch(job, shown))
        while not done.complete:
            place = pieces_in(folder, done.pieces + 1)[-1]
            with open_sink(replace(plan, destination=place), job.source) as pipe:
                outlet.pipe = pipe
                for frame in islice(pictures, PIECE):
                    pipe.frame(frame)
                    done.frames += 1
                    done.end = frame.pts + frame.duration if frame.duration else 0
            settle(place)
            done.pieces += 1
            done.packets, done.complete = outlet.count, ahead.count == done.frames
            save(folder, done)


def _after(items: Iterator[Frame | Packet], frames: int, packets: int) -> Iterator[Frame | Packet]:
    """Leave out so many frames and packets from the beginning.

    It reads past the frames at once, in the thread that asks, which hears Ctrl-C meanwhile.
    """
    while frames:
        if isinstance(next(items), av.Packet):
            packets -= 1
        else:
            frames -= 1
    return _without_packets(items, packets)


def _without_packets(items: Iterator[Frame | Packet], packets: int) -> Iterator[Frame | Packet]:
    """Leave out so many packets."""
    for item in items:
        if packets and isinstance(item, av.Packet):
            packets -= 1
        else:
            yield item


@dataclass
class _Ahead:
    """Gives each frame when the next one has been read; with the last one the count is known."""

    before: int  # frames that were left out
    count: int = 0  # of all frames

    def __call__(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        numbered = enumerate(pairwise(chain(frames, [None])), self.before + 1)
        for number, (frame, following) in numbered:
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
    ahead: _Ahead, frames: Iterator[Frame], skip: int, canvas: Canvas | None
) -> Iterator[Tracked]:
    """Yield the frames with what is known of each, but for the first `skip`.

    `canvas` is that of the last of these.
    """
    return islice(track(ahead(frames), canvas), skip, None)


def _tag(plan: Plan) -> tuple[str, ...]:
    """Return the options of a plan that name the codec in the file."""
    return next((pair for pair in pairwise(plan.video) if pair[0] == "-tag:v:0"), ())


@contextmanager
def _piece(piece: Path) -> Iterator[InputContainer]:
    """Open a finished piece; OutputError if it is damaged."""
    try:
        with av.open(f"file:{piece}") as container:
            yield container
    except av.FFmpegError as error:
        raise OutputError(
            f"{piece} is damaged", f"Remove {piece.parent}, and begin anew."
        ) from error


def _shape(clip: Clip, video: VideoStream) -> tuple[str, ...]:
    """Return ffmpeg's options for the shape of pixels, which few codecs tell in their packets."""
    if video.codec_context.sample_aspect_ratio:
        return ()
    shown = clip.aspect * video.width / video.height
    return ("-aspect:v:0", f"{shown.numerator}:{shown.denominator}")


def _join(job: Job, folder: Path, done: Progress) -> None:
    """Write the packets of all pieces into the output."""
    pieces = pieces_in(folder, done.pieces)
    copied = ("-c:v:0", "copy", *_tag(job.plan), *job.plan.said)
    with _piece(pieces[0]) as first:
        video = first.streams.video[0]
        plan = replace(job.plan, video=(*copied, *_shape(job.clip, video)), even=False)
        with open_sink(plan, job.source, encoded=video) as pipe:
            for piece in pieces:
                with _piece(piece) as container:
                    for packet in container.demux():
                        if packet.size:
                            pipe.forward(packet)
            pipe.end = done.end * job.clip.time_base if done.end else None
