"""What moves of its own: sailing boats with their reflections, balloons, birds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from vstyle.scene.drawing import cover, fill, finish, lit, shape, sheet, stroke, weather
from vstyle.scene.layer import Layer, Pose, mirrored, turned
from vstyle.scene.light import Setting, sun_side
from vstyle.scene.noise import Field, dice

Anchor = tuple[float, float, float]


@dataclass(frozen=True)
class Voyage:
    """A steady way through the world: `speed` in metres a second, at the anchor at `middle`."""

    speed: tuple[float, float, float]
    middle: float  # seconds

    def at(self, time: float, lift: float = 0.0) -> tuple[float, float, float]:
        """Return the way from the anchor at a time, in metres, lifted by some more."""
        since = time - self.middle
        x, y, z = self.speed
        return x * since, y * since + lift, z * since


def boat(
    setting: Setting,
    name: str,
    anchor: Anchor,
    mast: float,
    voyage: Voyage,
) -> list[Layer]:
    """Return a sailing boat and its reflection, passing its anchor at `middle` seconds.

    `mast` is in metres, `speed` in metres a second to the right (the bow looks that way).
    """
    seed, light, focal = setting.seed, setting.light, setting.focal
    random = dice(seed, name)
    ahead = 1.0 if voyage.speed[0] > 0 else -1.0
    length = 0.78 * mast
    on = sheet((-0.62 * length, mast * 1.1, 0.62 * length, -0.05 * mast), anchor[2], focal)
    x, y = on.grid()
    keel = [(-0.47, 0.0), (-0.52, 0.125), (-0.2, 0.095), (0.15, 0.105), (0.56, 0.17), (0.44, 0.0)]
    hull = np.array(keel) * length * (ahead, 1.0)
    paint = ((0.62, 0.60, 0.55), (0.10, 0.17, 0.26), (0.45, 0.09, 0.06), (0.08, 0.26, 0.24))
    colour = paint[0 if seed == 0 else int(random.integers(4))]
    low = np.clip(0.55 + y / (0.25 * length), 0.4, 1.0)[..., None] + 0 * x[..., None]
    wood = lit(light, (0.22, 0.12, 0.06), 0.6)
    # Sails let the light through; they are brighter towards the sun and towards their free edge.
    foot, head = 0.10 * mast, 1.0 * mast
    cloth = ((0.86, 0.78, 0.66), (0.80, 0.36, 0.18), (0.84, 0.72, 0.48))
    sail = cloth[0 if seed == 0 else int(random.integers(3))]
    swell = np.clip(0.50 + 0.40 * np.sin(4.2 * x * ahead / length + 1.6 * y / mast + 2.4), 0, 1)
    for points in (
        [
            (0.06, head),
            (0.02, foot + 0.06 * mast),
            (-0.50, foot + 0.07 * mast),
            (-0.37, 0.42 * mast),
        ],
        [(0.10, 0.90 * head), (0.55, foot + 0.075 * mast), (0.12, foot + 0.065 * mast)],
    ):
        corner = [(ahead * length * a, b) for a, b in points]
        cover(on, shape(on, _bowed(corner, 0.05 * length * ahead)), lit(light, sail, swell))
    weather(on, seed, name, 0.6 * mast, 0.05)
    seam = lit(light, tuple(0.75 * np.asarray(sail)), 0.5)
    for height in (0.32, 0.5, 0.68, 0.84):
        reach = -0.46 * (1 - height) - 0.02
        stroke(
            on,
            [
                (0.04 * length * ahead, height * mast),
                (reach * length * ahead, height * mast - 0.03),
            ],
            seam,
            0.004 * mast,
        )
    stroke(
        on, [(0.05 * length * ahead, 0), (0.07 * length * ahead, mast * 1.04)], wood, 0.014 * mast
    )
    stroke(
        on,
        [
            (0.04 * length * ahead, foot + 0.05 * mast),
            (-0.52 * length * ahead, foot + 0.055 * mast),
        ],
        wood,
        0.012 * mast,
    )
    stroke(on, [(0.07 * length * ahead, mast), (0.56 * length * ahead, 0.17 * length)], wood, 0.004)
    # A sailor at the helm, before the hull covers the knees.
    crew = np.array([(-0.36, 0.09), (-0.375, 0.17), (-0.35, 0.205), (-0.31, 0.2), (-0.30, 0.09)])
    fill(on, crew * length * (ahead, 1.0), lit(light, (0.30, 0.10, 0.08), 0.5))
    skin = np.hypot(x + 0.335 * length * ahead, y - 0.235 * length) < 0.026 * length
    cover(on, skin, lit(light, (0.5, 0.33, 0.24), 0.6))
    cover(on, shape(on, hull), np.asarray(low * lit(light, colour, 0.55), np.float32))
    stroke(on, hull[1:5] - (0, 0.012 * length), wood, 0.016 * length)
    stroke(
        on, hull[[0, 5]] + (0, 0.02 * length), lit(light, (0.35, 0.06, 0.04), 0.3), 0.02 * length
    )

    phase = float(random.uniform(0, 6))

    def sailing(time: float) -> Pose:
        roll = -0.035 * ahead + 0.022 * np.sin(1.9 * time + phase)
        heave = 0.012 * mast * np.sin(1.3 * time + 2 * phase)
        return Pose(turned(roll), voyage.at(time, heave))

    ship = finish(on, name, light, anchor, sailing)
    return [_reflection(seed, ship, on.density / 3), ship]


def _reflection(seed: int, ship: Layer, density: float) -> Layer:
    """Return the broken image of a boat in the water, a thing of its own that follows the boat."""
    rows, columns = ship.texture.shape[:2]
    down = np.arange(rows, dtype=np.float32)[:, None]
    # The waterline is near the bottom of the texture; the farther from it, the more it is broken.
    away = np.maximum(rows - down, 0) / density
    random = dice(seed, ship.name, "reflection")
    waves = cv2.resize(
        random.standard_normal((max(4, int(rows / density * 3.5)), 5)).astype(np.float32),
        (columns, rows),
        interpolation=cv2.INTER_CUBIC,
    )
    shift = waves * density * (0.05 + 0.06 * away)
    column = np.arange(columns, dtype=np.float32)[None] + shift
    image = cv2.remap(
        ship.texture, column.astype(np.float32), down + 0 * shift, cv2.INTER_LINEAR
    ).astype(np.float32)
    blurred = cv2.GaussianBlur(image, (0, 0), sigmaX=0.6, sigmaY=0.08 * density)
    fade = np.exp(-away / (0.55 * rows / density)) * 0.88
    texture = np.asarray(blurred * fade[..., None], np.uint8)
    return Layer(f"{ship.name} reflected", texture, mirrored(ship.place))


def balloon(
    setting: Setting,
    name: str,
    anchor: Anchor,
    tall: float,
    voyage: Voyage,
) -> Layer:
    """Return a hot-air balloon `tall` metres high that is at its anchor at `middle` seconds."""
    seed, light, focal = setting.seed, setting.light, setting.focal
    random = dice(seed, name)
    on = sheet((-0.42 * tall, 0.55 * tall, 0.42 * tall, -0.52 * tall), anchor[2], focal)
    x, y = on.grid()
    top, mouth, widest = 0.5 * tall, -0.30 * tall, 0.385 * tall
    level = np.clip((y - mouth) / (top - mouth), 0, 1)
    # A round crown and a tapering skirt.
    radius = widest * np.where(
        level > 0.56,
        np.sqrt(np.maximum(1 - ((level - 0.56) / 0.44) ** 2, 0)),
        0.16 + 0.84 * np.sin(np.pi / 2 * np.clip(level / 0.56, 0, 1)) ** 1.15,
    )
    across = x / np.maximum(radius, 1e-3)
    inside = (np.abs(across) < 1) & (y > mouth) & (y < top)
    longitude = np.arcsin(np.clip(across, -1, 1)) + float(random.uniform(0, 1))
    gore = np.floor(longitude / (np.pi / 9)).astype(int)
    sets = np.array(
        [
            [[0.62, 0.09, 0.05], [0.84, 0.52, 0.12], [0.80, 0.74, 0.60]],
            [[0.05, 0.22, 0.36], [0.78, 0.74, 0.64], [0.76, 0.33, 0.10]],
            [[0.42, 0.07, 0.20], [0.86, 0.58, 0.16], [0.10, 0.30, 0.32]],
            [[0.10, 0.33, 0.20], [0.82, 0.76, 0.55], [0.66, 0.13, 0.07]],
        ]
    )
    colours = sets[0 if seed == 0 and name == "balloon" else int(random.integers(4))]
    albedo = colours[np.where((level > 0.50) & (level < 0.60), 2, gore % 2)]
    seam = 1 - 0.35 * np.exp(-(((((longitude / (np.pi / 9)) % 1) - 0.5) ** 2 - 0.25) ** 2) * 900)
    side = sun_side(light, anchor[0] / anchor[2])
    ahead = np.sqrt(np.maximum(1 - across**2, 0))
    facing = np.clip(0.80 * side * across + 0.26 * ahead + 0.25 * (level - 0.45), 0.02, 1)
    inner = 0.22 * np.exp(-((level - 0.2) ** 2) / 0.08) * ahead
    energy = albedo * (
        lit(light, (1, 1, 1), facing) + (inner * light.lamps)[..., None] * np.array([3.0, 1.6, 0.6])
    )
    cover(on, inside, np.asarray(energy * seam[..., None], np.float32))
    rope = lit(light, (0.10, 0.08, 0.07), 0.3)
    basket = -0.47 * tall
    for end in (-0.055, -0.02, 0.02, 0.055):
        stroke(
            on, [(end * tall, mouth), (end * 0.7 * tall, basket + 0.05 * tall)], rope, 0.004 * tall
        )
    hold = [(-0.042, 0.055), (-0.036, -0.01), (0.036, -0.01), (0.042, 0.055)]
    fill(on, np.array(hold) * tall + (0, basket), lit(light, (0.30, 0.18, 0.08), 0.5))
    for head in (-0.018, 0.016):
        cover(
            on,
            np.hypot(x - head * tall, y - basket - 0.07 * tall) < 0.013 * tall,
            lit(light, (0.25, 0.15, 0.12), 0.4),
        )

    def floating(time: float) -> Pose:
        swing = 0.025 * np.sin(0.9 * time)
        return Pose(turned(swing), voyage.at(time))

    return finish(on, name, light, anchor, floating)


def bird(
    setting: Setting,
    name: str,
    anchor: Anchor,
    span: float,
    voyage: Voyage,
) -> list[Layer]:
    """Return a gull's far wing, body and near wing, `span` metres from tip to tip."""
    seed, light, focal = setting.seed, setting.light, setting.focal
    random = dice(seed, name)
    ahead = 1.0 if voyage.speed[0] > 0 else -1.0
    rate, phase = float(random.uniform(8.5, 11)), float(random.uniform(0, 6))
    grey = lit(light, (0.30, 0.30, 0.33), 0.25)

    def body_at(time: float) -> Pose:
        bob = 0.03 * span * np.sin(rate * time + phase + 1.7)
        sway = 0.25 * np.sin(0.7 * time + phase)
        return Pose(shift=voyage.at(time, bob + sway))

    def wing_at(side: float) -> Callable[[float], Pose]:
        def pose(time: float) -> Pose:
            # A wing that beats is a board that shears: its tip rises, its root stays.
            beat = 0.22 + 0.62 * np.sin(rate * time + phase)
            reach = float(np.cos(np.arctan(0.8 * beat)))
            return Pose(((reach, 0.0), (side * float(beat) * reach, 1.0)), body_at(time).shift)

        return pose

    on = sheet((-0.25 * span, 0.1 * span, 0.25 * span, -0.1 * span), anchor[2], focal)
    form = [
        (-0.22, 0.03),
        (-0.14, 0.045),
        (0.04, 0.05),
        (0.13, 0.05),
        (0.19, 0.015),
        (0.12, -0.005),
    ]
    form += [(0.0, -0.03), (-0.12, 0.005), (-0.22, 0.005)]
    fill(on, np.array(form) * span * (ahead, 1.0), lit(light, (0.62, 0.60, 0.58), 0.5))
    body = finish(on, name, light, anchor, body_at)
    wings = []
    for side in (-1.0, 1.0):
        on = sheet((-0.52 * span, 0.08 * span, 0.52 * span, -0.1 * span), anchor[2], focal)
        wing = np.array(
            [
                (0, 0.035),
                (0.2, 0.05),
                (0.36, 0.03),
                (0.5, -0.045),
                (0.34, -0.025),
                (0.18, -0.03),
                (0, -0.02),
            ]
        )
        fill(on, wing * span * (side, 1.0), grey if side != ahead else 1.4 * grey)
        tip = np.array([(0.40, 0.018), (0.5, -0.045), (0.38, -0.026)])
        fill(on, tip * span * (side, 1.0), 0.35 * grey)
        wings.append(finish(on, f"{name} wing {side:+.0f}", light, anchor, wing_at(side)))
    return [wings[0], body, wings[1]]


def _bowed(corners: list[tuple[float, float]], belly: float) -> Field:
    """Return a polygon whose sides curve outwards a little, as cloth under wind does."""
    points = []
    for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
        share = np.linspace(0, 1, 12, endpoint=False)[:, None]
        line = np.array(start) * (1 - share) + np.array(end) * share
        points.append(line - np.sin(np.pi * share) * (0.35 * belly, 0.0))
    return np.asarray(np.concatenate(points), np.float32)
