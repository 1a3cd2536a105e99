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
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from vstyle.engine.base import Picture
from vstyle.errors import InputError, UsageError, VstyleError
from vstyle.profiles import profile_of
from vstyle.video import filters, window
from vstyle.video.colour import Colour, colour_of
from vstyle.video.convert import Converter, bits_of, has_alpha
from vstyle.video.damage import Damage
from vstyle.video.demux import DAMAGED, demux
from vstyle.video.mastering import UNSAID, Mastering, mastering_of
from vstyle.video.opening import (
    STREAMED,
    check_readable,
    decoder_of,
    is_photo,
    open_container,
    video_stream,
)
from vstyle.video.prefetch import prefetch
from vstyle.video.reading import (
    WHOLE,
    Reading,
    changes,
    duration_of,
    others_of,
    wanted,
    zero_of,
)
from vstyle.video.standard import STANDARD, StandardInput, name_of
from vstyle.video.stills import parts_of
from vstyle.video.upright import orientation_of
from vstyle.video.watch import PATIENCE
from vstyle.video.window import Item

if TYPE_CHECKING:
    from av.container.core import Chapter

Packet: TypeAlias = "av.Packet[Stream]"
"""A piece of another stream, as it is in the file."""


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
    bits: int  # per colour, in the file
    deep: bool  # the frames are uint16, not uint8
    alpha: bool  # the frames have alpha
    still: bool = False  # one picture, not a video
    mastering: Mastering = UNSAID  # of HDR that is kept
    profiles: tuple[bytes | None, ...] = ()  # of the colours of photos, each once, the first first

    @property
    def end(self) -> Fraction | None:
        """The time, in seconds of the file, at which the wanted part ends."""
        end = self.reading.end
        return None if end is None else self.origin - self.reading.start + end


@dataclass(frozen=True)
class Frame:
    """One picture and when it is shown: (H, W, 3) RGB, contiguous; `pts` in `time_base`.

    It is uint8, or uint16 where the clip is deep. `alpha` is (H, W) of the same type.
    """

    image: Picture
    pts: int
    time_base: Fraction
    damaged: bool = False  # decoded with errors, or something before it is lost
    alpha: Picture | None = None
    duration: int = 0  # how long it is shown, in the same ticks; 0 where the file does not say

    @property
    def time(self) -> float:
        """When the frame is shown, in seconds."""
        return float(self.pts * self.time_base)


@dataclass(frozen=True)
class Source:
    """An open clip. `items` are its frames and, in file order, the packets of its other streams."""

    clip: Clip
    codec: str  # of the video, as FFmpeg names it
    video: VideoStream  # the one that is painted
    streams: tuple[Stream, ...]  # all streams but the video, those that no packet comes from too
    metadata: Mapping[str, str]
    chapters: tuple[Chapter, ...]
    notes: tuple[str, ...]  # what reading changes: what the user should know
    items: Iterator[Frame | Packet]
    damage: Damage  # what is found to be broken while `items` are read
    stop: Callable[[], None]  # makes a read of `items` that waits for more data end


@contextmanager
def open_clip(path: Path, reading: Reading = WHOLE, patience: float = PATIENCE) -> Iterator[Source]:
    """Open a video and decode its first frame; it is closed on leaving.

    `path` may be STANDARD. `Source.items` can be iterated once, in any one thread. InputError if
    it cannot be read as a video, if standard input gives nothing for `patience` seconds, or, if
    `strict`, as soon as any damage shows.
    """
    check_readable(path)
    with ExitStack() as stack:
        stdin, stop = None, _nothing_waits
        if path == STANDARD:
            stdin = stack.enter_context(closing(StandardInput(patience)))
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
        zero = zero_of(container)
        seeks = stdin is None and bool(reading.start)
        if seeks and not window.seek(container, video, zero + reading.start):
            container.close()
            container = open_container(path, stdin)
            video = video_stream(container, path)
        others = others_of(video, reading)
        sounds = [s for s in others if s.type == "audio"]
        since = float(zero + reading.start) if reading.start else -inf
        damage = Damage(name_of(path), reading.strict, since)
        decoder = decoder_of(video, reading.alpha)
        taken = demux(container, video, decoder, sounds, damage)
        decoded = _stamped(filters.listable(taken, decoder.name), video)
        stored, decoded = _first_frame(decoded)
        first, items = _first_frame(wanted(decoded, reading, zero))
        if stored is None or first is None:
            raise _no_picture(path, container, reading)
        clip = _describe(path, video, stored, first, reading)
    except BaseException:
        container.close()
        raise
    yield (
        container,
        Source(
            clip,
            video.codec_context.name,
            video,
            others,
            container.metadata,
            tuple(_chapters(container.chapters(), clip)),
            changes(video, stored, reading) + _unfit(clip),
            _pictures(items, clip, _converter(first, clip), damage),
            damage,
            stop,
        ),
    )


