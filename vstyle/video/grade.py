"""Colour grading: a painted frame is given the contrast of its style's colours, if it has less.

What a generator paints is paler than its style: every term that asks for shapes and for steadiness
is content with less contrast. A factor for each channel makes up for it (as Reinhard et al. 2001
do in full), as far as the contrast is that of large shapes: strokes would be made too strong.
"""

from __future__ import annotations

import cv2
import numpy as np

from vstyle.engine.base import Picture
from vstyle.models.fold import Palette

MOST = 1.35  # times the contrast
STEP = 5  # pixels: of every so many in a row and in a column one is looked at
LARGE = 8  # pixels: what is left in the means of such squares belongs to large shapes
# How much of a frame's deviation must be left there for any grading, and for all of it.
SOME, ALL = 0.86, 0.98


def grade(picture: Picture, palette: Palette) -> Picture:
    """Return a picture with more contrast around its means, where the palette has more."""
    white = np.iinfo(picture.dtype).max
    # An odd step, so that all places of a generator's blocks are among what is looked at.
    means, deviations = cv2.meanStdDev(np.ascontiguousarray(picture[::STEP, ::STEP]))
    deviations = np.maximum(deviations, 1e-3 * white)
    height, width = (max(1, side // LARGE) for side in picture.shape[:2])
    squares = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    large = float(np.mean(cv2.meanStdDev(squares)[1] / deviations))
    share = np.clip((large - SOME) / (ALL - SOME), 0, 1)
    gain = np.clip(white * palette.deviations[:, None] / deviations, 1, MOST) ** share
    graded = cv2.transform(picture, np.hstack([np.diagflat(gain), (1 - gain) * means]))
    return np.asarray(graded, picture.dtype)
