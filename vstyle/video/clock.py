"""The clock of a broadcast, which begins again where recordings were put one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from av.container import InputContainer

if TYPE_CHECKING:
    from vstyle.video.decode import Packet

_CLOCKED = {"mpegts", "mpeg"}  # FFmpeg's names of the formats of broadcasts

# Seconds between packets of a stream, back and forth: less is the order of frames, or a pause.
_BACK, _FORTH = Fraction(1, 2), 10
# And between packets of two streams that lie beside each other in a file.
_APART = Fraction(3, 2)


def is_clocked(container: InputContainer) -> bool:
    """Tell whether times are those of a broadcast's clock: where it starts means nothing."""
    return bool(_CLOCKED & set(container.format.name.split(",")))


@dataclass
class _Track:
    """Where one stream is, in seconds as its file says them."""

    recording: int  # the number of the one that it is in
    begin: Fraction  # of its last packet
    end: Fraction
    left: Fraction | None = None  # where the clock was before it jumped for the last time


class Clock:
    """Makes time go on where that of a broadcast begins again.

    What the first stream to jump is moved by, all others are as well, so that they stay together;
    each from where it jumps itself, since the last packets of one recording may come after the
    first of the next. A stream that comes back to where it jumped from had a wrong time.
    """

    def __init__(self, container: InputContainer) -> None:
        self._may = is_clocked(container)
        self._moves = [Fraction(0)]  # seconds, in the first recording, in the second, ...
        self._tracks: dict[int, _Track] = {}

    @property
    def again(self) -> bool:
        """Whether it has begun again: then what overlaps is no damage."""
        return len(self._moves) > 1

    def correct(self, packet: Packet) -> None:
        """Move the times of the next packet of a file, if they are to be moved."""
        ticks = packet.pts if packet.dts is None else packet.dts
        if ticks is None or not self._may:
            return
        time = ticks * packet.time_base
        last = max((track.recording for track in self._tracks.values()), default=0)
        track = self._tracks.setdefault(packet.stream_index, _Track(last, time, time))
        if not track.begin - _BACK <= time <= track.begin + _FORTH:
            self._jump(track, time)
        track.begin, track.end = time, time + (packet.duration or 0) * packet.time_base
        by = round(self._moves[track.recording] / packet.time_base)
        packet.dts = None if packet.dts is None else packet.dts + by
        packet.pts = None if packet.pts is None else packet.pts + by

    def _jump(self, track: _Track, time: Fraction) -> None:
        """Find the recording that a stream is in from now on."""
        left, track.left = track.left, track.begin
        if left is not None and track.recording and left - _BACK <= time <= left + _FORTH:
            track.recording, track.left = track.recording - 1, None
            if all(other.recording <= track.recording for other in self._tracks.values()):
                del self._moves[track.recording + 1 :]
            return
        last = max(other.recording for other in self._tracks.values())
        there = [other for other in self._tracks.values() if other.recording == last]
        if track in there or time < max(other.begin for other in there) - _APART:
            self._moves.append(self._moves[last] + max(other.end for other in there) - time)
            last += 1
        track.recording = last
