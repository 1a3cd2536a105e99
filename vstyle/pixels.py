"""The only place where uint8 HWC RGB pictures become float BCHW tensors and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch


def grid(height: int, width: int, factor: int) -> tuple[int, int]:
    """Return how many blocks of `factor` pixels cover a picture: (rows, columns), rounded up."""
    return -(-height // factor), -(-width // factor)


def pad(picture: NDArray[np.uint8], multiple: int, least: int = 1) -> NDArray[np.uint8]:
    """Repeat the last row and column of an (H, W, ...) picture until its sides are multiples.

    Each side becomes the smallest multiple that is not below `least`. Only right and below, so that
    the coordinates of every pixel stay what they are; `crop` undoes it. A picture that fits is
    returned as it is.
    """
    below, right = (
        -(-max(side, least) // multiple) * multiple - side for side in picture.shape[:2]
    )
    if not below and not right:
        return picture
    return np.pad(picture, ((0, below), (0, right)) + ((0, 0),) * (picture.ndim - 2), mode="edge")


def crop(picture: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Return the top left (height, width) part of an (H, W, ...) picture, as a view."""
    return picture[:height, :width]


def to_tensor(
    picture: NDArray[np.uint8], device: torch.device | str = "cpu", dtype: torch.dtype | None = None
) -> torch.Tensor:
    """Turn an (H, W, C) or (H, W) uint8 picture into a (1, C, H, W) tensor with values 0..1."""
    import torch

    planes = picture if picture.ndim == 3 else picture[..., None]
    raw = torch.from_numpy(np.ascontiguousarray(planes)).to(device)
    # A permuted HWC picture *is* a channels_last tensor: no copy is made before the conversion.
    return raw.permute(2, 0, 1)[None].to(dtype or torch.float32).mul_(1 / 255)


def to_picture(tensor: torch.Tensor) -> NDArray[np.uint8]:
    """Turn a (1, 3, H, W) tensor with values 0..1 into an (H, W, 3) uint8 picture, rounded."""
    import torch

    scaled = tensor[0].permute(1, 2, 0).float().mul(255).round_().clamp_(0, 255)
    picture: NDArray[np.uint8] = scaled.to(torch.uint8).contiguous().cpu().numpy()
    return picture
