"""A picture as the planes of 4:2:0 that nearly every video is made of.

Made here they are half as much to hand to ffmpeg, for half of what its filters take to make them,
and colour lies where decoders look for it, whatever ffmpeg was built with.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vstyle import pixels
from vstyle.engine.base import Picture
from vstyle.video.colour import Colour, yuv_of

ROWS = 32  # of a picture that are worked on at a time: a frame's floats would fill no cache

Planes = NDArray[np.uint8]
"""Brightness, (H, W), and below it both colours of (H / 2, W / 2), one after the other: together
(3 H / 2, W), as PyAV takes yuv420p."""


def planes(picture: Picture, colour: Colour) -> Planes:
    """Convert an RGB picture, (H, W, 3) of uint8; odd sides are padded by one pixel.

    Colour lies in the middle of two rows and on the first of two columns.
    """
    even = pixels.pad(picture, 2)
    height, width = even.shape[:2]
    rows, base = yuv_of(colour)
    mixes = np.hstack([rows, base[:, None]])[:, None]
    found = np.empty((height * 3 // 2, width), np.uint8)
    for top in range(0, height, ROWS):
        strip = slice(top, min(top + ROWS, height))
        # Rounded; none is negative.
        cv2.convertScaleAbs(_mixed(even[strip], mixes[0]), found[strip])
    half = width // 2, height // 2
    squares = np.asarray(cv2.resize(even, half, interpolation=cv2.INTER_AREA), np.uint8)
    for place, mix in zip(found[height:].reshape(2, *squares.shape[:2]), mixes[1:], strict=True):
        middle = _mixed(squares, mix)
        # From the middle of a square to its first column it is a quarter of one.
        before = cv2.copyMakeBorder(middle, 0, 0, 1, 0, cv2.BORDER_REPLICATE)[:, :-1]
        cv2.addWeighted(middle, 0.75, before, 0.25, 0, place, cv2.CV_8U)
    return found


def _mixed(picture: NDArray[np.uint8], mix: NDArray[np.float64]) -> NDArray[np.float32]:
    """Mix the colours of a picture and a constant, (1, 4): (H, W, 3) -> (H, W)."""
    return np.asarray(cv2.transform(picture.astype(np.float32), mix), np.float32)
