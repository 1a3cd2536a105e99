"""Frozen perceptual features: the convolutions of VGG-19 (Simonyan and Zisserman 2014)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MEAN = (0.485, 0.456, 0.406)  # of ImageNet, RGB, values 0..1
DEVIATION = (0.229, 0.224, 0.225)

# torchvision's numbering of vgg19.features: (layer, index of its convolution), "pool" between.
PLAN: tuple[tuple[str, int] | str, ...] = (
    ("relu1_1", 0), ("relu1_2", 2), "pool",
    ("relu2_1", 5), ("relu2_2", 7), "pool",
    ("relu3_1", 10), ("relu3_2", 12), ("relu3_3", 14), ("relu3_4", 16), "pool",
    ("relu4_1", 19), ("relu4_2", 21), ("relu4_3", 23), ("relu4_4", 25), "pool",
    ("relu5_1", 28),
)  # fmt: skip


class Features(nn.Module):
    """VGG-19 as far as the weights go; frozen, computed in `dtype` (bfloat16 halves the time)."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, weights: Mapping[str, Tensor], dtype: torch.dtype = torch.float32) -> None:
        """`weights` has torchvision's key names, `features.N.weight` and `features.N.bias`."""
        super().__init__()
        self.dtype = dtype
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer(
            "deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1), persistent=False
        )
        self.convs = nn.ModuleDict()
        for step in PLAN:
            if isinstance(step, str):
                continue
            layer, index = step
            if f"features.{index}.weight" not in weights:
                break
            weight = weights[f"features.{index}.weight"]
            conv = nn.Conv2d(weight.shape[1], weight.shape[0], 3)
            conv.weight.data.copy_(weight)
            assert conv.bias is not None
            conv.bias.data.copy_(weights[f"features.{index}.bias"])
            self.convs[layer] = conv
        self.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.requires_grad_(False)

    def forward(self, x: Tensor, layers: tuple[str, ...]) -> dict[str, Tensor]:
        """(B, 3, H, W), RGB 0..1 -> {layer: activations (B, C, h, w)} for the layers asked for.

        Stops at the deepest of them. Borders are replicated, not zero: a dark frame around every
        picture would count as part of its style.
        """
        missing = set(layers) - set(self.convs)
        if missing:
            raise KeyError(f"these VGG weights end before {', '.join(sorted(missing))}")
        x = ((x - self.mean) / self.deviation).to(self.dtype, memory_format=torch.channels_last)
        found: dict[str, Tensor] = {}
        for step in PLAN:
            if len(found) == len(layers):
                break
            if isinstance(step, str):
                x = F.max_pool2d(x, 2)
                continue
            layer, _ = step
            x = F.relu(self.convs[layer](F.pad(x, (1, 1, 1, 1), mode="replicate")))
            if layer in layers:
                found[layer] = x
        return found
