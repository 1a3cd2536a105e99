"""The relief of a frame: its fine detail, as strong in faint places as elsewhere.

What a painting has everywhere, a photo has only where there are edges: so snow and skies stay
smooth, or strokes must be made up that have nothing to do with them. But there is something in
them: divided by its own local strength, it becomes a texture that belongs to the scene and moves
with it (local contrast normalisation; Jarrett et al. 2009). `generator.relief` is the same in
torch.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vstyle.models.config import BLOCK

RADIUS = 2  # blocks, of a box filter run twice over the strength of detail
FAINT = 1.2  # grey levels; detail much below this is noise, and stays faint
STRONG = 6.0  # grey levels; detail of that strength has half the relief: it needs no more
REACH = 3.75  # times the local strength; what is beyond it is cut off


def relief(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the relief (H, W) of an RGB picture (H, W, 3), sides multiples of BLOCK.

    128 is no detail; 0 and 255 are REACH times as dark and as light as is usual around.
    """
    height, width = picture.shape[:2]
    small = (width // BLOCK, height // BLOCK)
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), np.float32)
    mean = cv2.resize(grey, small, interpolation=cv2.INTER_AREA)
    detail = cv2.subtract(grey, cv2.resize(mean, (width, height)))
    strength = cv2.resize(np.abs(detail), small, interpolation=cv2.INTER_AREA)
    side = (2 * RADIUS + 1,) * 2
    for _ in range(2):
        strength = cv2.blur(strength, side, borderType=cv2.BORDER_REPLICATE)
    share = np.asarray(127 / (REACH * (strength + FAINT) * (1 + strength / STRONG)), np.float32)
    gain = cv2.resize(share, (width, height))
    scaled = cv2.multiply(detail, gain)
    # Shifted, rounded and cut off in one pass.
    return np.asarray(cv2.addWeighted(scaled, 1, scaled, 0, 128, dtype=cv2.CV_8U), np.uint8)
