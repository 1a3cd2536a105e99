"""The terms of the objective: small pure functions of tensors, one per term.

Every term is scaled by its own layer's magnitude, so that a weight means the same for any VGG.
Distances are per picture, (B,), so that the caller can weigh the pictures of a batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from vstyle.models.constants import constant
from vstyle.models.relief import RADII
from vstyle.models.relief_torch import blurred, split
from vstyle.models.symmetric import power

_BELL = tuple(math.exp(-(at**2) / (2 * 1.5**2)) for at in range(-5, 6))
GAUSSIAN = tuple(value / sum(_BELL) for value in _BELL)  # of SSIM: 11 pixels, deviation 1.5
TONE_BLOCK = 16  # pixels
GRID_WINDOW = 6  # blocks
SHAPE_BLOCK = 2  # pixels
FAINT, FAINT_TINT = 1.0, 3.0  # levels of 255; greys, and colours, that vary less are hardly seen
SEAM_CHANCE, DOTS_CHANCE = 1.4, 0.4  # as it comes by chance
GRID_VISIBLE = 0.05  # of values 0..1


@dataclass(frozen=True)
class Statistics:
    """What makes the style of one layer of features: the moments and the Gram matrix."""

    mean: Tensor  # (B, C)
    deviation: Tensor  # (B, C)
    gram: Tensor  # (B, C, C), divided by C H W


class _Products(torch.autograd.Function):
    """Means and Gram matrices of (B, N, C) activations, and their gradient in one product.

    Autograd would pass over the activations six times in float32; they are large, and what a step
    waits for is memory, not arithmetic.
    """

    @staticmethod
    def forward(ctx: Any, flat: Tensor) -> tuple[Tensor, Tensor]:
        """(B, N, C) -> (B, C), (B, C, C), both over N, in float32 at least."""
        ctx.save_for_backward(flat)
        wide = flat if flat.dtype == torch.float64 else flat.float()
        with _tensor_cores(flat.dtype == torch.bfloat16):
            return wide.mean(1), wide.transpose(1, 2) @ wide / flat.shape[1]

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Of both results -> of the activations."""
        (flat,) = ctx.saved_tensors
        mean, gram = (gradient.to(flat.dtype) / flat.shape[1] for gradient in gradients)
        return torch.baddbmm(mean[:, None], flat, gram + gram.transpose(1, 2))


@contextmanager
def _tensor_cores(exact: bool) -> Iterator[None]:
    """Let a GPU multiply in TF32 if that is exact: what was bfloat16 has fewer bits than it."""
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = before or exact
    try:
        yield
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def statistics(features: Tensor) -> Statistics:
    """(B, C, H, W) activations -> their channel statistics, in float32."""
    # Pixels before channels: that is how channels_last activations lie in memory.
    mean, squares = _Products.apply(  # type: ignore[no-untyped-call]
        features.permute(0, 2, 3, 1).flatten(1, 2)
    )
    # The diagonal holds the mean squares: the variance needs no pass of its own.
    variance = squares.diagonal(dim1=1, dim2=2) - mean.square()
    return Statistics(mean, (variance.clamp_min(0) + 1e-6).sqrt(), squares / features.shape[1])


def moments_distance(a: Statistics, b: Statistics) -> Tensor:
    """Squared distance of channel means and deviations over the magnitude of b's: (B,).

    The style loss of AdaIN (Huang and Belongie 2017), made free of the layer's scale.
    """
    gap = (a.mean - b.mean).square().mean(1) + (a.deviation - b.deviation).square().mean(1)
    return gap / b.deviation.square().mean(1)


def gram_distance(a: Statistics, b: Statistics) -> Tensor:
    """Squared Frobenius distance of the Gram matrices over b's squared norm: (B,).

    The style loss of Gatys et al. 2016, whose weight of each layer is chosen as 1 over b's norm.
    """
    return (a.gram - b.gram).square().sum((1, 2)) / b.gram.square().sum((1, 2))


