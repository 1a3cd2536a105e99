"""Colour grading: a painted frame is brought nearer to the contrasts of its style, size by size.

What a generator paints is paler than its style, and its colours do not vary together as the style's
do: every term that asks for shapes and for steadiness is content with that. And it sees its
surroundings only: how strong its strokes are in all of a frame it cannot know. So what is of each
size is brought some way to the style's own covariance of colours there, by the linear map between
the two that moves colours least (Pitie and Kokaram 2007, "The linear Monge-Kantorovitch linear
colour mapping for example-based colour transfer").
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from vstyle import pixels
from vstyle.engine.base import Picture
from vstyle.models.contrast import SIZES, Contrast, contrast
from vstyle.strips import enlarged

# Of each size, finest first: the share of the style's deviations that is wanted, and the least and
# the most that anything is multiplied by. The finest is held back: it flickers.
WANTED = (0.75, 1.1, 1.05, 1.1)
LEAST = (0.5, 0.5, 0.5, 0.7)
MOST = (1.1, 1.8, 1.8, 1.7)
# The most is for frames whose longer side has the first number of pixels. A larger one spreads
# what a camera resolves over more of them, so that what is of each size is fainter: the most grows
# with a power of the side, up to the second number.
SIDES = (640, 1920)
GROWTH = (0.4, 0.32, 0.32, 0.0)
FITTED = 0.85  # of the way, as a power, that colours go
FAINT = 1e-4  # deviation, 0..1, below which nothing is measured
ROWS = 32  # of a picture that are worked on at a time
DEPTHS = {"B": cv2.CV_8U, "H": cv2.CV_16U, "f": cv2.CV_32F}  # OpenCV's names of NumPy's types

Floats = NDArray[np.float32]


def grade(picture: Picture, style: Contrast) -> Picture:
    """Return a picture, uint8 or uint16, nearer to a style's contrasts."""
    painted = contrast(np.asarray(pixels.to_kind(picture, pixels.BYTE), np.uint8))
    return equalised(picture, gains(painted, style, max(picture.shape[:2])))


def gains(painted: Contrast, style: Contrast, side: int) -> Floats:
    """Return the matrices, (sizes, 3, 3), that the colours of each size are to be multiplied by.

    `side` is the longer one of the picture, in pixels.
    """
    wanted = style * np.square(WANTED)[:, None, None]
    root, back = _power(painted, 0.5), _power(painted, -0.5)
    way = back @ _power(root @ wanted @ root, 0.5) @ back
    larger = np.clip(side, *SIDES) / SIDES[0]
    bounds = np.array(LEAST), np.array(MOST) * larger ** np.array(GROWTH)
    least, most = (np.power(bound, 1 / FITTED)[:, None] for bound in bounds)
    some = _mapped(way, lambda values: np.clip(values, least, most) ** FITTED)
    return np.asarray(some, np.float32)


def _power(covariances: NDArray[np.floating[Any]], exponent: float) -> NDArray[np.float64]:
    return _mapped(covariances, lambda values: np.maximum(values, FAINT**2) ** exponent)


def _mapped(
    matrices: NDArray[np.floating[Any]],
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Apply a function to the eigenvalues of symmetric matrices, as `models.symmetric` does."""
    values, axes = np.linalg.eigh(np.asarray(matrices, np.float64))
    return np.asarray((axes * function(values)[:, None]) @ axes.swapaxes(1, 2), np.float64)


def equalised(picture: Picture, gain: Floats) -> Picture:
    """Multiply what is of each size in a picture, (H, W, 3), by (sizes, 3, 3), around its means."""
    means: list[MatLike] = [pixels.pad(picture, SIZES[-1])]
    for size, larger in pairwise(SIZES):
        height, width = (side * size // larger for side in means[-1].shape[:2])
        means.append(cv2.resize(means[-1], (width, height), interpolation=cv2.INTER_AREA))
    # Each mean counts by what its own size has more than the next smaller one.
    steps = np.diff(gain, axis=0)
    middle = np.array(cv2.mean(means[-1])[:3])
    unchanged = np.asarray(middle - gain[-1] @ middle, np.float32)
    total: MatLike = np.asarray(means[-1] @ steps[-1].T + unchanged, np.float32)
    for mean, step in zip(means[-2:0:-1], steps[-2::-1], strict=True):
        total = _added(mean, step, total, np.dtype(np.float32))
    graded = _added(means[0], gain[0], total, picture.dtype)
    return pixels.crop(np.asarray(graded, picture.dtype), *picture.shape[:2])


def _added(picture: MatLike, matrix: Floats, coarse: MatLike, kind: np.dtype[Any]) -> MatLike:
    """Multiply the colours of a picture by a matrix, and add a coarser picture, enlarged."""
    result = np.empty(picture.shape, kind)
    for rows, large in enlarged(coarse, picture.shape[:2], ROWS):
        own = cv2.transform(picture[rows].astype(np.float32), matrix)
        cv2.add(own, large, result[rows], dtype=DEPTHS[kind.char])
    return result
