"""Before and after: how large, how fast, how near, and how good each of some models is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vstyle.bench import footage, likeness
from vstyle.bench.quality import looks_of, mean_of, measured
from vstyle.bench.records import Measures
from vstyle.bench.stopwatch import by_turns
from vstyle.checkpoint import Checkpoint
from vstyle.compress.calibrate import FRAMES, Sample
from vstyle.compress.sensitivity import errors_alone
from vstyle.engine.base import Picture
from vstyle.engine.build import load_model, style_code
from vstyle.engine.openvino_engine import OpenVinoEngine
from vstyle.models.config import parse, parse_bounds
from vstyle.models.fold import generator_layers
from vstyle.models.vgg import Features
from vstyle.styles import Code
from vstyle.video.flow import track
from vstyle.video.paint import paint


@dataclass(frozen=True)
class Side:
    """A model, and how near it is to the first one, on the same clips."""

    title: str
    parameters: int
    bytes: int
    ms: float  # of painting one 1280x720 frame, all models by turns
    psnr: float | None  # dB, of FRAMES frames of each clip; None of the first model itself
    psnr_worst: float | None  # dB, of the worst clip
    measures: Measures | None  # as `bench --quality` has them, on these clips; None without VGG


@dataclass(frozen=True)
class Report:
    """What `vstyle quantize` has found."""

    sides: tuple[Side, ...]
    worst_layer: str  # the one that costs most when it is rounded alone
    worst_layer_psnr: float  # dB, of what it then paints


class Judge:
    """Measures painted samples; what does not change from one model to the next is kept."""

    def __init__(self, vgg: Features, samples: Sequence[Sample]) -> None:
        self.vgg = vgg
        self.clips = [
            footage.estimated(sample.name, [frame.image for frame in sample.frames])
            for sample in samples
        ]
        self.looks = [looks_of(vgg, clip.frames) for clip in self.clips]
        # Of a style that ships there is a code, and no picture to compare with.
        self.goals = [
            None
            if isinstance(sample.style.source, Checkpoint)
            else likeness.look(vgg, sample.style.source)
            for sample in samples
        ]

    def measures(self, films: Sequence[Sequence[Picture]]) -> Measures:
        """Return the mean measures of the samples' frames, painted."""
        found = []
        for film, clip, looks, goal in zip(films, self.clips, self.looks, self.goals, strict=True):
            found.append(measured(film, clip, looks_of(self.vgg, film), looks, goal))
        return mean_of(found)


def report(
    models: Sequence[tuple[str, Path]], samples: Sequence[Sample], vgg: Features | None
) -> Report:
    """Compare models, each with its title; the last is in int8, and made of the one before it.

    Each paints the samples with its recurrence closed on its own pictures, style pictures read by
    its own encoder. Raises CheckpointError or UsageError as `load_model` and `style_code` do.
    """
    loaded = [(title, path, load_model(path)) for title, path in models]
    first = [style_code(loaded[0][2], sample.style, loaded[0][1].stem) for sample in samples]
    judge = Judge(vgg, samples) if vgg else None
    engines = [_engine(found, samples[0], first[0]) for _, _, found in loaded]
    times = by_turns(engines, np.zeros((720, 1280, 3), np.uint8))
    sides: list[Side] = []
    wanted: list[list[Picture]] = []
    for (title, path, found), ms in zip(loaded, times, strict=True):
        films = [
            [frame.image for frame in paint(track(sample.frames), _engine(found, sample, code))]
            for sample, code in zip(samples, first, strict=True)
        ]
        wanted = wanted or films
        errors = [_error(*pair) for pair in zip(films, wanted, strict=True)]
        sides.append(
            Side(
                title,
                sum(array.size for array in found.tensors.values()),
                path.stat().st_size,
                ms,
                _psnr(float(np.mean(errors))) if sides else None,
                _psnr(max(errors)) if sides else None,
                judge.measures(films) if judge else None,
            )
        )
    layer, error = _worst(loaded[-2][2], loaded[-1][2], first[0], samples[0])
    return Report(tuple(sides), layer, _psnr(error))


def _engine(found: Checkpoint, sample: Sample, code: Code) -> OpenVinoEngine:
    """Return a model in a sample's style; `code` is the first model's, for a style that ships."""
    if not isinstance(sample.style.source, Checkpoint):
        code = style_code(found, sample.style, sample.style.name)
    config, _ = parse(found.header.config)
    layers = generator_layers(found.tensors, code)
    bounds = parse_bounds(found.header.config)
    return OpenVinoEngine(config, layers, bounds, sample.style.contrast)


def _worst(before: Checkpoint, after: Checkpoint, code: Code, sample: Sample) -> tuple[str, float]:
    """Return the layer that costs most when it is rounded alone, and its mean square error."""
    bounds = parse_bounds(after.header.config)
    assert bounds is not None
    config, _ = parse(before.header.config)
    layers, rounded = (generator_layers(found.tensors, code) for found in (before, after))
    alone = errors_alone(config, layers, rounded, bounds, sample)
    worst = max(alone, key=alone.__getitem__)
    return worst, alone[worst]


def _error(film: Sequence[Picture], wanted: Sequence[Picture]) -> float:
    """Return the mean square error of the first FRAMES frames of a film."""
    pairs = zip(film[:FRAMES], wanted[:FRAMES], strict=True)
    return float(np.mean([np.square(a.astype(np.float32) - b).mean() for a, b in pairs]))


def _psnr(error: float) -> float:
    """Peak signal-to-noise ratio of pictures of 8 bits with this mean square error, in dB."""
    return float(10 * np.log10(255**2 / max(error, 1e-6)))
