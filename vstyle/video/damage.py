"""What is wrong with a source, as far as it shows while it is read: counted, to be said."""

from __future__ import annotations

import re
from collections.abc import Sequence
from fractions import Fraction
from math import inf

import av
from av.container import InputContainer
from av.stream import Stream

from vstyle.errors import InputError

_SLACK = 0.5
"""Seconds that a whole file may end before the end that it states."""

# These state their length; of others FFmpeg guesses it, from the bit rate or the last bytes.
_STATED = {"mov", "matroska", "webm", "avi", "flv"}
_CLOCK = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")


class Damage:
    """Counts what is broken or missing from the time `since` on, in seconds.

    With `strict` the first of it is an InputError.
    """

    def __init__(self, name: str, strict: bool = False, since: float = -inf) -> None:
        self._name, self._strict, self._since = name, strict, since
        self._frames = self._pieces = 0
        self._first_frame = self._first_piece = 0.0
        self._missing = 0.0
        self._resized = 0
        self._first_resized = 0.0
        self.again = False  # whether the clock of a broadcast begins again

    def resized(self, time: float) -> None:
        """Count a frame of another size than the first: no damage, but to be said."""
        self._first_resized = self._first_resized if self._resized else time
        self._resized += 1

    def frame(self, time: float) -> None:
        """Count a frame that was decoded with errors."""
        if time < self._since:
            return
        self._first_frame = self._first_frame if self._frames else time
        self._frames += 1
        self._check()

    def piece(self, time: float) -> None:
        """Count a piece of the file, after the frame of this time, that cannot be decoded."""
        if time < self._since:
            return
        self._first_piece = self._first_piece if self._pieces else time
        self._pieces += 1
        self._check()

    def end(self, time: float, stated: float | None) -> None:
        """Compare the time at which the streams end with the one that the file states."""
        if stated is not None and stated - time > _SLACK:
            self._missing = stated - time
            self._check()

    def notes(self) -> tuple[str, ...]:
        """Say what was found."""
        found = []
        if self._frames:
            count = "1 frame is" if self._frames == 1 else f"{self._frames} frames are"
            found.append(f"{count} damaged, the first at {self._first_frame:.2f} s")
        if self._pieces:
            count = "1 piece" if self._pieces == 1 else f"{self._pieces} pieces"
            found.append(f"{count} cannot be decoded, the first after {self._first_piece:.2f} s")
        if self._missing:
            found.append(f"the last {self._missing:.2f} s are missing")
        notes = tuple(f"{self._name} is damaged: {words}" for words in found)
        if not self._resized:
            return notes
        count = "1 frame was" if self._resized == 1 else f"{self._resized} frames were"
        where = f"the first at {self._first_resized:.2f} s"
        return (f"{self._name} changes its size: {count} scaled to the first's, {where}", *notes)

    def _check(self) -> None:
        if self._strict:
            raise InputError(self.notes()[-1], "Without --strict, what is left of it is painted.")


def stated_end(container: InputContainer, streams: Sequence[Stream]) -> float | None:
    """Return the time, in seconds, at which `streams` of a file end, if it says so."""
    # Of an AVI in a pipe FFmpeg guesses it, too.
    stated = _STATED - {"avi"} if container.file else _STATED
    if not stated & set(container.format.name.split(",")):
        return None
    ends = [end for stream in streams if (end := _stated(stream)) is not None]
    if ends:
        return max(ends)
    # The length of the whole: that of the longest stream, which may be one that is not read.
    if container.duration is None or len(container.streams) > len(streams):
        return None
    return ((container.start_time or 0) + container.duration) / av.time_base


def _stated(stream: Stream) -> float | None:
    """Return the end of one stream: from its header, or from the tag that Matroska has for it."""
    if stream.duration is not None and stream.time_base is not None:
        return float(((stream.start_time or 0) + stream.duration) * stream.time_base)
    clock = _CLOCK.match(stream.metadata.get("DURATION", ""))
    if clock is None:
        return None
    hours, minutes, seconds = map(Fraction, clock.groups())
    return float(hours * 3600 + minutes * 60 + seconds)
