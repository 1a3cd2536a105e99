"""Grading: a frame's contrasts against its style's, by hand-made pictures."""

import cv2
import numpy as np
import pytest

from vstyle.models.contrast import SIZES, contrast
from vstyle.video.grade import FITTED, GROWTH, LEAST, MOST, SIDES, WANTED, equalised, gains, grade

CHANCE = np.random.default_rng(4)


def drawn(low: int = 0, high: int = 256, side: int = 320, sizes: tuple[int, ...] = (40, 80)):
    """Return a picture whose tones are evenly spread, in shapes of these sizes."""
    noise = sum(
        cv2.resize(CHANCE.standard_normal((side // size + 1,) * 2 + (3,)), (side, side))
        for size in sizes
    )
    order = noise.reshape(-1, 3).argsort(0).argsort(0).reshape(noise.shape)
    return (low + (high - low) * (order / (side * side))).astype(np.uint8)


def board(side: int, low: int, high: int) -> np.ndarray:
    fields = np.indices((96 // side, 96 // side)).sum(0) % 2
    return np.dstack([np.kron(fields, np.ones((side, side))) * (high - low) + low] * 3)


@pytest.mark.parametrize(("side", "band"), [(1, 0), (4, 1), (16, 2), (32, 3)])
def test_contrast_is_told_apart_by_size(side: int, band: int) -> None:
    """A checkerboard's contrast is all in the band that squares of its fields fall in."""
    found = contrast(board(side, 50, 150).astype(np.uint8))
    wanted = np.zeros((len(SIZES), 3, 3))
    wanted[band] = (50 / 255) ** 2
    np.testing.assert_allclose(found, wanted, rtol=0.02, atol=4e-6)


def test_contrast_is_the_covariance_of_colours() -> None:
    """Summed over sizes, by NumPy's own."""
    picture = drawn(sizes=(1, 3, 10, 40))
    picture[..., 1] = picture[..., 0] // 2 + picture[..., 2] // 3
    wanted = np.cov(picture.reshape(-1, 3).T / 255, bias=True)
    np.testing.assert_allclose(contrast(picture).sum(0), wanted, rtol=1e-3, atol=1e-5)


def test_gains_lead_from_one_covariance_to_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """All the way, where nothing bounds them."""
    for name, value in {"WANTED": (1,) * 4, "LEAST": (1e-3,) * 4, "MOST": (1e3,) * 4}.items():
        monkeypatch.setattr(f"vstyle.video.grade.{name}", value)
    monkeypatch.setattr("vstyle.video.grade.FITTED", 1.0)
    painted, style = (
        np.stack([np.cov(CHANCE.normal(0, 0.1, (3, 9)) * np.c_[[1, 2, 0.5]]) for _ in SIZES])
        for _ in range(2)
    )
    found = gains(painted.astype(np.float32), style.astype(np.float32), 360)
    np.testing.assert_allclose(found @ painted @ found.swapaxes(1, 2), style, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found, found.swapaxes(1, 2), atol=1e-4)  # colours move least so


def test_gains_go_some_of_the_way_and_no_farther_than_they_may() -> None:
    painted = np.tile(np.float32(np.diag([0.01, 0.02, 0.03])), (len(SIZES), 1, 1))
    shares = np.array(WANTED)[:, None] ** 2
    for times in (0.9, 1.05, 0.1, 10):
        style = painted * np.float32(times**2 / shares)[..., None]
        found = np.diagonal(gains(painted, style, SIDES[0]), axis1=1, axis2=2)
        wanted = np.clip(times**FITTED, LEAST, MOST)[:, None]
        np.testing.assert_allclose(found, np.tile(wanted, 3), rtol=1e-3)


def test_larger_frames_may_be_raised_more() -> None:
    """Up to a size; large shapes never; smaller frames as the smallest."""
    painted = np.tile(np.float32(0.01 * np.eye(3)), (len(SIZES), 1, 1))
    found = [gains(painted, 100 * painted, side)[:, 0, 0] for side in (160, 640, 1280, 1920, 3840)]
    np.testing.assert_allclose(found[0], MOST, rtol=1e-3)
    np.testing.assert_allclose(found[1], MOST, rtol=1e-3)
    np.testing.assert_allclose(found[2] / found[1], np.exp2(GROWTH), rtol=1e-3)
    assert (found[3] > found[2])[:3].all()
    np.testing.assert_allclose(found[4], found[3], rtol=1e-3)


def test_a_frame_on_its_side_is_raised_as_much() -> None:
    """What phones film upright is no fainter than what they film lying."""
    painted = drawn(100, 140, side=800, sizes=(1, 3, 10, 40))[:480]
    style = 100 * contrast(painted)
    lying, upright = grade(painted, style), grade(np.rot90(painted).copy(), style)
    assert cv2.absdiff(np.rot90(lying).copy(), upright).max() <= 1
    assert lying.std() > 1.2 * painted.std()


def test_more_rows_do_not_make_a_frame_larger() -> None:
    """What a camera resolves it spreads over as many pixels of 1280x1280 as of 1280x720."""
    square = drawn(100, 140, side=1280, sizes=(3,))
    raised = []
    for painted in (square, square[:720]):
        graded = grade(painted, 100 * contrast(painted))
        raised.append(graded.std() / painted.std())
    assert raised[0] == pytest.approx(raised[1], rel=0.02)


def test_contrasts_go_some_way_to_the_styles() -> None:
    """Where they are less and where they are more; but the finest is hardly raised."""
    painted = drawn(sizes=(1, 3, 10, 40))
    reached = contrast(painted)
    for times in (0.5, 1.3):
        known = reached * np.float32(times / np.array(WANTED))[:, None, None] ** 2
        before, after = (
            np.sqrt(np.diagonal(each, axis1=1, axis2=2))
            for each in (reached, contrast(grade(painted, known)))
        )
        found = after / before
        if times < 1:
            assert (found[:3] < 0.9).all()
        else:
            assert (found[0] < MOST[0] + 0.05).all()
            assert (found[1:3] > 1.05).all()


def test_colours_are_made_to_vary_together_as_the_styles_do() -> None:
    """A picture of greys in a style whose red and blue are opposite."""
    painted = drawn(sizes=(1, 3, 10, 40))
    style = drawn(sizes=(1, 3, 10, 40))
    style[..., 2] = 255 - style[..., 0]
    before, after, wanted = (
        np.corrcoef(each[..., 0].ravel(), each[..., 2].ravel())[0, 1]
        for each in (painted, grade(painted, contrast(style)), style)
    )
    assert abs(before) < 0.1
    assert after < before - 0.3
    assert wanted == pytest.approx(-1)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_contrast_is_multiplied_by_size(kind: type) -> None:
    """Of a checkerboard of 4 pixels most is in one band, and the gain of that one counts."""
    unit = np.iinfo(kind).max // 255
    picture = board(4, 90, 150).astype(kind) * kind(unit)
    ratios = []
    for band in range(3):
        gain = np.tile(np.eye(3, dtype=np.float32), (4, 1, 1))
        gain[band, 1, 1] = 1.5
        found = equalised(picture, gain).astype(float)
        assert np.abs(found - picture)[..., ::2].max() <= unit
        ratios.append(found[32:64, 32:64, 1].std() / picture[32:64, 32:64, 1].std())
    assert np.argmax(ratios) == 1
    assert 1.25 < ratios[1] < 1.5


def test_strips_leave_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = CHANCE.integers(0, 256, (200, 150, 3)).astype(np.uint8)
    gain = CHANCE.uniform(-0.5, 1.0, (4, 3, 3)).astype(np.float32)
    in_strips = equalised(picture, gain)
    monkeypatch.setattr("vstyle.video.grade.ROWS", 1000)
    assert np.array_equal(in_strips, equalised(picture, gain))


@pytest.mark.parametrize("size", [(1, 1), (3, 70), (97, 41)])
def test_gains_of_one_change_nothing(size: tuple[int, int]) -> None:
    picture = CHANCE.integers(0, 256, (*size, 3)).astype(np.uint8)
    one = np.tile(np.eye(3, dtype=np.float32), (4, 1, 1))
    assert np.array_equal(equalised(picture, one), picture)


def test_large_shapes_are_given_the_styles_contrast() -> None:
    """Where nearly all contrast is theirs, around the same means."""
    painted = drawn(70, 190, sizes=(160,))
    found = grade(painted, np.float32((1.2 / WANTED[-1]) ** 2) * contrast(painted))
    wanted = 1.2**FITTED
    np.testing.assert_allclose(found.std((0, 1)) / painted.std((0, 1)), wanted, rtol=0.03)
    np.testing.assert_allclose(found.mean((0, 1)), painted.mean((0, 1)), atol=1)


def test_no_style_makes_noise_of_a_faint_picture() -> None:
    """Nearly one colour, in a style of full contrast: what it varies by has a bound."""
    faint = drawn(120, 126, sizes=(1, 3, 10, 40))
    graded = grade(faint, contrast(drawn(sizes=(1, 3, 10, 40))))
    assert graded.std() <= max(MOST) * (faint.std() + 0.6)


def test_a_style_of_one_colour_leaves_shapes() -> None:
    painted = drawn(sizes=(1, 3, 10, 40))
    graded = grade(painted, contrast(np.full((50, 50, 3), 200, np.uint8)))
    assert graded.std() >= min(LEAST) * painted.std()


def test_deep_pictures_are_graded_as_others_are() -> None:
    painted, known = drawn(60, 180, sizes=(1, 3, 10, 40)), contrast(drawn())
    deep = grade(painted.astype(np.uint16) * 257, known)
    assert deep.dtype == np.uint16
    assert np.abs(grade(painted, known) - deep / 257).max() <= 1.6


@pytest.mark.parametrize("size", [(1, 1), (4, 7), (33, 5), (90, 160)])
def test_a_picture_of_one_colour_stays_of_one(size: tuple[int, int]) -> None:
    found = grade(np.full((*size, 3), 40, np.uint8), contrast(drawn()))
    assert found.shape == (*size, 3)
    assert (found == found[0, 0]).all()
