"""From what the user said (model, style, device) to an engine that paints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vstyle import checkpoint, device, pixels, styles
from vstyle.engine.base import Engine
from vstyle.errors import CheckpointError
from vstyle.pictures import read_picture, squares

if TYPE_CHECKING:
    from torch import Tensor

    from vstyle.models.build import Networks


def build_engine(model: str, style: str, place: str) -> tuple[Engine, str]:
    """Return an engine, and in a few words what was chosen and why.

    `model` is a shipped name or a file, `style` a shipped name or a picture, `place` as in
    `device.choose`. Raises UsageError, InputError, CheckpointError or DeviceError, cheap checks
    first: torch is imported only once the style and the model are known to exist.
    """
    style_path, model_path = styles.find(style), checkpoint.find_model(model)
    found = checkpoint.load(model_path, "model")
    chosen, reason = device.choose(place)

    from vstyle.engine.torch_engine import TorchEngine
    from vstyle.models.build import from_arrays

    try:
        networks = from_arrays(found.header.config, found.tensors)
    except ValueError as error:
        raise CheckpointError(f"{model_path}: {error}", "Train it again.") from error
    if style_path.suffix == ".safetensors":
        import torch

        code = torch.from_numpy(
            styles.load_code(style_path, styles.fingerprint(found.tensors), model)
        )
    else:
        code = encode(networks, style_path)
    return TorchEngine(networks.generator, code, chosen), f"{model} on {chosen} ({reason})"


def encode(networks: Networks, picture: Path) -> Tensor:
    """Return the style code of a picture file, (code,): the mean of its squares' codes."""
    import torch

    from vstyle.models.config import READ_SIDE, SIDE

    parts = [pixels.to_tensor(part) for part in squares(read_picture(picture, READ_SIDE), SIDE)]
    with torch.inference_mode():
        code: Tensor = networks.encoder.eval()(torch.cat(parts)).mean(0)
    return code.clone()
