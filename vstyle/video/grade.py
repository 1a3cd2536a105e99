"""Colour grading: a painted frame is brought nearer to the contrasts of its style, size by size.

What a generator paints is paler than its style: every term that asks for shapes and for steadiness
is content with less contrast. And it sees its surroundings only: how strong its strokes are in all
of a frame it cannot know, and in smooth places they are fainter. So all contrast is raised by a
factor for each channel (as Reinhard et al. 2001 do in full), as far as it is that of large shapes;
then what is of each size is brought some way to the style's own contrast there.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from vstyle import pixels
from vstyle.engine.base import Picture
from vstyle.models.contrast import SIZES, Contrast, contrast
from vstyle.strips import enlarged

WHOLE = 1.3  # most that all contrast is multiplied by
LARGE = SIZES.index(8)  # what is left in the means of squares of 8 pixels belongs to large shapes
# How much of a frame's deviation must be left there for any of that, and for all of it.
SOME, ALL = 0.86, 0.98
# Of each size but the largest, finest first: the share of the style's contrast that is wanted, and
# the most that is multiplied by. The finest is held back: it flickers.
WANTED, MOST = (0.75, 1.1, 1.05), (1.1, 1.5, 1.5)
LEAST = 0.5  # that it is multiplied by
FITTED = 0.75  # of the way, as a power, that contrasts go
ROWS = 32  # of a picture that are worked on at a time
DEPTHS = {"B": cv2.CV_8U, "H": cv2.CV_16U, "f": cv2.CV_32F}  # OpenCV's names of NumPy's types


def grade(picture: Picture, style: Contrast) -> Picture:
    """Return a picture, uint8 or uint16, nearer to a style's contrasts."""
    painted = contrast(np.asarray(pixels.to_kind(picture, pixels.BYTE), np.uint8))
    return equalised(picture, gains(painted, style))


def gains(painted: Contrast, style: Contrast) -> Contrast:
    """Return what is to be multiplied by what, (3, sizes), so that a picture is graded."""
    whole, wanted = (np.linalg.norm(each, axis=1) for each in (painted, style))
    large = float(np.mean(np.linalg.norm(painted[:, LARGE:], axis=1) / whole))
    share = np.clip((large - SOME) / (ALL - SOME), 0, 1)
    raised = np.clip(wanted / whole, 1, WHOLE)[:, None] ** share
    fitting = style[:, :-1] * WANTED / (painted[:, :-1] * raised)
    by_size = np.clip(fitting**FITTED, LEAST, MOST)
    return np.asarray(raised * np.pad(by_size, ((0, 0), (0, 1)), constant_values=1), np.float32)


def equalised(picture: Picture, gain: Contrast) -> Picture:
    """Multiply what is of each size in a picture, (H, W, 3), by (3, sizes), around its means."""
    means: list[MatLike] = [pixels.pad(picture, SIZES[-1])]
    for size, larger in pairwise(SIZES):
        height, width = (side * size // larger for side in means[-1].shape[:2])
        means.append(cv2.resize(means[-1], (width, height), interpolation=cv2.INTER_AREA))
    # Each mean counts by what its own size has more than the next smaller one.
    steps = np.diff(gain).T
    middle = np.array(cv2.mean(means[-1])[:3]) * (1 - gain[:, -1])
    total: MatLike = means[-1] * steps[-1] + middle.astype(np.float32)
    for mean, step in zip(means[-2:0:-1], steps[-2::-1], strict=True):
        total = _added(mean, step, total, np.dtype(np.float32))
    graded = _added(means[0], gain[:, 0], total, picture.dtype)
    return pixels.crop(np.asarray(graded, picture.dtype), *picture.shape[:2])


def _added(
    picture: MatLike, factors: NDArray[np.float32], coarse: MatLike, kind: np.dtype[Any]
) -> MatLike:
    """Multiply each channel of a picture by its own factor, and add a coarser one, enlarged."""
    result = np.empty(picture.shape, kind)
    for rows, large in enlarged(coarse, picture.shape[:2], ROWS):
        own = cv2.transform(picture[rows].astype(np.float32), np.diagflat(factors))
        cv2.add(own, large, result[rows], dtype=DEPTHS[kind.char])
    return result
