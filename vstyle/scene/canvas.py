"""A painting of our own: brush strokes along a swirling field, to paint films in the style of.

It gives the demo and the tests a style picture that belongs to nobody else.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

# Deep to light, RGB: what a stroke's height in the picture and its place in a swirl choose from.
PALETTE = np.array(
    [(18, 30, 74), (24, 62, 120), (38, 108, 158), (96, 160, 180), (226, 196, 96), (240, 150, 52)],
    np.float32,
)
COARSE_TO_FINE = ((26, 900), (14, 2600), (7, 5200))  # (width of a stroke in pixels, how many)
BRISTLES = 5  # hairs of the brush that leave their own line


def paint_canvas(size: int = 512, seed: int = 0) -> NDArray[np.uint8]:
    """Return an abstract painting, RGB (size, size, 3), the same for the same size and seed."""
    rng = np.random.default_rng(seed)
    angle, tone = _swirls(size, rng)
    canvas = np.full((size, size, 3), PALETTE[0], np.uint8)
    for widest, count in COARSE_TO_FINE:
        width = max(2, round(widest * size / 512))
        for x, y in rng.uniform(0, size, (count, 2)):
            path = _follow(angle, x, y, steps=int(rng.integers(4, 10)), stride=width * 0.7)
            shade = tone[int(y), int(x)] + rng.normal(0, 0.09)
            _stroke(canvas, path, width, _colour(shade), rng)
    return canvas


def _swirls(size: int, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the direction of the brush and the tone 0..1 at every pixel, each (size, size)."""
    y, x = np.mgrid[:size, :size] / size
    dx, dy = np.ones_like(x), 0.35 * np.sin(5 * x + 1)
    tone = 0.25 + 0.25 * y + 0.1 * np.sin(9 * y + 4 * x)
    for _ in range(6):
        cx, cy, radius = rng.uniform(0, 1), rng.uniform(0, 0.9), rng.uniform(0.08, 0.2)
        away = np.hypot(x - cx, y - cy)
        near = np.exp(-((away / radius) ** 2))
        dx, dy = dx - 9 * near * (y - cy) / radius, dy + 9 * near * (x - cx) / radius
        tone += near * (0.45 + 0.3 * np.cos(away / radius * 7))
    return np.arctan2(dy, dx), tone.clip(0, 1)


def _follow(
    angle: NDArray[np.float64], x: float, y: float, steps: int, stride: float
) -> NDArray[np.float64]:
    """Walk along the field from (x, y) and return the points passed, (steps, 2)."""
    size = len(angle)
    points = []
    for _ in range(steps):
        points.append((x, y))
        at = angle[min(max(int(y), 0), size - 1), min(max(int(x), 0), size - 1)]
        x, y = x + stride * np.cos(at), y + stride * np.sin(at)
    return np.array(points)


def _stroke(
    canvas: NDArray[np.uint8],
    path: NDArray[np.float64],
    width: int,
    colour: NDArray[np.float32],
    rng: np.random.Generator,
) -> None:
    """Draw one stroke: a body, and beside each other the lines of single hairs."""
    along = path[-1] - path[0]
    across = np.array([-along[1], along[0]]) / (np.hypot(*along) + 1e-6)
    lines = [(0.0, width, 0.0)]
    lines += [(rng.uniform(-0.45, 0.45) * width, max(1, width // 6), 26.0) for _ in range(BRISTLES)]
    for aside, thickness, uneven in lines:
        points = np.round((path + across * aside) * 16).astype(np.int32)
        paint = (colour + rng.normal(0, uneven)).clip(0, 255)
        cv2.polylines(
            canvas, [points], False, [float(c) for c in paint], thickness, cv2.LINE_AA, shift=4
        )


def _colour(tone: float) -> NDArray[np.float32]:
    """Return the palette's colour for a tone 0..1, between its neighbours."""
    at = float(np.clip(tone, 0, 1)) * (len(PALETTE) - 1)
    low = min(int(at), len(PALETTE) - 2)
    mixed: NDArray[np.float32] = PALETTE[low] * (low + 1 - at) + PALETTE[low + 1] * (at - low)
    return mixed
