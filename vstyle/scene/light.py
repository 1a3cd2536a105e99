"""The time of day: colours of sky, sun, shade and haze, and how a lit colour becomes a picture."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from vstyle.scene.noise import Field, dice

Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Light:
    """One time of day. Colours are RGB; those of the sky as displayed, the other two as energy."""

    zenith: Colour  # the sky at the top of the picture, 0..1 as displayed
    middle: Colour  # half way down
    horizon: Colour  # at the horizon, away from the sun
    glow: Colour  # at the horizon, under the sun
    haze: Colour  # what distance fades to
    cloud: Colour  # the lit side of clouds
    cloud_shade: Colour  # their dark side
    sun: Colour  # energy of direct light
    shade: Colour  # energy of the light that comes from the whole sky
    water: Colour  # deep water, as displayed
    sun_x: float  # where the sun stands: metres to the right per metre ahead
    sun_y: float  # and metres up per metre ahead
    clearness: float  # metres after which haze has taken 63 % of the contrast
    lamps: float  # how brightly windows shine, 0..1
    cover: float  # how much of the sky is cloud, 0..1


GOLD = Light(
    zenith=(0.30, 0.47, 0.66),
    middle=(0.66, 0.69, 0.70),
    horizon=(0.95, 0.78, 0.60),
    glow=(1.00, 0.80, 0.47),
    haze=(0.76, 0.68, 0.68),
    cloud=(1.00, 0.88, 0.72),
    cloud_shade=(0.62, 0.55, 0.60),
    sun=(3.1, 1.95, 1.0),
    shade=(0.34, 0.40, 0.55),
    water=(0.08, 0.22, 0.29),
    sun_x=-0.20,
    sun_y=0.105,
    clearness=3000.0,
    lamps=0.75,
    cover=0.52,
)
ROSE = Light(
    zenith=(0.36, 0.42, 0.64),
    middle=(0.72, 0.60, 0.70),
    horizon=(0.96, 0.70, 0.62),
    glow=(1.00, 0.72, 0.52),
    haze=(0.80, 0.64, 0.68),
    cloud=(1.00, 0.76, 0.68),
    cloud_shade=(0.55, 0.47, 0.60),
    sun=(2.7, 1.5, 1.05),
    shade=(0.38, 0.38, 0.56),
    water=(0.12, 0.19, 0.31),
    sun_x=-0.26,
    sun_y=0.075,
    clearness=2400.0,
    lamps=0.9,
    cover=0.6,
)
DAY = Light(
    zenith=(0.20, 0.42, 0.72),
    middle=(0.45, 0.65, 0.85),
    horizon=(0.80, 0.87, 0.90),
    glow=(0.97, 0.93, 0.84),
    haze=(0.70, 0.79, 0.86),
    cloud=(1.00, 0.98, 0.94),
    cloud_shade=(0.62, 0.68, 0.77),
    sun=(2.3, 2.0, 1.55),
    shade=(0.42, 0.52, 0.68),
    water=(0.04, 0.25, 0.35),
    sun_x=-0.42,
    sun_y=0.30,
    clearness=3800.0,
    lamps=0.15,
    cover=0.5,
)
DUSK = Light(
    zenith=(0.16, 0.21, 0.37),
    middle=(0.44, 0.39, 0.53),
    horizon=(0.86, 0.52, 0.46),
    glow=(1.00, 0.58, 0.34),
    haze=(0.48, 0.40, 0.54),
    cloud=(0.94, 0.52, 0.44),
    cloud_shade=(0.30, 0.28, 0.44),
    sun=(1.7, 0.80, 0.45),
    shade=(0.26, 0.29, 0.50),
    water=(0.05, 0.10, 0.20),
    sun_x=-0.18,
    sun_y=0.03,
    clearness=2600.0,
    lamps=1.0,
    cover=0.55,
)
HOURS = (GOLD, ROSE, DAY, DUSK)


@dataclass(frozen=True)
class Setting:
    """What every painter of a layer needs to know."""

    seed: int
    light: Light
    focal: float  # of the pictures to come, in pixels


def choose_light(seed: int) -> Light:
    """Return the light of a scene: golden hour for seed 0, else one of four hours, varied."""
    if seed == 0:
        return GOLD
    random = dice(seed, "light")
    first, second = random.permutation(len(HOURS))[:2]
    share = 0.35 * float(random.random())
    values = {
        name: _between(getattr(HOURS[first], name), getattr(HOURS[second], name), share)
        for name in Light.__dataclass_fields__
    }
    mixed = Light(**values)  # type: ignore[arg-type]
    side = float(random.choice([-1.0, 1.0]))
    return replace(
        mixed,
        sun_x=side * abs(mixed.sun_x) * float(random.uniform(0.5, 1.5)),
        sun_y=mixed.sun_y * float(random.uniform(0.8, 1.2)),
        clearness=mixed.clearness * float(random.uniform(0.85, 1.6)),
        cover=float(random.uniform(0.3, 0.7)),
    )


def _between(one: Colour | float, other: Colour | float, share: float) -> Colour | float:
    """Mix two values or two colours."""
    mixed = (1 - share) * np.asarray(one) + share * np.asarray(other)
    return float(mixed) if mixed.ndim == 0 else (float(mixed[0]), float(mixed[1]), float(mixed[2]))


def sun_side(light: Light, tangent: float) -> float:
    """Return from which side the sun lights what is seen at a tangent: -1 left, 1 right."""
    return 1.0 if light.sun_x > tangent else -1.0


def display(energy: NDArray[np.floating]) -> Field:
    """Turn light energy (..., 3), 0 and up, into displayed colour 0..1 with a film's shoulder."""
    return np.asarray(
        (1 - np.exp(-0.85 * np.maximum(energy, 0).astype(np.float32))) ** np.float32(1 / 2.2),
        np.float32,
    )


def haze(light: Light, colour: Field, distance: Field | float, tangent: Field) -> Field:
    """Fade displayed colours (..., 3) with distance in metres, to warmer haze nearer the sun.

    `tangent` is metres to the right per metre ahead, as `Light.sun_x`.
    """
    near_sun = np.exp(-(((tangent - light.sun_x) / 0.24) ** 2))[..., None]
    air = (
        np.asarray(light.haze, np.float32) * (1 - 0.6 * near_sun)
        + np.asarray(light.glow, np.float32) * 0.6 * near_sun
    )
    left = np.exp(-np.asarray(distance, np.float32) / np.float32(light.clearness))[..., None]
    return np.asarray(colour * left + air * (1 - left), np.float32)
