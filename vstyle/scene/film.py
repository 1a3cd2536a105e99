"""The films: what a scene looks like at a frame, and how everything in it moves, exactly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from vstyle.scene.camera import Matrix, lens, view
from vstyle.scene.layer import Layer, box, empty, lay, project
from vstyle.scene.layout import Stage, build
from vstyle.scene.noise import Field

# The grade, as a laboratory would give it: a little more colour and a soft S curve. It depends on
# nothing but the colour, so that what moves keeps its own.
_SATURATE = (1.07 * np.eye(3) - 0.07 * np.array([[0.299, 0.587, 0.114]] * 3)).astype(np.float32)
_LEVELS = np.arange(256) / 255
_CONTRAST = (
    np.rint(
        255
        * (
            0.45 * _LEVELS
            + 0.55 * (_LEVELS * _LEVELS * (3 - 2 * _LEVELS))
            - 0.06 * np.sin(np.pi * _LEVELS) * (1 - _LEVELS)
        )
    )
    .clip(0, 255)
    .astype(np.uint8)
)


@dataclass(frozen=True)
class Scene:
    """A film to be rendered: a bay among hills, other in every seed; seed 0 is the demo clip."""

    width: int = 640
    height: int = 360
    frames: int = 96
    rate: Fraction = Fraction(24)  # frames per second
    seed: int = 0
    # How strong the light is that does not move with matter: glints on the water, the sun's veil.
    # At 0 a thing keeps its colour along its way, which is what a test of the motion needs.
    shimmer: float = 1.0

    @property
    def seconds(self) -> Fraction:
        """The length of the film."""
        return self.frames / self.rate


@dataclass(frozen=True, eq=False)
class Motion:
    """Where the things seen in one frame are in another.

    `flow` is (H, W, 2) float32, pixels to the right and down: what is seen at p is at p + flow.
    `visible` is (H, W) bool: it can be seen there, neither hidden nor outside the frame.
    """

    flow: NDArray[np.float32]
    visible: NDArray[np.bool_]


def render(scene: Scene, t: int) -> NDArray[np.uint8]:
    """Return frame `t`, from 0 to `scene.frames` - 1, as an (H, W, 3) RGB picture."""
    stage, time = _stage(scene), _time(scene, t)
    camera = view(stage.path, time, scene.width, scene.height)
    canvas = np.zeros((scene.height, scene.width, 3), np.float32)
    for layer in stage.layers:
        area = lay(canvas, layer, camera @ layer.place(time))
        # In a flat picture, 14 times as wide as high, the horizon and all water lie below it.
        if layer.name == "water" and scene.shimmer > 0 and not empty(area):
            _glitter(canvas, stage, camera, time, area=area, strength=scene.shimmer)
    if scene.shimmer > 0:
        _veil(canvas, stage, camera, scene.shimmer)
    graded = cv2.transform(np.clip(canvas, 0, 255), _SATURATE)
    levels = np.clip(graded + np.float32(0.5), 0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(levels, _CONTRAST), np.uint8)


def frames(scene: Scene) -> Iterator[NDArray[np.uint8]]:
    """Yield the frames of a film in order."""
    for t in range(scene.frames):
        yield render(scene, t)


def motion(scene: Scene, t: int, step: int = 1) -> Motion:
    """Return the motion from frame `t` to frame `t + step`; a negative step goes back in time.

    Exact: a pixel belongs to the nearest layer that covers more than half of it, and goes where
    that layer's own geometry takes it. This is the motion of matter, not of light: glints run over
    the water without being followed, while the broken image of a boat in the water is a thing of
    its own. A pixel is not visible at its target if another layer owns the nearest pixel there.
    """
    stage = _stage(scene)
    now, then = _time(scene, t), _time(scene, t + step)
    size = scene.width, scene.height
    before, after = view(stage.path, now, *size), view(stage.path, then, *size)
    owner, owner_then = _owners(stage, before, now, size), _owners(stage, after, then, size)

    rows, columns = np.mgrid[: scene.height, : scene.width]
    target = np.empty((scene.height, scene.width, 2))
    for number in np.unique(owner):
        place = stage.layers[number].place
        way = (after @ place(then)) @ np.linalg.inv(before @ place(now))
        mine = owner == number
        x, y, w = way @ np.stack([columns[mine], rows[mine], np.ones(int(mine.sum()))])
        target[mine] = np.stack([x / w, y / w], 1)
    x, y = target[..., 0], target[..., 1]
    # A thousandth of a pixel of grace, or rounding would hide the border of a still frame.
    grace, right, low = 0.001, scene.width - 1, scene.height - 1
    inside = (x > -grace) & (y > -grace) & (x < right + grace) & (y < low + grace)
    nearest_x = np.clip(np.rint(x), 0, scene.width - 1).astype(np.intp)
    nearest_y = np.clip(np.rint(y), 0, scene.height - 1).astype(np.intp)
    visible = inside & (owner_then[nearest_y, nearest_x] == owner)
    flow = np.stack([x - columns, y - rows], 2).astype(np.float32)
    return Motion(flow, visible)


def owners(scene: Scene, t: int) -> NDArray[np.intp]:
    """Return the number of the layer that each pixel of frame `t` belongs to, (H, W), sky 0."""
    stage, time = _stage(scene), _time(scene, t)
    size = scene.width, scene.height
    return _owners(stage, view(stage.path, time, *size), time, size)


@lru_cache(maxsize=2)
def _build(seed: int, width: int, height: int, seconds: Fraction) -> Stage:
    """Build a stage once for all frames; two are kept, some 40 MB each at 1280x720."""
    return build(seed, width, height, float(seconds))


def _stage(scene: Scene) -> Stage:
    """Return the stage of a scene."""
    return _build(scene.seed, scene.width, scene.height, scene.seconds)


def _time(scene: Scene, t: int) -> float:
    """Return the time of a frame in seconds."""
    if not 0 <= t < scene.frames:
        raise IndexError(f"frame {t} of a film of {scene.frames}")
    return float(t / scene.rate)


def _owners(stage: Stage, camera: Matrix, time: float, size: tuple[int, int]) -> NDArray[np.intp]:
    """Return the number of the nearest layer that covers more than half of each pixel."""
    owner = np.zeros(size[::-1], np.intp)
    for number, layer in enumerate(stage.layers):
        homography = camera @ layer.place(time)
        area = box(layer, homography, size)
        if not empty(area):
            left, top, right, bottom = area
            alpha = project(_alpha(layer), homography, area, layer.endless)
            owner[top:bottom, left:right][alpha > 127] = number
    return owner


def _alpha(layer: Layer) -> NDArray[np.uint8]:
    """Return a layer's alpha plane on its own."""
    return np.ascontiguousarray(layer.texture[..., 3])


