"""The relief: detail as strong everywhere, the same with NumPy as with torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vstyle.models.generator import relief as torch_relief
from vstyle.models.relief import FAINT, REACH, STRONG, relief
from vstyle.scene import Scene, render


def noise(amplitude: float, height: int = 64, width: int = 96) -> np.ndarray:
    levels = np.random.default_rng(0).normal(128, amplitude, (height, width, 1))
    return levels.clip(0, 255).round().astype(np.uint8).repeat(3, 2)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 9), st.integers(1, 9))
def test_torch_makes_the_same(seed: int, rows: int, columns: int) -> None:
    size = (4 * rows, 4 * columns, 3)
    picture = np.random.default_rng(seed).integers(0, 256, size, np.uint8)
    tensor = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255
    wanted = torch_relief(tensor)[0, 0].numpy() * 127 + 128
    assert np.abs(relief(picture) - wanted).max() <= 1


def test_of_a_real_scene_too() -> None:
    picture = render(Scene(160, 96), 0)
    tensor = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None] / 255
    wanted = torch_relief(tensor)[0, 0].numpy() * 127 + 128
    assert np.abs(relief(picture) - wanted).max() <= 1


def test_contrast_hardly_matters() -> None:
    """Noise of half the strength has nearly the same relief, as large as the formula says."""
    strong, faint = (relief(noise(amplitude)).astype(float) - 128 for amplitude in (8, 4))
    assert np.corrcoef(strong.ravel(), faint.ravel())[0, 1] > 0.98
    assert faint.std() == pytest.approx(strong.std(), rel=0.2)
    # Strength is the mean distance to the mean: of normal noise 0.8 deviations.
    for found, strength in ((strong, 0.8 * 8), (faint, 0.8 * 4)):
        share = strength / (strength + FAINT) / (1 + strength / STRONG)
        assert found.std() == pytest.approx(127 / REACH / 0.8 * share, rel=0.1)


def test_what_is_strong_already_needs_none() -> None:
    assert relief(noise(60)).std() < 0.5 * relief(noise(4)).std()


def test_what_is_fainter_than_a_grey_level_stays_faint() -> None:
    assert (relief(np.full((32, 32, 3), 77, np.uint8)) == 128).all()
    assert relief(noise(0.3)).std() < 0.6 * relief(noise(4)).std()
