"""How steady a painted clip is: along the motion of its source, outside what is hidden.

Pictures are (H, W, 3) uint8 RGB; errors count values as 0..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vstyle.engine.base import Picture
from vstyle.scene import Motion

SHORT, LONG = 1, 10  # frames apart
LEAST_SIDE = 12  # pixels, of what motion can be estimated for
FEW = 100  # pixels: a pair of frames with fewer that are visible in both says nothing


@dataclass(frozen=True)
class Steadiness:
    """Means over the pairs of frames of a clip, `step` frames apart."""

    e_warp: float
    trmse: float


def estimated_motion(now: Picture, then: Picture) -> Motion:
    """Estimate the motion from one frame to another by DIS optical flow (Kroeger et al. 2016).

    At full size, with OpenCV's medium preset. Not visible are places that are not found again when
    going there and back, edges of motion, and what leaves the picture (Sundaram, Brox and Keutzer
    2010, as used by Ruder et al. 2016 and Lai et al. 2018).
    """
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    first, second = (cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in (now, then))
    nothing = np.empty(0, np.float32)
    there = np.asarray(search.calc(first, second, nothing), np.float32)
    back = np.asarray(search.calc(second, first, nothing), np.float32)
    returned = moved(back, there)
    lengths = np.square(there).sum(2) + np.square(returned).sum(2)
    found = np.square(there + returned).sum(2) <= 0.01 * lengths + 0.5
    slopes = [np.square(slope) for c in (0, 1) for slope in np.gradient(there[..., c])]
    smooth = np.sum(slopes, axis=0) <= 0.01 * np.square(there).sum(2) + 0.002
    return Motion(there, np.asarray(found & smooth & _inside(there), np.bool_))


def moved(values: NDArray[np.generic], flow: NDArray[np.float32]) -> NDArray[np.float32]:
    """Look up `values` (H, W, ...) where `flow` (H, W, 2) leads, bilinear, in float32."""
    x, y = cv2.split(flow + _grid(*flow.shape[:2]))
    looked = cv2.remap(values.astype(np.float32), x, y, cv2.INTER_LINEAR)
    return np.asarray(looked, np.float32)


def e_warp(now: Picture, then: Picture, motion: Motion) -> float | None:
    """Return the warping error of two frames (Lai et al. 2018), None if too little is visible.

    The mean square, over visible pixels and three channels, of `then` warped to `now` less `now`.
    """
    if motion.visible.sum() < FEW:
        return None
    gap = (moved(then, motion.flow) - now.astype(np.float32)) / 255
    return float(np.square(gap[motion.visible]).mean())


def steadiness(frames: Sequence[Picture], motions: Sequence[Motion]) -> Steadiness | None:
    """Measure frames against the motions of their source, one motion per pair, None if none fits.

    The motions lead from frame t to frame t + step; there are `step` fewer of them than frames.
    E_warp is the mean over the pairs, tRMSE the mean of its square roots.
    """
    step = len(frames) - len(motions)
    pairs = zip(frames, frames[step:], motions, strict=False)
    errors = [error for pair in pairs if (error := e_warp(*pair)) is not None]
    if not errors:
        return None
    return Steadiness(float(np.mean(errors)), float(np.mean(np.sqrt(errors))))


def sharpness(picture: Picture) -> float:
    """Return the mean magnitude of the gradient of the grey picture (Sobel), in grey levels."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *axis) for axis in ((1, 0), (0, 1)))
    return float(np.hypot(across, down).mean())


def _inside(flow: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Tell where `flow` leads to a place in the picture."""
    height, width = flow.shape[:2]
    x, y = np.moveaxis(flow + _grid(height, width), 2, 0)
    return np.asarray((x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1), np.bool_)


def _grid(height: int, width: int) -> NDArray[np.float32]:
    """Return the coordinates (x, y) of every pixel, (H, W, 2)."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    return np.dstack([x, y])
