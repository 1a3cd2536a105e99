"""Exact synthetic motion: a photo becomes a few frames with true flow and true visibility.

Every frame is sampled straight from the photo through one map, so nothing is blurred twice. The
motion from one frame back to the one before is drawn first (a slow camera move plus a smooth random
field); the maps follow by composition, which is what makes the flow exact. A cut-out of another
photo moves over it on its own path and hides what is behind.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vstyle.models.constants import constant, pixels


@dataclass(frozen=True)
class Sequence:
    """A few frames of synthetic film."""

    frames: list[Tensor]  # each (B, 3, H, W), values 0..1
    flows: list[Tensor]  # each (B, H, W, 2), pixels (x, y): p of frame t was at p + flow in t - 1
    visible: list[Tensor]  # each (B, 1, H, W), 1 where that place was seen in frame t - 1


def warp(picture: Tensor, flow: Tensor) -> Tensor:
    """Move a picture: result(p) = picture(p + flow(p)), bilinear, borders repeated.

    picture: (B, C, H, W); flow: (B, H, W, 2) in pixels, (x, y).
    """
    height, width = picture.shape[2:]
    scale = constant((2 / max(width - 1, 1), 2 / max(height - 1, 1)), flow.device)
    at = (pixels(height, width, flow.device) + flow) * scale - 1
    return F.grid_sample(picture, at.to(picture.dtype), padding_mode="border", align_corners=True)


def film(
    photos: Tensor, others: Tensor, size: int, count: int, generator: torch.Generator
) -> Sequence:
    """Make `count` frames of size x size from photos (B, 3, H, W), values 0..1, H, W >= size.

    `generator` must be on the photos' device.

    `others` (B, 3, H, W) lend the cut-outs that move in front. The light changes a little from
    frame to frame and there is a little noise, as there is in any film.
    """
    batch, _, height, width = photos.shape
    grid = pixels(size, size, photos.device)
    # Frame 0 looks at the photo through a window somewhere in it.
    room = constant((width - size, height - size), photos.device)
    origin = torch.rand(batch, 1, 1, 2, generator=generator, device=generator.device) * room
    back = grid.expand(batch, -1, -1, -1)  # frame t -> frame 0, in pixels of frame 0
    object_back = back
    mask0 = _blob(batch, size, generator)
    camera = _velocity(batch, size, generator)
    own = camera + _drift(batch, generator)
    frames, flows, visible, last_mask = [], [], [], mask0
    for index in range(count):
        if index:
            wobble = _smooth(batch, size, generator) * _uniform(batch, 0, 1.0, generator)
            step = camera + wobble
            back = back_through(back, step)
            object_back = back_through(object_back, own)
        mask = warp(mask0, object_back - grid) if index else mask0
        behind = _look(photos, back + origin)
        front = _look(others, object_back + origin)
        frame = behind * (1 - mask) + front * mask
        frames.append(_film_grain(frame, generator))
        if index:
            is_front = mask > 0.5
            movement = torch.where(is_front[:, 0, ..., None], own, step)
            source_front = warp(last_mask, movement)
            # A place was seen before if the same thing was in front there, clear of its edge.
            same = torch.where(is_front, source_front > 0.9, source_front < 0.1)
            at = grid + movement
            inside = ((at >= 0) & (at <= size - 1)).all(-1)[:, None]
            flows.append(movement)
            visible.append((same & inside).float())
        last_mask = mask
    return Sequence(frames, flows, visible)


def still(photos: Tensor, count: int) -> Sequence:
    """Hold photos (B, 3, H, W) for `count` frames: nothing moves, everything is visible."""
    batch, _, height, width = photos.shape
    flow = photos.new_zeros(batch, height, width, 2)
    visible = photos.new_ones(batch, 1, height, width)
    return Sequence([photos] * count, [flow] * (count - 1), [visible] * (count - 1))


def compose(flows: list[Tensor], visible: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Return the flow from the last frame all the way back to the first, and what is visible.

    `flows` and `visible` are those of a Sequence, in its order; the results have their shapes.
    """
    flow, seen = flows[-1], visible[-1]
    for earlier, was_seen in zip(flows[-2::-1], visible[-2::-1], strict=True):
        seen = seen * warp(was_seen, flow)
        flow = flow + warp(earlier.permute(0, 3, 1, 2), flow).permute(0, 2, 3, 1)
    return flow, seen


