"""The clock of a broadcast, which begins again where recordings were put one after the other."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from av.container import InputContainer

if TYPE_CHECKING:
    from vstyle.video.decode import Packet

_CLOCKED = {"mpegts", "mpeg"}  # FFmpeg's names of the formats of broadcasts

_AGAIN = Fraction(
    1, 2
)  # seconds that the clock of a stream goes back: less is damage, or the order of frames


def is_clocked(container: InputContainer) -> bool:
    """Tell whether times are those of a broadcast's clock: where it starts means nothing."""
    return bool(_CLOCKED & set(container.format.name.split(",")))


class Clock:
    """Makes time go on where that of a broadcast begins again.

    What the first stream to begin again is moved by, all others are as well, so that they stay
    together; each from where it begins again itself, since the last packets of one recording may
    come after the first of the next.
    """

    def __init__(self, container: InputContainer) -> None:
        self._may = is_clocked(container)
        self._moves = [Fraction(0)]  # seconds, in the first recording, in the second, ...
        self._now: dict[int, int] = {}  # in which recording each stream is
        self._ends: dict[int, Fraction] = {}  # of the last packet of each, as its file says it

    @property
    def again(self) -> bool:
        """Whether it has begun again: then what overlaps is no damage."""
        return len(self._moves) > 1

    def correct(self, packet: Packet) -> None:
        """Move the times of the next packet of a file, if they are to be moved."""
        ticks = packet.pts if packet.dts is None else packet.dts
        if ticks is None:
            return
        stream, time = packet.stream_index, ticks * packet.time_base
        now = self._now.get(stream, 0)
        if self._may and time < self._ends.get(stream, time) - _AGAIN:
            now += 1
            if now == len(self._moves):
                self._moves.append(self._moves[-1] + self._ends[stream] - time)
        self._now[stream] = now
        self._ends[stream] = time + (packet.duration or 0) * packet.time_base
        by = round(self._moves[now] / packet.time_base)
        packet.dts = None if packet.dts is None else packet.dts + by
        packet.pts = None if packet.pts is None else packet.pts + by
