"""How long each stage of the frame path takes, frame by frame, without what it waits for."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import av
import numpy as np

from vstyle import pixels
from vstyle.engine.base import Engine, Graded, Grain, Mask, Picture, seen_by
from vstyle.video.decode import Frame
from vstyle.video.stylize import Job

T = TypeVar("T")

AHEAD = ("decode", "flow", "ready")
"""The stages that run ahead in a thread of their own."""

IN_PATH = ("wait", "carry", "paint")
"""Those of the thread that paints; `wait` is the time that it waited for the first."""

BEHIND = ("idle", "grade", "encode")
"""Those that follow; `idle` is the time that they waited for a painted frame, `encode` the time
until the encoder, a process of its own, took it."""

STAGES = (*AHEAD, *IN_PATH, *BEHIND)

TURNS = 9


class Stopwatch:
    """Collects seconds by stage: one entry per frame, in the order of the frames.

    A stage that asks another one for a frame is not charged for that one's time: spans lie within
    each other, one pile of them per thread, and each is charged what its inner ones leave.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """`clock` is what spans are timed by: the one on the wall, or that of a thread's work."""
        self.clock = clock
        self.seconds: dict[str, list[float]] = defaultdict(list)
        self.handed: list[float] = []  # when each painted frame left the path, by the clock
        self._piles = threading.local()

    @contextmanager
    def span(self, stage: str) -> Iterator[None]:
        """Charge the block's time, less that of spans inside it, to a new entry of `stage`."""
        pile: list[float] = self._piles.__dict__.setdefault("inner", [])
        pile.append(0.0)
        begin = self.clock()
        try:
            yield
        finally:
            whole = self.clock() - begin
            self.seconds[stage].append(whole - pile.pop())
            if pile:
                pile[-1] += whole

    def tap(self, stage: str, items: Iterator[T]) -> Iterator[T]:
        """Yield the items of a stage and charge it for each; see `video.stylize.Tap`."""
        entries = self.seconds[stage]
        while True:
            try:
                with self.span(stage):
                    item = next(items)
            except StopIteration:
                entries.pop()  # the search for a frame that is not there is no frame's time
                return
            if isinstance(item, av.Packet):
                # A packet on the way to a frame: its time goes to the frame before it.
                packet = entries.pop()
                if entries:
                    entries[-1] += packet
            yield item

    def watch(self, job: Job, frames: Iterable[Frame]) -> Iterator[Frame]:  # noqa: ARG002
        """Let the painted frames go by; what their receiver does with them is `encode`."""
        for frame in frames:
            self.handed.append(time.perf_counter())
            with self.span("encode"):
                yield frame

    def around(self, engine: Engine) -> Engine:
        """Return the engine with its work charged to `paint`."""
        return _Timed(engine, self)


class _Timed:
    """An engine whose work is timed."""

    def __init__(self, engine: Engine, stopwatch: Stopwatch) -> None:
        self.factor, self.precision = engine.factor, engine.precision
        self.contrast = engine.contrast if isinstance(engine, Graded) else None
        self._engine, self._stopwatch = engine, stopwatch

    def look(self, frame: Picture) -> Any:
        """Work out what can be before the frame's turn, if the engine does; see `Looking`."""
        return seen_by(self._engine, frame)

    def paint(
        self, frame: Any, carried: Picture | None, trust: Mask | None, grain: Grain
    ) -> Picture:
        """Paint a frame; see `Engine`."""
        with self._stopwatch.span("paint"):
            return self._engine.paint(frame, carried, trust, grain)


def by_turns(engines: Sequence[Engine], frame: Picture) -> list[float]:
    """Return the milliseconds in which each engine paints a frame, itself carried: medians.

    They take turns, so that a machine that becomes slow or busy is so for all of them.
    """
    times: list[list[float]] = [[] for _ in engines]
    looks = [seen_by(engine, frame) for engine in engines]
    for _ in range(TURNS + 2):  # two to warm up
        for engine, seen, mine in zip(engines, looks, times, strict=True):
            trust, grain = all_trusted(frame, engine.factor)
            begin = time.perf_counter()
            engine.paint(seen, frame, trust, grain)
            mine.append(1000 * (time.perf_counter() - begin))
    return [float(np.median(mine[2:])) for mine in times]


def all_trusted(frame: Picture, factor: int) -> tuple[Mask, Grain]:
    """Return full trust and a canvas without strokes, for an engine that is timed alone."""
    grid = pixels.grid(frame.shape[0], frame.shape[1], factor)
    return np.full(grid, 255, np.uint8), np.zeros(grid, np.float32)
