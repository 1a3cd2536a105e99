"""Making known motion exact: one Gauss-Newton step on what it leaves unexplained.

Of motion that is right to about a pixel it finds the rest (Lucas and Kanade 1981), for a quarter of
what another search takes on pictures of that size.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vstyle.video.sampling import sample

WINDOW = (9, 9)  # pixels that move as one
# Squared slopes, in grey levels per pixel, that are added to those found: fainter ones say little.
FAINT = 3.0
FARTHEST = 1.0  # pixels that the step goes: farther away the slopes are those of something else

Flow = NDArray[np.float32]
"""Displacements in pixels, (h, w, 2): x to the right, then y down."""


def exact(flow: Flow, last: NDArray[np.uint8], grey: NDArray[np.uint8]) -> Flow:
    """Return a flow that leads more exactly from each place of `grey` to what it was in `last`.

    All are of the same size, (h, w, ...); pixel p of `grey` was at p + flow[p].
    """
    moved = sample(np.asarray(last, np.float32), flow)
    now = np.asarray(grey, np.float32)
    # The slopes of both, since those of one alone are off by what the two differ.
    between = cv2.addWeighted(moved, 0.5, now, 0.5, 0)
    x, y = (cv2.Scharr(between, cv2.CV_32F, *order, scale=1 / 32) for order in ((1, 0), (0, 1)))
    rest = now - moved
    xx, yy, xy, x_rest, y_rest = (
        cv2.blur(product, WINDOW) for product in (x * x, y * y, x * y, x * rest, y * rest)
    )
    xx, yy = xx + FAINT, yy + FAINT
    scale = 1 / (xx * yy - xy * xy)
    step = cv2.merge([(yy * x_rest - xy * y_rest) * scale, (xx * y_rest - xy * x_rest) * scale])
    return np.asarray(flow + np.clip(step, -FARTHEST, FARTHEST), np.float32)
