"""What people have built on the shore: a lighthouse, houses, a windmill with turning sails."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vstyle.scene.drawing import Sheet, cover, fill, finish, lit, shape, sheet, stroke, weather
from vstyle.scene.layer import Layer, Pose, turned
from vstyle.scene.light import Light, Setting, sun_side
from vstyle.scene.noise import Field, dice

Anchor = tuple[float, float, float]
LAMP = np.array([3.2, 1.7, 0.55])  # energy of a lit window
SAILS_PER_TURN = 14.0  # seconds


def _round(side: float, across: Field) -> Field:
    """Return the sun's share on an upright cylinder, `across` it from -1 to 1."""
    ahead = np.sqrt(np.maximum(1 - across**2, 0))
    return np.asarray(np.clip(side * across * 0.85 + 0.30 * ahead, 0.02, 1), np.float32)


def lighthouse(setting: Setting, anchor: Anchor, tall: float) -> Layer:
    """Return a lighthouse `tall` metres high, its foot at the anchor."""
    seed, light, focal = setting.seed, setting.light, setting.focal
    foot, head = 0.15 * tall, 0.088 * tall
    on = sheet((-foot, tall * 1.02, foot, -0.02 * tall), anchor[2], focal)
    x, y = on.grid()
    level = y / (0.78 * tall)
    half = foot + (head - foot) * np.clip(level, 0, 1) ** 0.75
    side = sun_side(light, anchor[0] / anchor[2])
    share = _round(side, x / half)
    random = dice(seed, "lighthouse")
    band = np.array([[0.55, 0.10, 0.07], [0.10, 0.20, 0.36], [0.14, 0.14, 0.15]])[
        0 if seed == 0 else int(random.integers(3))
    ]
    stripes = ((np.clip(level, 0, 0.999) * 5).astype(int) % 2 == 1)[..., None]
    albedo = np.where(stripes, band, np.array([0.74, 0.71, 0.66]))
    body = (np.abs(x) < half) & (level > -0.02) & (level < 1)
    cover(on, body, np.asarray(albedo * lit(light, (1, 1, 1), share), np.float32))
    weather(on, seed, "lighthouse", 0.05 * tall, 0.10)
    for height, shift in ((0.16, 0.1), (0.38, -0.1), (0.58, 0.1)):
        _window(on, light, (shift * foot, height * tall), (0.012 * tall, 0.03 * tall), 0.5)
    iron = lit(light, (0.06, 0.07, 0.08), 0.5)
    # The gallery, the lantern, its dome.
    gallery = 1.5 * head
    base = 0.78 * tall
    fill(on, _block(0, base, gallery, 0.022 * tall), lit(light, (0.4, 0.38, 0.36), 0.35))
    for post in np.linspace(-gallery, gallery, 9):
        stroke(on, [(post, base), (post, base + 0.06 * tall)], iron, 0.004 * tall)
    stroke(on, [(-gallery, base + 0.06 * tall), (gallery, base + 0.06 * tall)], iron, 0.005 * tall)
    room = shape(on, _block(0, base + 0.02 * tall, 0.8 * head, 0.11 * tall))
    flame = np.exp(-((x / (0.5 * head)) ** 2) - ((y - base - 0.07 * tall) / (0.05 * tall)) ** 2)
    glass = lit(light, (0.20, 0.24, 0.28), 0.6) + (0.3 + light.lamps) * flame[..., None] * LAMP
    cover(on, room, np.asarray(glass, np.float32))
    for bar in np.linspace(-0.8 * head, 0.8 * head, 5):
        stroke(on, [(bar, base), (bar, base + 0.13 * tall)], iron, 0.006 * tall)
    arc = np.linspace(0, np.pi, 24)
    dome = np.stack([head * np.cos(arc), base + 0.13 * tall + 0.075 * tall * np.sin(arc)], 1)
    inside = shape(on, dome)
    cover(on, inside, lit(light, tuple(band), _round(side, x / head + 0 * y)))
    stroke(on, [(0, base + 0.2 * tall), (0, tall)], iron, 0.008 * tall)
    return finish(on, "lighthouse", light, anchor)


