"""Where everything stands: the composition of a scene, from its seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vstyle.scene.buildings import house, lighthouse, quay, windmill
from vstyle.scene.camera import HALF_WIDTH, Path, focal_length
from vstyle.scene.layer import Layer
from vstyle.scene.light import Light, Setting, choose_light
from vstyle.scene.noise import Field, dice, grid_noise, smooth
from vstyle.scene.plants import grass, tree
from vstyle.scene.sky import sky
from vstyle.scene.terrain import Hill, Outline, crest, hill
from vstyle.scene.travellers import Voyage, balloon, bird, boat
from vstyle.scene.water import ripples, water

MOST_CLIMB = 8.0  # metres that a balloon rises in half of a film, at most


@dataclass(frozen=True, eq=False)
class Stage:
    """A scene ready to be filmed. `layers` run from the farthest to the nearest."""

    light: Light
    path: Path
    layers: tuple[Layer, ...]
    ripples: tuple[Layer, Layer]  # laid on the water


def build(seed: int, width: int, height: int, seconds: float) -> Stage:
    """Paint every layer of a scene once: a few seconds of work at 640x360."""
    light, focal = choose_light(seed), focal_length(width, height)
    setting = Setting(seed, light, focal)
    # The side the sun is on stays open; the village is on the other.
    side = 1.0 if light.sun_x < 0 else -1.0
    path = _path(seed, seconds)
    back: list[tuple[float, list[Layer]]] = []  # with their distances
    back += _hills(setting)
    back += _village(setting, side)
    back += _mill(setting, side)
    heavens = sky(setting)
    back.sort(key=lambda entry: -entry[0])
    still_things = [layer for _, layers in back for layer in layers if layer.name != "sails"]
    lake = water(setting, path, [heavens, *still_things])
    front = _travellers(setting, side, seconds) + _bank(setting, side)
    everything = sorted(back + front, key=lambda entry: -entry[0])
    layers = (heavens, lake, *(layer for _, group in everything for layer in group))
    return Stage(light, path, layers, ripples(seed, focal, path))


def _path(seed: int, seconds: float) -> Path:
    """Return the camera's path: a dolly along the bank, a little ahead, with a slight pan."""
    random = dice(seed, "path")
    # Brisk in a short film, and never farther than the scene was painted for.
    reach = 1.5 * np.tanh(0.36 * seconds / 1.5)
    if seed == 0:
        return Path((0.0, 3.3, 0.0), (float(reach), 0.12, float(0.5 * reach)), 0.012, seconds)
    way = float(random.choice([-1.0, 1.0])) * float(random.uniform(0.5, 1.0))
    ahead = float(random.uniform(-0.7, 0.9))
    rise = float(random.uniform(-0.35, 0.5))
    pan = float(random.uniform(-0.03, 0.03))
    return Path(
        (0.0, float(random.uniform(3.0, 3.7)), 0.0),
        (float(way * reach), rise, float(ahead * reach)),
        pan,
        seconds,
    )


def _ridge(seed: int, name: str, level: float, swing: float, waves: float) -> Outline:
    """Return a rolling outline around `level` of a hill's height."""

    def outline(across: Field) -> Field:
        line = grid_noise(dice(seed, name, "ridge"), (4, 2048), (0.2, waves), 5, 0.45)[0]
        there = np.interp(across[0], np.linspace(0, 1, 2048), line)[None]
        return np.asarray(np.clip(level + swing * there, 0.03, 1.4), np.float32)

    return outline


def _valley(ridge: Outline, light: Light, what: Hill) -> Outline:
    """Return an outline that opens where the sun stands, or it would hide the sun."""

    def outline(across: Field) -> Field:
        tangent = (what.left + (what.right - what.left) * across) / what.distance
        dip = 0.72 * np.exp(-(((tangent - light.sun_x) / 0.16) ** 2))
        return np.asarray(ridge(across) * (1 - dip), np.float32)

    return outline


def _headland(seed: int, name: str, side: float, tip: float) -> Outline:
    """Return an outline that comes down into the water towards the middle of the picture."""
    rolling = _ridge(seed, name, 0.82, 0.35, 4.0)

    def outline(across: Field) -> Field:
        inland = across if side > 0 else 1 - across
        shape = 0.16 * smooth(inland, 0.0, 0.10) + 0.84 * smooth(inland, tip, 0.95)
        return np.asarray(shape * rolling(across), np.float32)

    return outline


