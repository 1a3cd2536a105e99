"""The source end: a file becomes timed RGB frames; packets of the other streams ride along."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition, Stream
from av.video.reformatter import Interpolation, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from vstyle.errors import InputError
from vstyle.video.colour import Colour, colour_of
from vstyle.video.prefetch import prefetch
from vstyle.video.standard import STANDARD, StandardInput, name_of
from vstyle.video.stills import first_number, is_sequence

if TYPE_CHECKING:
    from av.container.core import Chapter

MAX_PIXELS = 8192 * 8192
"""Frames larger than this are refused: a file of 100 kB can hold a picture of gigabytes."""

# A list of what we read, since FFmpeg reads more than video: playlists that open other files, and
# any text file at all, as the screen of a terminal.
FORMATS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,nut,mpegts,mpeg,mpegvideo,avi,gif,yuv4mpegpipe,ogg,flv,"
    "asf,h264,hevc,av1,obu,ivf,m4v,mxf,dv,apng,image2,png_pipe,jpeg_pipe,webp_pipe,bmp_pipe,tiff_pipe"
)
# In a broadcast the clock starts anywhere, and where it starts means nothing.
_CLOCKED = {"mpegts", "mpeg"}

# Left to itself, swscale rounds down: every conversion makes the picture a grey level darker.
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT

_KINDS = "Is it complete, and a video? vstyle reads mp4, mov, mkv, webm, avi, ts, gif and more."
_STREAMED = (
    "From a pipe, an mp4 must have its index in front: `ffmpeg -i in.mp4 -c copy -f nut - | ...`."
)

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
    colour: Colour
    aspect: Fraction  # width of a pixel by its height
    rotation: int  # degrees that the frames were turned counter-clockwise to stand upright
    still: bool = False  # one picture, not a video


@dataclass(frozen=True)
class Frame:
    """One picture and when it is shown: (H, W, 3) uint8 RGB, contiguous; `pts` in `time_base`."""

    image: NDArray[np.uint8]
    pts: int
    time_base: Fraction

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
    stop: Callable[[], None]  # makes a read of `items` that waits for more data end


@contextmanager
def open_clip(path: Path) -> Iterator[Source]:
    """Open a video and decode its first frame; it is closed on leaving.

    `path` may be STANDARD. `Source.items` can be iterated once, in any one thread. InputError if
    it cannot be read as a video, here or later, in the middle of `items`.
    """
    check_readable(path)
    with ExitStack() as stack:
        stdin, stop = None, _nothing_waits
        if path == STANDARD:
            stdin = stack.enter_context(closing(StandardInput()))
            stop = stdin.stop
        # In a thread: Python handles no signal while FFmpeg waits for data in this one.
        opening = prefetch(_begin(path, stdin, stop), stop=stop)
        with closing(opening):
            ((container, source),) = opening
        with container:
            yield source


def _begin(
    path: Path, stdin: StandardInput | None, stop: Callable[[], None]
) -> Generator[tuple[InputContainer, Source]]:
    """Yield one clip, opened: what to close in the end, and what is in it."""
    container = _open(path, stdin)
    try:
        video = _video_stream(container, path)
        others = tuple(s for s in container.streams if s.type in {"audio", "subtitle"})
        sounds = [s for s in others if s.type == "audio"]
        decoded = _demux(container, video, sounds, path)
        first, held = _first_frame(decoded, path)
        clip = _describe(path, container, video, first)
    except BaseException:
        container.close()
        raise
    items = _timed(chain(held, decoded), clip)
    chapters = tuple(container.chapters())
    codec = video.codec_context.name
    yield container, Source(clip, codec, others, container.metadata, chapters, items, stop)


def _nothing_waits() -> None:
    """Stop reading a file: it never waits."""


def check_readable(path: Path) -> None:
    """Raise InputError unless `path` is a file with something in it that we may read."""
    if path == STANDARD:
        return
    if is_sequence(path):
        first_number(path)
        return
    try:
        if path.exists() and not path.is_file():
            kind = "a directory" if path.is_dir() else "not a plain file"
            raise InputError(f"{path} is {kind}", "Name one video file.")
        with path.open("rb") as file:
            if not file.read(1):
                raise InputError(f"{path} is empty", "Was its download or its copy interrupted?")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist", "Check the name.") from None
    except OSError as error:
        reason = error.strerror or error
        raise InputError(f"{path} cannot be read: {reason}", "Check its permissions.") from error


def _open(path: Path, stdin: StandardInput | None) -> InputContainer:
    """Open a file, or `stdin`, as a container of the formats we know, with no way out to others."""
    limit = {"max_pixels": str(MAX_PIXELS)}  # here for probing, below for decoding
    protocol = "file" if stdin is None else "pipe"
    options = {"format_whitelist": FORMATS, "protocol_whitelist": protocol}
    sequence = is_sequence(path)
    if sequence:
        options["start_number"] = str(first_number(path))
    try:
        # `file:` keeps FFmpeg from reading a protocol into names like `data:1.mp4`.
        place = f"file:{path}" if stdin is None else stdin
        kind = "image2" if sequence else None
        container = av.open(place, "r", kind, options=limit, container_options=options)
    except (av.FFmpegError, ValueError) as error:
        what = f"{name_of(path)} is not a video that vstyle can read"
        raise InputError(what, _KINDS if stdin is None else _STREAMED) from error
    for stream in container.streams.video:
        stream.codec_context.options = limit
    return container


def _video_stream(container: InputContainer, path: Path) -> VideoStream:
    """Return the first video stream that is not a cover picture, ready for threaded decoding."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            stream.thread_type = "AUTO"
            return stream
    if container.streams.audio:
        raise InputError(
            f"{name_of(path)} has sound but no video", "Name a file with a picture in it."
        )
    raise InputError(f"{name_of(path)} has no video in it", "Name a file with a picture in it.")


