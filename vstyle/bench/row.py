"""One row of the benchmark, measured in this process, which should be a fresh one."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vstyle.bench import meters
from vstyle.bench.records import (
    Floor,
    Repeated,
    Speed,
    Spent,
    percentiles,
    repeated,
    spent,
)
from vstyle.bench.stopwatch import STAGES, Stopwatch, all_trusted
from vstyle.engine.base import Engine, Identity, seen_by
from vstyle.video.decode import open_clip
from vstyle.video.prefetch import prefetch
from vstyle.video.sink import open_sink
from vstyle.video.stylize import Report, frames_of, prepare, stylize

ALONE = 0.5  # seconds that a run of the network alone takes at least
ALONE_CALLS = 5  # and as many calls


@dataclass(frozen=True)
class Job:
    """What to measure. Paths are texts: a job goes to another process as JSON."""

    clip: str
    shows: str  # what the clip is, in words
    output: str  # where painted clips go, over and over; the last one stays
    runs: int  # after one that only warms up
    began: float  # when the program was started, by time.monotonic
    model: str = ""  # none: the floor
    style: str = ""
    device: str = ""


def measure_floor(job: Job) -> Floor:
    """Measure decoding and encoding alone."""
    rates, watch, cpu = [], Stopwatch(), 0.0
    for run in range(job.runs + 1):
        before = meters.cpu_seconds()
        count, seconds, size = _copy(Path(job.clip), Path(job.output), watch)
        if run:
            rates.append(count / seconds)
            cpu += meters.cpu_seconds() - before
        else:
            watch = Stopwatch()
    return Floor(
        clip=job.shows,
        size=size,
        frames=count,
        fps=repeated(rates),
        cpu_ms=cpu * 1000 / (count * job.runs),
        stages_ms=_stages(watch),
    )


def _copy(clip: Path, output: Path, watch: Stopwatch) -> tuple[int, float, str]:
    """Decode and encode a clip as `stylize` does, painting nothing: frames, seconds, size."""
    with prepare(clip, output, Identity, overwrite=True) as job:
        source = job.source
        begin = time.perf_counter()
        count = 0
        decoded = watch.tap("decode", source.items)
        with (
            open_sink(job.plan, source, job.stdout) as sink,
            closing(prefetch(decoded, stop=source.stop)) as items,
        ):
            for frame in watch.tap("idle", frames_of(items, sink.packet)):
                with watch.span("encode"):
                    sink.frame(frame)
                count += 1
        seconds = time.perf_counter() - begin
        return count, seconds, f"{job.clip.width}x{job.clip.height}"


def measure_speed(job: Job) -> Speed:
    """Measure a model on a device: end to end, stage by stage, and the network alone."""
    from vstyle import device
    from vstyle.engine.build import build_engine

    engine, _ = build_engine(job.model, job.style, job.device)
    ready = time.monotonic()
    place = device.choose(job.device)[0]
    first = Stopwatch()
    begin = time.perf_counter()
    report = _paint(job, first.around(engine), first)
    first_frame = first.handed[0] - begin

    watch, gaps, reports = Stopwatch(), [], []
    timed = watch.around(engine)
    before = meters.cpu_seconds()
    with meters.power(place) as power:
        for _ in range(job.runs):
            watch.handed.clear()
            reports.append(_paint(job, timed, watch))
            gaps += list(np.diff(watch.handed))
        watts = power()
    frames = sum(report.frames for report in reports)
    cpu = meters.cpu_seconds() - before
    rss, gpu = meters.peak_rss(), _gpu_memory(place)
    from vstyle.bench import roofline  # and with it torch, whatever the engine: not before now

    height, width = report.clip.height, report.clip.width
    return Speed(
        model=job.model,
        device=place,
        precision=engine.precision,
        style=Path(job.style).stem,
        clip=job.shows,
        size=f"{width}x{height}",
        frames=report.frames,
        fps=repeated([report.frames / report.seconds for report in reports]),
        floor_share=None,
        cpu_ms=cpu * 1000 / frames,
        stages_ms=_stages(watch),
        frame_ms=percentiles(gaps or [reports[-1].seconds]),
        network_ms=_alone(engine, Path(job.clip), job.runs, roofline.clock(place)),
        startup_s=ready - job.began,
        first_frame_ms=first_frame * 1000,
        peak_rss_mb=rss,
        gpu_memory_mb=gpu,
        watts=watts,
        work=roofline.work_of(job.model, height, width, engine.precision),
    )


def _paint(job: Job, engine: Engine, watch: Stopwatch) -> Report:
    """Paint the clip as `vstyle stylize` does."""
    return stylize(
        Path(job.clip),
        Path(job.output),
        lambda: engine,
        overwrite=True,
        watch=watch.watch,
        tap=watch.tap,
    )


def _stages(watch: Stopwatch) -> dict[str, Spent]:
    return {stage: spent(watch.seconds[stage]) for stage in STAGES if watch.seconds[stage]}


def _alone(
    engine: Engine, clip: Path, runs: int, timed: Callable[[Callable[[], object]], float]
) -> Repeated:
    """Measure the engine alone, in ms: the clip's first frame, carrying itself, all trusted.

    What an engine works out before the frame's turn is not in it: it belongs to the stage `ready`.
    """
    with open_clip(clip) as source:
        frame = next(frames_of(source.items, lambda _: None)).image
    trust, grain = all_trusted(frame, engine.factor)
    carried = engine.paint(frame, None, None, grain)
    seen = seen_by(engine, frame)
    results = []
    for run in range(runs + 1):
        times: list[float] = []
        while len(times) < ALONE_CALLS or sum(times) < ALONE:
            times.append(timed(lambda: engine.paint(seen, carried, trust, grain)))
        if run:
            results.append(float(np.median(times)) * 1000)
    return repeated(results)


def _gpu_memory(device: str) -> float | None:
    """Return the most memory that torch held on the GPU, in 1e6 bytes."""
    if not device.startswith("cuda"):
        return None
    import torch

    return torch.cuda.max_memory_reserved(device) / 1e6
