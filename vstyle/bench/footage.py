"""The clips that quality is measured on, with the motion of everything in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from pathlib import Path

from vstyle.bench.steadiness import LEAST_SIDE, LONG, SHORT, estimated_motion
from vstyle.engine.base import Picture
from vstyle.errors import InputError
from vstyle.scene import Motion, Scene, motion, render
from vstyle.video.decode import Frame, open_clip
from vstyle.video.stylize import frames_of

FRAMES = 24  # of each clip
FIRST_LOOK = 2  # the first frame whose likeness is measured: the one before would be early
SEEDS = (0, 3)  # of the rendered scenes
SCENE = Scene(640, 360, 96, shimmer=0.0)  # glints do not move with matter: no flow explains them


@dataclass(frozen=True, eq=False)
class Footage:
    """A few frames and how everything in them moves."""

    name: str
    exact: bool  # whether the motion is known, or estimated
    frames: tuple[Picture, ...]
    near: tuple[Motion, ...]  # from frame t to t + SHORT
    far: tuple[Motion, ...]  # from frame t to t + LONG; none if the clip is too short


def rendered(seed: int) -> Footage:
    """Render a scene, with its exact motion."""
    scene = Scene(SCENE.width, SCENE.height, SCENE.frames, SCENE.rate, seed, SCENE.shimmer)
    frames = tuple(render(scene, t) for t in range(FRAMES))
    return _footage(f"scene {seed}", True, frames, lambda t, step: motion(scene, t, step))


def filmed(path: Path, name: str) -> Footage:
    """Read the first frames of a clip and estimate their motion. Raises InputError."""
    with open_clip(path) as source:
        frames = tuple(
            frame.image for frame in islice(frames_of(source.items, lambda _: None), FRAMES)
        )
    return estimated(name, frames)


def estimated(name: str, frames: Sequence[Picture]) -> Footage:
    """Return frames with their motion, as it is estimated.

    Raises InputError if they are too few or too small.
    """
    if len(frames) <= FIRST_LOOK:
        raise InputError(
            f"{name} has only {len(frames)} frames", f"Name a clip of more than {FIRST_LOOK}."
        )
    height, width = frames[0].shape[:2]
    if min(height, width) < LEAST_SIDE:
        raise InputError(
            f"{name} is too small to find its motion: {width}x{height}",
            f"Name a clip of {LEAST_SIDE} pixels or more.",
        )
    return _footage(
        name, False, tuple(frames), lambda t, step: estimated_motion(frames[t], frames[t + step])
    )


def timed(pictures: Sequence[Picture]) -> list[Frame]:
    """Return pictures as frames, 25 a second."""
    return [Frame(picture, t, Fraction(1, 25)) for t, picture in enumerate(pictures)]


def _footage(
    name: str, exact: bool, frames: tuple[Picture, ...], move: Callable[[int, int], Motion]
) -> Footage:
    near, far = (tuple(move(t, step) for t in range(len(frames) - step)) for step in (SHORT, LONG))
    return Footage(name, exact, frames, near, far)
