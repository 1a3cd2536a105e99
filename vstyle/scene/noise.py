"""Repeatable randomness: generators named by words, and smooth noise of many sizes."""

from __future__ import annotations

import zlib

import cv2
import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.floating]  # numbers over the rows and columns of something


def dice(seed: int, *words: str | int) -> np.random.Generator:
    """Return the random generator of one named thing, so that adding a thing changes no other."""
    return np.random.default_rng([seed, *(zlib.crc32(str(word).encode()) for word in words)])


def smooth(value: Field, low: float, high: float) -> Field:
    """Return 0 below `low`, 1 above `high` and an S curve between, for every number in a field."""
    ramp = np.clip((value - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.asarray(ramp * ramp * (3 - 2 * ramp), np.float32)


def grid_noise(
    random: np.random.Generator,
    shape: tuple[int, int],
    cells: tuple[float, float],
    octaves: int = 5,
    gain: float = 0.5,
) -> Field:
    """Return noise of about -1..1 on an (H, W) grid, `cells` (down, across) of it at the coarsest.

    Each octave is half the size and `gain` times the strength of the one before. The numbers drawn
    do not depend on the shape, so a scene looks alike in every size; octaves finer than the grid
    are left out.
    """
    H, W = shape
    total = np.zeros(shape, np.float32)
    weight, reach = 1.0, 0.0
    for octave in range(octaves):
        down, across = cells[0] * 2**octave, cells[1] * 2**octave
        if down > H or across > W:
            break
        lattice = random.standard_normal((int(down) + 4, int(across) + 4)).astype(np.float32)
        # A warp, unlike a resize, may begin and end within a cell of the lattice.
        placed = np.array([[across / W, 0, 1.0], [0, down / H, 1.0]])
        total += weight * cv2.warpAffine(
            lattice, placed, (W, H), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        )
        reach += weight**2
        weight *= gain
    return np.asarray(total * np.float32(0.6 / max(reach, 1e-6) ** 0.5), np.float32)


def plane_noise(
    random: np.random.Generator,
    x: Field,
    y: Field,
    octaves: int = 5,
    *,
    gain: float = 0.5,
    footprint: Field | None = None,
) -> Field:
    """Return noise of about -1..1 at any points of a plane; the coarsest cells measure 1.

    `footprint` is the length that one pixel covers there: octaves too fine for it fade out, which
    is what keeps a plane seen at a shallow angle from flickering.
    """
    table = random.standard_normal((256, 256)).astype(np.float32)
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.float32)
    weight, reach, scale = 1.0, 0.0, 1.0
    for octave in range(octaves):
        # Each octave is turned, or the lattices would show as rows and columns.
        turn = 0.6 + 1.1 * octave
        across = (x * np.float32(np.cos(turn)) - y * np.float32(np.sin(turn))) * np.float32(scale)
        down = (x * np.float32(np.sin(turn)) + y * np.float32(np.cos(turn))) * np.float32(scale)
        layer = _lattice(table, across + 31 * octave, down + 17 * octave)
        if footprint is not None:
            layer = layer * (1 - smooth(footprint * np.float32(scale), 0.25, 0.8))
        total += np.float32(weight) * layer
        reach += weight**2
        weight *= gain
        scale *= 2.03
    return np.asarray(total * np.float32(0.8 / reach**0.5), np.float32)


def _lattice(table: Field, x: Field, y: Field) -> Field:
    """Blend the four numbers of a repeating table around every point."""
    left, top = np.floor(x), np.floor(y)
    right_share, lower_share = x - left, y - top
    right_share = right_share * right_share * (3 - 2 * right_share)
    lower_share = lower_share * lower_share * (3 - 2 * lower_share)
    column, row = left.astype(np.int64) & 255, top.astype(np.int64) & 255
    next_column, next_row = (column + 1) & 255, (row + 1) & 255
    upper = table[row, column] * (1 - right_share) + table[row, next_column] * right_share
    lower = table[next_row, column] * (1 - right_share) + table[next_row, next_column] * right_share
    return np.asarray(upper * (1 - lower_share) + lower * lower_share, np.float32)
