"""Grading for batches, so that what is judged in training is what is shown; see `video.grade`."""

from __future__ import annotations

import torch
from torch import Tensor

from vstyle.models.config import PALETTE
from vstyle.models.generator import palette
from vstyle.video.grade import MOST, SHARE


def grade(picture: Tensor, code: Tensor) -> Tensor:
    """Grade pictures to the palettes of their styles: (B, 3, H, W), (B, code) -> (B, 3, H, W).

    Values 0..1. Contrast that grading brings anyway need not be learned: gradients go through the
    statistics, which are those of all pixels.
    """
    means, root = palette(code[:, :PALETTE])
    wanted = torch.linalg.vector_norm(root, dim=2)
    inside = picture.clamp(0, 1).flatten(2)
    now = inside.mean(2)
    ratio = wanted / inside.var(2, correction=0).clamp_min(1e-6).sqrt()
    gain = ratio.clamp(1 / MOST, MOST).pow(SHARE)
    shift = now + SHARE * (means - now) - gain * now
    graded: Tensor = picture * gain[..., None, None] + shift[..., None, None]
    return graded
