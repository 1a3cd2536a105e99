"""The part of a source that is wanted: found in the file, and cut out to the frame."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor, lcm
from typing import TypeAlias

import av
from av.container import InputContainer
from av.stream import Stream
from av.video.stream import VideoStream

Item: TypeAlias = "av.VideoFrame | av.Packet[Stream]"
"""A decoded frame, or a piece of another stream."""

# Seconds before the wanted place to look for a keyframe: none may be where the index says.
_BACK = (0, 2, 10)
# Seconds of picture to go on after the end, for sound that lies behind its picture in the file.
_BEHIND = 2
# Seconds that a part may begin without a picture: less lies between two frames of most videos.
_MISSING = Fraction(1, 8)
_MOST_TICKS = 1_000_000  # to a second


def seek(container: InputContainer, video: VideoStream, start: Fraction) -> bool:
    """Go to a keyframe at or before `start`, in seconds of the file; False if none was found.

    Then the place is unknown, and the file is to be opened anew and read from its beginning.
    """
    assert video.time_base is not None
    for back in _BACK:
        target = max(round((start - back) / video.time_base), video.start_time or 0)
        try:
            container.seek(target, stream=video)
            packet = next(packet for packet in container.demux(video) if packet.is_keyframe)
            found = packet.pts is not None and packet.pts * video.time_base <= start
            if found:
                container.seek(target, stream=video)  # the packet has been taken out
                return True
        except (av.FFmpegError, StopIteration):
            return False
    return False


def cut(
    items: Iterator[Item], start: Fraction, end: Fraction | None, hold: bool = True
) -> Iterator[Item]:
    """Yield what begins within [start, end), in seconds of the file; all of it has a time.

    If `hold`, and no frame begins for a while, that which is shown at the start is the first, from
    there on.
    Whether anything comes after the end is known only some seconds later: sound and picture lie
    beside each other in a file, but not exactly.
    """
    before: av.VideoFrame | None = None  # what is held: the last frame, until one begins after it
    for item in items:
        time = time_of(item)
        if isinstance(item, av.VideoFrame):
            if time < start:
                before = item if hold else None
                continue
            ends = end is not None and time >= end
            if before is not None and (ends or time >= start + _MISSING):
                yield from _shown(before, start, time if end is None else min(time, end))
            before = None
        if end is not None and time >= end:
            if isinstance(item, av.VideoFrame) and time >= end + _BEHIND:
                return
        elif time >= start:
            if end is not None and isinstance(item, av.VideoFrame) and item.time_base:
                item.duration = min(item.duration or 0, round((end - time) / item.time_base))
            yield item
    if before is not None:
        over = time_of(before) + duration_of(before)
        yield from _shown(before, start, over if end is None else min(over, end))


def _shown(frame: av.VideoFrame, start: Fraction, end: Fraction) -> Iterator[av.VideoFrame]:
    """Yield a frame as it is shown from `start` to `end`, in seconds of the file, if it is.

    It begins exactly then, in ticks that may be finer than its own.
    """
    assert frame.time_base is not None
    ticks = lcm(frame.time_base.denominator, start.denominator)
    base = Fraction(1, ticks) if ticks <= _MOST_TICKS else frame.time_base
    first, after = ceil(start / base), round(end / base)
    if first < after:
        frame.time_base = base
        frame.pts, frame.duration = first, after - first
        yield frame


def resampled(items: Iterator[Item], rate: Fraction) -> Iterator[Item]:
    """Show at every tick of `rate` (per second) the frame that is due then.

    As FFmpeg's filter `fps` does: times are rounded to ticks, of several frames at one tick the
    last is shown, and a frame is repeated until the next one comes or its duration is over.
    """
    held: av.VideoFrame | None = None
    begin = tick = end = 0
    for item in items:
        if isinstance(item, av.Packet):
            yield item
            continue
        time = time_of(item)
        after = _nearest(time * rate)
        if held is None:
            begin = after
        else:
            yield from _repeated(held, range(tick, after), rate)
        held, tick = item, after
        end = _nearest((time + duration_of(item)) * rate)
    if held is not None:
        # Of the shortest clip something must be left.
        yield from _repeated(held, range(tick, max(end, begin + 1)), rate)


def _repeated(frame: av.VideoFrame, ticks: range, rate: Fraction) -> Iterator[av.VideoFrame]:
    """Yield one frame at several times."""
    for tick in ticks:
        frame.time_base = 1 / rate
        frame.pts, frame.duration = tick, 1
        yield frame


def _nearest(ticks: Fraction) -> int:
    """Round to whole ticks, halves up."""
    return floor(ticks + Fraction(1, 2))


def duration_of(frame: av.VideoFrame) -> Fraction:
    """Return how long a frame is shown, in seconds; 0 if the file does not say."""
    return Fraction((frame.duration or 0) * (frame.time_base or 0))


def time_of(item: Item) -> Fraction:
    """Return when an item begins, in seconds of the file."""
    ticks = item.dts if item.pts is None else item.pts
    return Fraction((ticks or 0) * (item.time_base or 0))
