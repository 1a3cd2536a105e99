"""A chosen style's constants, folded into plain convolutions: NumPy arrays in, NumPy arrays out.

Once a style is chosen the modulation of every layer is constant, so that the generator is an
ordinary convolutional network. Engines that run without torch build it from what is made here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Tensors = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Convolution:
    """A convolution of weight (outputs, inputs, k, k); its result is scaled and shifted.

    Where it is `normalised`, its result has mean 0 and deviation 1 per frame and channel before
    that; else `scale` is 1.
    """

    weight: Floats
    scale: Floats  # (outputs,)
    shift: Floats  # (outputs,)
    normalised: bool


def fold(tensors: Tensors, name: str, code: Floats) -> Convolution:
    """Return the layer `name` of a generator in the style `code`, (code,)."""
    weight = _array(tensors, f"{name}.conv.weight")
    outputs, inputs = weight.shape[:2]
    style = _array(tensors, f"{name}.style.weight") @ code + _array(tensors, f"{name}.style.bias")
    if f"{name}.conv.bias" not in tensors:
        scale, shift = style[:outputs], style[outputs:]
        return Convolution(weight, 1 + scale, shift, True)
    into, out, shift = style[:inputs], style[inputs : inputs + outputs], style[inputs + outputs :]
    folded = weight * (1 + into)[:, None, None] * (1 + out)[:, None, None, None]
    shift = _array(tensors, f"{name}.conv.bias") * (1 + out) + shift
    return Convolution(folded, np.ones(outputs, np.float32), shift, False)


def generator_layers(tensors: Tensors, code: Floats) -> dict[str, Convolution]:
    """Return all layers of a model's generator in one style, by name."""
    generator = {
        name.removeprefix("generator."): array
        for name, array in tensors.items()
        if name.startswith("generator.")
    }
    names = [name.removesuffix(".conv.weight") for name in generator if "conv.weight" in name]
    return {name: fold(generator, name, code) for name in names}


def _array(tensors: Tensors, name: str) -> Floats:
    return np.asarray(tensors[name], np.float32)