def house(setting: Setting, anchor: Anchor, name: str, width: float) -> Layer:
    """Return a house with a gable and a long side under a tiled roof, `width` metres in all."""
    seed, light, focal = setting.seed, setting.light, setting.focal
    random = dice(seed, name)
    walls: Sequence[tuple[float, float, float]] = (
        (0.72, 0.66, 0.56),
        (0.70, 0.50, 0.34),
        (0.66, 0.60, 0.46),
        (0.58, 0.34, 0.26),
        (0.52, 0.58, 0.62),
    )
    roofs = ((0.36, 0.13, 0.07), (0.30, 0.15, 0.10), (0.16, 0.15, 0.17))
    wall, roof = walls[int(random.integers(5))], roofs[int(random.integers(3))]
    side = sun_side(light, anchor[0] / anchor[2])
    wing = side * float(random.choice([1.0, 1.0, -1.0]))  # which way the gable looks
    eaves, ridge = width * random.uniform(0.34, 0.46), width * random.uniform(0.62, 0.74)
    on = sheet((-0.56 * width, ridge * 1.2, 0.56 * width, -0.06 * width), anchor[2], focal)
    _, y = on.grid()
    gable, corner, end = 0.5 * width * wing, 0.12 * width * wing, -0.5 * width * wing
    middle = (gable + corner) / 2
    to_sun = 1.0 if wing == side else 0.12
    # A little darker towards the ground.
    ground = np.clip(0.72 + 0.28 * y / eaves, 0.6, 1.0)[..., None] + np.zeros(
        (1, on.paint.shape[1], 1)
    )
    gable_points = [(gable, 0), (gable, eaves), (middle, ridge), (corner, eaves), (corner, 0)]
    cover(on, shape(on, gable_points), np.asarray(ground * lit(light, wall, to_sun), np.float32))
    front = [(corner, 0), (corner, eaves), (end, eaves), (end, 0)]
    face = np.asarray(ground * lit(light, wall, 0.42), np.float32)
    cover(on, shape(on, front), face)
    over = 0.035 * width * wing
    tiles = [
        (corner + over * 0.5, eaves * 0.94),
        (middle, ridge),
        (end - over + (middle - corner) * 0.55, ridge),
        (end - over, eaves * 0.94),
    ]
    courses = 0.88 + 0.12 * np.sin(y * on.density / 3.0)[..., None]
    slope = np.asarray(courses * lit(light, roof, 0.62) + np.zeros_like(face), np.float32)
    cover(on, shape(on, tiles), slope)
    weather(on, seed, name, 0.25 * width, 0.16)
    edge = lit(light, roof, 0.2)
    stroke(on, [(gable + over, eaves * 0.92), (middle, ridge)], edge, 0.025 * width)
    stroke(on, [(middle, ridge), tiles[0]], edge, 0.02 * width)
    shadow = lit(light, tuple(0.5 * np.asarray(wall)), 0.1)
    stroke(on, [(corner, eaves * 0.93), (end, eaves * 0.93)], shadow, 0.02 * width)
    stack = middle + (end - middle) * random.uniform(0.35, 0.6)
    fill(
        on,
        _block(stack, ridge * 0.93, 0.028 * width, 0.2 * ridge),
        lit(light, (0.3, 0.17, 0.12), 0.6),
    )
    for row in (0.42, 0.80) if eaves > 0.4 * width else (0.55,):
        for column in (0.2, 0.5, 0.8):
            place = (corner + (end - corner) * column, row * eaves)
            lamp = light.lamps * float(random.random() < 0.7)
            _window(on, light, place, (0.038 * width, 0.062 * width), lamp)
        _window(on, light, (middle, row * eaves), (0.032 * width, 0.062 * width), light.lamps)
    return finish(on, name, light, anchor)


