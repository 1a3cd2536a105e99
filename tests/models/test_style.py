"""The style encoder: any size in, one code out, and it sees statistics, not places."""

import torch

from vstyle.models.config import StyleConfig
from vstyle.models.style import StyleEncoder


def test_any_size_gives_one_code() -> None:
    """The code's length does not depend on the picture's size or shape."""
    encoder = StyleEncoder(StyleConfig(widths=(4, 8), hidden=16, code=12))
    for height, width in ((256, 256), (256, 341), (300, 256)):
        assert encoder(torch.rand(1, 3, height, width)).shape == (1, 12)


def test_a_flat_picture_has_a_finite_gradient() -> None:
    """The root of a zero variance must not poison training."""
    encoder = StyleEncoder(StyleConfig(widths=(4, 8), hidden=16, code=12))
    picture = torch.full((1, 3, 64, 64), 0.5, requires_grad=True)
    encoder(picture).square().sum().backward()
    assert picture.grad is not None
    assert picture.grad.isfinite().all()


def test_moments_see_colours_wherever_they_are() -> None:
    """Without convolutions, shuffling the pixels of a picture leaves its code unchanged."""
    torch.manual_seed(0)
    encoder = StyleEncoder(StyleConfig(widths=(), hidden=16, code=12)).eval()
    picture = torch.rand(1, 3, 16, 16)
    shuffled = picture.flatten(2)[..., torch.randperm(256)].unflatten(2, (16, 16))
    torch.testing.assert_close(encoder(picture), encoder(shuffled))
