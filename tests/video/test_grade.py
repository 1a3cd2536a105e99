"""Grading: a frame's colours against its style's, by hand-made pictures of known statistics."""

import numpy as np
import pytest

from vstyle.models.config import CODE
from vstyle.models.fold import Palette, colours
from vstyle.video.grade import MOST, SHARE, grade

CHANCE = np.random.default_rng(4)
MEANS, DEVIATIONS = np.float32([0.5, 0.45, 0.55]), np.float32([0.1, 0.12, 0.15])


def drawn(means: np.ndarray, deviations: np.ndarray, kind: type = np.uint8) -> np.ndarray:
    """Return a picture of about these means and deviations, 0..1."""
    noise = CHANCE.standard_normal((600, 800, 3)).clip(-2.5, 2.5)
    return np.round((noise * deviations + means).clip(0, 1) * np.iinfo(kind).max).astype(kind)


def measured(picture: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    pixels = picture.reshape(-1, 3) / np.iinfo(picture.dtype).max
    return pixels.mean(0), pixels.std(0)


def test_a_picture_with_its_styles_colours_stays():
    picture = drawn(MEANS, DEVIATIONS)
    found = grade(picture, Palette(*measured(picture)))
    # What is looked at is one pixel in 25: their deviation is off by less than a hundredth.
    assert np.abs(found.astype(int) - picture).max() <= 2


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_it_goes_its_share_of_the_way(kind):
    picture = drawn(MEANS - 0.05, DEVIATIONS / 1.2, kind)
    before, after = measured(picture), measured(grade(picture, Palette(MEANS, DEVIATIONS)))
    wanted = before[0] + SHARE * (MEANS - before[0])
    np.testing.assert_allclose(after[0], wanted, atol=0.004)
    np.testing.assert_allclose(after[1], before[1] * (DEVIATIONS / before[1]) ** SHARE, rtol=0.03)


def test_deep_pictures_are_graded_as_others_are():
    picture = drawn(MEANS - 0.1, DEVIATIONS / 1.3)
    palette = Palette(MEANS, DEVIATIONS)
    deep = grade(picture.astype(np.uint16) * 257, palette)
    assert np.abs(grade(picture, palette) - deep / 257).max() <= 0.51


@pytest.mark.parametrize("size", [(1, 1), (4, 7), (90, 160)])
def test_a_picture_of_one_colour_only_changes_its_colour(size):
    found = grade(np.full((*size, 3), 40, np.uint8), Palette(MEANS, DEVIATIONS))
    assert found.shape == (*size, 3)
    wanted = 40 + SHARE * (255 * MEANS - 40)
    assert np.abs(found - wanted).max() <= 0.51


def test_faint_noise_is_not_blown_up_and_white_stays_white():
    picture = drawn(MEANS, DEVIATIONS / 6)
    _, deviations = measured(picture)
    _, after = measured(grade(picture, Palette(MEANS, DEVIATIONS)))
    assert (after <= deviations * MOST**SHARE * 1.03).all()
    bright = drawn(np.float32([0.9] * 3), np.float32([0.2] * 3))
    found = grade(bright, Palette(np.float32([0.95] * 3), np.float32([0.3] * 3)))
    assert (found[bright == 255] == 255).all()


def test_colours_are_what_a_code_begins_with():
    code = np.zeros(CODE, np.float32)
    code[:6] = [0.12, 0.0, -0.12, 0.12, 0.24, 0.36]  # of (picture - 1/2) 4, by SCALE
    found = colours(code)
    np.testing.assert_allclose(found.means, [0.6, 0.5, 0.4], rtol=1e-5)
    np.testing.assert_allclose(found.deviations, [0.1, 0.2, 0.3], rtol=1e-5)
