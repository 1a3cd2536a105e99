"""The films: their motion is exact, their pictures are repeatable and each seed is another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from vstyle.scene import Motion, Scene, film, frames, motion, render
from vstyle.scene.layout import Stage, build

SMALL = Scene(192, 108, frames=48)


@pytest.fixture
def soft(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Paint every layer with slow waves of colour instead of its own picture, alpha kept.

    Warping such a picture costs almost nothing, so what is left of the difference between a frame
    and its warped neighbour is the error of the flow and not that of the interpolation.
    """

    def build(seed: int, width: int, height: int, seconds: float) -> Stage:
        stage = real(seed, width, height, seconds)
        layers = []
        for number, layer in enumerate(stage.layers):
            rows, columns = layer.texture.shape[:2]
            y, x = np.mgrid[:rows, :columns] * (2 * np.pi / 40)
            waves = 128 + 90 * np.stack([np.sin(x + number), np.sin(y), np.cos(x + y)], 2)
            alpha = layer.texture[..., 3:]
            colour = np.rint(waves * (alpha / 255)).astype(np.uint8)
            layers.append(replace(layer, texture=np.dstack([colour, alpha])))
        return replace(stage, layers=tuple(layers))

    real = film.build
    monkeypatch.setattr(film, "build", build)
    film._build.cache_clear()
    yield
    film._build.cache_clear()


def carried(picture: NDArray[np.generic], moved: Motion) -> NDArray[np.float32]:
    """Return a picture of the target frame, brought back to the source frame by the flow."""
    rows, columns = np.mgrid[: moved.flow.shape[0], : moved.flow.shape[1]].astype(np.float32)
    return cv2.remap(
        picture.astype(np.float32),
        columns + moved.flow[..., 0],
        rows + moved.flow[..., 1],
        cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )


def inner(scene: Scene, t: int) -> NDArray[np.float32]:
    """Return 1 where all of a pixel's 5x5 neighbours belong to its own layer: no edge is near."""
    owner = film.owners(scene, t).astype(np.float32)
    window = np.ones((5, 5), np.uint8)
    return (cv2.dilate(owner, window) == cv2.erode(owner, window)).astype(np.float32)


def difference(scene: Scene, t: int, step: int) -> NDArray[np.float32]:
    """Return how far frame t is from frame t + step warped back, at pixels where they must agree.

    Those are the visible ones with no edge of a layer near them in either frame; the difference is
    the largest of the three channels, in levels of 255.
    """
    moved = motion(scene, t, step)
    error = np.abs(carried(render(scene, t + step), moved) - render(scene, t)).max(2)
    certain = moved.visible & (inner(scene, t) > 0)
    certain &= carried(inner(scene, t + step), moved) > 0.99
    assert certain.mean() > 0.25
    return error[certain]


@pytest.mark.parametrize("seed", [0, 3])
@pytest.mark.usefixtures("soft")
def test_flow_carries_soft_colours_exactly(seed: int) -> None:
    """With nothing to interpolate wrongly, warped and true frames agree to about a level.

    The waves climb by some 15 levels a pixel, so a flow wrong by a tenth of a pixel would show.
    What exceeds that are pixels through which something farther is seen.
    """
    for step in (1, 5, -1, 20):
        error = difference(replace(SMALL, seed=seed, shimmer=0.0), 21, step)
        assert np.median(error) < 1.3
        assert np.percentile(error, 70) < 3


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_flow_carries_the_real_pictures(seed: int) -> None:
    """In the true pictures only the interpolation of fine texture is left."""
    for step in (1, 5, -1):
        error = difference(replace(SMALL, seed=seed, shimmer=0.0), 21, step)
        assert error.mean() < 3.5
        assert np.percentile(error, 90) < 9


@pytest.mark.parametrize("shift", [(0.5, 0.0), (-0.5, 0.0), (0.0, 0.5), (0.0, -0.5)])
def test_a_flow_half_a_pixel_off_is_worse(shift: tuple[float, float]) -> None:
    """The oracle is sharp: it sees an error of half a pixel in any direction."""
    scene = replace(SMALL, shimmer=0.0)
    true = motion(scene, 21, 5)
    off = replace(true, flow=true.flow + np.float32(shift))
    now, then = render(scene, 21).astype(np.float32), render(scene, 26)
    error, worse = (np.abs(carried(then, each) - now).mean(2)[true.visible] for each in (true, off))
    assert worse.mean() > 1.3 * error.mean()


@pytest.mark.parametrize("seed", [0, 1])
def test_forward_and_backward_cancel(seed: int) -> None:
    """What is visible at its target comes back to where it was when it is followed back."""
    scene = replace(SMALL, seed=seed)
    there, back = motion(scene, 10, 7), motion(scene, 17, -7)
    returned = carried(back.flow, there) + there.flow
    certain = there.visible & (carried(inner(scene, 17), there) > 0.99)
    assert np.hypot(returned[..., 0], returned[..., 1])[certain].max() < 0.02


def test_no_step_is_no_motion() -> None:
    """From a frame to itself nothing moves and everything is visible."""
    still = motion(SMALL, 5, 0)
    assert np.abs(still.flow).max() < 1e-3
    assert still.visible.mean() > 0.999


