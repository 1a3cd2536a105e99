"""A painted picture as the planes of 4:2:0 that nearly every video is made of.

Grading and this conversion are one: brightness is mixed from the picture and the means of its
squares, and colour, which has a quarter of the places, from these means alone. To grade all three
colours of every pixel, hand them to ffmpeg and have them converted there costs twice as much.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vstyle import pixels
from vstyle.engine.base import Picture
from vstyle.models.contrast import SIZES
from vstyle.video.colour import Colour, yuv_of
from vstyle.video.grade import FLOAT, Floats, means_of, mixed

Planes = NDArray[np.uint8]
"""Brightness, (H, W), and below it both colours of (H / 2, W / 2), one after the other: together
(3 H / 2, W), as PyAV takes yuv420p."""


def planes(picture: Picture, colour: Colour, gain: Floats | None = None) -> Planes:
    """Convert an RGB picture, (H, W, 3) of uint8; odd sides are padded by one pixel.

    With `gain`, (sizes, 3, 3), it is graded too, as `grade.equalised` does. Colour lies where
    decoders look for it: in the middle of two rows, and on the first of two columns.
    """
    even = pixels.pad(picture, 2)
    height, width = even.shape[:2]
    sizes = SIZES[:2] if gain is None else SIZES
    gains = np.tile(np.eye(3), (2, 1, 1)) if gain is None else gain
    rows, base = yuv_of(colour)
    means = means_of(even, sizes)
    found = np.empty((height * 3 // 2, width), np.uint8)
    brightness = mixed(means, gains, rows[:1], base[:1], kind=found.dtype)
    found[:height] = pixels.crop(brightness[..., 0], height, width)
    below = found[height:].reshape(2, height // 2, width // 2)
    # One by one: OpenCV has no fast way to make two of three.
    for place, row, middle in zip(below, rows[1:, None], base[1:], strict=True):
        colours = mixed(means[1:], gains[1:], row, middle, kind=FLOAT)
        place[:] = _moved(pixels.crop(colours[..., 0], *place.shape))
    return found


def _moved(colours: Floats) -> NDArray[np.uint8]:
    """Move colours from the middle of squares to their first columns, by a quarter of a square."""
    around = cv2.copyMakeBorder(colours, 0, 0, 1, 0, cv2.BORDER_REPLICATE)
    moved = cv2.addWeighted(colours, 0.75, around[:, :-1], 0.25, 0, dtype=cv2.CV_8U)
    return np.asarray(moved, np.uint8)