def _nothing_waits() -> None:
    """Stop reading a file: it never waits."""


def _stamped(items: Iterator[Item], video: VideoStream) -> Iterator[Item]:
    """Give every frame a timestamp later than the last one's; most have one."""
    assert video.time_base is not None  # FFmpeg gives one to every stream it opens
    step = max(1, round(1 / (video.guessed_rate or 25) / video.time_base))
    last: int | None = None
    late = 0
    for item in items:
        if isinstance(item, av.VideoFrame):
            if last is None and video.container.format.name == "avi":
                # AVI holds no times, and FFmpeg counts a frame's wait in the decoder as one.
                late = max(0, (item.pts or 0) - (item.dts or 0))
            if item.pts is not None:
                item.pts -= late
            if item.pts is None or (last is not None and item.pts <= last):
                item.pts = 0 if last is None else last + step
                item.time_base = video.time_base
            last = item.pts
        yield item


def _first_frame(items: Iterator[Item]) -> tuple[av.VideoFrame | None, Iterator[Item]]:
    """Return the first frame, if any, and all the items, itself included."""
    held = []
    for item in items:
        held.append(item)
        if isinstance(item, av.VideoFrame):
            return item, chain(held, items)
    return None, iter(held)


def _no_picture(path: Path, container: InputContainer, reading: Reading) -> VstyleError:
    """Return the error of a clip, or of a part of it, that has no frame."""
    if not reading.cuts:
        hint = STREAMED if path == STANDARD else "Is the file complete?"
        return InputError(f"{name_of(path)} has no video frames", hint)
    length = duration_of(container, WHOLE)
    hint = "" if length is None else f" The clip is {length:.2f} s long."
    return UsageError(
        f"{name_of(path)} has no picture in the part asked for", f"Look at --start.{hint}"
    )


def _describe(
    path: Path,
    video: VideoStream,
    stored: av.VideoFrame,
    first: av.VideoFrame,
    reading: Reading,
) -> Clip:
    """Gather what is said about the clip by its container, its stream, and its first frame.

    That frame as it is in the file, and as it is wanted.
    """
    container = video.container
    assert isinstance(container, InputContainer)
    assert first.time_base is not None
    aspect = Fraction(video.sample_aspect_ratio or 1)
    pictures = path != STANDARD and is_photo(container, video)
    width, height = first.width, first.height
    if orientation_of(first).transposed:
        width, height, aspect = height, width, 1 / aspect
    return Clip(
        path=path,
        width=width,
        height=height,
        time_base=first.time_base,
        rate=reading.rate or video.guessed_rate,  # average_rate is None for many of variable rate
        duration=duration_of(container, reading),
        origin=zero_of(container) + reading.start,
        reading=reading,
        colour=colour_of(first),
        aspect=aspect,
        bits=bits_of(stored.format),
        deep=reading.deep and bits_of(stored.format) > 8,
        alpha=reading.alpha and has_alpha(stored.format),
        still=pictures and len(parts_of(path)) == 1,
        mastering=mastering_of(stored) if reading.deep else UNSAID,
        profiles=tuple({profile_of(part): None for part in parts_of(path)}) if pictures else (),
    )


def _unfit(clip: Clip) -> tuple[str, ...]:
    """Say whether the colours of photos are not brought to sRGB as they should be."""
    if clip.deep and any(clip.profiles):
        return ("the colour profile is left out: only pictures of 8 bits are brought to sRGB",)
    if len(clip.profiles) > 1:
        return ("the pictures have several colour profiles: that of the first is taken for all",)
    return ()


def _converter(first: av.VideoFrame, clip: Clip) -> Converter:
    """Return what makes pictures of the frames of a clip."""
    orientation = orientation_of(first)
    return Converter(
        first.width,
        first.height,
        clip.colour,
        orientation,
        clip.deep,
        clip.alpha,
        None if clip.deep else next(iter(clip.profiles), None),
    )


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


def _pictures(
    items: Iterator[Item], clip: Clip, convert: Converter, damage: Damage
) -> Iterator[Frame | Packet]:
    """Turn decoded frames into upright RGB ones."""
    for item in items:
        if isinstance(item, av.Packet):
            yield item
            continue
        if (item.width, item.height) != (convert.width, convert.height):
            damage.resized(float(window.time_of(item) - clip.origin))
        image, alpha = convert(item)
        pts = round(window.time_of(item) / clip.time_base)
        lasting = round(window.duration_of(item) / clip.time_base)
        yield Frame(image, pts, clip.time_base, item.opaque is DAMAGED, alpha, lasting)