def test_what_leaves_the_frame_is_not_visible() -> None:
    """Targets outside the frame are never called visible, and in a long step there are some."""
    moved = motion(SMALL, 2, 40)
    H, W = moved.visible.shape
    rows, columns = np.mgrid[:H, :W]
    x, y = columns + moved.flow[..., 0], rows + moved.flow[..., 1]
    outside = (x < 0) | (y < 0) | (x > W - 1) | (y > H - 1)
    assert outside.any()
    assert not moved.visible[outside].any()
    # Something is also hidden by something else.
    assert (~moved.visible & ~outside).any()


def test_things_move_on_their_own() -> None:
    """The camera explains only a part: things at one place of the picture part company."""
    moved = motion(SMALL, 10, 10)
    speeds = [
        np.median(moved.flow[film.owners(SMALL, 10) == number], axis=0)
        for number in np.unique(film.owners(SMALL, 10))
    ]
    right = [speed[0] for speed in speeds]
    assert min(right) < -2
    assert max(right) > 2


@pytest.mark.parametrize(("width", "height"), [(321, 241), (90, 160)])
def test_any_size(width: int, height: int) -> None:
    """Odd, square and upright pictures are rendered, and their motion has their shape."""
    scene = Scene(width, height, frames=4, seed=3)
    assert render(scene, 3).shape == (height, width, 3)
    moved = motion(scene, 0, 3)
    assert moved.flow.shape == (height, width, 2)
    assert moved.flow.dtype == np.float32
    assert moved.visible.shape == (height, width)
    assert moved.visible.dtype == np.bool_


def test_a_picture_without_the_horizon_is_rendered() -> None:
    """So flat that all of the water is below it: what is left is hills and sky."""
    scene = Scene(192, 12, frames=48)
    layers = film._stage(scene).layers
    names = {layers[number].name for number in np.unique(film.owners(scene, 0))}
    assert "sky" in names
    assert "water" not in names
    assert render(scene, 0).shape == (12, 192, 3)
    assert motion(scene, 0, 3).flow.shape == (12, 192, 2)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_balloons_stay_above_the_water(seed: int) -> None:
    """Also at the beginning of a film of ten minutes, the foot of their baskets included."""
    seconds = 600.0
    stage = build(seed, 96, 54, seconds)
    balloons = [layer for layer in stage.layers if layer.name.startswith("balloon")]
    assert balloons
    for layer in balloons:
        rows, columns = layer.texture.shape[:2]
        corners = np.array([[0, columns], [rows, rows], [1, 1]], float)
        for time in (0.0, seconds):
            assert (layer.place(time) @ corners)[1].min() > 0


def test_balloons_of_a_short_film_rise_as_ever() -> None:
    """By 0.9 m a second: what was rendered before is rendered the same."""
    balloons = [layer for layer in build(0, 96, 54, 4.0).layers if "balloon" in layer.name]
    assert len(balloons) == 2
    half_swing = np.pi / 0.9  # after which a balloon hangs as it did
    for layer in balloons:
        way = layer.place(half_swing) - layer.place(0.0)
        np.testing.assert_allclose(way[1], [0, 0, 0.9 * half_swing], atol=1e-9)


def test_repeatable() -> None:
    """The same scene gives the same bytes, also when it is built anew."""
    first, way = render(SMALL, 7), motion(SMALL, 7, 2)
    film._build.cache_clear()
    assert np.array_equal(first, render(SMALL, 7))
    assert np.array_equal(way.flow, motion(SMALL, 7, 2).flow)


def test_seeds_differ() -> None:
    """Every seed is visibly another scene."""
    pictures = [render(replace(SMALL, seed=seed), 24).astype(float) for seed in (1, 2, 0)]
    for number, picture in enumerate(pictures):
        for other in pictures[:number]:
            assert np.abs(picture - other).mean() > 12


def test_sizes_show_the_same_scene() -> None:
    """A larger film is the same film with more detail, not another one."""
    large = render(replace(SMALL, width=288, height=162), 24)
    small = render(SMALL, 24)
    reduced = cv2.resize(large, (192, 108), interpolation=cv2.INTER_AREA)
    assert np.abs(cv2.blur(reduced, (9, 9)) - cv2.blur(small, (9, 9)).astype(float)).mean() < 6


def test_frames_are_steady() -> None:
    """No frame of the film stands out: nothing pops in, out or over from one to the next."""
    scene = replace(SMALL, frames=24, rate=Fraction(12))
    film_frames = [frame.astype(np.float32) for frame in frames(scene)]
    assert len(film_frames) == 24
    changes = [np.abs(b - a).mean() for a, b in pairwise(film_frames)]
    assert max(changes) < 1.6 * np.median(changes)


def test_frames_beyond_the_film_are_refused() -> None:
    """A frame that the film does not have is an error, not a guess."""
    with pytest.raises(IndexError, match="frame 48 of a film of 48"):
        render(SMALL, 48)
    with pytest.raises(IndexError, match="frame -1"):
        motion(SMALL, 0, -1)
