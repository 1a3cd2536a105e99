"""What is wanted of a source, and what comes of that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

from vstyle.video import filters, window
from vstyle.video.clock import is_clocked
from vstyle.video.colour import is_hdr
from vstyle.video.convert import is_transparent
from vstyle.video.window import Item

# Where no stream begins for so many seconds the clock is that of something longer, and where it
# starts means nothing, as in a broadcast. Players think so, too.
_LATE = 1


@dataclass(frozen=True)
class Reading:
    """What is wanted of a source. Times are in seconds from its beginning."""

    start: Fraction = Fraction(0)
    end: Fraction | None = None
    rate: Fraction | None = None  # frames per second; None leaves every frame where it is
    sound: bool = True
    strict: bool = False  # damage is an InputError as soon as it shows
    deinterlace: bool = True  # the frames that say that they are interlaced
    deep: bool = False  # 16 bits per colour, and HDR as it is, if the source has more than 8
    alpha: bool = False  # how transparent each place is, if the source says it

    @property
    def cuts(self) -> bool:
        """Whether only a part is wanted."""
        return bool(self.start) or self.end is not None


WHOLE = Reading()


def wanted(items: Iterator[Item], reading: Reading, zero: Fraction) -> Iterator[Item]:
    """Return the frames and packets that are asked for, as they are asked for."""
    if reading.deinterlace:
        items = filters.deinterlaced(items)
    if reading.rate:
        items = window.resampled(items, reading.rate)
    if reading.cuts:
        end = None if reading.end is None else zero + reading.end
        items = window.cut(items, zero + reading.start, end, hold=not reading.rate)
    return items if reading.deep else filters.tone_mapped(items)


def changes(video: VideoStream, stored: av.VideoFrame, reading: Reading) -> tuple[str, ...]:
    """Say what reading changes in the frames of a clip, of which the first is `stored`."""
    notes = []
    if reading.deinterlace and stored.interlaced_frame:
        notes.append("the video is interlaced: deinterlaced, --deinterlace off leaves it as it is")
    if not reading.deinterlace and stored.interlaced_frame:
        notes.append("the video is interlaced and stays so: of the output nothing says it")
    if is_hdr(int(stored.color_trc)) and not reading.deep:
        notes.append("the video is HDR: tone-mapped to BT.709")
    if not reading.alpha and (video.metadata.get("alpha_mode") == "1" or is_transparent(stored)):
        holders = "--codec prores_ks in mov, ffv1 in mkv, and webm keep it"
        notes.append(f"the video is transparent in places, the output will not be: {holders}")
    return tuple(notes)


def zero_of(container: InputContainer) -> Fraction:
    """Return the time, in seconds, from which the times of a file are counted."""
    begins = Fraction(container.start_time or 0, av.time_base)
    # FFmpeg rounds to a microsecond; a frame must not begin before its clip.
    starts = [
        Fraction(s.start_time * s.time_base)
        for s in container.streams
        if s.start_time and s.time_base
    ]
    nearest = min(starts, key=lambda start: abs(start - begins), default=begins)
    begins = nearest if abs(nearest - begins) <= Fraction(1, av.time_base) else begins
    return begins if is_clocked(container) or begins >= _LATE else Fraction(0)


def duration_of(container: InputContainer, reading: Reading) -> float | None:
    """Return how long the wanted part is, in seconds, as far as the container knows."""
    # Matroska counts to when all is over.
    before = float(zero_of(container)) if "matroska" in container.format.name else 0.0
    known = [] if container.duration is None else [container.duration / av.time_base - before]
    known += [] if reading.end is None else [float(reading.end)]
    return max(0.0, min(known) - float(reading.start)) if known else None


def others_of(video: VideoStream, reading: Reading) -> tuple[Stream, ...]:
    """Return the streams that are to come along with the picture.

    The tracks of mov for time codes and for chapters are not among them: FFmpeg makes them anew.
    """
    container = video.container
    assert isinstance(container, InputContainer)
    made = bool(container.chapters()) and "mov" in container.format.name
    found: list[Stream] = []
    for stream in container.streams:
        if stream.type == "data" and ("timecode" in stream.metadata or made):
            continue
        if stream is not video and (reading.sound or stream.type != "audio"):
            found.append(stream)
    return tuple(found)
