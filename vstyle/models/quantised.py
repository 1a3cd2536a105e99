"""Weights as int8 steps: how a model file holds them, and how they become numbers again.

A tensor `name` of int8 goes with `name.step`: the size of a step for each of its first axis (per
output channel, symmetric, zero is zero; Jacob et al. 2018).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vstyle.models.tensors import Tensors

STEP = ".step"
# The style encoder's first kernels take differences of neighbours; rounded, their weights no longer
# sum to zero, brightness leaks in, and codes are off by a sixth of their deviation. So they stay.
KEPT = ("style.levels.0.weight",)
Groups = Iterable[NDArray[np.intp]]
"""Inputs of a kernel, by what they have in common."""
LARGEST = 127  # steps; -128 is not used, so that every value has its negative


def quantise(
    weight: NDArray[np.float32], groups: Groups = ()
) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return the int8 steps of a weight (outputs, ...), and the steps' sizes, (outputs, 1, ...).

    `groups` are inputs of a 1x1 kernel whose weights sum to zero: so do their steps, or what these
    inputs have in common would come through, multiplied by the sum of their roundings.
    """
    axes = tuple(range(1, weight.ndim))
    size = np.abs(weight).max(axis=axes, keepdims=True) / LARGEST
    size = np.maximum(size, np.float32(1e-12)).astype(np.float32)
    steps = np.round(weight / size)
    for inputs in groups:
        steps[:, inputs] = _balanced(steps[:, inputs], (weight / size)[:, inputs])
    return steps.astype(np.int8), size


def rounded(weight: NDArray[np.float32], groups: Groups = ()) -> NDArray[np.float32]:
    """Return the values that a weight has in steps; rounded again, they stay what they are."""
    return np.multiply(*quantise(weight, groups))


def _balanced(steps: NDArray[np.float32], exact: NDArray[np.float32]) -> NDArray[np.float32]:
    """Move as few steps, (outputs, inputs, 1, 1), by one as make them sum to zero over the inputs.

    Those that were rounded farthest in the direction that there is too much of.
    """
    excess = steps.sum(1, keepdims=True)
    over = np.sign(excess) * (steps - exact)
    place = np.argsort(np.argsort(-over, 1), 1)
    return np.asarray(steps - np.sign(excess) * (place < np.abs(excess)), np.float32)


def quantised(tensors: Tensors) -> dict[str, NDArray[Any]]:
    """Return a model's tensors with matrices and kernels as int8; vectors, KEPT stay float16."""
    found: dict[str, NDArray[Any]] = {}
    for name, array in tensors.items():
        if array.ndim < 2 or name in KEPT:
            found[name] = np.asarray(array, np.float16)
        else:
            found[name], found[name + STEP] = quantise(np.asarray(array, np.float32))
    return found


def dequantised(tensors: Tensors) -> dict[str, NDArray[Any]]:
    """Return tensors with every int8 one as float32; the others as they are.

    Raises ValueError if steps and sizes do not belong together.
    """
    found: dict[str, NDArray[Any]] = {}
    for name, array in tensors.items():
        if name.endswith(STEP):
            if name.removesuffix(STEP) not in tensors:
                raise ValueError(f"{name} has no tensor")
        elif array.dtype == np.int8:
            size = tensors.get(name + STEP)
            if size is None or size.shape != (len(array), *[1] * (array.ndim - 1)):
                raise ValueError(f"the step of {name} is missing or has another shape")
            found[name] = array.astype(np.float32) * np.asarray(size, np.float32)
        else:
            found[name] = array
    return found
