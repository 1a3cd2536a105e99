"""From what the user said (model, style, device) to an engine that paints."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from vstyle import checkpoint, device, styles
from vstyle.checkpoint import Checkpoint
from vstyle.engine.base import Engine
from vstyle.errors import CheckpointError
from vstyle.models.config import SIDE, check_shapes, parse, parse_bounds
from vstyle.models.contrast import Contrast
from vstyle.models.encode import encode
from vstyle.models.quantised import dequantised
from vstyle.pictures import squares
from vstyle.styles import Code, Style

AUTO = "auto"
"""Stands for the shipped model that suits the device."""


def build_engine(model: str, style: str, place: str) -> tuple[Engine, str]:
    """Return an engine, and in a few words what was chosen and why.

    `model` is as for `choose_model`, `style` a shipped name or a picture, `place` as in
    `device.choose`. Raises UsageError, InputError, CheckpointError or DeviceError, cheap checks
    first: nothing heavy is imported before the style and the model are known to exist.
    """
    style_path = styles.find(style)
    if model != AUTO:
        checkpoint.find_model(model)
    chosen, reason = device.choose(place)
    if model == AUTO:
        model = choose_model(model, chosen)
        reason += f"; {model} is fastest there"
    found = load_model(checkpoint.find_model(model))
    look = styles.read(style_path)
    code = style_code(found, look, model)
    if chosen == "cpu" and _has_openvino():
        engine, runtime = _openvino_engine(found, code, look.contrast), "OpenVINO"
    else:
        engine, runtime = _torch_engine(found, code, look.contrast, chosen), "torch"
    return engine, f"{model} on {chosen} with {runtime}, {engine.precision} ({reason})"


def choose_model(model: str, chosen: str) -> str:
    """Return a shipped name or a file: `model` itself, and for `auto` what suits a device best.

    That is the student in int8 where it is fast, on a CPU with OpenVINO, and else the student.
    `chosen` is a device as torch names it. Raises CheckpointError if there is no such model.
    """
    if model == AUTO:
        model = "student-int8" if chosen == "cpu" and _has_openvino() else "student"
    checkpoint.find_model(model)
    return model


def fingerprint(model: str, style: str, place: str) -> str:
    """Return a hash of the files of a model and a style, named as for `build_engine`."""
    model = choose_model(model, device.choose(place)[0])
    digest = hashlib.sha256()
    for path in (checkpoint.find_model(model), styles.find(style)):
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def load_model(path: Path) -> Checkpoint:
    """Read a model, its weights as floating-point numbers whatever the file has.

    Raises CheckpointError if config and weights do not belong together.
    """
    found = checkpoint.load(path, "model")
    try:
        tensors = dequantised(found.tensors)
        shapes = {name: array.shape for name, array in tensors.items()}
        check_shapes(*parse(found.header.config), shapes)
        parse_bounds(found.header.config)
    except ValueError as error:
        raise CheckpointError(f"{path}: {error}", "Train it again.") from error
    return replace(found, tensors=tensors)


def style_code(found: Checkpoint, style: Style, model: str) -> Code:
    """Return a style's code for a model: from the style's own file, or made of its picture.

    Raises UsageError if the file has none for this model, CheckpointError if what it has is none.
    """
    _, config = parse(found.header.config)
    if not isinstance(style.source, Checkpoint):
        return encode(config, found.tensors, squares(style.source, SIDE))
    code = styles.code_for(style.source, styles.fingerprint(found.tensors), model, style.name)
    if code.shape != (config.code,):
        raise CheckpointError(
            f"style {style.name!r} has no codes of {model}'s length", "Make it again."
        )
    return code


def _has_openvino() -> bool:
    return find_spec("openvino") is not None


def _openvino_engine(found: Checkpoint, code: Code, known: Contrast) -> Engine:
    from vstyle.engine.openvino_engine import OpenVinoEngine
    from vstyle.models.fold import generator_layers

    config, _ = parse(found.header.config)
    layers = generator_layers(found.tensors, code)
    return OpenVinoEngine(config, layers, parse_bounds(found.header.config), known)


def _torch_engine(found: Checkpoint, code: Code, known: Contrast, chosen: str) -> Engine:
    import torch

    from vstyle.engine.torch_engine import TorchEngine
    from vstyle.models.fold import generator_layers

    config, _ = parse(found.header.config)
    layers = generator_layers(found.tensors, code)
    return TorchEngine(config, layers, torch.device(chosen), contrast=known)
