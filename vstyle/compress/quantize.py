"""A model in int8: weights per output channel, activations between bounds measured on clips."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vstyle import checkpoint
from vstyle.compress.calibrate import first_frames, measure_bounds
from vstyle.engine.base import Picture
from vstyle.engine.build import load_model, style_code
from vstyle.engine.openvino_engine import OpenVinoEngine
from vstyle.models.config import parse
from vstyle.models.fold import generator_layers
from vstyle.models.quantised import dequantised, quantised
from vstyle.video.flow import track
from vstyle.video.paint import paint

TIMED = 9  # frames


@dataclass(frozen=True)
class Fidelity:
    """How near the int8 model is to the one it was made of, on the calibration's clips."""

    bytes_before: int
    bytes_after: int
    ms_before: float  # of painting one 1280x720 frame, the median of TIMED
    ms_after: float
    psnr: float  # dB, of the painted frames, the recurrence of each closed on its own pictures
    worst: float  # dB, of the worst clip


def quantize(model: Path, clips: Sequence[Path], looks: Sequence[Path], output: Path) -> Fidelity:
    """Write the model in int8, calibrated on clips, each painted in one of the styles in turn.

    `looks` are style files or pictures.

    Raises CheckpointError for the model, UsageError for a style that the model has no code of,
    InputError for a clip, OSError for the output.
    """
    found = load_model(model)
    config, _ = parse(found.header.config)
    cycle = itertools.islice(itertools.cycle(looks), len(clips))
    codes = [style_code(found, look, model.stem) for look in cycle]
    layers = [generator_layers(found.tensors, code) for code in codes]
    films = [first_frames(clip) for clip in clips]
    bounds = measure_bounds(config, layers, films)
    tensors = quantised(found.tensors)
    header = replace(
        found.header,
        config=found.header.config | {"bounds": bounds},
        provenance=found.header.provenance | {"quantised_from": model.name, "clips": len(clips)},
    )
    checkpoint.save(output, header, tensors)
    rounded = dequantised(tensors)
    engines = (
        OpenVinoEngine(config, layers[0]),
        OpenVinoEngine(config, generator_layers(rounded, codes[0]), bounds),
    )
    before_ms, after_ms = (_milliseconds(engine) for engine in engines)
    errors = []
    for frames, code, before in zip(films, codes, layers, strict=True):
        engines = (
            OpenVinoEngine(config, before),
            OpenVinoEngine(config, generator_layers(rounded, code), bounds),
        )
        painted = ([frame.image for frame in paint(track(frames), engine)] for engine in engines)
        errors.append(float(np.mean([_error(a, b) for a, b in zip(*painted, strict=True)])))
    return Fidelity(
        model.stat().st_size,
        output.stat().st_size,
        before_ms,
        after_ms,
        _psnr(float(np.mean(errors))),
        _psnr(max(errors)),
    )


def _milliseconds(engine: OpenVinoEngine) -> float:
    """Return what painting a 1280x720 frame takes, with a carried picture."""
    frame = np.zeros((720, 1280, 3), np.uint8)
    trust = np.zeros((720 // engine.factor, 1280 // engine.factor), np.uint8)
    times = []
    for _ in range(TIMED + 2):  # the first two are warming up
        start = time.perf_counter()
        engine.paint(frame, frame, trust)
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times[2:]))


def _error(a: Picture, b: Picture) -> float:
    return float(np.square(a.astype(np.float32) - b).mean())


def _psnr(error: float) -> float:
    """Peak signal-to-noise ratio of pictures of 8 bits with this mean square error, in dB."""
    return float(10 * np.log10(255**2 / max(error, 1e-6)))
