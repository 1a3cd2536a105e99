"""The relief: detail as strong everywhere, the same with NumPy as with torch."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vstyle.models.config import BANDS
from vstyle.models.relief import FAINT, REACH, STRIP, STRONG, relief
from vstyle.models.relief_torch import bands as torch_bands
from vstyle.models.relief_torch import relief as torch_relief
from vstyle.scene import Scene, render


def noise(amplitude: float, height: int = 128, width: int = 192) -> np.ndarray:
    """Return normal noise; all blocks of 4x4 pixels have the same mean, so that no band sees it."""
    chance = np.random.default_rng(0)
    half = amplitude * chance.normal(size=(height // 4, width // 4, 8))
    both = chance.permuted(np.concatenate([half.round(), -half.round()], 2), axis=2)
    blocks = both.reshape(height // 4, width // 4, 4, 4).swapaxes(1, 2)
    levels = 128 + blocks.reshape(height, width, 1)
    return levels.clip(0, 255).astype(np.uint8).repeat(3, 2)


def fine(picture: np.ndarray) -> np.ndarray:
    return relief(picture, 4)[0]


def assert_as_torch(picture: np.ndarray, block: int) -> None:
    tensor = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None] / 255
    found, bands = relief(picture, block)
    assert np.abs(found - (torch_relief(tensor)[0, 0].numpy() * 127 + 128)).max() <= 1
    np.testing.assert_allclose(bands, torch_bands(tensor, block)[0].numpy(), atol=1e-4)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 9), st.sampled_from([2, 4, 8]))
def test_torch_makes_the_same(seed: int, rows: int, columns: int, block: int) -> None:
    size = (8 * rows, 8 * columns, 3)
    assert_as_torch(np.random.default_rng(seed).integers(0, 256, size, np.uint8), block)


def test_of_a_real_scene_too() -> None:
    """Of a height that is no whole number of strips."""
    assert 168 % STRIP
    assert_as_torch(render(Scene(240, 168), 0), 4)


def test_contrast_hardly_matters() -> None:
    """Noise of half the strength has nearly the same relief, as large as the formula says."""
    strong, faint = (fine(noise(amplitude)).astype(float) - 128 for amplitude in (8, 4))
    assert np.corrcoef(strong.ravel(), faint.ravel())[0, 1] > 0.98
    assert faint.std() == pytest.approx(strong.std(), rel=0.2)
    # Strength is the mean distance to the mean: of normal noise 0.8 deviations.
    for found, strength in ((strong, 0.8 * 8), (faint, 0.8 * 4)):
        share = strength / (strength + FAINT) / (1 + strength / STRONG)
        assert found.std() == pytest.approx(127 / REACH / 0.8 * share, rel=0.1)


def test_a_contour_leaves_the_relief_beside_it() -> None:
    """Or there would be a calm ring around whatever stands out; and the picture's edge is none."""
    picture = noise(4)
    picture[:, -4:] -= 80
    found = fine(picture).astype(float) - 128
    far, beside = found[:, :16].std(), found[:, 136:152].std()
    assert beside > 0.8 * far


def test_what_is_strong_already_needs_none() -> None:
    assert fine(noise(60)).std() < 0.5 * fine(noise(4)).std()


def test_what_is_fainter_than_a_grey_level_stays_faint() -> None:
    assert (fine(np.full((32, 32, 3), 77, np.uint8)) == 128).all()
    assert fine(noise(0.3)).std() < 0.6 * fine(noise(4)).std()


def waves(length: float, amplitude: float) -> np.ndarray:
    """Upright bars, of a wave length in pixels."""
    levels = 128 + amplitude * np.sin(2 * np.pi * np.arange(512) / length)
    return np.tile(levels.round().astype(np.uint8)[None, :, None], (256, 1, 3))


@pytest.mark.parametrize("band", range(BANDS))
def test_each_band_has_shapes_of_its_own_size(band: int) -> None:
    deviations = relief(waves((16, 48, 128)[band], 3), 4)[1].std((1, 2))
    assert deviations.argmax() == band


def test_faint_shapes_are_raised_most() -> None:
    """Twenty times the contrast is not twice the band; the places of crests are the same."""
    faint, bold = (relief(waves(16, amplitude), 4)[1][0] for amplitude in (3, 60))
    assert bold.std() < 2 * faint.std()
    assert np.corrcoef(faint.ravel(), bold.ravel())[0, 1] > 0.98
    assert not relief(np.full((64, 64, 3), 77, np.uint8), 4)[1].any()


def test_the_relief_has_broad_shapes_too() -> None:
    """Waves that no block of pixels shows much of are in it, crest for crest."""
    picture = waves(24, 3)
    found = fine(picture).astype(float) - 128
    assert found.std() > 10
    assert np.corrcoef(found.ravel(), picture[..., 0].ravel())[0, 1] > 0.9
