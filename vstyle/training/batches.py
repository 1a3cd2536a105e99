"""What a step trains on: drawn and cut on the host, ahead of time; moved on the device.

A draw depends on the seed, the step's number, the share of the run that is done and the process's
rank alone, so that a resumed run goes on as if it had never stopped.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vstyle.models.canvas import TILE
from vstyle.models.config import SIDE
from vstyle.training import footage, motion
from vstyle.training.data import Picture, cut, on_device, upload
from vstyle.training.grade import contrast
from vstyle.training.losses import Statistics
from vstyle.training.paintings import Paintings, Style, Targets
from vstyle.training.recipe import Phase, Recipe

MARGIN = 1.25  # films are cut from squares this much larger than their frames
STILL_LENGTH = 3  # times the frames of a film: how long a photo is held


@dataclass(frozen=True)
class Data:
    """All there is to train on."""

    photos: list[Picture]
    paintings: Paintings
    scenes: list[footage.Footage]
    clips: list[footage.Footage]


@dataclass(frozen=True)
class Draw:
    """What was drawn for a step, still as bytes in memory: as few arrays as can be sent at once."""

    number: int  # steps before this one
    done: float  # share of the run before this step, 0..1
    phase: Phase
    frames: int
    photos: NDArray[np.uint8] | None  # (B, H, W, 3), unless it is a film not made of photos
    fronts: NDArray[np.uint8] | None  # the same: what moves in front of the photos, if they move
    film: footage.Film | None  # one that is not made of photos
    styles: list[Style]  # none where a photo is asked for in its own style
    regraded: bool
    rough: bool  # is the motion known a little wrongly, as on real film?
    cycle: bool
    corner: tuple[float, float]  # (y, x), 0..1, of the part looked at in full size
    seed: int  # of what is drawn on the device


@dataclass(frozen=True)
class Batch:
    """What a step trains on, on the device that trains. Pictures are (B, 3, H, W), values 0..1."""

    film: motion.Sequence
    carry: list[tuple[Tensor, Tensor]]  # flow and trust as the painter is told them, per motion
    fixed: int  # of the first frames, painted without learning from them
    style: Tensor  # (B, 3, SIDE, SIDE)
    contrast: Tensor  # (B, sizes, 3, 3), of the styles
    wanted: Tensor | list[Statistics]  # the very picture to paint, or the style's statistics
    crops: Tensor | None  # of the style pictures, as large as the frames
    own: Tensor | None  # the last frame as a style picture, if it is to be painted back
    corner: Tensor  # (2,), y and x, 0..1, of the part looked at in full size
    ramp: Tensor  # (), 0..1: how much of their weight the style's terms have
    canvas: Tensor  # (B, 2), places, (x, y): where the films lie on the canvas


def draw(recipe: Recipe, data: Data, number: int, done: float, *, rank: int, count: int) -> Draw:
    """Draw the part of process `rank` (of `count`) of the batch of a step."""
    phase = recipe.phase(done)
    shared = np.random.default_rng([recipe.seed, number])  # what all processes must agree upon
    rng = np.random.default_rng([recipe.seed, number, 1 + rank])
    filmed = phase.video or shared.random() < recipe.film_share
    own = number < recipe.reconstruction or shared.random() < recipe.identity_share
    rough, cycle = shared.random() < 0.5, shared.random() < recipe.cycle_share
    regraded = bool(shared.random() < recipe.regrade_share)
    corner = float(shared.random()), float(shared.random())
    frames = (recipe.video_frames if phase.video else recipe.film_frames) if filmed else 1
    shots: list[footage.Footage] = []
    still = False
    if phase.video:
        kind = shared.random()
        for share, found in ((recipe.scene_share, data.scenes), (recipe.clip_share, data.clips)):
            if found and 0 <= kind < share:
                shots = found
            kind -= share if found else 0
        still = not shots and 0 <= kind < recipe.still_share
    batch = phase.batch // count
    moves = filmed and not still
    side = int(phase.size * MARGIN) if moves else phase.size
    return Draw(
        number,
        done,
        phase,
        STILL_LENGTH * frames if still else frames,
        None if shots else _cut(data.photos, batch, side, rng),
        _cut(data.photos, batch, side, rng) if moves and not shots else None,
        footage.film(shots, batch, phase.size, frames, rng) if shots else None,
        [] if own else [data.paintings.draw(rng, phase.size) for _ in range(batch)],
        regraded,
        filmed and bool(rough),
        bool(cycle) and recipe.cycle > 0 and not own,
        corner,
        int(rng.integers(1 << 62)),
    )


def realise(recipe: Recipe, drawn: Draw, targets: Targets, device: torch.device) -> Batch:
    """Make what was drawn into tensors on a device."""
    chance = torch.Generator(device).manual_seed(drawn.seed)
    film = _film(drawn, chance, device)
    last = film.frames[-1]
    crops = None
    wanted: Tensor | list[Statistics]
    if drawn.styles:
        style = on_device(np.stack([one.square for one in drawn.styles]), device)
        known = upload(np.stack([one.contrast for one in drawn.styles]), device)
        wanted = targets.of(drawn.styles) if recipe.moments or recipe.gram else []
        if recipe.adversarial and drawn.done >= recipe.adversarial_start:
            crops = on_device(np.stack([one.crop for one in drawn.styles]), device)
    else:
        wanted = _regraded(last, chance) if drawn.regraded else last
        style, known = as_style(wanted), contrast(wanted)
    carry = list(zip(film.flows, film.visible, strict=True))
    if drawn.rough:
        carry = [_roughly(flow, visible, chance) for flow, visible in carry]
    ramp = min(1.0, 0.2 + 0.8 * drawn.number / max(recipe.style_ramp, 1))
    numbers = upload(np.array([*drawn.corner, ramp], np.float32), device)
    usual = recipe.video_frames if drawn.phase.video else recipe.film_frames
    return Batch(
        film,
        carry,
        max(0, drawn.frames - usual),
        style,
        known,
        wanted,
        crops,
        as_style(last) if drawn.cycle else None,
        numbers[:2],
        numbers[2],
        # Each elsewhere, or a single patch of the canvas would be learned by heart.
        torch.rand(len(last), 2, generator=chance, device=device) * TILE,
    )


def as_style(picture: Tensor) -> Tensor:
    """(B, 3, H, W) -> what the style encoder sees of it, (B, 3, SIDE, SIDE)."""
    return F.interpolate(picture, (SIDE, SIDE), mode="bilinear", antialias=True)


def _film(drawn: Draw, chance: torch.Generator, device: torch.device) -> motion.Sequence:
    if drawn.film:
        return footage.sequence(drawn.film, device)
    assert drawn.photos is not None
    photos = on_device(drawn.photos, device)
    if drawn.fronts is None:
        return motion.still(photos, drawn.frames)
    fronts = on_device(drawn.fronts, device)
    return motion.film(photos, fronts, drawn.phase.size, drawn.frames, chance)


def _roughly(flow: Tensor, visible: Tensor, chance: torch.Generator) -> tuple[Tensor, Tensor]:
    """Put the flow off by a fraction of a pixel, and blur the trust, as on real film."""
    error = torch.randn((len(flow), 2, 6, 6), generator=chance, device=chance.device) * 0.3
    error = F.interpolate(error, flow.shape[1:3], mode="bicubic")
    trust = F.avg_pool2d(visible, 9, 1, 4, count_include_pad=False)
    return flow + error.permute(0, 2, 3, 1), trust


def _regraded(pictures: Tensor, chance: torch.Generator) -> Tensor:
    """Give every channel of every picture (B, 3, H, W), 0..1, another contrast and brightness.

    Both can be read off the result's palette, so there is one right answer; turned hues could not.
    """
    gain, shift = torch.rand((2, len(pictures), 3, 1, 1), generator=chance, device=chance.device)
    gain, shift = 0.4 + 0.8 * gain, 0.5 * shift - 0.25
    regraded: Tensor = (pictures - 0.5) * gain + 0.5 + shift
    return regraded.clamp(0, 1)


def _cut(
    photos: list[Picture], count: int, size: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    return np.stack([cut(photos[i], size, rng) for i in rng.integers(len(photos), size=count)])
