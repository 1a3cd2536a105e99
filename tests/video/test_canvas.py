"""Strokes: even, drawn out along contours, and moving with what they lie on."""

import cv2
import numpy as np
import pytest

from vstyle.models.canvas import STRETCH
from vstyle.video.canvas import Canvas, follow, grain

H, W = 90, 160


def flat() -> np.ndarray:
    return np.full((H, W), 128, np.uint8)


def texture(seed: int = 0) -> np.ndarray:
    """Return a grey picture with something to follow everywhere."""
    noise = np.random.default_rng(seed).uniform(0, 255, (H // 6, W // 6)).astype(np.float32)
    return cv2.resize(noise, (W, H), interpolation=cv2.INTER_CUBIC).clip(0, 255).astype(np.uint8)


def shifted(x: float, y: float) -> np.ndarray:
    """Return a flow that leads everywhere to a place x to the right and y below."""
    return np.full((H, W, 2), (x, y), np.float32)


def double_angles(picture: np.ndarray) -> np.ndarray:
    """Return the directions of contours within 13 x 13 pixels, as doubled unit vectors."""
    gy, gx = np.gradient(picture.astype(np.float64))
    along, twice = (cv2.blur(each, (13, 13)) for each in (gy * gy - gx * gx, -2 * gx * gy))
    return np.dstack([along, twice]) / np.maximum(np.hypot(along, twice), 1e-9)[..., None]


@pytest.mark.parametrize("grey", [flat(), texture()], ids=["flat", "texture"])
def test_strokes_are_even_and_go_no_way_on_the_whole(grey: np.ndarray) -> None:
    strokes = grain(follow(None, grey, None), H, W)
    assert abs(strokes.mean()) < 0.06
    assert 0.3 < strokes.std() < 0.45
    assert np.abs(strokes).max() <= 1
    down, across = ((gradient**2).mean() for gradient in np.gradient(strokes))
    assert down == pytest.approx(across, rel=0.5)


@pytest.mark.parametrize("angle", [0, 30, 90, 135])
def test_strokes_run_along_a_contour(angle: float) -> None:
    """Of a grating whose lines have an angle, the strokes have it too, wherever one looks."""
    y, x = np.mgrid[:H, :W]
    across = np.deg2rad(angle + 90)
    wave = np.sin((x * np.cos(across) + y * np.sin(across)) * 2 * np.pi / 24)
    strokes = grain(follow(None, (128 + 100 * wave).astype(np.uint8), None), H, W)
    wanted = np.array([np.cos(np.deg2rad(2 * angle)), np.sin(np.deg2rad(2 * angle))])
    inside = double_angles(strokes)[10:-10, 10:-10]
    assert float((inside @ wanted).mean()) > 0.9


def test_strokes_stay_on_what_they_lie_on() -> None:
    """The picture moves 3 to the left and 2 down with each frame: so do its strokes."""
    large = cv2.resize(texture(), (2 * W, 2 * H))
    canvas, before = None, None
    for t in range(12):
        grey = large[60 - 2 * t :, 40 + 3 * t :][:H, :W]
        canvas = follow(canvas, grey, shifted(3, -2) if t else None)
        strokes = grain(canvas, H, W)
        if before is not None:
            one, other = strokes[12:-10, 10:-13], before[10:-12, 13:-10]
            assert np.corrcoef(one.ravel(), other.ravel())[0, 1] > 0.9
        before = strokes


def test_where_nothing_moves_nothing_changes() -> None:
    canvas = follow(None, texture(), None)
    first = grain(canvas, H, W)
    for _ in range(20):
        canvas = follow(canvas, texture(), shifted(0, 0))
    np.testing.assert_allclose(grain(canvas, H, W), first, atol=1e-3)


def test_noise_is_renewed_before_it_is_stretched() -> None:
    """After zooming in for long, strokes are as thick and as strong as at first."""
    y, x = np.mgrid[:H, :W].astype(np.float32)
    zoom = -0.03 * np.dstack([x - W / 2, y - H / 2])
    canvas: Canvas | None = None
    sharpness, strength = [], []
    for t in range(60):
        canvas = follow(canvas, flat(), zoom if t else None)
        strokes = grain(canvas, H, W)
        sharpness.append(sum((each**2).mean() for each in np.gradient(strokes)))
        strength.append(strokes.std())
    assert 3 * STRETCH < 60 * 0.03
    assert min(sharpness) > 0.5 * sharpness[0]
    assert min(strength) > 0.8 * strength[0]
    assert max(strength) < 1.2 * strength[0]


@pytest.mark.parametrize("shape", [(1, 64), (64, 1), (1, 1)])
def test_a_line_has_strokes_too(shape: tuple[int, int]) -> None:
    """Where there is no neighbour nothing is stretched."""
    grey, flow = np.full(shape, 128, np.uint8), np.full((*shape, 2), 0.5, np.float32)
    laid = follow(follow(None, grey, None), grey, flow)
    assert laid.age == 0.5
    assert np.isfinite(grain(laid, *shape)).all()


def test_a_new_shot_begins_a_new_canvas() -> None:
    canvas = follow(None, flat(), None)
    for _ in range(3):
        canvas = follow(canvas, flat(), shifted(3, 1))
    again = follow(canvas, texture(), None)
    np.testing.assert_array_equal(grain(again, H, W), grain(follow(None, texture(), None), H, W))


def test_larger_grids_have_more_strokes_not_larger_ones() -> None:
    canvas = follow(None, flat(), None)
    small, large = grain(canvas, H, W), grain(canvas, 3 * H, 3 * W)
    fineness = [sum((each**2).mean() for each in np.gradient(one)) for one in (small, large)]
    assert fineness[1] == pytest.approx(fineness[0], rel=0.15)