def _demux(
    container: InputContainer, video: VideoStream, sounds: list[Stream], path: Path
) -> Iterator[av.VideoFrame | Packet]:
    """Yield decoded frames, and the packets of `sounds` as they are, in the order of the file."""
    time = None
    try:
        for packet in container.demux(video, *sounds):
            if packet.stream is video:
                for frame in packet.decode():
                    if isinstance(frame, av.VideoFrame):
                        time = frame.time
                        yield frame
            elif packet.dts is not None or packet.pts is not None:  # else it only marks the end
                yield packet
    except av.FFmpegError as error:
        where = "" if time is None else f" after {time:.2f} s"
        raise InputError(
            f"{name_of(path)} cannot be decoded{where}: {error.strerror}",
            "Is the file damaged or cut off?",
        ) from error


def _first_frame(
    decoded: Iterator[av.VideoFrame | Packet], path: Path
) -> tuple[av.VideoFrame, list[av.VideoFrame | Packet]]:
    """Return the first frame, and everything read to get it, itself included."""
    held = []
    for item in decoded:
        held.append(item)
        if isinstance(item, av.VideoFrame):
            return item, held
    raise InputError(f"{name_of(path)} has no video frames", "Is the file complete?")


def _describe(
    path: Path, container: InputContainer, video: VideoStream, first: av.VideoFrame
) -> Clip:
    """Gather what the container, the stream and the first frame say about the clip."""
    assert video.time_base is not None  # FFmpeg gives one to every stream it opens
    rotation = round(first.rotation / 90) * 90 % 360
    aspect = Fraction(video.sample_aspect_ratio or 1)
    width, height = first.width, first.height
    if rotation % 180:
        width, height, aspect = height, width, 1 / aspect
    clocked = bool(_CLOCKED & set(container.format.name.split(",")))
    return Clip(
        path=path,
        width=width,
        height=height,
        time_base=video.time_base,
        rate=video.guessed_rate,  # average_rate is None for many files of variable rate
        duration=None if container.duration is None else container.duration / av.time_base,
        origin=Fraction(container.start_time or 0, av.time_base) if clocked else Fraction(0),
        colour=colour_of(first),
        aspect=aspect,
        rotation=rotation,
        still=container.format.name.endswith("_pipe") and path != STANDARD,
    )


def _timed(items: Iterator[av.VideoFrame | Packet], clip: Clip) -> Iterator[Frame | Packet]:
    """Turn decoded frames into upright RGB ones, each with a timestamp later than the last."""
    upright = (clip.width, clip.height)
    stored = upright[::-1] if clip.rotation % 180 else upright
    # One for all frames: a new one costs megabytes of tables each time.
    reformatter = VideoReformatter()
    step = max(1, round(1 / (clip.rate or 25) / clip.time_base))
    last: int | None = None
    for item in items:
        if isinstance(item, av.Packet):
            yield item
            continue
        pts = item.pts
        if pts is None or (last is not None and pts <= last):
            pts = 0 if last is None else last + step
        last = pts
        image = _to_rgb(item, reformatter, stored, clip.colour)
        if clip.rotation:
            image = np.ascontiguousarray(np.rot90(image, clip.rotation // 90))
        yield Frame(image, pts, clip.time_base)


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
