"""Hills: small landscapes of real relief, lit by the low sun, seen from the front and laid flat."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from vstyle.scene.layer import Layer, premultiplied, stand
from vstyle.scene.light import Light, Setting, display, haze, sun_side
from vstyle.scene.noise import Field, dice, grid_noise, smooth


@dataclass(frozen=True)
class Hill:
    """What a hill is like. Lengths in metres."""

    name: str
    distance: float
    left: float
    right: float
    height: float
    depth: float  # from its foot to its ridge, seen from above
    wood: float  # share under trees, 0..1
    tree: float = 7.0  # height of the trees
    rock: float = 0.0  # share of bare rock on the steep parts, 0..1
    fields: bool = False  # cut into fields
    foot: float = 0.0  # height of its foot above the water
    rough: float = 0.3  # how uneven the land is, as a share of its height
    shore: bool = True  # begins in a strip of sand


EYE = 3.3  # height of the camera above the water, about
Outline = Callable[[Field], Field]


def hill(setting: Setting, what: Hill, outline: Outline, dense: float = 1.15) -> Layer:
    """Return a hill as an upright layer.

    `outline` gives the height of the ridge, 0..1, at positions of 0..1 from left to right; at 0 or
    below there is nothing. `dense` is texels per pixel from the nearest place of the camera.
    """
    seed, light, focal = setting.seed, setting.light, setting.focal
    density = focal / what.distance * dense
    grain = 1.6  # samples per texel along the ridge and into the depth
    columns = int((what.right - what.left) * density * grain)
    rows = int(np.clip(what.depth * density * grain, 64, 1400))
    width, deep = what.right - what.left, what.depth
    step_x, step_q = width / columns, deep / rows

    across = np.linspace(0, 1, columns, dtype=np.float32)[None]
    into = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
    ridge = outline(across)
    waves = 2.2 * width / deep
    # Lengths of the unevenness: about the depth of the hill.
    swell = grid_noise(dice(seed, what.name, "swell"), (rows, columns), (2.2, waves), 7, 0.47)
    rise = smooth(into, -0.06, 1.0)
    land = what.height * (ridge * (rise + what.rough * swell * (0.33 + rise)) - 0.02)
    land = np.asarray(land, np.float32)

    albedo, trees = _cover(seed, what, land, (step_q, step_x))
    surface = land + trees
    side = sun_side(light, (what.left + what.right) / 2 / what.distance)
    energy = _lit(light, side, surface=surface, trees=trees, albedo=albedo, step=(step_q, step_x))
    fine = _front(surface, land, energy, what, density * grain)
    size = round(columns / grain), round(fine.shape[0] / grain)
    texture: Field = np.asarray(cv2.resize(fine, size, interpolation=cv2.INTER_AREA), np.float32)
    alpha = np.clip(texture[..., 3], 0, 1)
    colour = display(texture[..., :3] / np.maximum(alpha, 1e-3)[..., None])
    x = np.linspace(what.left, what.right, texture.shape[1], dtype=np.float32)[None]
    tangent = np.broadcast_to(x / what.distance, alpha.shape)
    colour = haze(light, colour, what.distance, tangent)
    # The rounding of the size must not shift the hill: its density is what came out.
    true_density = texture.shape[1] / width
    place = stand(
        what.left,
        texture.shape[0] / true_density,
        true_density,
        (0.0, what.foot, what.distance),
    )
    return Layer(what.name, premultiplied(colour, alpha, dice(seed, what.name, "dither")), place)


def _cover(seed: int, what: Hill, land: Field, step: tuple[float, float]) -> tuple[Field, Field]:
    """Return what grows on the land: its albedo (rows, columns, 3) and the trees' heights."""
    shape = land.shape
    deep, width = shape[0] * step[0], shape[1] * step[1]

    def noise(word: str, size: float, octaves: int = 4, gain: float = 0.55) -> Field:
        cells = (deep / size, width / size)
        return grid_noise(dice(seed, what.name, word), shape, cells, octaves, gain)

    meadow = noise("meadow", what.tree * 5, 7, 0.62)[..., None]
    grass = np.array([0.140, 0.175, 0.052], np.float32) + meadow * np.array(
        [0.065, 0.050, 0.015], np.float32
    )
    hedges = np.zeros(shape, np.float32)
    if what.fields:
        hedges, tints = _fields(seed, what, shape, step)
        grass = grass * tints
    wood = noise("wood", what.tree * 7, 4, 0.6)
    wooded = smooth(wood, 0.42 - 1.1 * what.wood, 0.50 - 1.1 * what.wood)
    if what.wood == 0:
        wooded = np.zeros(shape, np.float32)
    wooded = np.maximum(wooded, hedges * (noise("gaps", what.tree * 4) > -0.25))
    crowns = _crowns(seed, what, wooded, step)
    bare = np.abs(np.gradient(land, step[0], axis=0))
    stone = smooth(
        bare + 0.22 * noise("stone", what.tree * 2, 5), 1.05 - what.rock, 1.35 - what.rock
    )
    if what.rock == 0:
        stone = np.zeros(shape, np.float32)
    if what.shore:
        stone = np.maximum(stone, 1 - smooth(land, 0.25, 0.55))
        crowns = crowns * smooth(land, 0.6, 0.35 * what.tree + 0.6)
    crowns = crowns * (1 - stone)
    speckle = noise("speckle", what.tree * 0.8, 4, 0.7)[..., None]
    colour = grass * (1 + 0.22 * speckle)
    rock = np.array([0.30, 0.245, 0.19], np.float32) * (1 + 0.4 * speckle)
    colour = colour + (rock - colour) * stone[..., None]
    kinds = noise("kinds", what.tree * 2.5, 3)[..., None]
    leaf = np.array([0.075, 0.105, 0.032], np.float32) + kinds * np.array(
        [0.035, 0.022, 0.004], np.float32
    )
    leaf = leaf * (1 + 0.5 * speckle)
    under = smooth(crowns, 0.15, 0.5)[..., None]
    return np.asarray(colour + (np.maximum(leaf, 0.01) - colour) * under, np.float32), crowns


