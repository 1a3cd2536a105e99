"""The perceptual features against a plain reading of VGG-19's definition."""

import pytest
import torch
import torch.nn.functional as F

from vstyle.models.vgg import DEVIATION, MEAN, Features


def weights() -> dict[str, torch.Tensor]:
    """Random weights of VGG-19's shape up to relu2_1, under torchvision's names."""
    torch.manual_seed(0)
    shapes = {0: (64, 3), 2: (64, 64), 5: (128, 64)}
    made = {f"features.{i}.weight": torch.randn(*s, 3, 3) * 0.1 for i, s in shapes.items()}
    return made | {f"features.{i}.bias": torch.randn(s[0]) * 0.1 for i, s in shapes.items()}


def test_features_are_those_of_the_definition() -> None:
    """Normalise, convolve, rectify, pool: written out by hand, compared away from the border."""
    w = weights()
    x = torch.rand(1, 3, 24, 24)
    y = (x - torch.tensor(MEAN).view(1, 3, 1, 1)) / torch.tensor(DEVIATION).view(1, 3, 1, 1)
    for index in (0, 2):
        y = F.relu(
            F.conv2d(y, w[f"features.{index}.weight"], w[f"features.{index}.bias"], padding=1)
        )
    y = F.max_pool2d(y, 2)
    y = F.relu(F.conv2d(y, w["features.5.weight"], w["features.5.bias"], padding=1))
    found = Features(w)(x, ("relu2_1",))["relu2_1"]
    torch.testing.assert_close(found[..., 2:-2, 2:-2], y[..., 2:-2, 2:-2], rtol=1e-4, atol=1e-4)


def test_a_flat_picture_has_flat_features() -> None:
    """Borders are replicated: the frame of a picture is no part of its style."""
    found = Features(weights())(torch.full((1, 3, 16, 16), 0.3), ("relu2_1",))["relu2_1"]
    torch.testing.assert_close(found, found[..., :1, :1].expand_as(found))


def test_a_layer_beyond_the_weights_is_an_error() -> None:
    """Weights may end early; asking for more says what is missing."""
    with pytest.raises(KeyError, match="relu3_1"):
        Features(weights())(torch.rand(1, 3, 16, 16), ("relu3_1",))
