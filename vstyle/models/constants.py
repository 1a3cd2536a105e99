"""Small constants on a device, sent there once.

A copy from ordinary memory waits until the device has done all that it was told; one in every call
would keep it from ever being a step ahead.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=1024)
def constant(values: tuple[float, ...], device: torch.device) -> Tensor:
    """Return numbers as a float32 tensor on a device, (len(values),): to be read, not written."""
    with torch.inference_mode(False):  # or it could not be used in training afterwards
        return torch.tensor(values, dtype=torch.float32, device=device)


@lru_cache(maxsize=512)
def pixels(height: int, width: int, device: torch.device) -> Tensor:
    """Return the coordinates (x, y) of every pixel, (1, H, W, 2): to be read, not written."""
    with torch.inference_mode(False):
        y, x = torch.meshgrid(
            torch.arange(height, device=device, dtype=torch.float32),
            torch.arange(width, device=device, dtype=torch.float32),
            indexing="ij",
        )
        return torch.stack([x, y], -1)[None]
