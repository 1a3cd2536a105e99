"""The canvas: fixed strokes that give smooth places something to paint from.

A convolution paints a plain sky plainly. With a grain below the picture it can hatch it, and as the
grain goes so go the brush strokes: white noise becomes blots, noise that is drawn out along a field
of swirling directions becomes strokes (line integral convolution, Cabral and Leedom 1993). The
grain lies still; the recurrence carries what was painted from it along with the motion.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

HALF = 6  # places that a stroke goes to either side
SWIRL = 20  # places from one independent direction to the next
TURNS = 0.6  # of a direction to either side at most
GAIN = 0.28  # of the sum along a stroke: then its deviation is about half a unit
DIRECTIONS = 7  # tells the noise of the directions from that of the strokes

Floats = NDArray[np.float32]
Places = NDArray[np.intp]


@lru_cache(maxsize=4)
def canvas(height: int, width: int) -> Floats:
    """Return strokes, (height, width), values -1..1; a place's value does not depend on these."""
    margin = HALF + 1
    rows, columns = (np.arange(-margin, side + margin) for side in (height, width))
    noise = _white(*np.meshgrid(rows, columns, indexing="ij"))
    angles = 2 * np.pi * TURNS * _directions(rows, columns)
    down, across = np.sin(angles), np.cos(angles)
    start = np.mgrid[margin : margin + height, margin : margin + width].astype(np.float32)
    total = noise[margin:-margin, margin:-margin].copy()
    for way in (1, -1):
        y, x = start
        for _ in range(HALF):
            step_y, step_x = (cv2.remap(each, x, y, cv2.INTER_NEAREST) for each in (down, across))
            y, x = y + way * step_y, x + way * step_x
            total += cv2.remap(noise, x, y, cv2.INTER_LINEAR)
    grain = np.asarray(np.clip(total * np.float32(GAIN), -1, 1), np.float32)
    grain.setflags(write=False)
    return grain


def _white(y: Places, x: Places, kind: int = 0) -> Floats:
    """Return noise of places, values -1..1, alike with every library and on every machine.

    A hash of the coordinates (PCG's output function, Jarzynski and Olano 2020).
    """
    rows, columns = y.astype(np.uint32), x.astype(np.uint32)
    with np.errstate(over="ignore"):
        state = rows * np.uint32(1664525) + columns * np.uint32(1013904223)
        state = (state ^ np.uint32(2891336453 + kind)) * np.uint32(747796405)
        state = state + np.uint32(2891336453)
        word = ((state >> ((state >> np.uint32(28)) + np.uint32(4))) ^ state) * np.uint32(277803737)
        word = (word >> np.uint32(22)) ^ word
    return np.asarray(word / np.float64(2**31) - 1, np.float32)


def _directions(rows: Places, columns: Places) -> Floats:
    """Return noise that changes smoothly over SWIRL places: (rows, columns), values -1..1."""
    (top, down), (left, right) = (_cells(places) for places in (rows, columns))
    below, beside = down[:, None], right[None]

    def corner(y: int, x: int) -> Floats:
        return _white(*np.meshgrid(top + y, left + x, indexing="ij"), DIRECTIONS)

    upper = corner(0, 0) * (1 - beside) + corner(0, 1) * beside
    lower = corner(1, 0) * (1 - beside) + corner(1, 1) * beside
    return np.asarray(upper * (1 - below) + lower * below, np.float32)


def _cells(places: Places) -> tuple[Places, Floats]:
    """Return in which cell of SWIRL places each lies, and how far in it, eased, 0..1."""
    cell, inside = np.divmod(places, SWIRL)
    share = (inside / SWIRL).astype(np.float32)
    return cell, share * share * (3 - 2 * share)