def _fields(
    seed: int, what: Hill, shape: tuple[int, int], step: tuple[float, float]
) -> tuple[Field, Field]:
    """Return hedges between fields 0..1, and the tint (rows, columns, 3) of each field."""
    random = dice(seed, what.name, "fields")
    size = what.tree * 11
    count = int(np.clip(shape[0] * step[0] * shape[1] * step[1] / size**2, 4, 400))
    seeds = np.ones(shape, np.uint8)
    rows = (random.random(count) * shape[0]).astype(int)
    seeds[rows, (random.random(count) * shape[1]).astype(int)] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5)
    edge = cv2.morphologyEx(labels.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((3, 3))) > 0
    away = cv2.distanceTransform(1 - edge.astype(np.uint8), cv2.DIST_L2, 5) * step[1]
    crops = np.array(
        [
            [1, 1, 1],
            [1.5, 1.25, 0.9],
            [0.8, 1.05, 0.9],
            [1.9, 1.35, 1.0],
            [1.15, 1.2, 0.7],
            [1, 1, 1],
        ]
    )
    tints = crops.astype(np.float32)[random.integers(0, len(crops), int(labels.max()) + 1)]
    hedges = 1 - smooth(np.asarray(away, np.float32), what.tree * 0.25, what.tree * 0.4)
    return hedges, tints[labels]


def _crowns(seed: int, what: Hill, wooded: Field, step: tuple[float, float]) -> Field:
    """Return the height of the trees' round crowns over the land, in metres."""
    rows, columns = wooded.shape
    random = dice(seed, what.name, "trees")
    heights = np.zeros(wooded.shape, np.float32)
    for size in (1.0, 0.6):
        radius = 0.45 * what.tree * size
        area = rows * step[0] * columns * step[1]
        count = int(min(area / (2.2 * radius**2), 60_000))
        row = (random.random(count) * rows).astype(int)
        column = (random.random(count) * columns).astype(int)
        grows = wooded[row, column] > random.random(count)
        seeds = np.ones(wooded.shape, np.uint8)
        seeds[row[grows], column[grows]] = 0
        away, labels = cv2.distanceTransformWithLabels(
            seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
        )
        girth = radius * random.uniform(0.6, 1.25, int(labels.max()) + 1).astype(np.float32)
        dome = 1 - (away * np.float32(step[1]) / girth[labels]) ** 2
        crown = np.sqrt(np.maximum(dome, 0)) * girth[labels] * 1.5
        heights = np.maximum(heights, crown)
    rough = grid_noise(
        dice(seed, what.name, "leaves"),
        wooded.shape,
        (rows * step[0] / (0.3 * what.tree), columns * step[1] / (0.3 * what.tree)),
        3,
        0.7,
    )
    return np.asarray(heights * (1 + 0.42 * rough), np.float32)


