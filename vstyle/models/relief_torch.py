"""The relief in torch, for batches and GPUs; see `models.relief` for what it is for."""

from __future__ import annotations

from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import Tensor

from vstyle.models.config import BLOCK
from vstyle.models.constants import constant
from vstyle.models.relief import (
    AROUND,
    FAINT,
    FAINT_BAND,
    RADII,
    RADIUS,
    REACH,
    REACH_BAND,
    SHARES,
    STRONG,
    STRONG_BAND,
)


@torch.no_grad()
def relief(frame: Tensor) -> Tensor:
    """Return the relief of frames, (B, 3, H, W), values 0..1 -> (B, 1, H, W), values -1..1.

    As `models.relief` makes it, of whole grey levels and in whole levels.
    """
    grey = _grey_levels(frame)
    mean = F.avg_pool2d(grey, BLOCK)
    gap = (grey[..., ::2, ::2] - _enlarged(mean, BLOCK // 2)).abs()
    gain = 127 / (REACH * _usual(F.avg_pool2d(gap, BLOCK // 2), RADIUS, FAINT, STRONG))
    shares = constant(SHARES, frame.device)
    shapes = torch.einsum("bnhw,n->bhw", bands(frame.float(), BLOCK), shares)[:, None]
    levels = grey * _enlarged(gain, BLOCK) + _enlarged(127 * shapes - gain * mean, BLOCK)
    return (levels.round().clamp(-128, 127) / 127).to(frame.dtype)


@torch.no_grad()
def bands(frame: Tensor, block: int) -> Tensor:
    """Return the relief's bands, (B, 3, H, W) -> (B, BANDS, H / block, W / block), values -1..1."""
    found = []
    means = F.avg_pool2d(_grey_levels(frame), block)
    for radius, band in zip(RADII, split(means), strict=True):
        usual = _usual(band.abs(), AROUND * radius, FAINT_BAND, STRONG_BAND)
        found.append((band / (REACH_BAND * usual)).clamp(-1, 1))
    return torch.cat(found, 1).to(frame.dtype)


def _usual(strength: Tensor, radius: int, faint: float, strong: float) -> Tensor:
    """As in `models.relief`, of strengths (B, 1, h, w)."""
    around = blurred((strength + faint).log(), radius).exp()
    return around * (1 + (around - faint) / strong)


def split(means: Tensor) -> list[Tensor]:
    """Split the means of blocks, (B, 1, h, w), into bands of shapes, from small to broad ones."""
    found = []
    for radius in RADII:
        broader = blurred(means, radius)
        found.append(means - broader)
        means = broader
    return found


def blurred(values: Tensor, radius: int) -> Tensor:
    """Run a box filter of a radius over (B, C, h, w) twice; the edge is a mirror."""
    height, width = values.shape[2:]
    down, across = (_box(side, radius, values.device) for side in (height, width))
    # Two products of matrices: padded and summed, it would be eight steps, and as many back. Of
    # what differs from a corner, so that a flat plane stays so to the last bit.
    with torch.autocast("cuda", enabled=False):
        wide = values.float()
        corner = wide[..., :1, :1]
        return (down @ (wide - corner) @ across.T + corner).to(values.dtype)


@lru_cache(maxsize=512)
def _box(side: int, radius: int, device: torch.device) -> Tensor:
    """Return what a box filter run twice makes of `side` values in a row: (side, side)."""
    at = torch.arange(side)
    near = (at[:, None] + torch.arange(-radius, radius + 1)) % (2 * side)
    near = torch.minimum(near, 2 * side - 1 - near)
    with torch.inference_mode(False):  # or it could not be used in training afterwards
        once = torch.zeros(side, side, dtype=torch.float64)
        once.scatter_add_(1, near, torch.full(near.shape, 1 / (2 * radius + 1), dtype=once.dtype))
        return (once @ once).to(device, torch.float32)


def _grey_levels(frame: Tensor) -> Tensor:
    """(B, 3, H, W), values 0..1 -> (B, 1, H, W): the whole grey levels that OpenCV finds."""
    red, green, blue = (frame.float() * 255).round().unbind(1)
    return ((9798 * red + 19235 * green + 3735 * blue + 16384) / 32768).floor()[:, None]


def _enlarged(small: Tensor, times: int) -> Tensor:
    return F.interpolate(small, scale_factor=float(times), mode="bilinear", align_corners=False)
