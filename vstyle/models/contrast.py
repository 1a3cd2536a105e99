"""The contrast of a picture, told apart by size: what grading knows of a style."""

from __future__ import annotations

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

SIZES = (1, 2, 8, 32)  # sides of squares, pixels: what differs in the next larger is of one
STRIPS = 8  # strips of rows, at least, if there are so many, that are looked at
LEAST = 1e-4  # of a contrast that is measured

Contrast = NDArray[np.float32]
"""Deviations of what is of each of SIZES, finest first, for each channel: (3, 4), values 0..1."""


def contrast(picture: NDArray[np.uint8]) -> Contrast:
    """Measure an RGB picture, (H, W, 3)."""
    height = min(len(picture), SIZES[-1])
    strips = len(picture) // height
    tops = range(0, strips * height, height * max(1, strips // STRIPS))
    x = np.concatenate([picture[top : top + height] for top in tops])
    variances = [_variance(x)]
    for size, larger in pairwise(SIZES):
        times = larger // size
        rows, columns = (max(1, side // times) for side in x.shape[:2])
        whole = x[: max(1, rows * times), : max(1, columns * times)]
        # The variance of the means of squares is what is of their size or larger.
        small = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
        x = np.asarray(small, np.uint8).reshape(rows, columns, 3)
        variances.append(_variance(x))
    apart = -np.diff(variances, axis=0, append=0)
    return np.asarray(np.sqrt(np.maximum(apart, LEAST**2)).T, np.float32)


def _variance(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    return np.square(cv2.meanStdDev(picture)[1].ravel() / 255)