def _glitter(
    canvas: Field,
    stage: Stage,
    camera: Matrix,
    time: float,
    *,
    area: tuple[int, int, int, int],
    strength: float,
) -> None:
    """Let the light on the water flicker, in place: two patterns drift, their product is seen."""
    left, top, right, bottom = area
    one, other = (
        project(layer.texture, camera @ layer.place(time), area, True).astype(np.float32) - 128
        for layer in stage.ripples
    )
    part = canvas[top:bottom, left:right]
    waves = (one + other) * np.float32(0.0011 * strength)
    waves += one * other * np.float32(0.00006 * strength)
    # Bright water glitters, dark water hardly changes.
    part *= 1 + waves[..., None] * (0.35 + part / 255)


def _veil(canvas: Field, stage: Stage, camera: Matrix, strength: float) -> None:
    """Spread some of the sun's light over everything near it, in place, as a lens does."""
    height, width = canvas.shape[:2]
    x, y, w = camera @ (stage.light.sun_x, stage.light.sun_y, 1.0, 0.0)
    focal = lens(width, height)[0, 0]
    # Soft enough to be worked out on an eighth of the rows and columns.
    rows, columns = np.mgrid[0 : height : max(1, height // 45), 0 : width : max(1, width // 80)]
    reach = np.hypot(columns - x / w, rows - y / w) / focal
    glow = 0.34 * np.exp(-((reach / 0.10) ** 1.4)) + 0.12 * np.exp(-((reach / 0.4) ** 2))
    wide = cv2.resize(
        (glow * strength).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
    )
    # Screened, so that what is bright stays so.
    canvas += (255 - canvas) * wide[..., None] * np.asarray(stage.light.glow, np.float32)
