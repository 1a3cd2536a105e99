"""The water: a level plane that mirrors the scene, rippled, deep in the near and bright afar."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from vstyle.scene.camera import BELOW, HALF_WIDTH, Matrix, Path
from vstyle.scene.layer import Layer, lay, mirrored, premultiplied
from vstyle.scene.light import Light, Setting
from vstyle.scene.noise import Field, dice, plane_noise, smooth
from vstyle.scene.sky import sun_disc

SIDE = HALF_WIDTH + 0.20  # tangents covered by the texture on either side
DEPTH = BELOW + 0.08  # and below the horizon
GLINTS = 20  # how many facets of the water stand for all that one pixel sees


def water(setting: Setting, path: Path, mirrored_things: Sequence[Layer]) -> Layer:
    """Return the water as a level layer, painted as seen from the middle of the camera's path."""
    seed, light, focal = setting.seed, setting.light, setting.focal
    eye, _ = path.at(path.seconds / 2)
    x, y, right, ahead, footprint = _plane(focal, float(eye[1]), (float(eye[0]), float(eye[2])))
    rows, columns = ahead.shape
    above = _mirror_image(light, focal, eye, mirrored_things)

    def slope(word: str, size: float, reach: float) -> Field:
        return plane_noise(
            dice(seed, "water", word),
            right / np.float32(2.2 * size),
            ahead / np.float32(size),
            7,
            gain=0.66,
            footprint=footprint / np.float32(size),
        ) * np.float32(reach)

    # Calm and ruffled patches, as the wind leaves them.
    wind = 0.65 + 0.5 * plane_noise(
        dice(seed, "water", "wind"), right / 60, ahead / 25, 4, footprint=footprint / 25
    )
    wind = np.clip(wind, 0.25, 1.4)
    tilt_ahead = slope("ahead", 1.3, 0.050) * wind
    tilt_aside = slope("aside", 1.3, 0.030) * wind
    # What is too fine to be drawn still scatters: the farther, the more of the waves is that fine.
    hidden = (0.010 + 0.034 * smooth(np.log10(footprint), -1.6, 0.2)) * wind
    grazing = -y / np.sqrt(1 + x * x + y * y)
    random = dice(seed, "water", "glints")
    total = np.zeros((rows, columns, 3), np.float32)
    for facet in range(GLINTS):
        # Facets lie spread over a bell curve in a sunflower's order; a little chance on top hides
        # that they are few.
        spread = np.sqrt(-2 * np.log(1 - (facet + 0.5) / GLINTS))
        angle = 2.39996 * facet
        chance = random.standard_normal((2, rows, columns), np.float32) * np.float32(0.32)
        ahead_tilt = tilt_ahead + hidden * (np.float32(spread * np.cos(angle)) + chance[0])
        aside_tilt = tilt_aside + hidden * (np.float32(spread * np.sin(angle)) + chance[1]) * 0.7
        seen_x, seen_y = x + 2 * aside_tilt, np.abs(-y + 2 * ahead_tilt)
        column = (seen_x + SIDE) * np.float32(focal) - 0.5
        row = (above.shape[0] - 0.5) - seen_y * np.float32(focal)
        image = cv2.remap(
            above,
            column.astype(np.float32),
            row.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        facing = np.clip(grazing + 0.7 * ahead_tilt, 0.0, 1.0)
        mirror = 0.02 + 0.98 * (1 - facing) ** 5
        total += mirror[..., None] * image * image
    total /= GLINTS
    deep = np.asarray(light.water, np.float32) * (1 + 0.5 * tilt_ahead[..., None] / 0.05 * 0.25)
    colour = np.sqrt(np.clip(total + deep**2, 0, None))
    colour = 1.08 * colour / (1 + np.maximum(colour - 0.75, 0) * 0.55)
    alpha = np.ones((rows, columns), np.float32)
    texture = premultiplied(np.clip(colour, 0, 1), alpha, dice(seed, "water", "dither"))
    return Layer("water", texture, _level(focal, eye), endless=True)


def ripples(seed: int, focal: float, path: Path) -> tuple[Layer, Layer]:
    """Return two patterns that drift over the water; their product is how its light flickers.

    Their first channel is the pattern, 128 for none.
    """
    eye, _ = path.at(path.seconds / 2)
    _, _, right, ahead, footprint = _plane(focal, float(eye[1]), (float(eye[0]), float(eye[2])))
    layers = []
    for name, drift in (("one", (0.55, -0.35)), ("other", (-0.40, -0.55))):
        pattern = plane_noise(
            dice(seed, "ripples", name),
            right / 1.9,
            ahead / 0.9,
            4,
            gain=0.65,
            footprint=footprint / 2.2,
        )
        flat = np.clip(128 + 90 * pattern, 0, 255).astype(np.uint8)
        layers.append(Layer(f"ripples {name}", flat, _level(focal, eye, drift), endless=True))
    return layers[0], layers[1]


def _plane(
    focal: float, height: float, centre: tuple[float, float]
) -> tuple[Field, Field, Field, Field, Field]:
    """Return for every texel: tangents x and y, its point on the water, and its length there."""
    columns, rows = int(2 * SIDE * focal), int(DEPTH * focal)
    x = (-SIDE + (np.arange(columns, dtype=np.float32) + 0.5) / focal)[None].repeat(rows, 0)
    y = -((np.arange(rows, dtype=np.float32) + 0.5) / focal)[:, None].repeat(columns, 1)
    away = np.minimum(-height / y, 6000.0).astype(np.float32)
    footprint = np.minimum(away * away / np.float32(height * focal), 500.0)
    return x, y, x * away + np.float32(centre[0]), away + np.float32(centre[1]), footprint


def _level(
    focal: float, eye: NDArray[np.float64], drift: tuple[float, float] = (0.0, 0.0)
) -> Callable[[float], Matrix]:
    """Return the placement of a level texture seen from `eye`, drifting in metres a second."""

    def place(time: float) -> Matrix:
        # A texel's ray is (x, y, 1), and it meets the water after height / -y of it: in
        # homogeneous coordinates a point linear in the texel, which makes it a placement.
        x = np.array([1 / focal, 0, -SIDE + 0.5 / focal])
        y = np.array([0, -1 / focal, -0.5 / focal])
        origin = eye + np.array([drift[0] * time, 0, drift[1] * time])
        point = np.outer(origin, -y)
        point[0] += eye[1] * x
        point[1] = 0.0
        point[2] += eye[1] * np.array([0, 0, 1.0])
        return np.vstack([point, -y])

    return place


def _mirror_image(
    light: Light, focal: float, eye: NDArray[np.float64], things: Sequence[Layer]
) -> Field:
    """Return what the water mirrors (rows, columns, 3), bottom row at the horizon, sun above 1."""
    rows, columns = int((HALF_WIDTH + 0.1) * focal), int(2 * SIDE * focal)
    canvas = np.zeros((rows, columns, 3), np.float32)
    lens = np.array([[focal, 0, SIDE * focal - 0.5], [0, -focal, -0.5], [0, 0, 1]])
    view = lens @ np.hstack([np.eye(3), -eye[:, None]])
    for layer in things:
        lay(canvas, layer, view @ mirrored(layer.place)(0.0))
    image = canvas[::-1] / 255
    x = (-SIDE + (np.arange(columns, dtype=np.float32) + 0.5) / focal)[None]
    y = ((np.arange(rows, dtype=np.float32)[::-1] + 0.5) / focal)[:, None]
    # A facet that catches the sun is far brighter than a picture can be.
    reach = np.hypot(x - light.sun_x, y - light.sun_y)[..., None]
    blaze = 5.0 * sun_disc(light, x, y)[..., None] + 1.1 * np.exp(-((reach / 0.05) ** 2))
    return np.asarray(image + blaze * np.asarray(light.glow, np.float32), np.float32)
