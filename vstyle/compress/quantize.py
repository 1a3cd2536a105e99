"""A model in int8: weights per output channel, activations between bounds measured on clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vstyle import checkpoint
from vstyle.compress.calibrate import Sample, measure_bounds
from vstyle.engine.build import load_model, style_code
from vstyle.errors import InputError
from vstyle.models.config import parse
from vstyle.models.fold import generator_layers
from vstyle.models.quantised import quantised
from vstyle.pictures import SUFFIXES

CLIPS = (".mp4", ".mkv", ".mov", ".webm", ".avi", ".ts", ".gif")


def quantize(model: Path, samples: Sequence[Sample], output: Path) -> None:
    """Write the model in int8, calibrated on samples.

    Raises CheckpointError for the model, UsageError for a style that the model has no code of,
    OSError for the output.
    """
    found = load_model(model)
    config, _ = parse(found.header.config)
    codes = [style_code(found, sample.look, model.stem) for sample in samples]
    layers = [generator_layers(found.tensors, code) for code in codes]
    bounds = measure_bounds(config, layers, samples)
    header = replace(
        found.header,
        config=found.header.config | {"bounds": bounds},
        provenance=found.header.provenance | {"quantised_from": model.name, "clips": len(samples)},
    )
    checkpoint.save(output, header, quantised(found.tensors))


def find_clips(folder: Path) -> list[Path]:
    """Return the clips below a folder; InputError if there is none."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in CLIPS)
    if not found:
        raise InputError(f"no clip in {folder}", "Give a folder of short videos, mp4 or the like.")
    return found


def find_pictures(folder: Path) -> list[Path]:
    """Return the pictures below a folder; InputError if there is none."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise InputError(f"no picture in {folder}", "Give a folder of jpg, png or webp files.")
    return found
