"""The source end: a file becomes timed RGB frames; packets of the other streams ride along."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from math import ceil, floor, inf
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import av
import numpy as np
from av.container import InputContainer
from av.stream import Stream
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vstyle.errors import InputError, UsageError, VstyleError
from vstyle.video import window
from vstyle.video.colour import Colour, colour_of
from vstyle.video.damage import Damage
from vstyle.video.demux import DAMAGED, demux
from vstyle.video.opening import check_readable, open_container, video_stream
from vstyle.video.prefetch import prefetch
from vstyle.video.standard import STANDARD, StandardInput, name_of
from vstyle.video.window import Item

if TYPE_CHECKING:
    from av.container.core import Chapter

# In a broadcast the clock starts anywhere, and where it starts means nothing.
_CLOCKED = {"mpegts", "mpeg"}

# Left to itself, swscale rounds down: every conversion makes the picture a grey level darker.
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT

Packet: TypeAlias = "av.Packet[Stream]"
"""A piece of another stream, as it is in the file."""


@dataclass(frozen=True)
class Reading:
    """What is wanted of a source. Times are in seconds from its beginning."""

    start: Fraction = Fraction(0)
    end: Fraction | None = None
    rate: Fraction | None = None  # frames per second; None leaves every frame where it is
    sound: bool = True
    strict: bool = False  # damage is an InputError as soon as it shows

    @property
    def cuts(self) -> bool:
        """Whether only a part is wanted."""
        return bool(self.start) or self.end is not None


WHOLE = Reading()


@dataclass(frozen=True)
class Clip:
    """What is known of a video before it is painted. Sizes are those of the upright picture."""

    path: Path  # STANDARD: it can be read only once
    width: int
    height: int
    time_base: Fraction  # seconds per tick of the frames' timestamps
    rate: Fraction | None  # frames per second as the container guesses; for display and fallback
    duration: float | None  # seconds, as the container claims: to draw a bar, never to stop at
    origin: Fraction  # the time, in seconds, that becomes zero in the output
    reading: Reading  # what of it is wanted
    colour: Colour
    aspect: Fraction  # width of a pixel by its height
    rotation: int  # degrees that the frames were turned counter-clockwise to stand upright
    still: bool = False  # one picture, not a video

    @property
    def end(self) -> Fraction | None:
        """The time, in seconds of the file, at which the wanted part ends."""
        end = self.reading.end
        return None if end is None else self.origin - self.reading.start + end


@dataclass(frozen=True)
class Frame:
    """One picture and when it is shown: (H, W, 3) uint8 RGB, contiguous; `pts` in `time_base`."""

    image: NDArray[np.uint8]
    pts: int
    time_base: Fraction
    damaged: bool = False  # decoded with errors, or something before it is lost

    @property
    def time(self) -> float:
        """When the frame is shown, in seconds."""
        return float(self.pts * self.time_base)


@dataclass(frozen=True)
class Source:
    """An open clip. `items` are its frames and, in file order, the packets of its other streams."""

    clip: Clip
    codec: str  # of the video, as FFmpeg names it
    streams: tuple[Stream, ...]  # all streams but the video, those that no packet comes from too
    metadata: Mapping[str, str]
    chapters: tuple[Chapter, ...]
    items: Iterator[Frame | Packet]
    damage: Damage  # what is found to be broken while `items` are read
    stop: Callable[[], None]  # makes a read of `items` that waits for more data end


@contextmanager
def open_clip(path: Path, reading: Reading = WHOLE) -> Iterator[Source]:
    """Open a video and decode its first frame; it is closed on leaving.

    `path` may be STANDARD. `Source.items` can be iterated once, in any one thread. InputError if
    it cannot be read as a video, or, if `strict`, as soon as any damage shows.
    """
    check_readable(path)
    with ExitStack() as stack:
        stdin, stop = None, _nothing_waits
        if path == STANDARD:
            stdin = stack.enter_context(closing(StandardInput()))
            stop = stdin.stop
        # In a thread: Python handles no signal while FFmpeg waits for data in this one.
        opening = prefetch(_begin(path, reading, stdin, stop), stop=stop)
        with closing(opening):
            ((container, source),) = opening
        with container:
            yield source


def _begin(
    path: Path, reading: Reading, stdin: StandardInput | None, stop: Callable[[], None]
) -> Generator[tuple[InputContainer, Source]]:
    """Yield one clip, opened: what to close in the end, and what is in it."""
    container = open_container(path, stdin)
    try:
        video = video_stream(container, path)
        zero = _zero(container)
        seeks = stdin is None and bool(reading.start)
        if seeks and not window.seek(container, video, zero + reading.start):
            container.close()
            container = open_container(path, stdin)
            video = video_stream(container, path)
        others = tuple(s for s in container.streams if s.type in _others(reading))
        sounds = [s for s in others if s.type == "audio"]
        since = float(zero + reading.start) if reading.start else -inf
        damage = Damage(name_of(path), reading.strict, since)
        decoded = _stamped(demux(container, video, sounds, damage), video)
        if reading.rate:
            decoded = window.resampled(decoded, reading.rate)
        if reading.cuts:
            end = None if reading.end is None else zero + reading.end
            decoded = window.cut(decoded, zero + reading.start, end)
        first, held = _first_frame(decoded)
        if first is None:
            raise _no_picture(path, container, reading)
        clip = _describe(path, container, video, first, reading)
    except BaseException:
        container.close()
        raise
    items = _pictures(chain(held, decoded), clip)
    chapters = tuple(_chapters(container.chapters(), clip))
    codec = video.codec_context.name
    yield container, Source(clip, codec, others, container.metadata, chapters, items, damage, stop)


def _nothing_waits() -> None:
    """Stop reading a file: it never waits."""


def _zero(container: InputContainer) -> Fraction:
    """Return the time, in seconds, from which the times of a file are counted."""
    clocked = bool(_CLOCKED & set(container.format.name.split(",")))
    return Fraction(container.start_time or 0, av.time_base) if clocked else Fraction(0)


def _others(reading: Reading) -> set[str]:
    """Return the types of the streams that come along."""
    return {"audio", "subtitle"} if reading.sound else {"subtitle"}


def _stamped(items: Iterator[Item], video: VideoStream) -> Iterator[Item]:
    """Give every frame a timestamp later than the last one's; most have one."""
    assert video.time_base is not None  # FFmpeg gives one to every stream it opens
    step = max(1, round(1 / (video.guessed_rate or 25) / video.time_base))
    last: int | None = None
    for item in items:
        if isinstance(item, av.VideoFrame):
            if item.pts is None or (last is not None and item.pts <= last):
                item.pts = 0 if last is None else last + step
                item.time_base = video.time_base
            last = item.pts
        yield item


