"""Colour grading: a painted frame's colours are given the mean and the spread of its style's.

What a generator paints is paler than its style: every term that asks for shapes and for steadiness
is content with less contrast. The statistics of a frame show by how much, and a linear map of each
channel makes up for most of it (Reinhard et al. 2001, of RGB as it is).
"""

from __future__ import annotations

import cv2
import numpy as np

from vstyle.engine.base import Picture
from vstyle.models.fold import Palette

SHARE = 0.8  # of the way; the rest of the gap is what the scene has fewer, or more colours for
MOST = 1.35  # times the contrast: a frame that is all of one colour is left nearly as it is
STEP = 5  # pixels: of every so many in a row and in a column one is looked at


def grade(picture: Picture, palette: Palette) -> Picture:
    """Return a picture whose channels have more of the palette's means and deviations."""
    white = np.iinfo(picture.dtype).max
    # An odd step, so that all places of a generator's blocks are among what is looked at.
    means, deviations = cv2.meanStdDev(np.ascontiguousarray(picture[::STEP, ::STEP]))
    wanted = white * palette.deviations[:, None]
    gain = np.clip(wanted / np.maximum(deviations, 1e-3 * white), 1 / MOST, MOST) ** SHARE
    shift = means + SHARE * (white * palette.means[:, None] - means) - gain * means
    graded = cv2.transform(picture, np.hstack([np.diagflat(gain), shift]))
    return np.asarray(graded, picture.dtype)
