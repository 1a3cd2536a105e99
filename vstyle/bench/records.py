"""What is measured, as records; `schema.json` beside this file says the same for other programs.

Every record becomes a JSON object of the same names by `dataclasses.asdict`. None means that it
could not be measured here.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

NOISY = 0.10
"""Runs that differ by more than this share of their median are called noisy."""


@dataclass(frozen=True)
class Repeated:
    """A quantity measured in several runs."""

    runs: tuple[float, ...]
    median: float
    spread: float  # from the lowest to the highest run, as a share of the median


@dataclass(frozen=True)
class Spent:
    """Milliseconds per frame of one stage, over all frames of all runs."""

    median: float
    p95: float
    p99: float


@dataclass(frozen=True)
class Work:
    """What a network has to do for one frame, counted on its graph."""

    gflop: float  # multiplications and additions, in 1e9
    mbytes: float  # weights, and what goes into and out of every convolution, in 1e6


@dataclass(frozen=True)
class Roof:
    """What a device can do at most, measured on it."""

    device: str
    copy_gb_s: float  # read and written while copying a large array, in 1e9 bytes a second
    matrix_gflop_s: dict[str, float]  # precision -> rate of a large matrix product


@dataclass(frozen=True)
class Reach:
    """How near to the roof a network comes: the work of a frame over its time."""

    gflop: float
    gflop_s: float
    matrix_share: float | None  # of the roof's rate at the same precision
    mbytes: float
    gb_s: float
    copy_share: float | None


@dataclass(frozen=True)
class Floor:
    """Decoding and encoding a clip without painting it: what no model can beat."""

    clip: str
    size: str
    frames: int
    fps: Repeated
    cpu_ms: float  # of all cores and of ffmpeg, per frame
    stages_ms: dict[str, Spent]


@dataclass(frozen=True)
class Speed:
    """One model on one device at one size."""

    model: str
    device: str
    precision: str
    style: str
    clip: str
    size: str
    frames: int
    fps: Repeated  # end to end: from the first frame to the finished file
    floor_share: float | None  # fps over the floor's
    cpu_ms: float
    stages_ms: dict[str, Spent]
    frame_ms: tuple[float, ...]  # percentiles 0, 1, ..., 100 of the time between two frames
    # The engine alone, on one frame over and over; without the relief, if it can work that out
    # ahead of the frame's turn, as OpenVINO's does.
    network_ms: Repeated
    startup_s: float  # from starting the program until the engine is ready
    first_frame_ms: float  # from then until the first painted frame
    peak_rss_mb: float | None  # of the painting process, in 1e6 bytes
    gpu_memory_mb: float | None
    watts: float | None
    work: Work | None
    reach: Reach | None = None


@dataclass(frozen=True)
class Measures:
    """Of one clip in one style, or their means. All but ssim and detail: lower is better.

    None is what cannot be measured: all that VGG sees without it, the style's too where the clip
    has the style's statistics already, detail of a plain clip, steadiness of one without motion.
    Lengths are RMSE or MSE of values 0..1; `source_*` are what the unpainted clip itself has.
    """

    style: float | None
    gram: float | None
    content: float | None
    ssim: float | None
    detail: float | None  # sharpness over the source's: what steadiness is bought with by blurring
    e_warp: float | None
    trmse: float | None  # one frame apart
    trmse_long: float | None  # ten frames apart
    source_e_warp: float | None
    source_trmse: float | None
    source_trmse_long: float | None
    e_warp_ratio: float | None  # over the source's


@dataclass(frozen=True)
class Pair:
    """One clip painted in one style."""

    clip: str
    style: str
    exact: bool  # whether the motion was known, or estimated
    measures: Measures


@dataclass(frozen=True)
class Drift:
    """What becomes of a still picture: its last frame against its tenth."""

    style: str
    frames: int
    colour: float  # by how much the mean of a channel has changed at most, of values 0..1
    sharpness: float  # of the last over that of the tenth


@dataclass(frozen=True)
class Quality:
    """One model on all pairs."""

    model: str
    device: str
    precision: str
    vgg: bool  # whether there was one
    mean: Measures
    pairs: tuple[Pair, ...]
    drifts: tuple[Drift, ...]


@dataclass(frozen=True)
class Failure:
    """A row that could not be measured, and why."""

    row: str
    message: str
    exit_code: int


def repeated(runs: Sequence[float]) -> Repeated:
    """Summarise the runs of one quantity, at least one."""
    median = statistics.median(runs)
    return Repeated(tuple(runs), median, (max(runs) - min(runs)) / median)


def spent(seconds: Sequence[float]) -> Spent:
    """Summarise the seconds that a stage took, frame by frame, at least one."""
    p50, p95, p99 = np.percentile(np.asarray(seconds) * 1000, (50, 95, 99))
    return Spent(float(p50), float(p95), float(p99))


def percentiles(seconds: Sequence[float]) -> tuple[float, ...]:
    """Return the percentiles 0 to 100 of some times, in milliseconds."""
    return tuple(float(value) for value in np.percentile(np.asarray(seconds) * 1000, range(101)))
