"""From a checkpoint to networks and back: the one place that knows which tensors belong where."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vstyle.models.generator import Generator, GeneratorConfig
from vstyle.models.style import PALETTE, StyleConfig, StyleEncoder

LARGEST = 4096  # no width, length or count of a config is beyond this


@dataclass(frozen=True)
class Networks:
    """What a model file holds."""

    generator: Generator
    encoder: StyleEncoder


def new_networks(generator: GeneratorConfig, style: StyleConfig) -> Networks:
    """Make untrained networks of these sizes; the generator's code decides the encoder's."""
    return Networks(Generator(generator), StyleEncoder(style))


def configs(networks: Networks) -> dict[str, Any]:
    """Return what rebuilds the networks, fit for JSON."""
    return {
        "generator": asdict(networks.generator.config),
        "style": asdict(networks.encoder.config),
    }


def to_arrays(networks: Networks, half: bool) -> dict[str, NDArray[Any]]:
    """Return all weights by name, as float16 if `half`, else as float32."""
    kind = np.float16 if half else np.float32
    return {
        f"{part}.{name}": tensor.detach().cpu().numpy().astype(kind)
        for part, net in (("generator", networks.generator), ("style", networks.encoder))
        for name, tensor in net.state_dict().items()
    }


def from_arrays(config: dict[str, Any], arrays: Any) -> Networks:
    """Rebuild networks from a config and weights by name.

    Raises ValueError if the config is not one of ours or the weights are not exactly its own.
    Nothing is allocated before names and shapes are known to fit.
    """
    try:
        shape, style = config["generator"], config["style"]
        generator_config = _config(GeneratorConfig, shape)
        style_config = _config(StyleConfig, style)
    except (KeyError, TypeError) as error:
        raise ValueError(f"the config is not understood: {error}") from error
    if generator_config.code != style_config.code or len(generator_config.widths) != 3:
        raise ValueError("the configs of generator and style encoder do not fit each other")
    if style_config.code <= PALETTE:
        raise ValueError(f"a code of {style_config.code} entries is too short")
    with torch.device("meta"):
        networks = new_networks(generator_config, style_config)
    parts: dict[str, nn.Module] = {"generator": networks.generator, "style": networks.encoder}
    wanted = {
        f"{part}.{name}": tuple(tensor.shape)
        for part, net in parts.items()
        for name, tensor in net.state_dict().items()
    }
    given = {name: tuple(array.shape) for name, array in arrays.items()}
    if wanted != given:
        wrong = sorted(set(wanted.items()) ^ set(given.items()))
        raise ValueError(f"the weights do not fit the config, first at {wrong[0][0]}")
    for part, net in parts.items():
        state = {
            name: torch.from_numpy(arrays[f"{part}.{name}"].astype(np.float32))
            for name in net.state_dict()
        }
        net.load_state_dict(state, assign=True)
    return networks


def _config(kind: Any, values: dict[str, Any]) -> Any:
    """Build a config record from JSON values, refusing unknown fields and absurd sizes."""
    known = {field.name for field in fields(kind)}
    if set(values) - known:
        raise TypeError(f"unknown field {sorted(set(values) - known)[0]!r}")
    clean = {}
    for name, value in values.items():
        numbers = value if isinstance(value, list) else [value]
        if not numbers or not all(
            isinstance(n, int | float) and not isinstance(n, bool) and 0 < n <= LARGEST
            for n in numbers
        ):
            raise TypeError(f"{name} = {value!r}")
        clean[name] = tuple(value) if isinstance(value, list) else value
    return kind(**clean)
