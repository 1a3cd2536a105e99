"""The grading of `video.grade` for batches, through which gradients flow: what is seen is trained.

How strong the strokes of all of a frame are a generator cannot know; graded, it need not.
"""

from __future__ import annotations

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from vstyle.models.constants import constant
from vstyle.models.contrast import SIZES
from vstyle.models.symmetric import mapped, power
from vstyle.video.grade import FAINT, FITTED, LEAST, MOST, WANTED

TIMES = [larger // size for size, larger in pairwise(SIZES)]  # the last size that each one is


def contrast(pictures: Tensor) -> Tensor:
    """Measure pictures (B, 3, H, W), values 0..1, as `models.contrast` does: (B, sizes, 3, 3)."""
    # In bfloat16 the faint contrast of what is fine would be a fifth off.
    with torch.autocast(pictures.device.type, enabled=False):
        covariances = [_covariance(pictures)]
        for times in TIMES:
            pictures = F.avg_pool2d(pictures, min(times, *pictures.shape[2:]))
            covariances.append(_covariance(pictures))
    levels = torch.stack([*covariances, torch.zeros_like(covariances[0])], 1)
    return levels[:, :-1] - levels[:, 1:]


def _covariance(pictures: Tensor) -> Tensor:
    around = (pictures - pictures.mean((2, 3), keepdim=True)).flatten(2)
    return around @ around.mT / around.shape[2]


def grade(pictures: Tensor, style: Tensor) -> Tensor:
    """Bring pictures (B, 3, H, W), values 0..1, nearer to the contrasts of styles.

    These are (B, sizes, 3, 3). What leaves 0..1 is let through a little, or clamping would end its
    gradient.
    """
    with torch.autocast(pictures.device.type, enabled=False):
        graded = _equalised(pictures, _gains(contrast(pictures), style))
    inside = graded.clamp(0, 1)
    return inside + 0.05 * (graded - inside)


def _gains(painted: Tensor, style: Tensor) -> Tensor:
    """Return the matrices, (B, sizes, 3, 3), that the colours of each size are multiplied by."""
    shares, *bounds = (
        constant(values, style.device).repeat(len(style))[:, None, None]
        for values in (WANTED, LEAST, MOST)
    )
    least, most = (bound.pow(1 / FITTED) for bound in bounds)
    own, wanted = painted.flatten(0, 1), style.flatten(0, 1) * shares.square()
    root, back = power(own, 0.5, FAINT), power(own, -0.5, FAINT)
    way = back @ power(root @ wanted @ root, 0.5, FAINT) @ back
    some = mapped(way, lambda values: values.clamp(least, most).pow(FITTED))
    return some.view_as(painted)


def _equalised(pictures: Tensor, gain: Tensor) -> Tensor:
    """Multiply what is of each size in pictures, (B, 3, H, W), by (B, sizes, 3, 3)."""
    height, width = pictures.shape[2:]
    below, right = (-side % SIZES[-1] for side in (height, width))
    padded = F.pad(pictures, (0, right, 0, below), mode="replicate") if below or right else pictures
    means = [padded]
    for times in TIMES:
        means.append(F.avg_pool2d(means[-1], times))
    # Each mean counts by what its own size has more than the next smaller one.
    steps = torch.cat([gain[:, :1], gain.diff(dim=1)], 1).unbind(1)
    middle = means[-1].mean((2, 3), keepdim=True)
    total = _multiplied(means[-1], steps[-1]) + middle - _multiplied(middle, gain[:, -1])
    for mean, step in zip(means[-2::-1], steps[-2::-1], strict=True):
        larger = F.interpolate(total, mean.shape[2:], mode="bilinear", align_corners=False)
        total = _multiplied(mean, step) + larger
    return total[..., :height, :width]


def _multiplied(pictures: Tensor, matrices: Tensor) -> Tensor:
    """Multiply the colours of pictures, (B, 3, H, W), by a matrix for each, (B, 3, 3)."""
    return (matrices @ pictures.flatten(2)).view_as(pictures)
