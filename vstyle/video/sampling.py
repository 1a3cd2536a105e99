"""Looking up pictures between their pixels."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

# An output or a second map that OpenCV is not given.
NOTHING = np.empty(0, np.float32)


def sample(values: MatLike, flow: MatLike, top: int = 0, result: MatLike | None = None) -> MatLike:
    """Return what `values` (h, w, ...) hold where `flow` leads from each place, between pixels too.

    What is outside repeats the edge. `flow` may be that of some rows only, from `top` on; `result`
    is where to put it, if that is known.
    """
    # Fixed-point maps (1/32 pixel) are what remap is fastest with.
    coarse, fine = cv2.convertMaps(flow, NOTHING, cv2.CV_16SC2)
    if top:
        coarse[..., 1] += top
    how = cv2.INTER_LINEAR | cv2.WARP_RELATIVE_MAP
    return cv2.remap(values, coarse, fine, how, result, cv2.BORDER_REPLICATE)


def sample_tile(tile: NDArray[np.float32], at: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what a square that repeats itself for ever holds at coordinates (h, w, 2), x and y.

    The last row and column of `tile` are the first again, so that nothing is looked up beyond.
    """
    period = np.float32(len(tile) - 1)
    coarse, fine = cv2.convertMaps(at - period * np.floor(at / period), NOTHING, cv2.CV_16SC2)
    return np.asarray(cv2.remap(tile, coarse, fine, cv2.INTER_LINEAR), np.float32)


@lru_cache(maxsize=2)
def places(height: int, width: int) -> NDArray[np.float32]:
    """Return the coordinates (x, y) of every pixel of a picture, (height, width, 2)."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.ascontiguousarray(np.dstack([x, y]))
