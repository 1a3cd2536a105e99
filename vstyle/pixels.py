"""The only place where HWC RGB pictures of 8 or 16 bits become float BCHW tensors and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

Whole = TypeVar("Whole", bound=np.unsignedinteger[Any])
"""uint8 or uint16."""

Number = TypeVar("Number", bound=np.generic)

BYTE: np.dtype[Any] = np.dtype(np.uint8)


def grid(height: int, width: int, factor: int) -> tuple[int, int]:
    """Return how many blocks of `factor` pixels cover a picture: (rows, columns), rounded up."""
    return -(-height // factor), -(-width // factor)


def pad(picture: NDArray[Number], multiple: int, least: int = 1) -> NDArray[Number]:
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


def crop(picture: NDArray[Whole], height: int, width: int) -> NDArray[Whole]:
    """Return the top left (height, width) part of an (H, W, ...) picture, as a view."""
    return picture[:height, :width]


def blocks(picture: NDArray[np.uint8], plane: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Return an (H, W, 3) picture and an (H, W) plane in blocks, (H / f, W / f, 4 f f).

    Sides are multiples of `factor`, f. The pixels of a block follow each other row by row, each
    with its three colours and the plane.
    """
    four = cv2.cvtColor(picture, cv2.COLOR_RGB2RGBA)
    cv2.insertChannel(plane, four, 3)
    rows, columns = (side // factor for side in plane.shape)
    # A row of a block is moved as one item, not byte by byte.
    items = four.reshape(rows, factor, columns, -1).view(f"V{4 * factor}")[..., 0]
    moved = np.ascontiguousarray(items.swapaxes(1, 2))
    return moved.view(np.uint8)


def to_kind(picture: NDArray[Any], kind: np.dtype[Any]) -> NDArray[Any]:
    """Bring a picture of uint8 or uint16 to the other of the two, rounded; or leave it."""
    if picture.dtype == kind:
        return picture
    if kind == np.uint16:
        return picture.astype(np.uint16) * np.uint16(257)
    return ((picture.astype(np.uint32) + 128) // 257).astype(np.uint8)


def to_tensor(
    picture: NDArray[Whole], device: torch.device | str = "cpu", dtype: torch.dtype | None = None
) -> torch.Tensor:
    """Turn an (H, W, C) or (H, W) picture, uint8 or uint16, into a (1, C, H, W) tensor, 0..1."""
    import torch

    planes = picture if picture.ndim == 3 else picture[..., None]
    raw = torch.from_numpy(np.ascontiguousarray(planes)).to(device)
    # A permuted HWC picture *is* a channels_last tensor: no copy is made before the conversion.
    return (
        raw.permute(2, 0, 1)[None].to(dtype or torch.float32).mul_(1 / np.iinfo(picture.dtype).max)
    )


def to_picture(tensor: torch.Tensor, kind: np.dtype[Whole] = BYTE) -> NDArray[Whole]:
    """Turn a (1, 3, H, W) tensor with values 0..1 into an (H, W, 3) picture of `kind`, rounded."""
    import torch

    top = int(np.iinfo(kind).max)
    scaled = tensor[0].permute(1, 2, 0).float().mul(top).round_().clamp_(0, top)
    whole = scaled.to(torch.uint8 if top == 255 else torch.uint16)
    picture: NDArray[Whole] = whole.contiguous().cpu().numpy()
    return picture
