"""The discriminator: PatchGAN at several scales, which knows the style it judges.

Every scale has its own small network (Wang et al. 2018, pix2pixHD) that sees patches of a picture
reduced by 1, 2, 4 (PatchGAN, Isola et al. 2017) and says of each how real it looks. A patch is
judged for itself and by how its features go with the style code (projection, Miyato and Koyama
2018): a patch of one painting is a bad patch of another. Spectral norm (Miyato et al. 2018) keeps
every layer from growing steep. It is needed for training only and is in no model file.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from vstyle.models.config import CODE


@dataclass(frozen=True)
class DiscriminatorConfig:
    """The size of a discriminator."""

    widths: tuple[int, ...] = (32, 64, 128)  # channels of the levels, each half the last's size
    scales: int = 3  # sizes of the picture that are judged
    code: int = CODE  # length of the style code; equal to the generator's


class Patches(nn.Module):
    """The judge of one scale."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        inputs = [3, *config.widths]
        self.levels = nn.ModuleList(
            spectral_norm(nn.Conv2d(a, b, 4, 2, padding=1))
            for a, b in zip(inputs, config.widths, strict=False)
        )
        self.alone = spectral_norm(nn.Conv2d(inputs[-1], 1, 1))
        self.style = spectral_norm(nn.Linear(config.code, inputs[-1]))

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """(B, 3, H, W), (B, code) -> logits (B, 1, h, w), h and w 2**levels times smaller."""
        for level in self.levels:
            x = F.leaky_relu(level(x), 0.2)
        y: Tensor = self.alone(x) + (x * self.style(code)[..., None, None]).sum(1, keepdim=True)
        return y


class Discriminator(nn.Module):
    """Judge the patches of pictures at several scales."""

    def __init__(self, config: DiscriminatorConfig) -> None:
        super().__init__()
        self.config = config
        self.scales = nn.ModuleList(Patches(config) for _ in range(config.scales))

    def forward(self, picture: Tensor, code: Tensor) -> list[Tensor]:
        """(B, 3, H, W), values 0..1, and (B, code) -> logits (B, 1, h, w), one map per scale."""
        x = (picture - 0.5) * 2
        found = []
        for scale in self.scales:
            found.append(scale(x, code))
            x = F.avg_pool2d(x, 2)
        return found
