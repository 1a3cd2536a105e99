"""The contrast of a picture, told apart by size: what grading knows of a style."""

from __future__ import annotations

from itertools import combinations, pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

SIZES = (1, 2, 8, 32)  # sides of squares, pixels: what differs in the next larger is of one
STRIPS = 8  # strips of rows, at least, if there are so many, that are looked at

Contrast = NDArray[np.float32]
"""Covariances of the colours of what is of each of SIZES, finest first: (4, 3, 3), values 0..1."""


def contrast(picture: NDArray[np.uint8]) -> Contrast:
    """Measure an RGB picture, (H, W, 3)."""
    height = min(len(picture), SIZES[-1])
    strips = len(picture) // height
    tops = range(0, strips * height, height * max(1, strips // STRIPS))
    x = np.concatenate([picture[top : top + height] for top in tops])
    covariances = [_covariance(x)]
    for size, larger in pairwise(SIZES):
        times = larger // size
        rows, columns = (max(1, side // times) for side in x.shape[:2])
        whole = x[: max(1, rows * times), : max(1, columns * times)]
        # The covariance of the means of squares is that of what is of their size or larger.
        small = cv2.resize(whole, (columns, rows), interpolation=cv2.INTER_AREA)
        x = np.asarray(small, np.uint8).reshape(rows, columns, 3)
        covariances.append(_covariance(x))
    return np.asarray(-np.diff(covariances, axis=0, append=np.zeros((1, 3, 3))), np.float32)


def _covariance(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    mean, deviation = (each.ravel() for each in cv2.meanStdDev(picture))
    variance = np.square(deviation)
    found = np.diag(variance)
    planes = cv2.split(picture)
    for a, b in combinations(range(3), 2):
        # In whole numbers, and ten times as fast as a product of matrices: the mean square of a
        # difference is both variances less twice the covariance, and the square of the means'.
        apart = cv2.norm(planes[a], planes[b], cv2.NORM_L2SQR) / planes[a].size
        shared = (variance[a] + variance[b] + (mean[a] - mean[b]) ** 2 - apart) / 2
        found[a, b] = found[b, a] = shared
    return np.asarray(found / 255**2, np.float64)