def _hills(setting: Setting) -> list[tuple[float, list[Layer]]]:
    """Return the ranges behind the bay: mountains, then wooded hills, then fields."""
    seed, light = setting.seed, setting.light
    random = dice(seed, "hills")
    tall = 1.0 if seed == 0 else float(random.uniform(0.5, 1.3))
    wood = 0.5 if seed == 0 else float(random.uniform(0.2, 0.75))
    result = []
    for name, distance, height, level, swing, waves, tree_height, rock in (
        ("mountains", 5200.0, 620.0, 0.50, 0.50, 5.0, 22.0, 0.55),
        ("range", 2600.0, 215.0, 0.45, 0.42, 4.0, 15.0, 0.2),
        ("hills", 1150.0, 62.0, 0.50, 0.45, 4.0, 9.0, 0.0),
    ):
        half = distance * (HALF_WIDTH + 0.10) + 20
        what = Hill(
            name,
            distance,
            -half,
            half,
            height * tall,
            distance * 0.42,
            wood,
            tree_height,
            rock,
            fields=name != "mountains",
        )
        outline = _valley(_ridge(seed, name, level, swing, waves), light, what)
        result.append((distance, [hill(setting, what, outline)]))
    return result


def _village(setting: Setting, side: float) -> list[tuple[float, list[Layer]]]:
    """Return the headland with its lighthouse, and the houses on the quay before it."""
    seed = setting.seed
    random = dice(seed, "village")
    distance, start, end = 132.0, 8.0, 105.0
    if seed != 0:
        distance *= float(random.uniform(0.85, 1.35))
        start += float(random.uniform(-22.0, 22.0))
    left, right = (start, end) if side > 0 else (-end, -start)
    what = Hill("headland", distance, left, right, 25.0, 70.0, 0.42, 3.6, 0.35, fields=True)
    land = hill(setting, what, _headland(seed, "headland", side, 0.22))
    result = [(distance, [land])]
    place = side * (start + 6.5)
    if seed == 0 or random.random() < 0.6:
        foot = (place, crest(land, place) - 0.5, distance + 1)
        result.append((distance + 1, [lighthouse(setting, foot, 17.0)]))
    near = distance - 12.0
    x, number = start + 17.0, 0
    while x < near * (HALF_WIDTH + 0.08):
        width = float(random.uniform(6.5, 10.0))
        depth = near + float(random.uniform(0.0, 6.0))
        spot = (side * (x + width / 2), 1.25, depth)
        result.append((depth, [house(setting, spot, f"house {number}", width)]))
        if random.random() < 0.55:
            slim = bool(random.random() < 0.6)
            tall = float(random.uniform(5.5, 9.5) if slim else random.uniform(4.5, 6.5))
            spot = (side * (x + width + 1.2), 1.2, depth + 1.0)
            result.append((depth + 1.0, [tree(setting, f"poplar {number}", spot, tall, slim)]))
        # A second row looks over the first.
        if random.random() < 0.6:
            wide, up = float(random.uniform(6.0, 8.5)), float(random.uniform(4.5, 7.0))
            spot = (side * (x + width), up, distance - 1.0)
            upper = house(setting, spot, f"upper house {number}", wide)
            bushes = [
                tree(
                    setting,
                    f"bush {number} {spread}",
                    (spot[0] + spread * wide, up - 1.6, distance - 1.5),
                    float(random.uniform(2.6, 4.2)),
                    False,
                )
                for spread in (-0.42, 0.05, 0.45)
            ]
            result.append((distance - 1.0, [upper, *bushes]))
        x += width * float(random.uniform(0.85, 1.5)) + float(random.uniform(0.0, 2.5))
        number += 1
    wall = quay(setting, (side * (start + 14.0), 0.0, near - 1.0), side, 80.0)
    result.append((near - 1.0, [wall]))
    return result


def _mill(setting: Setting, side: float) -> list[tuple[float, list[Layer]]]:
    """Return the farther headland opposite, with a windmill on it."""
    seed = setting.seed
    random = dice(seed, "mill")
    distance, start, end = 260.0, 42.0, 185.0
    if seed != 0:
        distance *= float(random.uniform(0.75, 1.4))
        start += float(random.uniform(-40.0, 30.0))
    left, right = (-end, -start) if side > 0 else (start, end)
    what = Hill("point", distance, left, right, 26.0, 120.0, 0.34, 5.0, 0.25, fields=True)
    land = hill(setting, what, _headland(seed, "point", -side, 0.15))
    place = -side * (start + 33.0)
    anchor = (place, crest(land, place) - 1.2, distance + 2)
    if seed != 0 and random.random() > 0.65:
        return [(distance, [land])]
    return [(distance, [land]), (distance + 2, windmill(setting, anchor, 14.0))]


