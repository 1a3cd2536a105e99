"""Layers: flat textured things in the world, how they move, and how they reach the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from vstyle.scene.camera import Matrix
from vstyle.scene.noise import Field


@dataclass(frozen=True, eq=False)
class Layer:
    """A flat thing: its picture, and where in the world every point of that is at a time.

    `texture` is (h, w, 4) uint8 RGBA, premultiplied. `place` maps seconds to the (4, 3) placement
    described in `camera`. `endless` layers go on past the edges of their texture.
    """

    name: str
    texture: NDArray[np.uint8]
    place: Callable[[float], Matrix]
    endless: bool = False


@dataclass(frozen=True)
class Pose:
    """How a thing stands at a time: bent by `form` (2, 2) about its pivot, moved by `shift`."""

    form: tuple[tuple[float, float], tuple[float, float]] = ((1.0, 0.0), (0.0, 1.0))
    shift: tuple[float, float, float] = (0.0, 0.0, 0.0)  # metres


def turned(angle: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Return the form of a thing rotated by `angle` radians, anticlockwise."""
    cosine, sine = float(np.cos(angle)), float(np.sin(angle))
    return (cosine, -sine), (sine, cosine)


def still(_time: float) -> Pose:
    """Return the pose of things that never move."""
    return Pose()


def stand(
    left: float,
    top: float,
    density: float,
    anchor: tuple[float, float, float],
    pose: Callable[[float], Pose] = still,
) -> Callable[[float], Matrix]:
    """Return the placement of an upright board facing the viewer.

    `left` and `top` are the texture's corner in metres from `anchor`, which is the pivot of the
    pose and a point of the world; `density` is texels per metre.
    """
    flat = np.array(
        [[1 / density, 0, left + 0.5 / density], [0, -1 / density, top - 0.5 / density], [0, 0, 1]]
    )

    def place(time: float) -> Matrix:
        now = pose(time)
        frame = np.zeros((4, 3))
        frame[:2, :2] = now.form
        frame[:3, 2] = np.add(anchor, now.shift)
        frame[3, 2] = 1.0
        return np.asarray(frame @ flat)

    return place


def mirrored(place: Callable[[float], Matrix]) -> Callable[[float], Matrix]:
    """Return the placement of a thing's reflection in the water (the plane y = 0)."""
    return lambda time: np.diag([1.0, -1.0, 1.0, 1.0]) @ place(time)


def box(layer: Layer, homography: Matrix, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return (left, top, right, bottom) of the pixels a layer can touch in a (width, height)."""
    height, width = layer.texture.shape[:2]
    corners = np.array([[-1, width, width, -1], [-1, -1, height, height], [1, 1, 1, 1]], float)
    x, y, w = homography @ corners
    if (w <= 0).any():  # partly behind the camera
        return 0, 0, *size
    left, right = (x / w).min(), (x / w).max()
    if layer.endless:
        left, right = 0, size[0]
    top, bottom = (y / w).min(), (y / w).max()
    return (
        int(np.clip(np.floor(left), 0, size[0])),
        int(np.clip(np.floor(top), 0, size[1])),
        int(np.clip(np.ceil(right) + 1, 0, size[0])),
        int(np.clip(np.ceil(bottom) + 1, 0, size[1])),
    )


def empty(area: tuple[int, int, int, int]) -> bool:
    """Tell whether an area has no pixel: what lies outside the picture."""
    left, top, right, bottom = area
    return right <= left or bottom <= top


def project(
    picture: NDArray[np.uint8], homography: Matrix, area: tuple[int, int, int, int], endless: bool
) -> NDArray[np.uint8]:
    """Return a texture (or one plane of it) as it appears in an area, which must not be empty."""
    left, top, right, bottom = area
    moved = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1.0]]) @ homography
    border = cv2.BORDER_REPLICATE if endless else cv2.BORDER_CONSTANT
    size = right - left, bottom - top
    shown = cv2.warpPerspective(picture, moved, size, flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(shown, np.uint8)


def lay(canvas: Field, layer: Layer, homography: Matrix) -> tuple[int, int, int, int]:
    """Blend a layer over an (H, W, 3) canvas of 0..255 in place; return the area it may touch."""
    area = box(layer, homography, (canvas.shape[1], canvas.shape[0]))
    if not empty(area):
        left, top, right, bottom = area
        shown = project(layer.texture, homography, area, layer.endless).astype(np.float32)
        part = canvas[top:bottom, left:right]
        part *= 1 - shown[..., 3:] * np.float32(1 / 255)
        part += shown[..., :3]
    return area


def premultiplied(
    colour: Field, alpha: Field, random: np.random.Generator | None = None
) -> NDArray[np.uint8]:
    """Pack displayed colour (h, w, 3) and alpha (h, w), both 0..1, into a texture.

    With `random`, rounding is dithered: wide soft gradients then show no steps.
    """
    packed = np.dstack([colour * alpha[..., None], alpha]) * 255
    noise = random.random(packed.shape[:2], np.float32)[..., None] if random else 0.5
    packed[..., :3] += noise
    packed[..., 3] += 0.5
    return np.asarray(np.clip(packed, 0, 255), np.uint8)