def _first_frame(items: Iterator[Item]) -> tuple[av.VideoFrame | None, list[Item]]:
    """Return the first frame, if any, and everything read to get it, itself included."""
    held = []
    for item in items:
        held.append(item)
        if isinstance(item, av.VideoFrame):
            return item, held
    return None, held


def _no_picture(path: Path, container: InputContainer, reading: Reading) -> VstyleError:
    """Return the error of a clip, or of a part of it, that has no frame."""
    if not reading.cuts:
        return InputError(f"{name_of(path)} has no video frames", "Is the file complete?")
    length = _duration(container, WHOLE)
    hint = "" if length is None else f" The clip is {length:.2f} s long."
    return UsageError(
        f"{name_of(path)} has no picture in the part asked for", f"Look at --start.{hint}"
    )


def _describe(
    path: Path,
    container: InputContainer,
    video: VideoStream,
    first: av.VideoFrame,
    reading: Reading,
) -> Clip:
    """Gather what the container, the stream and the first frame say about the clip."""
    assert first.time_base is not None
    rotation = round(first.rotation / 90) * 90 % 360
    aspect = Fraction(video.sample_aspect_ratio or 1)
    width, height = first.width, first.height
    if rotation % 180:
        width, height, aspect = height, width, 1 / aspect
    return Clip(
        path=path,
        width=width,
        height=height,
        time_base=first.time_base,
        rate=reading.rate or video.guessed_rate,  # average_rate is None for many of variable rate
        duration=_duration(container, reading),
        origin=_zero(container) + reading.start,
        reading=reading,
        colour=colour_of(first),
        aspect=aspect,
        rotation=rotation,
        still=container.format.name.endswith("_pipe") and path != STANDARD,
    )


def _duration(container: InputContainer, reading: Reading) -> float | None:
    """Return how long the wanted part is, in seconds, as far as the container knows."""
    known = [] if container.duration is None else [container.duration / av.time_base]
    known += [] if reading.end is None else [float(reading.end)]
    return max(0.0, min(known) - float(reading.start)) if known else None


def _chapters(chapters: list[Chapter], clip: Clip) -> list[Chapter]:
    """Return the chapters of the wanted part, each with the part of it that is in there."""
    if not clip.reading.cuts:
        return chapters
    kept: list[Chapter] = []
    for chapter in chapters:
        base = chapter["time_base"] or Fraction(1)
        start = max(chapter["start"], ceil(clip.origin / base))
        end = chapter["end"] if clip.end is None else min(chapter["end"], floor(clip.end / base))
        if start < end:
            kept.append({**chapter, "start": start, "end": end})
    return kept


def _pictures(items: Iterator[Item], clip: Clip) -> Iterator[Frame | Packet]:
    """Turn decoded frames into upright RGB ones."""
    upright = (clip.width, clip.height)
    stored = upright[::-1] if clip.rotation % 180 else upright
    # One for all frames: a new one costs megabytes of tables each time.
    reformatter = VideoReformatter()
    for item in items:
        if isinstance(item, av.Packet):
            yield item
            continue
        image = _to_rgb(item, reformatter, stored, clip.colour)
        if clip.rotation:
            image = np.ascontiguousarray(np.rot90(image, clip.rotation // 90))
        pts = round(window.time_of(item) / clip.time_base)
        yield Frame(image, pts, clip.time_base, item.opaque is DAMAGED)


def _to_rgb(
    frame: av.VideoFrame, reformatter: VideoReformatter, size: tuple[int, int], colour: Colour
) -> NDArray[np.uint8]:
    """Convert one decoded frame; one of another size than the first is brought to that size."""
    rgb = reformatter.reformat(
        frame,
        width=size[0],
        height=size[1],
        format="rgb24",
        src_colorspace=colour.matrix,
        src_color_range=2 if colour.full else 1,
        interpolation=_EXACT,
    )
    return np.asarray(rgb.to_ndarray(), np.uint8)
