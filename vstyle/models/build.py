"""From a checkpoint to networks and back: the one place that knows which tensors belong where."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from vstyle.models.config import GeneratorConfig, StyleConfig, check_shapes, parse
from vstyle.models.generator import Generator
from vstyle.models.style import StyleEncoder


@dataclass(frozen=True)
class Networks:
    """What a model file holds."""

    generator: Generator
    encoder: StyleEncoder


def new_networks(generator: GeneratorConfig, style: StyleConfig) -> Networks:
    """Make untrained networks of these sizes, whose codes must be as long as each other."""
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
    generator_config, style_config = parse(config)
    given = {name: tuple(array.shape) for name, array in arrays.items()}
    check_shapes(generator_config, style_config, given)
    with torch.device("meta"):
        networks = new_networks(generator_config, style_config)
    parts: dict[str, nn.Module] = {"generator": networks.generator, "style": networks.encoder}
    for part, net in parts.items():
        state = {
            name: torch.from_numpy(arrays[f"{part}.{name}"].astype(np.float32))
            for name in net.state_dict()
        }
        net.load_state_dict(state, assign=True)
    return networks
