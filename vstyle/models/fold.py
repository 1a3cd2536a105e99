"""A chosen style's constants, folded into plain convolutions: NumPy arrays in, NumPy arrays out.

Once a style is chosen the modulation of every layer is constant, so that the generator is an
ordinary convolutional network. Engines that run without torch build it from what is made here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vstyle.models.config import LEAST_DEVIATION, PALETTE, SCALE
from vstyle.models.tensors import Tensors

Floats = NDArray[np.float32]


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
    filters = _array(tensors, f"{name}.filters.weight")
    columns = _array(tensors, f"{name}.columns.weight")[..., 0, 0]
    outputs, inputs = weight.shape[:2]
    style = _array(tensors, f"{name}.style.weight") @ code + _array(tensors, f"{name}.style.bias")
    shares = style[len(style) - len(filters) :]
    weight = weight + np.tensordot(columns * shares, filters, 1)
    if f"{name}.bias" not in tensors:
        scale, shift = style[:outputs], style[outputs : 2 * outputs]
        return Convolution(weight, 1 + scale, shift, True)
    into, out, shift, _ = np.split(style, (inputs, inputs + outputs, inputs + 2 * outputs))
    folded = weight * (1 + into)[:, None, None] * (1 + out)[:, None, None, None]
    shift = _array(tensors, f"{name}.bias") * (1 + out) + shift
    return Convolution(folded, np.ones(outputs, np.float32), shift, False)


def generator_layers(tensors: Tensors, code: Floats) -> dict[str, Convolution]:
    """Return all layers of a model's generator in one style, by name."""
    generator = {
        name.removeprefix("generator."): array
        for name, array in tensors.items()
        if name.startswith("generator.")
    }
    names = [name.removesuffix(".conv.weight") for name in generator if "conv.weight" in name]
    layers = {name: fold(generator, name, code) for name in names}
    for name in ("canvas", "bands"):
        share = _array(generator, f"{name}.weight") @ code + _array(generator, f"{name}.bias")
        share = share.reshape(len(layers["stem"].weight), -1, 1, 1)
        # They are added to the memory's and the stem's results, which have the shift of all.
        nothing = np.zeros(len(share), np.float32)
        layers[name] = Convolution(share, nothing + 1, nothing, False)
    means, root = palette(code[:PALETTE])
    # Of the two that are summed one brings the means.
    layers["head"] = in_palette(layers["head"], root, means)
    layers["detail"] = in_palette(layers["detail"], root, np.zeros_like(means))
    return layers


def in_palette(layer: Convolution, root: Floats, means: Floats) -> Convolution:
    """Return a layer whose outputs, (colour, place in the block), have the palette's colours."""
    weight = np.tensordot(root, layer.weight.reshape(3, -1), 1).reshape(layer.weight.shape)
    shift = root @ layer.shift.reshape(3, -1) + means[:, None]
    return replace(layer, weight=weight.astype(np.float32), shift=shift.ravel())


def palette(entries: Floats) -> tuple[Floats, Floats]:
    """Return means (3,) and root of the covariance (3, 3), as `generator.palette` does."""
    means, deviations = entries[:3] / (4 * SCALE) + 0.5, entries[3:6] / (4 * SCALE)
    red_green, red_blue, green_blue = entries[6:] / SCALE
    together = np.array(
        [[1, red_green, red_blue], [red_green, 1, green_blue], [red_blue, green_blue, 1]]
    )
    values, vectors = np.linalg.eigh(together * deviations * deviations[:, None])
    root = vectors * np.sqrt(np.maximum(values, LEAST_DEVIATION**2)) @ vectors.T
    return means.astype(np.float32), root.astype(np.float32)


def _array(tensors: Tensors, name: str) -> Floats:
    return np.asarray(tensors[name], np.float32)