def _lit(
    light: Light,
    side: float,
    *,
    surface: Field,
    trees: Field,
    albedo: Field,
    step: tuple[float, float],
) -> Field:
    """Return the light energy (rows, columns, 3) that comes from each point of a relief."""
    slope_q, slope_x = np.gradient(surface, *step)
    length = np.sqrt(slope_x**2 + slope_q**2 + 1)
    # The sun stands behind the hills, but a picture wants some light on their faces too.
    sun = np.array([0.86 * side, 0.42, -0.28])
    sun /= np.linalg.norm(sun)
    facing = (-slope_x * sun[0] + sun[1] - slope_q * sun[2]) / length
    # Shadows run along x: the highest falling ray that has passed over each point.
    flat = surface[:, ::-1] if side > 0 else surface
    fall = np.float32(0.36 * step[1]) * np.arange(surface.shape[1], dtype=np.float32)
    rays = np.maximum.accumulate(flat + fall, axis=1) - fall
    rays = rays[:, ::-1] if side > 0 else rays
    free = 1 - smooth(rays - surface, 0.02, 0.6 + 6 * step[1])
    sky = 0.55 + 0.45 / length
    # Between the trees it is dark.
    around = _blurred(trees, 3.0 / step[1])
    nook = np.clip(1 + (trees - around) * np.float32(0.13), 0.35, 1.25)
    direct = (np.maximum(facing, 0) * free)[..., None] * np.asarray(light.sun, np.float32)
    through = (smooth(trees, 0.5, 2.0) * 0.10 * free)[..., None] * np.asarray(light.sun, np.float32)
    energy = direct + through + (sky * nook)[..., None] * np.asarray(light.shade, np.float32)
    return np.asarray(albedo * energy * 2.3, np.float32)


def _blurred(field: Field, sigma: float) -> Field:
    """Return a field blurred by `sigma` samples; a wide blur is done on a smaller copy."""
    shrink = max(1, int(sigma / 2))
    rows, columns = field.shape
    small = cv2.resize(
        field, (max(1, columns // shrink), max(1, rows // shrink)), interpolation=cv2.INTER_AREA
    )
    small = cv2.GaussianBlur(small, (0, 0), max(sigma / shrink, 0.8))
    return np.asarray(
        cv2.resize(small, (columns, rows), interpolation=cv2.INTER_LINEAR), np.float32
    )


def _front(surface: Field, land: Field, energy: Field, what: Hill, density: float) -> Field:
    """Return the relief as seen from the front: (h, columns, 4), energy premultiplied by alpha."""
    rows, columns = surface.shape
    # Level land farther off is seen higher up; a little more than the truth shows more of it.
    tilt = 1.5 * (EYE - what.foot) / (what.distance + what.depth)
    into = np.linspace(0, what.depth * tilt, rows, dtype=np.float32)[:, None]
    seen = np.where(land > 0, surface + into, -1.0)
    horizon = np.maximum.accumulate(seen, axis=0)
    height = int(np.ceil(float(horizon.max()) * density)) + 3
    levels = (np.arange(height, dtype=np.float32)[::-1] + 0.5) / np.float32(density)
    source = np.empty((height, columns), np.float32)
    for column in range(columns):
        source[:, column] = np.searchsorted(horizon[:, column], levels)
    there = (source < rows).astype(np.float32)
    # The crest that hides what is behind it lies between two samples: take the farther, smoothly.
    picked = np.minimum(source, rows - 1).astype(np.intp)
    colour = np.take_along_axis(energy, picked[..., None], axis=0)
    return np.dstack([colour * there[..., None], there])


def crest(layer: Layer, x: float) -> float:
    """Return how high, in metres above the water, a hill's outline is at a place along it."""
    to_world = layer.place(0.0)
    column = int(np.clip((x - to_world[0, 2]) / to_world[0, 0], 0, layer.texture.shape[1] - 1))
    row = int(np.argmax(layer.texture[:, column, 3] > 127))
    return float(to_world[1, 2] + to_world[1, 1] * row)
