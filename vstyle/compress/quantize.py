"""A model in int8: weights per output channel, activations between bounds measured on clips."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vstyle import checkpoint
from vstyle.checkpoint import Checkpoint
from vstyle.compress.calibrate import Sample, measure_bounds
from vstyle.engine.build import load_model, style_code
from vstyle.errors import UsageError
from vstyle.models.config import parse
from vstyle.models.fold import generator_layers
from vstyle.models.quantised import quantised


def quantize(model: Path, samples: Sequence[Sample], output: Path) -> None:
    """Write the model in int8, calibrated on samples.

    Raises CheckpointError for the model, UsageError if it is in int8 or has no code of a style,
    OSError for the output.
    """
    found = load_whole(model)
    config, _ = parse(found.header.config)
    codes = [style_code(found, sample.style, model.stem) for sample in samples]
    layers = [generator_layers(found.tensors, code) for code in codes]
    bounds = measure_bounds(config, layers, samples)
    header = replace(
        found.header,
        config=found.header.config | {"bounds": bounds},
        provenance=found.header.provenance | {"quantised_from": model.name, "clips": len(samples)},
    )
    checkpoint.save(output, header, quantised(found.tensors))


def load_whole(model: Path) -> Checkpoint:
    """Read a model to be made smaller; UsageError if it is in int8, else as `load_model`."""
    found = load_model(model)
    if "bounds" in found.header.config:
        raise UsageError(f"{model} is in int8 already", "Name the model that it was made of.")
    return found