def content(features: Tensor, source: Tensor) -> Tensor:
    """Mean squared distance of instance-normalised activations, (B, C, H, W) twice -> (B,).

    Normalising each channel keeps the shapes and lets go of palette and contrast, which are the
    style's to set (AAMS, Yao et al. 2019, and others use the same form).
    """
    gap = F.instance_norm(features.float()) - F.instance_norm(source.float())
    return gap.square().mean((1, 2, 3))


def structure(picture: Tensor, source: Tensor) -> Tensor:
    """1 - SSIM of the grey pictures (Wang et al. 2004), (B, 3, H, W), values 0..1 -> (B,).

    Gaussian window of 11 pixels, deviation 1.5, without padding.
    """
    x, y = (_grey(picture), _grey(source))
    line = constant(GAUSSIAN, x.device)
    maps = torch.stack([x, y, x * x, y * y, x * y], 1).flatten(0, 1)
    # Along one axis and then the other: a square window of 121 taps would cost five times as much.
    maps = F.conv2d(F.conv2d(maps, line.view(1, 1, 1, -1)), line.view(1, 1, -1, 1))
    mx, my, xx, yy, xy = maps.reshape(-1, 5, *maps.shape[2:]).unbind(1)
    vx, vy, xy = xx - mx * mx, yy - my * my, xy - mx * my
    c1, c2 = 0.01**2, 0.03**2
    ssim = (2 * mx * my + c1) * (2 * xy + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    return 1 - ssim.mean((1, 2))


def shapes(picture: Tensor, source: Tensor, strokes: Tensor) -> Tensor:
    """1 - the local correlation of the grey pictures, but for what strokes explain: (B,), 0..2.

    Pictures (B, 3, H, W), values 0..1; strokes (B, 1, h, w), values -1..1, the canvas they were
    painted on. In each band of the relief for itself, and however faint: SSIM looks away where a
    source has hardly any contrast, and there patterns that have nothing to do with it would be
    free. Those of the canvas are: they are how a scene is painted, and move with it.
    """
    ours, theirs = _grey_bands(picture), _grey_bands(source)
    gaps = []
    for radius, x, y, z in zip(RADII, ours, theirs, _stroke_bands(strokes, ours[0]), strict=True):
        window = _Window(x, y, z, 2 * radius)
        spread = (window.xx - window.painted).clamp_min(0) + FAINT**2
        gaps.append(1 - window.xy / (spread * (window.yy + FAINT**2)).sqrt())
    return torch.cat(gaps, 1).mean((1, 2, 3))


def tints(picture: Tensor, source: Tensor, strokes: Tensor) -> Tensor:
    """Share of the colours' local contrast that neither shapes nor strokes explain: (B,), 0..1.

    All as in `shapes`. Of red and blue less the grey, in all bands of the relief but the smallest:
    dots are free. `shapes` sees no colours; without this term, smudges of them lie on walls and
    roads that have none.
    """
    small = F.avg_pool2d(255 * picture.float(), SHAPE_BLOCK)
    ours = split((small[:, ::2] - _grey(small)).flatten(0, 1)[:, None])
    theirs, laid = _grey_bands(source), _stroke_bands(strokes, ours[0])
    shares = []
    for radius, x, y, z in list(zip(RADII, ours, theirs, laid, strict=True))[1:]:
        window = _Window(x.reshape(-1, 2, *x.shape[2:]), y, z, 2 * radius)
        # What is left of a tint's variance when it is fitted to both, window by window.
        shape = window.xy.square() / (window.yy + FAINT**2)
        alone = (window.xx - shape - window.painted).clamp_min(0)
        shares.append((alone / (window.xx + FAINT_TINT**2)).mean((1, 2, 3)))
    return torch.stack(shares).mean(0)


class _Window:
    """Mean products of a band of a picture x, of its source y and of its strokes z, in windows.

    x is (B, C, h, w), the others (B, 1, h, w), in grey levels of 255; `radius` is that of
    `blurred`, in places of theirs. `painted` is how much of x's square the strokes explain that the
    source does not: a regression without intercept, since bands have no mean.
    """

    def __init__(self, x: Tensor, y: Tensor, z: Tensor, radius: int) -> None:
        mean = partial(blurred, radius=radius)
        self.xx, self.xy, self.yy, yz = mean(x * x), mean(x * y), mean(y * y), mean(y * z)
        share = yz / (self.yy + FAINT**2)
        beside = mean(z * z) - share * yz
        self.painted = (mean(x * z) - share * self.xy).square() / (beside + FAINT**2)


def flow(picture: Tensor, warped: Tensor, visible: Tensor) -> Tensor:
    """Mean absolute difference to the last picture moved along the motion, where visible: (B,).

    picture, warped: (B, 3, H, W); visible: (B, 1, H, W), 0 where the motion hides or is unknown.
    """
    gap = (picture - warped).abs().mean(1, keepdim=True) * visible
    return gap.sum((1, 2, 3)) / visible.sum((1, 2, 3)).clamp_min(1)


def variation(picture: Tensor) -> Tensor:
    """Total variation: mean absolute difference of neighbours, (B, 3, H, W) -> (B,)."""
    across = (picture[..., 1:] - picture[..., :-1]).abs().mean((1, 2, 3))
    down = (picture[..., 1:, :] - picture[..., :-1, :]).abs().mean((1, 2, 3))
    return across + down


def grid(picture: Tensor, period: int) -> Tensor:
    """How visible the blocks are that a picture was painted in: (B, 3, H, W), 0..1 -> (B,).

    A generator that paints blocks of `period` x `period` pixels tends to show them, as seams, dots
    or a checkerboard. So: by how much does each place of a block differ from its surroundings, on
    average over GRID_WINDOW x GRID_WINDOW blocks? In a picture without a grid such averages vanish.
    Squared, averaged, and 1 for a pattern with a deviation of GRID_VISIBLE.
    """
    places = _windowed(_places(picture, period))
    places = places.reshape(-1, 3, period**2, *places.shape[2:])
    pattern = places - places.mean(2, keepdim=True)
    return pattern.square().mean((1, 2, 3, 4)) / GRID_VISIBLE**2


def dots(picture: Tensor, period: int) -> Tensor:
    """How unevenly detail is spread over the places of a block: (B, 3, H, W), 0..1 -> (B,).

    `grid` does not see dots that are light in some blocks and dark in others: on average there is
    nothing. But their squares are. So: the mean square of detail at each place of a block, in
    windows of GRID_WINDOW blocks; its deviation over the places may be DOTS_CHANCE of its mean, as
    it is by chance. 1 for an excess of GRID_VISIBLE squared.
    """
    squares = _places(picture, period).square()
    energy = _windowed(squares.reshape(-1, 3, period**2, *squares.shape[2:]).mean(1))
    mean = energy.mean(1, keepdim=True)
    spread = ((energy - mean).square().mean(1, keepdim=True) + 1e-12).sqrt()
    excess = (spread - DOTS_CHANCE * mean).clamp_min(0)
    return excess.mean((1, 2, 3)) / GRID_VISIBLE**2


def _places(picture: Tensor, period: int) -> Tensor:
    """Return what differs from its surroundings, by its place in a block: (B, 3 period^2, h, w)."""
    # A box of one period has the same mean wherever it lies on a periodic pattern.
    around = F.avg_pool2d(F.avg_pool2d(picture, (period, 1), 1), (1, period), 1)
    height, width = (side // period * period for side in around.shape[2:])
    start = period // 2
    detail = picture[..., start : start + height, start : start + width]
    return F.pixel_unshuffle(detail - around[..., :height, :width], period)


def _windowed(places: Tensor) -> Tensor:
    """Return means of (B, C, h, w) blocks over windows of GRID_WINDOW of them, half overlapping."""
    window = min(GRID_WINDOW, *places.shape[2:])  # a small picture has fewer blocks than that
    return F.avg_pool2d(places, window, max(1, window // 2))


def seams(picture: Tensor, period: int) -> Tensor:
    """How much more neighbours differ across seams of blocks than within: (B, 3, H, W) -> (B,).

    `grid` sees what all blocks have in common. Blocks that each have another colour have nothing in
    common, yet are seen: their pixels differ from the next block's, and not from each other. So the
    mean squared differences of both kinds are compared, in windows of GRID_WINDOW blocks; up to
    SEAM_CHANCE times as large across seams as within, as they are by chance, costs nothing. Values
    0..1; 1 for an excess of GRID_VISIBLE squared.
    """
    excess = []
    for across in (picture, picture.transpose(2, 3)):
        steps = (across[..., 1:] - across[..., :-1]).square().mean(1)
        blocks = (across.shape[3] - 1) // period
        # Places of a row: within, ..., within, seam.
        parts = steps[..., : blocks * period].reshape(*steps.shape[:2], blocks, period)
        gap = parts[..., -1] - SEAM_CHANCE * parts[..., :-1].mean(3)
        window = (min(GRID_WINDOW * period, gap.shape[1]), min(GRID_WINDOW, blocks))
        excess.append(F.avg_pool2d(gap[:, None], window).clamp_min(0).mean((1, 2, 3)))
    return (excess[0] + excess[1]) / 2 / GRID_VISIBLE**2


def likeness(features: Tensor, wanted: Tensor) -> Tensor:
    """Mean squared distance of activations over the wanted ones' mean square: (B,).

    Both (B, C, H, W). The perceptual loss of Johnson et al. 2016, made free of the layer's scale.
    """
    gap = (features.float() - wanted.float()).square().mean((1, 2, 3))
    return gap / wanted.float().square().mean((1, 2, 3)).clamp_min(1e-6)


def identity(picture: Tensor, source: Tensor) -> Tensor:
    """Mean absolute difference, (B, 3, H, W) twice -> (B,): painting x in its own style is x.

    The cycle's term is the same: a painted x, painted in x's style, is x again. So is a student's:
    what its teacher painted is to be painted.
    """
    return (picture - source).abs().mean((1, 2, 3))


def tone(picture: Tensor, source: Tensor, style: Tensor) -> Tensor:
    """Mean absolute difference, block by block, to the source in the style's colours: (B,).

    All (B, 3, H, W), values 0..1. The colours are given by the linear map between covariances that
    turns them least, where large shapes are concerned (after Pitie and Kokaram 2007); the strokes
    within TONE_BLOCK pixels are free. Without it, blots of one colour would pass for texture.
    """
    with torch.no_grad():
        (mean, covariance), (style_mean, style_covariance) = map(_colours, (source, style))
        turn = power(style_covariance, 0.5, 0.02) @ power(covariance, -0.5, 0.06)
        around = _blocks(source) - mean[:, :, None, None]
        wanted = torch.einsum("bij,bjhw->bihw", turn, around) + style_mean[:, :, None, None]
    return (_blocks(picture) - wanted.clamp(0, 1)).abs().mean((1, 2, 3))


def _blocks(picture: Tensor) -> Tensor:
    return F.avg_pool2d(picture, TONE_BLOCK, TONE_BLOCK // 2)


def _colours(picture: Tensor) -> tuple[Tensor, Tensor]:
    """(B, 3, H, W) -> means (B, 3) and covariances (B, 3, 3) of the channels."""
    flat = picture.float().flatten(2)
    mean = flat.mean(2)
    apart = flat - mean[:, :, None]
    return mean, apart @ apart.transpose(1, 2) / flat.shape[2]


def _grey_bands(picture: Tensor) -> list[Tensor]:
    """(B, 3, H, W), values 0..1 -> the grey shapes by size, in levels of 255."""
    return split(F.avg_pool2d(255 * _grey(picture), SHAPE_BLOCK))


def _stroke_bands(strokes: Tensor, like: Tensor) -> list[Tensor]:
    """(B, 1, h, w) -> bands as large as `like`; strokes as strong as a picture of full contrast."""
    larger = F.interpolate(strokes, like.shape[2:], mode="bilinear", align_corners=False)
    return split(127 * larger)


def _grey(picture: Tensor) -> Tensor:
    """(B, 3, H, W) RGB -> (B, 1, H, W) luma of BT.601."""
    weights = constant((0.299, 0.587, 0.114), picture.device)
    return torch.einsum("bchw,c->bhw", picture.float(), weights)[:, None]
