"""A NUT stream of raw frames and the source's own packets, each with its exact time.

Of all that ffmpeg reads from a pipe, NUT alone keeps any timestamp in any time base.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from functools import cache
from heapq import heappushpop
from math import ceil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Final

import av
import numpy as np
from av.container import OutputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from vstyle import pixels
from vstyle.errors import InputError
from vstyle.video.colour import Colour
from vstyle.video.convert import FORMATS
from vstyle.video.decode import Clip, Frame, Packet, Source
from vstyle.video.planes import planes
from vstyle.video.standard import name_of

if TYPE_CHECKING:
    from av.container.core import Chapter

_SHIFT = 60  # seconds

# Seconds of sound before the first that is heard that a decoder may swallow. What is hidden beside
# that was cut off, which few containers can say.
SWALLOWED = Fraction(1, 10)

_REORDERED = 16  # no codec shows a picture later than after so many others

_LAST_TICK = 2**63 - 1  # that FFmpeg can count

# Bytes per write: raw pictures come in megabytes.
_BUFFER = 1 << 20


def shift_of(clip: Clip) -> Fraction:
    """Return the seconds that are added to every time in the pipe; ffmpeg takes them off again.

    NUT knows no negative times, and the first sound of an mp4 lies some milliseconds before zero.
    """
    return ceil(_SHIFT / clip.time_base) * clip.time_base  # whole ticks, to lose nothing


_OF_VIDEO = {"language", "title", "timecode"}
"""What is said of a video stream that stays true when it is painted."""


class Pipe:
    """Turns frames and packets into the bytes of one NUT stream and gives them to `send`.

    `even` repeats the last row or column of frames whose height or width is odd. With `planar`
    pictures are sent as `planes` of that colour, else as RGB; with `encoded` they come as packets
    of such a stream. If it `ends`, its last packet has a single byte and the time at which the last
    frame ends, if that is known.
    """

    def __init__(
        self,
        source: Source,
        piped: Iterable[Stream],
        even: bool,
        send: Callable[[bytes], None],
        encoded: VideoStream | None = None,
        *,
        planar: Colour | None = None,
        ends: bool,
    ) -> None:
        # The muxer writes into memory, and the bytes are sent from here: an error or a signal that
        # is raised inside FFmpeg's call, while it writes, would be lost.
        self._chunks: Final[list[bytes]] = []
        self._send: Final = send
        self._name: Final = name_of(source.clip.path)
        self._shift: Final = shift_of(source.clip)
        self._origin: Final = source.clip.origin
        self._heard: Final[dict[int, int]] = {}  # when the last packet of each sound begins
        self._window: list[int] = []  # times of pictures that come in the order of decoding
        self.last: Fraction | None = None  # when the last frame is shown in the output, in seconds
        self._ends: Final = ends
        self.end: Fraction | None = None  # when it is over, in seconds of the source, if known
        self._multiple: Final = 2 if even else 1
        self._planar: Final = planar
        deep, alpha = source.clip.deep, source.clip.alpha
        self._form: Final = "yuv420p" if planar else FORMATS[deep, alpha]
        self._nut: Final = av.open(_file(self._chunks), "w", format="nut", buffer_size=_BUFFER)
        self._nut.metadata.update(_portable(source.metadata))
        self._encoded: Final = encoded is not None
        self._video: Final = _add_video(self._nut, source, self._multiple, self._form, encoded)
        self._sounds: Final = {stream.index: _add_copy(self._nut, stream) for stream in piped}
        self._nut.set_chapters([_later(chapter, self._shift) for chapter in source.chapters])
        try:
            self._nut.start_encoding()
        except av.FFmpegError as error:
            raise InputError(
                f"{self._name} says of a stream what cannot be: {error.strerror}",
                "Is the file damaged? Try --no-audio.",
            ) from error
        self._flush()

    def frame(self, frame: Frame) -> None:
        """Send one picture."""
        picture = frame.image
        if frame.alpha is not None:
            picture = np.dstack([picture, frame.alpha])
        if self._planar:
            picture = planes(picture, self._planar)
        else:
            picture = pixels.pad(picture, self._multiple)
        image = av.VideoFrame.from_ndarray(picture, format=self._form)
        image.pts = frame.pts + round(self._shift / frame.time_base)
        image.time_base = frame.time_base
        self._mux(self._video.encode(image), frame.time)
        self.last = frame.pts * frame.time_base - self._origin
        over = (frame.pts + frame.duration) * frame.time_base
        self.end = over if frame.duration else None
        self._flush()

    def packet(self, packet: Packet) -> None:
        """Send a packet of another stream as it is, if its stream is one that is piped."""
        stream = self._sounds.get(packet.stream.index)
        begin = packet.dts if packet.pts is None else packet.pts
        assert begin is not None  # the source leaves out packets without any time
        hidden = packet.is_discard and begin * packet.time_base < self._origin - SWALLOWED
        if stream is None or hidden:
            return
        # Sound is decoded in the order in which it is heard. Times that are the same by rounding
        # NUT does not hold: they are a tick apart.
        begin = max(begin, self._heard.get(packet.stream_index, begin - 1) + 1)
        self._heard[packet.stream_index] = begin
        packet.pts = packet.dts = begin + round(self._shift / packet.time_base)
        packet.stream = stream
        self._mux(packet, float(begin * packet.time_base))
        self._flush()

    def forward(self, packet: Packet) -> None:
        """Send a packet of a file that another pipe was written to, with the times it has there."""
        assert packet.pts is not None
        number = packet.stream_index
        time = packet.pts * packet.time_base
        if number == 0:
            self.last = time - self._shift - self._origin
        packet.dts = packet.pts
        if number == 0:
            # Pictures come in the order of decoding: the time of each is the first of the times of
            # showing that is not yet taken, of a window that holds all that are out of order.
            self._window = self._window or list(range(packet.pts - _REORDERED, packet.pts))
            packet.dts = heappushpop(self._window, packet.pts)
        packet.stream = [self._video, *self._sounds.values()][number]
        self._mux(packet, float(time))
        self._flush()

    def close(self) -> None:
        """Send what is left."""
        if not self._encoded:
            self._nut.mux(self._video.encode(None))
        if self._ends and self.end is not None and self._video.time_base:
            ticks = round((self.end + self._shift) / self._video.time_base)
            # A damaged file may say that its last frame is shown for ever, or ended before it began
            # to count: then nobody knows.
            if abs(ticks) <= _LAST_TICK:
                over = av.Packet(b"\0")
                over.pts = over.dts = ticks
                over.time_base, over.stream = self._video.time_base, self._video
                self._mux(over, float(self.end))
        self._nut.close()
        self._flush()

    def _mux(self, packets: Packet | list[av.Packet[VideoStream]], time: float) -> None:
        """Give packets to the muxer, which refuses times before zero and times that go back."""
        try:
            self._nut.mux(packets)
        except av.FFmpegError as error:
            raise InputError(
                f"{self._name} has times that make no sense, at {time:.2f} s",
                "Write it anew first: `ffmpeg -i in.mp4 -c copy new.mkv`.",
            ) from error

    def _flush(self) -> None:
        """Send what the muxer has written so far."""
        chunks = self._chunks.copy()
        self._chunks.clear()
        for chunk in chunks:
            self._send(chunk)


@cache
def carried_codecs() -> frozenset[str]:
    """Return the names of the codecs that fit into the pipe as they are."""
    # Not closed: a container without streams has no header, and nothing to write.
    return frozenset(av.open(_file([]), "w", format="nut").supported_codecs)


def _file(chunks: list[bytes]) -> SimpleNamespace:
    """Return a file for FFmpeg to write to that keeps the bytes in `chunks`.

    It runs no line of Python when it is written to: there, a signal would be handled and lost.
    """
    return SimpleNamespace(write=chunks.append)


def _add_video(
    nut: OutputContainer, source: Source, multiple: int, form: str, encoded: VideoStream | None
) -> VideoStream:
    """Add the stream of raw frames of a pixel format, timed in the ticks of the clip.

    Or one like `encoded`.
    """
    clip = source.clip
    if encoded is not None:
        stream = nut.add_stream_from_template(encoded, opaque=True)
        assert isinstance(stream, VideoStream)
        stream.time_base = encoded.time_base
    else:
        stream = nut.add_stream("rawvideo", rate=clip.rate)
        assert isinstance(stream, VideoStream)
        stream.width = clip.width + -clip.width % multiple
        stream.height = clip.height + -clip.height % multiple
        stream.pix_fmt = form
        stream.time_base = stream.codec_context.time_base = clip.time_base
    said = {key.lower(): text for key, text in source.video.metadata.items()}
    stream.metadata.update({key: said[key] for key in _OF_VIDEO & said.keys()})
    stream.disposition = source.video.disposition
    return stream


def _add_copy(nut: OutputContainer, source: Stream) -> Stream:
    """Add a stream that carries packets of `source` as they are, under its name and language."""
    stream = nut.add_stream_from_template(source)
    said = dict(source.metadata)
    if "name" in said:  # what mov calls the title of a track
        said.setdefault("title", said.pop("name"))
    stream.metadata.update(said)
    stream.disposition = source.disposition
    return stream


def _portable(metadata: Mapping[str, str]) -> dict[str, str]:
    """Return the metadata of a file without what is said of its container only."""
    of_container = {"major_brand", "minor_version", "compatible_brands", "encoder"}
    return {key: text for key, text in metadata.items() if key.lower() not in of_container}


def _later(chapter: Chapter, seconds: Fraction) -> Chapter:
    """Return the chapter with its times as they are in the pipe."""
    shift = round(seconds / (chapter["time_base"] or 1))
    return {**chapter, "start": chapter["start"] + shift, "end": chapter["end"] + shift}
