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

WHOLE = 1.5  # most that all contrast is multiplied by
LARGE = SIZES.index(8)  # what is left in the means of squares of 8 pixels belongs to large shapes
# How much of a frame's deviation must be left there for any of that, and for all of it.
SOME, ALL = 0.86, 0.98
# Of each size but the largest, finest first: the share of the style's contrast that is wanted, and
# the most that is multiplied by. The finest is held back: it flickers.
WANTED, MOST = (0.62, 0.95, 0.85), (1.05, 1.35, 1.5)
LEAST = 0.5  # that it is multiplied by
FITTED = 0.7  # of the way, as a power, that contrasts go


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
    means: list[NDArray[Any]] = [picture]
    shapes = [picture.shape[1::-1]]
    for size, larger in pairwise(SIZES):
        width, height = (max(1, side // (larger // size)) for side in shapes[-1])
        small = cv2.resize(means[-1], (width, height), interpolation=cv2.INTER_AREA)
        means.append(np.asarray(small, np.float32).reshape(height, width, 3))
        shapes.append((width, height))
    # Each mean counts by what its own size has more than the next smaller one.
    steps = np.diff(gain).T
    middle = np.array(cv2.mean(means[-1])[:3]) * (1 - gain[:, -1])
    total = cv2.transform(means[-1], np.hstack([np.diagflat(steps[-1]), middle[:, None]]))
    for mean, shape, step in zip(means[-2:0:-1], shapes[-2:0:-1], steps[-2::-1], strict=True):
        total = cv2.addWeighted(_times(mean, step), 1, cv2.resize(total, shape), 1, 0)
    finest = _times(picture.astype(np.float32), gain[:, 0])
    # Added, rounded and cut off in one pass.
    kind = cv2.CV_8U if picture.dtype == np.uint8 else cv2.CV_16U
    added = cv2.addWeighted(finest, 1, cv2.resize(total, shapes[0]), 1, 0, dtype=kind)
    return np.asarray(added, picture.dtype).reshape(picture.shape)


def _times(picture: MatLike, factors: NDArray[np.float32]) -> MatLike:
    """Multiply each channel of (H, W, 3) by its own factor."""
    return cv2.transform(picture, np.diagflat(factors))
