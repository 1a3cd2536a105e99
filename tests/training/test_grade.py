"""Grading in training is the grading that is shown, but for the rounding of bytes."""

import numpy as np
import pytest
import torch

from vstyle.models.contrast import contrast
from vstyle.training import grade as trained
from vstyle.training.data import on_device
from vstyle.video.grade import grade

CPU = torch.device("cpu")


def drawn(seed: int, height: int, width: int, *, spread: float) -> np.ndarray:
    """Draw soft shapes of several sizes, of another contrast in each channel."""
    rng = np.random.default_rng(seed)
    found = np.full((height, width, 3), 128.0)
    for size in (1, 4, 16, 48):
        coarse = rng.normal(0, 1, (-(-height // size), -(-width // size), 3))
        noise = np.kron(coarse, np.ones((size, size, 1)))[:height, :width]
        found += spread * np.array([6, 10, 16]) * noise
    return found.clip(0, 255).round().astype(np.uint8)


@pytest.mark.parametrize("shape", [(128, 96), (96, 80)])
@pytest.mark.parametrize("spread", [0.6, 1.0, 1.5])
def test_a_batch_is_graded_as_its_pictures_are_one_by_one(
    shape: tuple[int, int], spread: float
) -> None:
    """Paler and stronger pictures, also of sides that are no multiple of the largest size."""
    pictures = [drawn(seed, *shape, spread=1.0) for seed in (0, 1)]
    known = [contrast(drawn(seed, 128, 128, spread=spread)) for seed in (2, 3)]
    batch = on_device(np.stack(pictures), CPU)
    found = trained.grade(batch, torch.from_numpy(np.stack(known))).clamp(0, 1)
    changed = 0.0
    for ours, picture, style in zip(found, pictures, known, strict=True):
        shown = grade(picture, style).astype(np.float32) / 255
        changed = max(changed, float(np.abs(shown - picture / 255.0).max()))
        gap = np.abs(ours.permute(1, 2, 0).numpy() - shown)
        assert gap.mean() < 0.5 / 255
        assert gap.max() < 4 / 255
    assert changed > 10 / 255


def test_contrast_is_measured_alike() -> None:
    """As of whole pictures in bytes."""
    pictures = [drawn(seed, 96, 128, spread=1.0) for seed in (0, 1)]
    found = trained.contrast(on_device(np.stack(pictures), CPU)).numpy()
    np.testing.assert_allclose(found, [contrast(each) for each in pictures], rtol=0.06, atol=5e-5)


def test_gradients_flow_through_all_of_it() -> None:
    """Checked against differences, where nothing is clamped."""
    rng = torch.Generator().manual_seed(0)
    picture = torch.rand(1, 3, 64, 64, generator=rng, dtype=torch.float64) * 0.4 + 0.3
    uneven = torch.tensor([0.8, 1.0, 1.1], dtype=torch.float64)
    style = trained.contrast(picture) * uneven * uneven[:, None]
    some = (torch.randn(picture.shape, generator=rng, dtype=torch.float64),)
    picture.requires_grad_()
    trained.grade(picture, style).backward(some[0])
    step = 1e-5 * torch.randn(picture.shape, generator=rng, dtype=torch.float64)
    with torch.no_grad():
        ahead, behind = (trained.grade(picture + sign * step, style) for sign in (1, -1))
    assert picture.grad is not None
    wanted = float(((ahead - behind) / 2 * some[0]).sum())
    assert float((picture.grad * step).sum()) == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("greys", [1.0, 0.0])
def test_greys_and_a_single_colour_have_gradients_too(greys: float) -> None:
    """Where eigenvalues are equal."""
    rng = torch.Generator().manual_seed(0)
    plane = 0.3 + 0.4 * greys * torch.rand(1, 1, 64, 64, generator=rng)
    picture = plane.repeat(1, 3, 1, 1).requires_grad_()
    trained.grade(picture, trained.contrast(picture.detach() * 1.1)).square().sum().backward()
    assert picture.grad is not None
    assert picture.grad.isfinite().all()
