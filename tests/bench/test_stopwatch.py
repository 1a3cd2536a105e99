"""Stages are charged for their own work, once per frame, and the path is not changed by it."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

from vstyle.bench.stopwatch import IN_PATH, STAGES, Stopwatch
from vstyle.engine.base import Picture
from vstyle.video.stylize import stylize


def test_a_stage_is_not_charged_for_the_one_it_asks() -> None:
    """Of three nested stages each gets its own sleep; the whole is their sum."""
    watch = Stopwatch()

    def slow(items: Iterator[int], seconds: float) -> Iterator[int]:
        for item in items:
            time.sleep(seconds)
            yield item

    inner = watch.tap("wait", slow(iter(range(3)), 0.02))
    middle = watch.tap("flow", slow(inner, 0.06))
    begin = time.perf_counter()
    assert list(watch.tap("carry", slow(middle, 0.04))) == [0, 1, 2]
    whole = time.perf_counter() - begin
    for stage, least in (("wait", 0.02), ("flow", 0.06), ("carry", 0.04)):
        assert len(watch.seconds[stage]) == 3
        assert min(watch.seconds[stage]) >= least
    parts = sum(sum(times) for times in watch.seconds.values())
    assert 0.9 * whole < parts <= whole


def test_every_frame_is_counted_in_every_stage(cfr: Path, tmp_path: Path, inverter) -> None:
    """Sound packets between the frames are no frames; the times of the path add up to its time."""
    watch = Stopwatch()
    report = stylize(
        cfr,
        tmp_path / "out.mp4",
        lambda: watch.around(inverter),
        watch=watch.watch,
        tap=watch.tap,
    )
    assert report.frames == inverter.frames == 20
    assert {stage: len(times) for stage, times in watch.seconds.items()} == dict.fromkeys(
        STAGES, 20
    )
    in_path = sum(sum(watch.seconds[stage]) for stage in IN_PATH)
    assert in_path <= report.seconds
    assert watch.handed == sorted(watch.handed)


def test_a_frame_is_charged_for_its_own_look(cfr: Path, tmp_path: Path, inverter) -> None:
    """Not the frame before it, where packets of sound come between the two."""
    watch, asked = Stopwatch(), []

    def look(frame: Picture) -> Picture:
        asked.append(threading.current_thread().name)
        time.sleep(0.02)
        return frame

    inverter.look = look
    stylize(cfr, tmp_path / "out.mp4", lambda: inverter, tap=watch.tap)
    assert asked == 20 * ["prefetch"]
    assert len(watch.seconds["ready"]) == 20
    assert min(watch.seconds["ready"]) >= 0.02


def test_the_watched_path_writes_the_same_file(cfr: Path, tmp_path: Path, inverter) -> None:
    """Measuring changes nothing: bit for bit the same lossless file."""
    watch = Stopwatch()
    stylize(cfr, tmp_path / "a.nut", lambda: inverter)
    stylize(cfr, tmp_path / "b.nut", lambda: inverter, watch=watch.watch, tap=watch.tap)
    assert (tmp_path / "a.nut").read_bytes() == (tmp_path / "b.nut").read_bytes()
