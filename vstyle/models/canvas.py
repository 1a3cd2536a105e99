"""The canvas: what strokes are made of, the same for painting and for training.

A convolution paints a plain sky plainly. With a grain below the picture it can hatch it, and as the
grain goes so go the brush strokes: noise drawn out along the contours of the picture becomes
strokes that follow them (line integral convolution, Cabral and Leedom 1993; along a smoothed
structure tensor, Kyprianidis and Kang 2011), and noise that moves with the picture becomes strokes
that stay on what they paint (Neyret 2003). Here are the noise and the numbers; `video.canvas` lays
the strokes in a film, `training.canvas` in a batch.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

TILE = 256  # places after which the noise repeats
FINE = 2  # samples of it to a place, so that moving by part of one neither blurs nor flickers
SWIRL = 16  # places from one direction that flat pictures are given to the next
STEPS = (1.4, 4.2)  # places: strokes are three times as long after each, some 12 in the end

# A contour counts this near to it and, so that wide flat areas have a direction too, this far.
# Radii of box filters, run twice, in small pixels; and the far one's weight.
NEAR, FAR, FAR_WEIGHT = 4, 19, 0.15
SLIGHT = 2.0  # grey levels a pixel, of 255: slopes below it leave the direction to the swirl
KEPT = 0.7  # of the directions of the frame before: what flickers in the frame must not in them
STRETCH = 0.4  # of noise that moves with the picture, on average: then other noise has replaced it
ALIKE = 1.5  # places; noise looked up farther apart than that has nothing in common
GAIN = 0.315  # of the sum along a stroke: then its deviation is about 0.37

Floats = NDArray[np.float32]


@lru_cache(maxsize=1)
def noise() -> Floats:
    """Return noise, (FINE TILE + 1, FINE TILE + 1), deviation about 0.5; its ends are alike."""
    return _repeating(_white(TILE, 0), FINE)


@lru_cache(maxsize=1)
def swirl() -> Floats:
    """Return doubled directions, (TILE + 1, TILE + 1, 2): unit vectors that turn smoothly."""
    angles = np.pi * _white(TILE // SWIRL, 1)
    smooth = _repeating(np.dstack([np.cos(angles), np.sin(angles)]).astype(np.float32), SWIRL)
    length = np.linalg.norm(smooth, axis=2, keepdims=True)
    return np.asarray(smooth / np.maximum(length, 1e-6), np.float32)


def _repeating(lattice: Floats, times: int) -> Floats:
    """Return a lattice that repeats itself at `times` as many samples, and its first once more."""
    edge = 4
    around = np.pad(lattice, ((edge, edge), (edge, edge)) + ((0, 0),) * (lattice.ndim - 2), "wrap")
    larger = cv2.resize(around, None, fx=times, fy=times, interpolation=cv2.INTER_CUBIC)
    inside = slice(edge * times, 1 - edge * times)
    return np.ascontiguousarray(larger[inside, inside])


def _white(side: int, kind: int) -> Floats:
    """Return white noise, values -1..1, alike with every library and on every machine.

    A hash of the coordinates (PCG's output function, Jarzynski and Olano 2020).
    """
    rows, columns = np.mgrid[:side, :side].astype(np.uint32)
    with np.errstate(over="ignore"):
        state = rows * np.uint32(1664525) + columns * np.uint32(1013904223)
        state = (state ^ np.uint32(2891336453 + kind)) * np.uint32(747796405)
        state = state + np.uint32(2891336453)
        word = ((state >> ((state >> np.uint32(28)) + np.uint32(4))) ^ state) * np.uint32(277803737)
        word = (word >> np.uint32(22)) ^ word
    return np.asarray(word / np.float64(2**31) - 1, np.float32)
