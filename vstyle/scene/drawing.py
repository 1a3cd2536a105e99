"""Drawing of single things in metres: polygons on a fine sheet, shaded, reduced to a layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vstyle.scene.camera import Matrix
from vstyle.scene.layer import Layer, Pose, premultiplied, stand, still
from vstyle.scene.light import Light, display, haze
from vstyle.scene.noise import Field, dice, grid_noise

FINE = 3  # samples per texel in each direction while drawing: the reduction is the antialiasing
DENSE = 1.25  # texels per pixel at the distance a thing is drawn for
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, eq=False)
class Sheet:
    """A transparent sheet over a part of the world's x and y, in metres from the thing's anchor.

    `paint` is (rows, columns, 4): albedo or energy, and 1.0 where something is drawn.
    """

    left: float
    top: float
    density: float  # samples per metre
    paint: Field

    def grid(self) -> tuple[Field, Field]:
        """Return x (1, columns) and y (rows, 1) of the samples, in metres."""
        rows, columns = self.paint.shape[:2]
        x = self.left + (np.arange(columns, dtype=np.float32) + 0.5)[None] / self.density
        y = self.top - (np.arange(rows, dtype=np.float32) + 0.5)[:, None] / self.density
        return np.asarray(x, np.float32), np.asarray(y, np.float32)


def sheet(edges: tuple[float, float, float, float], distance: float, focal: float) -> Sheet:
    """Return an empty sheet fine enough for a thing `distance` metres away.

    `edges` are left, top, right and bottom in metres from the anchor.
    """
    left, top, right, bottom = edges
    density = focal / distance * DENSE * FINE
    # A margin of two texels: what is cut at the edge of a texture would look cut in the film.
    margin = 2 * FINE / density
    columns = FINE * int(np.ceil((right - left + 2 * margin) * density / FINE))
    rows = FINE * int(np.ceil((top - bottom + 2 * margin) * density / FINE))
    return Sheet(left - margin, top + margin, density, np.zeros((rows, columns, 4), np.float32))


def fill(on: Sheet, points: Points | NDArray[np.floating], colour: Sequence[float] | Field) -> None:
    """Draw a filled polygon, points (x, y) in metres, in one colour."""
    cv2.fillPoly(on.paint, [_places(on, points)], _ink(colour), shift=4)


def scatter(on: Sheet, polygons: NDArray[np.floating], colours: Field) -> None:
    """Draw many polygons (count, corners, 2), each in its own colour (count, 3), in order."""
    inks = np.column_stack([colours, np.ones(len(colours))]).tolist()
    for places, ink in zip(_places(on, polygons), inks, strict=True):
        cv2.fillPoly(on.paint, [places], ink, shift=4)


def stroke(
    on: Sheet, points: Points | NDArray[np.floating], colour: Sequence[float] | Field, width: float
) -> None:
    """Draw a line through points, `width` metres thick, at least one sample."""
    thick = max(1, round(width * on.density))
    cv2.polylines(on.paint, [_places(on, points)], False, _ink(colour), thick, shift=4)


def shape(on: Sheet, points: Points | NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which samples lie in a polygon."""
    mask = np.zeros(on.paint.shape[:2], np.uint8)
    cv2.fillPoly(mask, [_places(on, points)], 1, shift=4)
    return mask > 0


def cover(on: Sheet, where: NDArray[np.bool_], colour: Field) -> None:
    """Paint a colour, or a picture of colours (rows, columns, 3), where a mask says."""
    on.paint[where, :3] = np.broadcast_to(colour, (*where.shape, 3))[where]
    on.paint[where, 3] = 1.0


def weather(on: Sheet, seed: int, name: str, size: float, strength: float) -> None:
    """Vary what is drawn by noise with spots of `size` metres: plaster, cloth, stone, dirt."""
    rows, columns = on.paint.shape[:2]
    cells = (rows / on.density / size, columns / on.density / size)
    spots = grid_noise(dice(seed, name, "weather"), (rows, columns), cells, 6, 0.65)
    on.paint[..., :3] *= np.clip(1 + strength * spots, 0.2, 2.0)[..., None]


def finish(
    on: Sheet,
    name: str,
    light: Light,
    anchor: tuple[float, float, float],
    pose: Callable[[float], Pose] = still,
) -> Layer:
    """Turn a sheet of light energy into a layer: reduce it, develop it, and put air before it."""
    texture = reduce(on, light, anchor)
    return Layer(name, texture, placement(on, anchor, pose))


def placement(
    on: Sheet, anchor: tuple[float, float, float], pose: Callable[[float], Pose] = still
) -> Callable[[float], Matrix]:
    """Return where the reduced sheet stands in the world."""
    return stand(on.left, on.top, on.density / FINE, anchor, pose)


def reduce(on: Sheet, light: Light, anchor: tuple[float, float, float]) -> NDArray[np.uint8]:
    """Return the texture of a sheet: one texel for FINE x FINE samples."""
    rows, columns = on.paint.shape[:2]
    colour = display(on.paint[..., :3]) * on.paint[..., 3:]
    fine = np.dstack([colour, on.paint[..., 3]])
    size = columns // FINE, rows // FINE
    small = np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.float32)
    alpha = small[..., 3]
    straight = small[..., :3] / np.maximum(alpha, 1e-3)[..., None]
    tangent = np.full(alpha.shape, anchor[0] / anchor[2], np.float32)
    return premultiplied(haze(light, straight, anchor[2], tangent), alpha)


def lit(light: Light, albedo: Sequence[float], share: float | Field) -> Field:
    """Return the energy from a surface that has this share (0..1) of the sun and all of the sky."""
    part = np.asarray(share, np.float32)[..., None]
    energy = np.asarray(albedo, np.float32) * (
        part * np.asarray(light.sun, np.float32) + np.asarray(light.shade, np.float32) * 1.1
    )
    return np.asarray(energy, np.float32)


def _ink(colour: Sequence[float] | Field) -> tuple[float, float, float, float]:
    """Return a colour as OpenCV takes it, opaque."""
    red, green, blue = (float(part) for part in colour)
    return red, green, blue, 1.0


def _places(on: Sheet, points: Points | NDArray[np.floating]) -> NDArray[np.int32]:
    """Return points as OpenCV's fixed point sample coordinates."""
    place = (np.asarray(points, np.float64) - (on.left, on.top)) * (on.density, -on.density) - 0.5
    return np.asarray(np.round(place * 16), np.int32)
