"""The grading of `video.grade` for batches, through which gradients flow: what is seen is trained.

How strong the strokes of all of a frame are a generator cannot know; graded, it need not.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from vstyle.models.constants import constant
from vstyle.models.contrast import LEAST as LEAST_CONTRAST
from vstyle.models.contrast import SIZES
from vstyle.video.grade import ALL, FITTED, LARGE, LEAST, MOST, SOME, WANTED, WHOLE

TIMES = [larger // size for size, larger in pairwise(SIZES)]  # the last size that each one is


def contrast(pictures: Tensor) -> Tensor:
    """Measure pictures (B, 3, H, W), values 0..1, as `models.contrast` does: (B, 3, sizes)."""
    variances = [pictures.var((2, 3), correction=0)]
    for times in TIMES:
        pictures = F.avg_pool2d(pictures, min(times, *pictures.shape[2:]))
        variances.append(pictures.var((2, 3), correction=0))
    levels = torch.stack([*variances, torch.zeros_like(variances[0])], 2)
    apart: Tensor = levels[..., :-1] - levels[..., 1:]
    return apart.clamp_min(LEAST_CONTRAST**2).sqrt()


def grade(pictures: Tensor, style: Tensor) -> Tensor:
    """Bring pictures (B, 3, H, W), values 0..1, nearer to the contrasts of styles, (B, 3, sizes).

    What leaves 0..1 is let through a little, or clamping would end its gradient.
    """
    graded = _equalised(pictures, _gains(contrast(pictures), style))
    inside = graded.clamp(0, 1)
    return inside + 0.05 * (graded - inside)


def _gains(painted: Tensor, style: Tensor) -> Tensor:
    """Return what is to be multiplied by what, all (B, 3, sizes)."""
    whole, wanted = (each.norm(dim=2, keepdim=True) for each in (painted, style))
    large = (painted[..., LARGE:].norm(dim=2, keepdim=True) / whole).mean(1, keepdim=True)
    share = ((large - SOME) / (ALL - SOME)).clamp(0, 1)
    raised: Tensor = (wanted / whole).clamp(1, WHOLE) ** share
    fitting = style[..., :-1] * constant(WANTED, style.device) / (painted[..., :-1] * raised)
    by_size = (fitting**FITTED).clamp_min(LEAST).minimum(constant(MOST, style.device))
    return raised * F.pad(by_size, (0, 1), value=1.0)


def _equalised(pictures: Tensor, gain: Tensor) -> Tensor:
    """Multiply what is of each size in pictures, (B, 3, H, W), by (B, 3, sizes)."""
    height, width = pictures.shape[2:]
    below, right = (-side % SIZES[-1] for side in (height, width))
    padded = F.pad(pictures, (0, right, 0, below), mode="replicate") if below or right else pictures
    means = [padded]
    for times in TIMES:
        means.append(F.avg_pool2d(means[-1], times))
    # Each mean counts by what its own size has more than the next smaller one.
    steps = torch.cat([gain[..., :1], gain.diff(dim=2)], 2)[..., None, None].unbind(2)
    total = means[-1] * steps[-1]
    total = total + means[-1].mean((2, 3), keepdim=True) * (1 - gain[..., -1, None, None])
    for mean, step in zip(means[-2::-1], steps[-2::-1], strict=True):
        larger = F.interpolate(total, mean.shape[2:], mode="bilinear", align_corners=False)
        total = mean * step + larger
    return total[..., :height, :width]