def windmill(setting: Setting, anchor: Anchor, tall: float) -> list[Layer]:
    """Return a windmill's tower, `tall` metres to its cap, and its turning sails."""
    seed, light, focal = setting.seed, setting.light, setting.focal
    foot, head = 0.24 * tall, 0.15 * tall
    on = sheet((-0.3 * tall, 1.25 * tall, 0.3 * tall, -0.04 * tall), anchor[2], focal)
    x, y = on.grid()
    half = foot + (head - foot) * np.clip(y / tall, 0, 1) ** 0.85
    side = sun_side(light, anchor[0] / anchor[2])
    stone = lit(light, (0.60, 0.54, 0.45), _round(side, x / half))
    cover(on, (np.abs(x) < half) & (y > -0.03 * tall) & (y < tall), stone)
    weather(on, seed, "windmill", 0.10 * tall, 0.22)
    arc = np.linspace(0, np.pi, 24)
    cap = np.stack([1.12 * head * np.cos(arc), tall * 0.98 + 0.2 * tall * np.sin(arc) ** 0.8], 1)
    cover(on, shape(on, cap), lit(light, (0.20, 0.14, 0.10), _round(side, x / head + 0 * y)))
    gallery = 0.42 * tall
    wood = lit(light, (0.13, 0.09, 0.06), 0.45)
    fill(on, _block(0, gallery, foot * 1.12, 0.02 * tall), wood)
    for post in np.linspace(-1.1, 1.1, 9) * foot:
        stroke(on, [(post, gallery), (post, gallery + 0.06 * tall)], wood, 0.008 * tall)
    stroke(
        on,
        [(-1.1 * foot, gallery + 0.06 * tall), (1.1 * foot, gallery + 0.06 * tall)],
        wood,
        0.008 * tall,
    )
    for height in (0.22, 0.60, 0.80):
        _window(on, light, (0.05 * tall, height * tall), (0.022 * tall, 0.04 * tall), light.lamps)
    tower = finish(on, "windmill", light, anchor)

    reach = 0.80 * tall
    on = sheet((-reach, reach, reach, -reach), anchor[2], focal)
    cloth = lit(light, (0.66, 0.56, 0.42), 0.75)
    for quarter in range(4):
        angle = np.pi / 2 * quarter
        along = np.array([np.cos(angle), np.sin(angle)])
        aside = np.array([-np.sin(angle), np.cos(angle)])
        start, end, wide = 0.2 * reach, 0.97 * reach, 0.17 * reach
        fill(
            on,
            np.array(
                [
                    along * start,
                    along * end,
                    along * end + aside * wide,
                    along * start + aside * wide,
                ]
            ),
            cloth,
        )
        for rung in np.linspace(start, end, 9):
            stroke(
                on,
                np.array([along * rung - aside * 0.03 * reach, along * rung + aside * wide]),
                wood,
                0.008 * reach,
            )
        stroke(
            on,
            np.array([along * start + aside * wide, along * end + aside * wide]),
            wood,
            0.014 * reach,
        )
        stroke(on, np.array([along * -0.05 * reach, along * end]), wood, 0.03 * reach)
    weather(on, seed, "sails", 0.2 * tall, 0.12)
    x, y = on.grid()
    cover(on, np.hypot(x, y) < 0.055 * reach, wood)
    sign = float(dice(seed, "sails").choice([-1.0, 1.0]))
    hub = (anchor[0], anchor[1] + tall * 1.03, anchor[2])

    def turn(time: float) -> Pose:
        return Pose(turned(sign * (0.5 + 2 * np.pi * time / SAILS_PER_TURN)))

    return [tower, finish(on, "sails", light, hub, turn)]


def quay(setting: Setting, anchor: Anchor, way: float, length: float) -> Layer:
    """Return a stone quay, a man's height above the water, from its anchor along x."""
    seed, light, focal = setting.seed, setting.light, setting.focal
    ends = sorted((0.0, way * length))
    on = sheet((ends[0], 1.7, ends[1], -0.3), anchor[2], focal)
    x, y = on.grid()
    course = np.floor(y / 0.42)
    joint = ((x / 0.9 + 0.5 * course) % 1 < 0.07) | (y / 0.42 - course < 0.13)
    stone = np.where(joint, 0.6, 1.0) * (0.55 + 0.45 * np.clip(y / 0.9, 0, 1))
    wall = (y < 1.3) & (x > ends[0]) & (x < ends[1])
    cover(on, wall, lit(light, (0.34, 0.29, 0.23), 0.4) * stone[..., None].astype(np.float32))
    cover(on, wall & (y > 1.16), lit(light, (0.46, 0.41, 0.34), 0.85 + 0 * x + 0 * y))
    weather(on, seed, "quay", 1.6, 0.3)
    for post in np.arange(1.5, length, 6.5) * way:
        fill(on, _block(post, 1.2, 0.13, 0.42), lit(light, (0.12, 0.10, 0.09), 0.5))
    return finish(on, "quay", light, anchor)


def _block(middle: float, bottom: float, half: float, height: float) -> list[tuple[float, float]]:
    """Return an upright rectangle."""
    left, right, top = middle - half, middle + half, bottom + height
    return [(left, bottom), (left, top), (right, top), (right, bottom)]


def _window(
    on: Sheet, light: Light, place: tuple[float, float], size: tuple[float, float], lamp: float
) -> None:
    """Draw a window of half width and height `size` with its foot at a place."""
    x, y = place
    frame = lit(light, (0.55, 0.52, 0.48), 0.35)
    glass = lit(light, (0.07, 0.09, 0.12), 0.4) + lamp * 0.55 * LAMP
    fill(on, _block(x, y, size[0] * 1.25, size[1] * 2.1), frame)
    fill(on, _block(x, y + 0.05 * size[1], size[0], size[1] * 2), glass)
