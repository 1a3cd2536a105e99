"""Strokes that follow the contours of each frame and move with what they lie on.

See `models.canvas` for what a canvas is for. It is kept small (as the grey frames are that motion
is measured on), and only its strokes are drawn at the size that a network wants.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from vstyle.engine.base import Grain
from vstyle.models import canvas
from vstyle.models.relief import blurred
from vstyle.video.sampling import places, sample, sample_tile

Vectors = NDArray[np.float32]
"""(h, w, 2): x to the right, then y down."""


@dataclass(frozen=True)
class Canvas:
    """How the strokes lie in one frame; vectors are (h, w, 2), of the small frame's size.

    Noise that moves with the picture is stretched with it. So there are two layers of it: each in
    turn fades out, begins anew, and fades in again while the other one fades.
    """

    shifts: tuple[Vectors, Vectors]  # of each layer: small pixels from places to where they look
    along: Vectors  # directions of the strokes, as unit vectors of twice their angle
    age: float = 0.5  # of the first layer's life, 0..1; the other is half a life apart


def follow(last: Canvas | None, grey: NDArray[np.uint8], flow: Vectors | None) -> Canvas:
    """Lay the canvas of a frame, given its small grey picture (h, w).

    `last` is the canvas of the frame before and `flow` (h, w, 2) the motion since: a pixel p was at
    p + flow[p], in small pixels. Without them the canvas begins anew.
    """
    if last is None or flow is None:
        still = np.zeros((*grey.shape, 2), np.float32)
        return Canvas((still, still), _along(grey, still))
    if not flow.any():
        return replace(last, along=_between(last.along, _along(grey, last.shifts[0])))
    older = last.age + min(_stretch(flow) / canvas.STRETCH, 0.25)
    begins = (older >= 1, last.age < 0.5 <= older)
    first, second = (
        np.zeros_like(shift) if anew else np.asarray(sample(shift, flow) + flow, np.float32)
        for shift, anew in zip(last.shifts, begins, strict=True)
    )
    carried = np.asarray(sample(last.along, flow), np.float32)
    return Canvas((first, second), _between(carried, _along(grey, first)), older % 1)


def grain(laid: Canvas, rows: int, columns: int) -> Grain:
    """Draw the strokes of a canvas on a grid."""
    strokes = _noise(laid, rows, columns)
    # Directions turn slowly: what a place needs is near enough in its small pixel.
    tangent = cv2.resize(_halved(laid.along), (columns, rows), interpolation=cv2.INTER_NEAREST)
    for step in canvas.STEPS:
        reach = tangent * np.float32(step)
        strokes = strokes + sample(strokes, reach) + sample(strokes, -reach)
    return np.asarray(np.clip(strokes * np.float32(canvas.GAIN), -1, 1), np.float32)


def _noise(laid: Canvas, rows: int, columns: int) -> Grain:
    """Look up both layers of noise, as strong together as one."""
    height, width = laid.along.shape[:2]
    unit = np.array([columns / width, rows / height], np.float32)
    shifts = [shift * unit for shift in laid.shifts]
    share = np.float32(1 - abs(2 * laid.age - 1))
    likeness = np.maximum(0, 1 - _length(shifts[0] - shifts[1]) / np.float32(canvas.ALIKE))
    power = share * share + (1 - share) * (1 - share) + 2 * share * (1 - share) * likeness
    strength = cv2.resize(1 / np.sqrt(power), (columns, rows))
    first, second = (
        sample_tile(canvas.noise(), (places(rows, columns) + fitted) * canvas.FINE)
        for fitted in (cv2.resize(shift, (columns, rows)) for shift in shifts)
    )
    return np.asarray(strength * (second + share * (first - second)), np.float32)


def _stretch(flow: Vectors) -> float:
    """Return by what share of itself motion stretches the picture, on average."""
    steps = (np.abs(np.diff(flow, axis=axis)) for axis in (0, 1))
    return sum(float(step.mean()) for step in steps if step.size)


def _between(last: Vectors, new: Vectors) -> Vectors:
    return np.asarray(canvas.KEPT * last + (1 - canvas.KEPT) * new, np.float32)


def _along(grey: NDArray[np.uint8], shift: Vectors) -> Vectors:
    """Return unit vectors of twice the angle in which the contours run, (h, w, 2)."""
    smooth = cv2.GaussianBlur(grey, (5, 5), 1.0)
    slope_x, slope_y = (cv2.Scharr(smooth, cv2.CV_32F, *order) / 32 for order in ((1, 0), (0, 1)))
    # Across a contour the slope is largest: its doubled angle is that of the contour, turned round.
    tensor = _merged([slope_y * slope_y - slope_x * slope_x, -2 * slope_x * slope_y])
    tensor = blurred(tensor, canvas.NEAR) + canvas.FAR_WEIGHT * blurred(tensor, canvas.FAR)
    own = sample_tile(canvas.swirl(), places(*grey.shape) + shift)
    tensor = np.asarray(tensor + np.float32(canvas.SLIGHT**2) * own, np.float32)
    return np.asarray(tensor / np.maximum(_length(tensor), 1e-6)[..., None], np.float32)


def _halved(doubled: Vectors) -> Vectors:
    """Return unit vectors of half the angle; which of the two ways they point is no matter."""
    cosine = doubled[..., 0] / np.maximum(_length(doubled), 1e-6)
    x, y = (np.sqrt(np.maximum(0, 0.5 + 0.5 * each)) for each in (cosine, -cosine))
    return _merged([x, np.copysign(y, doubled[..., 1])])


def _merged(parts: list[MatLike]) -> Vectors:
    return np.asarray(cv2.merge(parts), np.float32)


def _length(vectors: Vectors) -> NDArray[np.float32]:
    return np.asarray(cv2.magnitude(*cv2.split(vectors)), np.float32)