def _travellers(setting: Setting, side: float, seconds: float) -> list[tuple[float, list[Layer]]]:
    """Return boats, balloons and birds, all in the picture in the middle of the film."""
    seed = setting.seed
    random = dice(seed, "travellers")
    middle = seconds / 2
    result: list[tuple[float, list[Layer]]] = []

    def about(value: float, spread: float) -> float:
        """Return the demo's own value for seed 0, else one near it."""
        return value if seed == 0 else value + float(random.uniform(-spread, spread))

    fleet = ((44.0, 8.6, 1.9, -0.085), (88.0, 8.0, -1.5, 0.03), (108.0, 6.0, 0.12, 0.255))
    way = 1.0 if seed == 0 else float(random.choice([-1.0, 1.0]))
    for number, (away, mast, speed, aside) in enumerate(fleet):
        distance, tangent = away * about(1.0, 0.22), aside * side + about(0.0, 0.15)
        if seed != 0 and random.random() < 0.25:
            continue
        anchor = (tangent * distance, 0.0, distance)
        voyage = Voyage((speed * way, 0.0, 0.0), middle)
        result.append((distance, boat(setting, f"boat {number}", anchor, mast, voyage)))
    sky_fleet = (("balloon", 150.0, 0.055, 0.215, 21.0), ("balloon far", 420.0, 0.27, 0.17, 24.0))
    for name, distance, aside, above, tall in sky_fleet:
        if seed != 0 and random.random() < 0.4:
            continue
        tangent, up = aside * side + about(0.0, 0.3), above + about(0.0, 0.05)
        anchor = (tangent * distance, 3.3 + up * distance, distance)
        # In a film of minutes it would else begin below the water.
        climb = min(0.9, MOST_CLIMB / middle)
        voyage = Voyage((-0.7 * side, climb, 0.0), middle)
        result.append((distance, [balloon(setting, name, anchor, tall, voyage)]))
    flock = 5 if seed == 0 else int(random.integers(0, 8))
    start = (-0.17 * side, 0.17) if seed == 0 else random.uniform((-0.3, 0.08), (0.3, 0.24))
    for number in range(flock):
        distance = 46.0 + 3.1 * number
        tangent = float(start[0]) + 0.034 * number * side + float(random.uniform(-0.012, 0.012))
        up = float(start[1]) + 0.012 * ((number * 2) % 5) + float(random.uniform(-0.01, 0.01))
        anchor = (tangent * distance, 3.3 + up * distance, distance)
        flight = (3.2 * side, 0.25, 0.0)
        gull = bird(setting, f"gull {number}", anchor, 1.7, Voyage(flight, middle))
        result.append((distance, gull))
    return result


def _bank(setting: Setting, side: float) -> list[tuple[float, list[Layer]]]:
    """Return the near bank: a strip of meadow, a tree that frames the picture, grasses, flowers."""
    seed = setting.seed
    random = dice(seed, "bank")
    distance = 13.0
    half = distance * (HALF_WIDTH + 0.10) + 2.0
    what = Hill(
        "bank",
        distance,
        -half,
        half,
        0.24,
        4.0,
        0.0,
        0.35,
        0.0,
        foot=-0.15,
        rough=0.06,
        shore=False,
    )
    meadow = hill(setting, what, _ridge(seed, "bank", 0.75, 0.22, 3.0))
    result = [(distance, [meadow])]
    top = crest(meadow, 0.0)
    tall = 10.5 if seed == 0 else float(random.uniform(7.5, 13.0))
    spot = (-side * (distance + 1) * 0.50, 0.5, distance + 1.0)
    if seed == 0 or random.random() < 0.6:
        result.append((distance + 1.0, [tree(setting, "tree", spot, tall, False)]))
    for number, (away, foot, tall_grass, flowers) in enumerate(
        (
            (12.9, top - 0.15, 0.24, 10),
            (12.6, top - 0.42, 0.34, 16),
            (11.6, top - 0.72, 0.55, 26),
            (8.0, 0.72, 0.72, 30),
            (5.4, 1.30, 0.62, 22),
        )
    ):
        name = f"grass {number}"
        spot = (0.0, foot, away)
        result.append((away, [grass(setting, name, spot, tall_grass, flowers)]))
    return result
