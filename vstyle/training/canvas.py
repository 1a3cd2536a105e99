"""The strokes of `video.canvas` for batches of film, on the device that trains.

One layer of noise is enough here: films are too short to stretch it. The motion is told as it is in
painting, and no gradient flows through any of this.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vstyle.models import canvas
from vstyle.models.constants import constant, pixels
from vstyle.models.relief_torch import blurred
from vstyle.training.motion import warp

LUMA = (0.299, 0.587, 0.114)
SMOOTH = np.outer(*[np.exp(-0.5 * np.arange(-2, 3) ** 2)] * 2)  # the Gaussian of `video.canvas`
SCHARR = np.array([[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]]) / 32


@torch.no_grad()
def strokes(frames: list[Tensor], flows: list[Tensor], factor: int, start: Tensor) -> list[Tensor]:
    """Return the grain of each frame of a film, (B, 1, H / factor, W / factor), values -1..1.

    frames: (B, 3, H, W), values 0..1; flows: (B, H, W, 2), pixels from each frame but the first to
    the one before; start: (B, 2), the places, x and y, where on the noise the first frames lie.
    """
    height, width = frames[0].shape[2] // factor, frames[0].shape[3] // factor
    shift = start[:, None, None].expand(-1, height, width, -1)
    along = _along(frames[0], factor, shift)
    drawn = [_draw(shift, along)]
    for frame, flow in zip(frames[1:], flows, strict=True):
        move = F.avg_pool2d(flow.permute(0, 3, 1, 2), factor).permute(0, 2, 3, 1) / factor
        shift = _moved(shift, move) + move
        new = _along(frame, factor, shift)
        along = canvas.KEPT * _moved(along, move) + (1 - canvas.KEPT) * new
        drawn.append(_draw(shift, along))
    return drawn


def _draw(shift: Tensor, along: Tensor) -> Tensor:
    """(B, h, w, 2) places to the noise, doubled directions -> (B, 1, h, w) strokes."""
    height, width = shift.shape[1:3]
    at = (pixels(height, width, shift.device) + shift) * canvas.FINE
    drawn = _on_tile(_tile("noise", shift.device), at)
    cosine = along[..., 0] / along.norm(dim=-1).clamp_min(1e-6)
    x, y = ((0.5 + 0.5 * each).clamp_min(0).sqrt() for each in (cosine, -cosine))
    tangent = torch.stack([x, torch.copysign(y, along[..., 1])], -1)
    for step in canvas.STEPS:
        drawn = drawn + warp(drawn, step * tangent) + warp(drawn, -step * tangent)
    return (drawn * canvas.GAIN).clamp(-1, 1)


def _along(frame: Tensor, factor: int, shift: Tensor) -> Tensor:
    """Return unit vectors of twice the angle in which contours run, (B, h, w, 2)."""
    luma = constant(LUMA, frame.device)[:, None, None] * 255
    grey = F.avg_pool2d((frame * luma).sum(1, keepdim=True), factor)
    smooth = _filtered(grey, SMOOTH / SMOOTH.sum())
    slope_x, slope_y = _filtered(smooth, SCHARR), _filtered(smooth, SCHARR.T)
    tensor = torch.cat([slope_y * slope_y - slope_x * slope_x, -2 * slope_x * slope_y], 1)
    near, far = blurred(tensor, canvas.NEAR), blurred(tensor, canvas.FAR)
    contours = (near + canvas.FAR_WEIGHT * far).permute(0, 2, 3, 1)
    at = pixels(grey.shape[2], grey.shape[3], frame.device) + shift
    own = _on_tile(_tile("swirl", frame.device), at).permute(0, 2, 3, 1)
    return F.normalize(contours + canvas.SLIGHT**2 * own, dim=-1, eps=1e-6)


def _moved(vectors: Tensor, flow: Tensor) -> Tensor:
    return warp(vectors.permute(0, 3, 1, 2), flow).permute(0, 2, 3, 1)


def _on_tile(tile: Tensor, at: Tensor) -> Tensor:
    """Look up (C, n, n), whose ends are alike, at (B, h, w, 2), x and y: (B, C, h, w)."""
    period = tile.shape[-1] - 1
    inside = at.remainder(period) * (2 / period) - 1
    return F.grid_sample(tile.expand(len(at), -1, -1, -1), inside, align_corners=True)


def _filtered(x: Tensor, kernel: NDArray[np.float64]) -> Tensor:
    side = len(kernel) // 2
    weight = constant(tuple(kernel.ravel()), x.device).view(1, 1, *kernel.shape)
    return F.conv2d(F.pad(x, (side,) * 4, mode="replicate"), weight)


@lru_cache(maxsize=4)
def _tile(name: str, device: torch.device) -> Tensor:
    values = torch.from_numpy(getattr(canvas, name)()).to(device)
    return values[None] if values.ndim == 2 else values.permute(2, 0, 1).contiguous()
