"""The sky: a gradient, the sun and its halo, and clouds lit from its side."""

from __future__ import annotations

import numpy as np

from vstyle.scene.camera import ABOVE, HALF_WIDTH
from vstyle.scene.layer import Layer, premultiplied
from vstyle.scene.light import Light, Setting
from vstyle.scene.noise import Field, dice, plane_noise, smooth

# Tangents covered: the picture's own, and what a pan and the water's reflection may ask for.
LEFT, RIGHT = -HALF_WIDTH - 0.16, HALF_WIDTH + 0.16
TOP, BOTTOM = ABOVE + 0.06, -0.02
CEILING = 0.15  # keeps the clouds' ceiling from running to infinity at the horizon


def sky(setting: Setting) -> Layer:
    """Return the sky as a layer at infinity, at `focal` texels per tangent."""
    seed, light, focal = setting.seed, setting.light, setting.focal
    columns, rows = int((RIGHT - LEFT) * focal), int((TOP - BOTTOM) * focal)
    x = (LEFT + (np.arange(columns, dtype=np.float32) + 0.5) / focal)[None]
    y = (TOP - (np.arange(rows, dtype=np.float32) + 0.5) / focal)[:, None]
    colour = _air(light, x, y)
    cover, lit = _clouds(seed, light, x, y, focal)
    near = np.exp(-(((x - light.sun_x) / 0.28) ** 2) - ((y - light.sun_y) / 0.2) ** 2)[..., None]
    bright = np.asarray(light.cloud, np.float32) * (1 - 0.6 * near) + 0.6 * near * np.asarray(
        [1.0, 0.93, 0.74], np.float32
    )
    body = np.asarray(light.cloud_shade, np.float32) * (1 - 0.45 * near) + 0.45 * near * np.asarray(
        light.glow, np.float32
    )
    cloud = body + (bright - body) * lit[..., None]
    # Far clouds drown in the air before them.
    thin = cover * (0.25 + 0.75 * smooth(np.broadcast_to(y, cover.shape), 0.0, 0.12))
    colour = colour + (cloud - colour) * thin[..., None]
    disc = sun_disc(light, x, y) * (1 - 0.55 * cover)
    colour = colour + (np.asarray([1.0, 0.99, 0.92], np.float32) - colour) * disc[..., None]
    place = np.array(
        [
            [1 / focal, 0, LEFT + 0.5 / focal],
            [0, -1 / focal, TOP - 0.5 / focal],
            [0, 0, 1],
            [0, 0, 0],
        ]
    )
    opaque = np.ones((rows, columns), np.float32)
    texture = premultiplied(np.clip(colour, 0, 1), opaque, dice(seed, "sky", "dither"))
    return Layer("sky", texture, lambda _time: place, endless=True)


def sun_disc(light: Light, x: Field, y: Field) -> Field:
    """Return how much of the sun's disc, soft at its rim, is seen in a direction: 0..1."""
    distance = np.hypot(x - light.sun_x, y - light.sun_y)
    return 1 - smooth(np.asarray(distance, np.float32), 0.017, 0.024)


def _air(light: Light, x: Field, y: Field) -> Field:
    """Return the cloudless sky (rows, columns, 3)."""
    height = np.clip(y / ABOVE, 0, 1.3)[..., None] ** 0.8
    low = smooth(height, 0.0, 0.55)
    high = smooth(height, 0.30, 1.25)
    side = np.exp(-(((x - light.sun_x) / 0.45) ** 2))[..., None]
    base = (
        np.asarray(light.horizon, np.float32) * (1 - side)
        + np.asarray(light.glow, np.float32) * side
    )
    colour = base + (np.asarray(light.middle, np.float32) - base) * low
    colour = colour + (np.asarray(light.zenith, np.float32) - colour) * high
    reach = np.hypot(x - light.sun_x, 1.25 * (y - light.sun_y))[..., None]
    halo = 0.55 * np.exp(-((reach / 0.16) ** 1.2)) + 0.35 * np.exp(-((reach / 0.05) ** 1.3))
    colour = colour + (np.asarray(light.glow, np.float32) * 1.04 - colour) * halo
    core = 0.8 * np.exp(-((reach / 0.034) ** 1.5))
    return np.asarray(
        colour + (np.asarray([1.0, 0.95, 0.78], np.float32) - colour) * core, np.float32
    )


def _clouds(seed: int, light: Light, x: Field, y: Field, focal: float) -> tuple[Field, Field]:
    """Return how much cloud covers each direction and how much of its light side shows: 0..1."""

    def density(right: float, up: float) -> Field:
        rise = np.maximum(y + up, 0) + CEILING
        across, ahead = (x + right) / rise, 1 / rise + 0 * x
        grain = np.asarray(ahead * ahead / focal, np.float32)
        bend = 0.19 * plane_noise(dice(seed, "wind"), 1.7 * across, 1.3 * ahead, 4)
        return plane_noise(
            dice(seed, "cloud"),
            2.1 * across + bend,
            1.5 * ahead + bend,
            7,
            gain=0.55,
            footprint=0.9 * grain,
        )

    here = density(0.0, 0.0)
    # Cloud between here and the sun means shade; thinner that way means a lit edge.
    to_sun = np.array([light.sun_x, light.sun_y + 0.05])
    to_sun = to_sun / np.hypot(*to_sun) * 0.012
    there = density(float(to_sun[0]), float(to_sun[1]))
    threshold = 0.42 - 0.75 * light.cover
    cover = smooth(here, threshold, threshold + 0.5)
    lit = np.clip(0.58 + 1.5 * (here - there) - 0.42 * (here - threshold - 0.35), 0, 1)
    return cover * 0.95, np.asarray(lit, np.float32)
