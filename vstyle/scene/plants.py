"""What grows before the camera: trees of many leaves, and grasses and flowers in the wind."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from vstyle.scene.camera import HALF_WIDTH
from vstyle.scene.drawing import Sheet, fill, finish, lit, scatter, sheet, stroke
from vstyle.scene.layer import Layer, Pose
from vstyle.scene.light import Light, Setting, sun_side
from vstyle.scene.noise import Field, dice, grid_noise

Anchor = tuple[float, float, float]
GREENS = np.array([(0.12, 0.16, 0.035), (0.17, 0.18, 0.04), (0.09, 0.13, 0.04), (0.28, 0.23, 0.08)])
PETALS = ((0.75, 0.10, 0.05), (0.85, 0.60, 0.10), (0.70, 0.66, 0.60), (0.36, 0.20, 0.55))
ROOT = 2.0  # how far grass reaches below its foot, in heights: no stand may end above the next


def sway(strength: float, phase: float) -> Callable[[float], Pose]:
    """Return the pose of a plant bent by the wind: sheared about its foot."""

    def pose(time: float) -> Pose:
        bend = np.sin(1.7 * time + phase) + 0.5 * np.sin(2.9 * time + 1.3 * phase)
        return Pose(((1.0, float(strength * bend)), (0.0, 1.0)))

    return pose


def tree(setting: Setting, name: str, anchor: Anchor, tall: float, slim: bool) -> Layer:
    """Return a tree `tall` metres high: slim as a cypress or a poplar, or broad as an oak."""
    seed, light, focal = setting.seed, setting.light, setting.focal
    random = dice(seed, name)
    half = (0.13 if slim else 0.52) * tall
    on = sheet((-half, 1.03 * tall, half, -0.02 * tall), anchor[2], focal)
    bark = lit(light, (0.13, 0.09, 0.06), 0.35)
    blobs: list[tuple[float, ...]] = []
    side = sun_side(light, anchor[0] / anchor[2])
    if slim:
        stroke(on, [(0, 0), (0, 0.3 * tall)], bark, 0.03 * tall)
        for level in np.linspace(0.10, 0.97, 26):
            wide = half * 0.78 * np.sin(np.pi * (0.08 + 0.9 * level) ** 0.75) ** 0.8
            blobs.append((random.normal(0, 0.10) * wide, level * tall, wide, 0.055 * tall))
    else:
        _limbs(on, random, tall, bark)
        x, _ = on.grid()
        trunk = np.clip(0.75 + 0.35 * side * x / (0.025 * tall), 0.5, 1.15)
        on.paint[..., :3] *= trunk[..., None]
        _grain(on, seed, name, tall)
        for _ in range(40):
            angle, reach = random.uniform(0, 2 * np.pi), np.sqrt(random.random())
            blobs.append(
                (
                    0.31 * tall * reach * np.cos(angle),
                    tall * (0.66 + 0.25 * reach * np.sin(angle)),
                    *(tall * random.uniform(0.05, 0.105) * np.array([1.2, 0.75])),
                )
            )
    # Leaves smaller than a pixel are only noise.
    size = max(0.0038 * tall, 0.9 * anchor[2] / focal)
    _leaves(on, light, random, blobs, size=size, side=side)
    return finish(on, name, light, anchor, sway(0.006 if slim else 0.004, random.uniform(0, 6)))


def _limbs(on: Sheet, random: np.random.Generator, tall: float, bark: Field) -> None:
    """Draw a trunk that forks into ever thinner limbs."""

    def grow(foot: Field, angle: float, length: float, thick: float, forks: int) -> None:
        bend = angle + float(random.normal(0, 0.12))
        knee = foot + 0.5 * length * np.array([np.sin(angle), np.cos(angle)])
        tip = knee + 0.5 * length * np.array([np.sin(bend), np.cos(bend)])
        spine = np.array([foot, knee, tip], np.float32)
        aside = np.array([np.cos(angle), -np.sin(angle)]) * np.array([[1.0], [0.82], [0.62]])
        if (
            np.hypot(tip[0] / (0.30 * tall), (tip[1] - 0.60 * tall) / (0.30 * tall)) > 0.9
            and forks < 4
        ):
            return  # it would stick out of the crown
        edge = (thick / 2 * aside).astype(np.float32)
        fill(on, np.concatenate([spine - edge, (spine + edge)[::-1]]), bark)
        if forks:
            count = 2 + int(random.random() < 0.5)
            for spread in np.linspace(-0.48, 0.48, count):
                turn = bend + float(spread + random.normal(0, 0.10))
                grow(tip, turn, length * float(random.uniform(0.55, 0.72)), 0.62 * thick, forks - 1)

    grow(np.zeros(2, np.float32), 0.03, 0.34 * tall, 0.055 * tall, 4)


def _grain(on: Sheet, seed: int, name: str, tall: float) -> None:
    """Vary bark by noise drawn out along the trunk."""
    rows, columns = on.paint.shape[:2]
    cells = (rows / on.density / (0.05 * tall), columns / on.density / (0.010 * tall))
    bark = grid_noise(dice(seed, name, "bark"), (rows, columns), cells, 4, 0.6)
    on.paint[..., :3] *= np.clip(1 + 0.45 * bark, 0.3, 1.8)[..., None]


def _leaves(
    on: Sheet,
    light: Light,
    random: np.random.Generator,
    blobs: Sequence[tuple[float, ...]],
    *,
    size: float,
    side: float,
) -> None:
    """Draw leaves over clumps (x, y, half width, half height): dark inside, lit towards the sun."""
    leaves = []
    clumps = np.array(blobs)
    centre, spread = clumps[:, :2].mean(0), np.ptp(clumps[:, :2], 0) / 2 + clumps[:, 2:].mean(0)
    for x, y, wide, high in blobs:
        count = int(np.clip(2.6 * wide * high / size**2, 20, 2600))
        point = random.standard_normal((count, 3))
        point /= np.linalg.norm(point, axis=1, keepdims=True)
        point *= random.random((count, 1)) ** 0.28 * random.uniform(0.8, 1.2, (count, 1))
        toward = 0.55 * side * point[:, 0] + 0.62 * point[:, 1] - 0.30 * point[:, 2]
        place = np.array([x, y]) + point[:, :2] * (wide, high)
        whole = (place - centre) / spread
        toward += 0.60 * side * whole[:, 0] + 0.30 * whole[:, 1]
        bright = np.clip(0.12 + 0.52 * toward + 0.12 * random.standard_normal(count), 0, 1.3)
        depth = point[:, 2] - 0.5 * random.random(count) + random.normal(0, 0.9)
        leaves.append(np.column_stack([place, bright, depth]))
    order = np.concatenate(leaves)
    order = order[np.argsort(-order[:, 3])]
    greens = np.array([(0.105, 0.155, 0.030), (0.14, 0.165, 0.030), (0.075, 0.130, 0.040)])
    colours = (
        1.5 * lit(light, (1, 1, 1), order[:, 2] ** 2) * greens[random.integers(0, 3, len(order))]
    )
    angle = random.uniform(0, np.pi, len(order))[:, None]
    corner = np.linspace(0, 2 * np.pi, 7)[:-1]
    along, aside = size * np.cos(corner), 0.5 * size * np.sin(corner)
    oval = np.stack(
        [
            np.cos(angle) * along - np.sin(angle) * aside,
            np.sin(angle) * along + np.cos(angle) * aside,
        ],
        2,
    )
    scatter(on, order[:, None, :2] + oval, colours)


def grass(setting: Setting, name: str, anchor: Anchor, tall: float, flowers: int) -> Layer:
    """Return grasses about `tall` metres high, with flowers, across the whole picture."""
    light, focal = setting.light, setting.focal
    random = dice(setting.seed, name)
    # What the picture shows at that distance, and the camera's own way on both sides.
    width = 2 * (anchor[2] * (HALF_WIDTH + 0.08) + 1.8)
    on = sheet((-width / 2, 2.2 * tall, width / 2, -ROOT * tall), anchor[2], focal)

    def along(word: str, wave: float, place: Field) -> Field:
        """Return a slow noise over the bank, with waves of so many grass heights."""
        waves = (0.2, width / tall / wave)
        line = grid_noise(dice(setting.seed, name, word), (4, 512), waves, 4, 0.6)[0]
        return np.asarray(np.interp(place / width + 0.5, np.linspace(0, 1, 512), line))

    count = int(width / tall * 190)
    place = random.uniform(-0.5, 0.5, count) * width
    # Tufts of long grass; and longer towards the sides, which frames the picture.
    frame = 0.62 + 0.75 * np.abs(2 * place / width) ** 1.6
    height = np.exp(0.75 * along("tufts", 2.5, place)) * frame * random.beta(2.0, 2.2, count) * 1.9
    height = np.clip(height, 0.12, 2.1)
    order = np.argsort(-height)
    height, place = height[order, None], place[order, None]
    lean = random.normal(0.05, 0.24, (count, 1)) * height * tall
    thick = max(0.010 * tall + 0.006, 0.7 * anchor[2] / focal) / 2
    rise = np.linspace(0, 1, 6)[None]
    spine = place + lean * rise**2
    level = tall * ((height + ROOT) * rise - ROOT)
    edge = thick * (1 - rise**1.5)
    blades = np.stack(
        [np.hstack([spine - edge, (spine + edge)[:, ::-1]]), np.hstack([level, level[:, ::-1]])], 2
    )
    # Short blades stand in the shade of the long ones, and meadows are patchy.
    patch = 1 + 0.6 * along("patches", 6.0, place[:, 0])
    share = (0.55 * height[:, 0] ** 1.3 + random.normal(0.05, 0.15, count)) * patch
    kinds = random.choice(4, count, p=[0.4, 0.3, 0.2, 0.1])
    energy = 0.92 * lit(light, (1, 1, 1), np.clip(share, 0.01, 1.3).astype(np.float32))
    scatter(on, blades, energy * GREENS[kinds])
    main = 0 if setting.seed == 0 else int(random.integers(len(PETALS)))
    for _ in range(flowers):
        kind = main if random.random() < 0.7 else int(random.integers(len(PETALS)))
        x = float(random.uniform(-0.48, 0.48)) * width
        _flower(on, light, random, (x, tall * float(random.uniform(0.55, 1.3))), PETALS[kind])
    return finish(on, name, light, anchor, sway(0.022, random.uniform(0, 6)))


def _flower(
    on: Sheet,
    light: Light,
    random: np.random.Generator,
    place: tuple[float, float],
    petal: tuple[float, float, float],
) -> None:
    """Draw a flower of five petals, (x, height) in metres."""
    x, high = place
    size = 0.043 * high * float(random.uniform(0.75, 1.3))
    rise = np.linspace(0, 1, 6)
    stem = np.stack([x + float(random.normal(0, 0.10)) * high * rise**2, high * rise], 1)
    stroke(on, stem, 1.2 * lit(light, (0.10, 0.14, 0.04), 0.4), max(0.012 * high, 0.006))
    for angle in np.arange(5) * 1.2566 + random.uniform(0, 1):
        centre = stem[-1] + 0.55 * size * np.array([np.cos(angle), 0.6 * np.sin(angle)])
        share = float(np.clip(0.55 + 0.3 * np.sin(angle), 0, 1))
        _disc(on, centre, 0.55 * size, 1.3 * lit(light, petal, share))
    _disc(on, stem[-1], 0.28 * size, lit(light, (0.25, 0.16, 0.03), 0.6))


def _disc(on: Sheet, centre: Field, radius: float, colour: Field) -> None:
    """Draw a filled circle, seen a little from the side."""
    angle = np.linspace(0, 2 * np.pi, 10)[:-1]
    fill(on, centre + radius * np.stack([np.cos(angle), 0.8 * np.sin(angle)], 1), colour)
