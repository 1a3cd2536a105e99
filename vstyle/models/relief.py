"""The relief of a frame: its detail and its shapes, as strong in faint places as elsewhere.

What a painting has everywhere, a photo has only where there are edges: so snow and skies stay
smooth, or strokes must be made up that have nothing to do with them. But there is something in
them: divided by its own local strength, it becomes a texture that belongs to the scene and moves
with it (local contrast normalisation; Jarrett et al. 2009). Detail is of single pixels; shapes are
of blocks of them, in bands by their size: a network that normalises each channel over a whole frame
hardly sees the faint ones. `relief_torch` has the same in torch.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from vstyle.models.config import BLOCK
from vstyle.strips import enlarged

# Detail. The strength is a mean over far more than what it divides, or contours would be lost in
# what they stand out from; and a geometric one, or nothing would be left around a contour.
RADIUS = 12  # blocks, of a box filter run twice over the strength
FAINT = 2.0  # grey levels; detail much below this is noise, and stays faint
STRONG = 8.0  # grey levels; detail of that strength has half the relief: it needs no more
REACH = 4.8  # times the local strength; what is beyond it is cut off
RADII = (1, 3, 8)  # blocks, of the box filters run twice that part one band from the next
AROUND = 12  # times the radius of a band: that of the box filter over its strength
# The same for bands. Film that was compressed has blocks of its own, by about a grey level.
FAINT_BAND, STRONG_BAND, REACH_BAND = 2.0, 3.0, 6.4
SHARES = (1.2, 0.7, 0.0)  # of each band in the relief: shapes of some 10 and 30 pixels
STRIP = 64  # rows worked on at a time, a multiple of BLOCK: a frame's floats would fill no cache

Floats = NDArray[np.float32]


def relief(picture: NDArray[np.uint8], block: int) -> tuple[NDArray[np.uint8], Floats]:
    """Return the relief (H, W) of an RGB picture, and its bands (BANDS, H / block, W / block).

    The picture is (H, W, 3), its sides multiples of `block` and of BLOCK pixels. The relief is of
    detail and shapes together: 128 is neither, 0 and 255 are REACH times as dark and as light as is
    usual around. The bands, from small shapes to broad ones, are -1..1 in the same way.
    """
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.uint8)
    mean = _means(grey, BLOCK)
    bands = _bands(mean)
    shapes = np.tensordot(np.asarray(SHARES, np.float32), bands, 1)
    return _relief(grey, mean, shapes), bands if block == BLOCK else _bands(_means(grey, block))


def _relief(grey: NDArray[np.uint8], mean: Floats, shapes: Floats) -> NDArray[np.uint8]:
    """Add the detail of single pixels to shapes, (H / BLOCK, W / BLOCK), values -1..1."""
    gain = 127 / (REACH * _usual(_strength(grey, mean), RADIUS, FAINT, STRONG))
    # What is asked for is gain (grey - mean) + 127 shapes + 128. All but the grey is smooth, so the
    # sums can be made of blocks: that saves half of the passes over pixels.
    rest = 127 * shapes - gain * mean
    found = np.empty_like(grey)
    strips = (enlarged(small, grey.shape, STRIP) for small in (gain, rest))
    for (rows, gains), (_, below) in zip(*strips, strict=True):
        raised = cv2.multiply(grey[rows], gains, dtype=cv2.CV_32F)
        # Added, shifted, rounded and cut off in one pass.
        cv2.addWeighted(raised, 1, below, 1, 128, found[rows], cv2.CV_8U)
    return found


def _strength(grey: NDArray[np.uint8], mean: Floats) -> Floats:
    """Return how much the pixels of each block differ from the mean around them; a quarter do."""
    some = np.asarray(grey[::2, ::2], np.float32)
    gap = cv2.absdiff(some, cv2.resize(mean, some.shape[::-1]))
    return np.asarray(cv2.resize(gap, mean.shape[::-1], None, 0, 0, cv2.INTER_AREA), np.float32)


def _bands(mean: Floats) -> Floats:
    found = []
    for radius in RADII:
        broader = blurred(mean, radius)
        band, mean = mean - broader, broader
        usual = _usual(np.abs(band), AROUND * radius, FAINT_BAND, STRONG_BAND)
        found.append(np.clip(band / (REACH_BAND * usual), -1, 1))
    return np.asarray(found, np.float32)


def _usual(strength: Floats, radius: int, faint: float, strong: float) -> Floats:
    """Return what differences are divided by, of strengths (h, w): more where these are strong."""
    around = np.exp(blurred(np.log(strength + faint), radius))
    return np.asarray(around * (1 + (around - faint) / strong), np.float32)


def _means(values: NDArray[Any], block: int) -> Floats:
    """Return the means of the blocks of (H, W)."""
    height, width = values.shape
    rows = max(1, STRIP // block) * block
    strips = (np.asarray(values[top : top + rows], np.float32) for top in range(0, height, rows))
    size = width // block
    found = [
        cv2.resize(strip, (size, len(strip) // block), None, 0, 0, cv2.INTER_AREA)
        for strip in strips
    ]
    return np.asarray(np.concatenate(found), np.float32)


def blurred(values: MatLike, radius: int) -> Floats:
    """Run a box filter of a radius over values twice; the edge is a mirror.

    Repeated beyond the edge, a single value there would count for as many as half of a box.
    """
    side = (2 * radius + 1,) * 2
    once = cv2.blur(values, side, borderType=cv2.BORDER_REFLECT)
    return np.asarray(cv2.blur(once, side, borderType=cv2.BORDER_REFLECT), np.float32)