def back_through(back: Tensor, step: Tensor) -> Tensor:
    """Compose maps: `back` of the last frame, looked up where `step` says this frame came from."""
    grid = pixels(back.shape[1], back.shape[2], back.device)
    # The displacement is smooth and may leave the frame; beyond the border it goes on unchanged.
    displacement = (back - grid).permute(0, 3, 1, 2)
    return warp(displacement, step).permute(0, 2, 3, 1) + grid + step


def _look(photos: Tensor, at: Tensor) -> Tensor:
    """Sample photos (B, 3, H, W) at pixel coordinates (B, h, w, 2), mirrored beyond the border."""
    height, width = photos.shape[2:]
    scale = constant((2 / (width - 1), 2 / (height - 1)), at.device)
    return F.grid_sample(photos, at * scale - 1, padding_mode="reflection", align_corners=True)


def _uniform(batch: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return (
        torch.rand(batch, 1, 1, 1, generator=generator, device=generator.device) * (high - low)
        + low
    )


def _velocity(batch: int, size: int, generator: torch.Generator) -> Tensor:
    """Draw a constant camera move, (B, H, W, 2) pixels a frame: shift, turn, zoom; a fifth rest."""
    grid = pixels(size, size, generator.device) - (size - 1) / 2
    shift = torch.randn(batch, 1, 1, 2, generator=generator, device=generator.device) * 3
    turn = torch.randn(batch, 1, 1, 1, generator=generator, device=generator.device) * 0.01
    zoom = torch.randn(batch, 1, 1, 1, generator=generator, device=generator.device) * 0.01
    turned = torch.stack([-grid[..., 1], grid[..., 0]], -1)
    moving = (_uniform(batch, 0, 1, generator) > 0.2).float()
    return (shift + grid * zoom + turned * turn) * moving


def _drift(batch: int, generator: torch.Generator) -> Tensor:
    """Draw how an object moves against the background, (B, 1, 1, 2) pixels a frame."""
    return torch.randn(batch, 1, 1, 2, generator=generator, device=generator.device) * 3


def _smooth(batch: int, size: int, generator: torch.Generator) -> Tensor:
    """Draw a smooth random field of about a pixel, (B, H, W, 2)."""
    coarse = torch.randn(batch, 2, 5, 5, generator=generator, device=generator.device)
    field = F.interpolate(coarse, (size, size), mode="bicubic", align_corners=True)
    return field.permute(0, 2, 3, 1)


def _blob(batch: int, size: int, generator: torch.Generator) -> Tensor:
    """Draw a soft-edged mask of some roundish shape, (B, 1, H, W); a third are empty."""
    grid = pixels(size, size, generator.device)
    centre = (
        torch.rand(batch, 1, 1, 2, generator=generator, device=generator.device) * 0.8 + 0.1
    ) * size
    radius = _uniform(batch, 0.1, 0.35, generator)[..., 0] * size
    uneven = _smooth(batch, size, generator).mean(-1) * 0.3 * radius
    distance = (grid - centre).square().sum(-1).sqrt() + uneven
    present = (_uniform(batch, 0, 1, generator)[..., 0] > 1 / 3).float()
    return ((radius - distance).clamp(-1, 1) * 0.5 + 0.5)[:, None] * present[:, None]


def _film_grain(frame: Tensor, generator: torch.Generator) -> Tensor:
    """Change the light by up to 2 % and add noise of up to 0.5/255.

    No more: the relief raises it, and the flow term would forbid the relief.
    """
    batch = frame.shape[0]
    gain = _uniform(batch, 0.98, 1.02, generator)
    noise = torch.randn(frame.shape, generator=generator, device=generator.device) * _uniform(
        batch, 0, 0.5 / 255, generator
    )
    return (frame * gain + noise).clamp(0, 1)
