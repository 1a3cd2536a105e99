"""Grading: a frame's colours against its style's, by hand-made pictures of known statistics."""

import cv2
import numpy as np
import pytest

from vstyle.models.config import CODE
from vstyle.models.fold import Palette, colours
from vstyle.video.grade import MOST, grade

CHANCE = np.random.default_rng(4)
MEANS, DEVIATIONS = np.float32([0.5, 0.45, 0.55]), np.float32([0.1, 0.12, 0.15])


def drawn(means: np.ndarray, deviations: np.ndarray, kind: type = np.uint8) -> np.ndarray:
    """Return a picture of large shapes, of about these means and deviations, 0..1."""
    noise = CHANCE.standard_normal((30, 40, 3)).clip(-2.5, 2.5)
    shapes = cv2.resize(noise, (1280, 960), interpolation=cv2.INTER_NEAREST)
    return np.round((shapes * deviations + means).clip(0, 1) * np.iinfo(kind).max).astype(kind)


def measured(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pixels = picture.reshape(-1, 3) / np.iinfo(picture.dtype).max
    return pixels.mean(0), pixels.std(0)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_large_shapes_are_given_the_styles_contrast(kind):
    picture = drawn(MEANS - 0.05, DEVIATIONS / 1.2, kind)
    before, after = measured(picture), measured(grade(picture, Palette(MEANS, DEVIATIONS)))
    np.testing.assert_allclose(after[0], before[0], atol=0.002)
    np.testing.assert_allclose(after[1], DEVIATIONS, rtol=0.02)


@pytest.mark.parametrize("more", [1, 1.2, 3])
def test_no_contrast_is_taken_away(more):
    picture = drawn(MEANS, DEVIATIONS)
    wanted = measured(picture)[1] / more
    found = grade(picture, Palette(MEANS, wanted.astype(np.float32)))
    # What is looked at is one pixel in 25: their deviation is off by less than a hundredth.
    assert np.abs(found.astype(int) - picture).max() <= 1


def test_texture_is_not_made_stronger():
    """Noise of single pixels has no large shapes; with some of them it is graded by a part."""
    noise = CHANCE.normal(0, 12, (960, 1280, 3))
    palette = Palette(MEANS, DEVIATIONS * 3)
    texture = np.clip(128 + noise, 0, 255).astype(np.uint8)
    assert np.array_equal(grade(texture, palette), texture)
    both = np.clip(drawn(MEANS, DEVIATIONS) + noise, 0, 255).astype(np.uint8)
    gain = measured(grade(both, palette))[1] / measured(both)[1]
    assert ((gain > 1.05) & (gain < MOST - 0.05)).all()


def test_deep_pictures_are_graded_as_others_are():
    picture = drawn(MEANS - 0.1, DEVIATIONS / 1.3)
    palette = Palette(MEANS, DEVIATIONS)
    deep = grade(picture.astype(np.uint16) * 257, palette)
    assert np.abs(grade(picture, palette) - deep / 257).max() <= 0.6


@pytest.mark.parametrize("size", [(1, 1), (4, 7), (90, 160)])
def test_a_picture_of_one_colour_stays(size):
    picture = np.full((*size, 3), 40, np.uint8)
    assert np.array_equal(grade(picture, Palette(MEANS, DEVIATIONS)), picture)


def test_contrast_has_a_bound_and_white_stays_white():
    faint = drawn(MEANS, DEVIATIONS / 6)
    _, before = measured(faint)
    _, after = measured(grade(faint, Palette(MEANS, DEVIATIONS)))
    assert (after <= before * MOST * 1.03).all()
    bright = drawn(np.float32([0.9] * 3), np.float32([0.2] * 3))
    found = grade(bright, Palette(np.float32([0.95] * 3), np.float32([0.3] * 3)))
    assert (found[bright == 255] == 255).all()


def test_colours_are_what_a_code_begins_with():
    code = np.zeros(CODE, np.float32)
    code[:6] = [0.12, 0.0, -0.12, 0.12, 0.24, 0.36]  # of (picture - 1/2) 4, by SCALE
    found = colours(code)
    np.testing.assert_allclose(found.means, [0.6, 0.5, 0.4], rtol=1e-5)
    np.testing.assert_allclose(found.deviations, [0.1, 0.2, 0.3], rtol=1e-5)
