"""Weights as int8 steps: how a model file holds them, and how they become numbers again.

A tensor `name` of int8 goes with `name.step`: the size of a step for each of its first axis (per
output channel, symmetric, zero is zero; Jacob et al. 2018).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from vstyle.models.tensors import Tensors

STEP = ".step"
# The style encoder's first kernels take differences of neighbours; rounded, their weights no longer
# sum to zero, brightness leaks in, and codes are off by a sixth of their deviation. So they stay.
KEPT = ("style.levels.0.weight",)
LARGEST = 127  # steps; -128 is not used, so that every value has its negative


def quantise(weight: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Return the int8 steps of a weight (outputs, ...), and the steps' sizes, (outputs, 1, ...)."""
    axes = tuple(range(1, weight.ndim))
    size = np.abs(weight).max(axis=axes, keepdims=True) / LARGEST
    size = np.maximum(size, np.float32(1e-12)).astype(np.float32)
    return np.round(weight / size).astype(np.int8), size


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
