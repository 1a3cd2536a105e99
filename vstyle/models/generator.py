"""The generator: a small U-Net that sees the frame, its own last picture, and how far to trust it.

The frame enters as blocks of `factor` x `factor` pixels (space-to-depth), so that the network never
touches the full resolution; levels of half the size each follow, and on the way up, with skips,
residual blocks at every level. The style enters every layer as two scales and a shift per channel:
with x the input of a convolution W, the layer is `relu(out * (W (in * x)) + shift)`; and W itself
is a kernel of all styles and a sum of `rank` others, each with a share that the style sets. Once a
style is chosen all of it is constant, so that it folds into W and its bias and costs nothing per
frame (StyleGAN2's modulation, Karras et al. 2020, without its demodulation; CondConv's kernels,
Yang et al. 2019, of rank 1 each, as in LoRA, Hu et al. 2021). In the stem, on the way down, in the
blocks and below the finest level activations are normalised per frame and channel before the style
scales them (instance norm, Huang and Belongie 2017): that is what lets one network
paint pictures of any palette and contrast in styles of any palette and contrast.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vstyle.models.config import (
    BANDS,
    FARTHEST,
    LEAST_DEVIATION,
    PALETTE,
    SCALE,
    GeneratorConfig,
)
from vstyle.models.relief_torch import bands, relief
from vstyle.models.symmetric import power

# Zeros would tell the network where the border is, and it learns to hang dark frames there.
EDGE: Final = "replicate"


class Styled(nn.Module):
    """A convolution with kernels of its own for every style.

    To the kernel of all styles `rank` others are added, each with a share that the style sets and
    each the product of a filter of the inputs and a column of the outputs. They begin at zero.
    `settings` is what else the style sets: how many numbers of each kind.
    """

    def __init__(
        self,
        config: GeneratorConfig,
        sides: tuple[int, int],
        kernel: int,
        stride: int,
        settings: tuple[int, ...],
    ) -> None:
        super().__init__()
        inputs, outputs = sides
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, bias=False)
        self.filters = nn.Conv2d(inputs, config.rank, kernel, bias=False)
        self.columns = nn.Conv2d(config.rank, outputs, 1, bias=False)
        self.split = (*settings, config.rank)
        self.style = nn.Linear(config.code, sum(self.split))
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")
        nn.init.kaiming_normal_(self.filters.weight, nonlinearity="linear")
        nn.init.zeros_(self.columns.weight)
        _start_small(self.style, config.rank)

    def settings(self, code: Tensor) -> tuple[Tensor, ...]:
        """(B, code) -> what the style sets, each (B, n, 1, 1); the kernels' shares come last."""
        found: Tensor = self.style(code)[..., None, None]
        return torch.split(found, list(self.split), dim=1)

    def convolve(self, x: Tensor, shares: Tensor) -> Tensor:
        """(B, inputs, H, W), (B, rank, 1, 1) -> (B, outputs, H / stride, W / stride)."""
        weight = torch.cat([self.conv.weight, self.filters.weight])  # one pass over x for both
        side = weight.shape[2] // 2
        x = F.pad(x, (side,) * 4, mode=EDGE) if side else x
        found = F.conv2d(x, weight, stride=self.conv.stride)
        outputs, rank = len(self.conv.weight), len(self.filters.weight)
        common, own = torch.split(found, [outputs, rank], dim=1)
        y: Tensor = common + self.columns(own * shares)
        return y

    def kernel(self, shares: Tensor) -> Tensor:
        """(rank,) -> the kernel in a style, (outputs, inputs, k, k)."""
        columns = self.columns.weight[..., 0, 0] * shares
        return self.conv.weight + torch.einsum("or,rikl->oikl", columns, self.filters.weight)


class Modulated(Styled):
    """A convolution whose kernels, input scale, output scale and shift are set by the style."""

    def __init__(self, config: GeneratorConfig, inputs: int, outputs: int, kernel: int = 3) -> None:
        super().__init__(config, (inputs, outputs), kernel, 1, (inputs, outputs, outputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """(B, inputs, H, W), (B, code) -> (B, outputs, H, W)."""
        into, out, shift, shares = self.settings(code)
        found = self.convolve(x * (1 + into), shares) + self.bias[:, None, None]
        return found * (1 + out) + shift


class Normalised(Styled):
    """A convolution, normalised per frame and channel, then scaled and shifted by the style."""

    def __init__(
        self, config: GeneratorConfig, inputs: int, outputs: int, kernel: int = 3, stride: int = 1
    ) -> None:
        # What a bias would add the normalisation takes away.
        super().__init__(config, (inputs, outputs), kernel, stride, (outputs, outputs))

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """(B, inputs, H, W), (B, code) -> (B, outputs, H / stride, W / stride)."""
        scale, shift, shares = self.settings(code)
        # In a smooth picture a rare feature may lie 20 deviations out; unbounded, it paints a blot.
        normal = F.instance_norm(self.convolve(x, shares)).clamp(-FARTHEST, FARTHEST)
        y: Tensor = normal * (1 + scale) + shift
        return y


class Block(nn.Module):
    """Residual block of two normalised convolutions."""

    def __init__(self, config: GeneratorConfig, width: int, inner: int) -> None:
        super().__init__()
        self.first = Normalised(config, width, inner)
        self.second = Normalised(config, inner, width)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """(B, width, H, W), (B, code) -> the same shape."""
        y: Tensor = self.second(F.relu(self.first(x, code)), code)
        return x + y


class Generator(nn.Module):
    """Paint a frame in a style, and stay near the last painted picture where it can be trusted."""

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        block = config.factor**2  # pixels of a block
        fine, coarsest = config.widths[0], config.coarsest
        steps = list(pairwise(config.widths))
        self.stem = Normalised(config, 3 * block, fine, kernel=1)
        self.memory = Modulated(config, 3 * block + 1, fine, kernel=1)
        # How much of the grain, and of each band of the relief, each channel sees.
        self.canvas = nn.Linear(config.code, fine)
        self.bands = nn.Linear(config.code, BANDS * fine)
        self.down = nn.ModuleList(Normalised(config, a, b, stride=2) for a, b in steps)
        self.up = nn.ModuleList(Modulated(config, b, a, kernel=1) for a, b in steps)
        # Normalised where it is cheap: without it, all but one channel died in training, unseen.
        self.mix = nn.ModuleList(
            Normalised(config, width, width)
            if level
            else Modulated(config, width, width, config.mix_kernel)
            for level, width in enumerate(config.widths)
        )
        self.blocks = nn.ModuleList(_blocks(config, level) for level in range(coarsest + 1))
        # A line is where a pixel is darker than some bound: of what the features and the pixels say
        # together a hidden layer makes more than their sum.
        self.expand = Modulated(config, fine, config.expanded)
        self.expand_detail = Modulated(config, 4 * block, config.expanded, kernel=1)
        self.head = Modulated(config, config.expanded, 3 * block, kernel=1)
        self.detail = Modulated(config, 4 * block, 3 * block, kernel=1)
        for layer in (self.canvas, self.bands):
            _start_small(layer)
            nn.init.normal_(_bias(layer), std=0.3)
        _alike_subpixels(self.head, block)
        _begin_with_relief(self.detail, block)

    def forward(
        self,
        frame: Tensor,
        carried: Tensor,
        trust: Tensor,
        grain: Tensor,
        code: Tensor,
    ) -> Tensor:
        """Paint a batch of frames.

        frame, carried: (B, 3, H, W), values 0..1, sides multiples of `config.multiple`; carried is
        the last painted picture moved to where things are now. trust: (B, 1, H/factor, W/factor),
        0..1. Both all zero where there is no last picture. grain: the strokes of the canvas, as
        large as trust, -1..1. code: (B, code). Returns (B, 3, H, W), 0..1; while training slightly
        beyond, so that a saturated pixel can still be moved.
        """
        factor = self.config.factor
        source = F.pixel_unshuffle(frame, factor)
        last = F.pixel_unshuffle(carried, factor)
        memory = self.memory(torch.cat([last, trust], 1) - 0.5, code)
        laid = grain * self.canvas(code)[..., None, None]
        shares = self.bands(code).reshape(len(code), -1, BANDS)
        laid = laid + torch.einsum("bcn,bnhw->bchw", shares, bands(frame, factor))
        skips = [F.relu(self.stem(source - 0.5, code) + memory + laid)]
        for down in self.down:
            skips.append(F.relu(down(skips[-1], code)))
        x = skips[-1]
        for level, skip in reversed(list(enumerate(skips))):
            if level < self.config.coarsest:
                x = F.interpolate(self.up[level](x, code), scale_factor=2.0, mode="nearest")
                x = F.relu(x + skip)
            x = F.relu(self.mix[level](x, code))
            for block in cast(nn.ModuleList, self.blocks[level]):
                x = block(x, code)
        new = self._paint(x, source, F.pixel_unshuffle(relief(frame), factor), code)
        return F.pixel_shuffle(new + self.config.carry * trust * (last - new), factor)

    def _paint(self, x: Tensor, source: Tensor, grey: Tensor, code: Tensor) -> Tensor:
        """Return the new picture, (B, 3 block, h, w)."""
        block = self.config.factor**2
        # What the frame's pixels differ by within a block goes straight to the head; the colour of
        # the block does not, or the source's palette would be copied before the style's is learned.
        colours = source.reshape(-1, 3, block, *source.shape[2:])
        within = (colours - colours.mean(2, keepdim=True)).flatten(1, 2)
        detail = torch.cat([within, grey], 1)
        hidden = F.relu(self.expand(x, code) + self.expand_detail(detail, code))
        new = in_palette(self.head(hidden, code) + self.detail(detail, code), code)
        inside = new.clamp(0, 1)
        # A trickle of the overshoot keeps a gradient alive where clamping alone would end it.
        return inside + 0.05 * (new - inside) if self.training else inside


def in_palette(z: Tensor, code: Tensor) -> Tensor:
    """Give colours of mean 0 and deviation 1 the style's: (B, 3 block, h, w), (B, code) -> same.

    A matrix and a shift, read off the code's first entries, so that every style's palette is right
    from the first step and what is learned is how to paint. It folds into the head.
    """
    means, root = palette(code[:, :PALETTE].detach())
    # In bfloat16 neighbouring grey levels would be one.
    with torch.autocast("cuda", enabled=False):
        apart = z.float().reshape(len(z), 3, -1, *z.shape[2:])
        colours = torch.einsum("bij,bjphw->biphw", root, apart)
        return (colours + means[:, :, None, None, None]).flatten(1, 2)


def palette(entries: Tensor) -> tuple[Tensor, Tensor]:
    """(B, PALETTE) entries of codes -> means (B, 3) and root of the covariance (B, 3, 3), 0..1."""
    means, deviations = entries[:, :3] / (4 * SCALE) + 0.5, entries[:, 3:6] / (4 * SCALE)
    red_green, red_blue, green_blue = (entries[:, 6:] / SCALE).unbind(1)
    one = torch.ones_like(red_green)
    rows = [one, red_green, red_blue, red_green, one, green_blue, red_blue, green_blue, one]
    together = torch.stack(rows, 1).reshape(-1, 3, 3)
    covariance = together * deviations[:, :, None] * deviations[:, None, :]
    # The symmetric root turns colours no more than needed: what is red stays the reddest there is.
    return means, power(covariance, 0.5, LEAST_DEVIATION)


def _blocks(config: GeneratorConfig, level: int) -> nn.ModuleList:
    width, inner = config.widths[level], config.inner[level]
    return nn.ModuleList(Block(config, width, inner) for _ in range(config.blocks[level]))


def _bias(layer: nn.Conv2d | nn.Linear) -> Tensor:
    assert layer.bias is not None
    return layer.bias


def _start_small(style: nn.Linear, rank: int = 0) -> None:
    """Let every style begin near the same layer; shares of kernels, the last, differ at once."""
    nn.init.normal_(style.weight, std=0.01)
    nn.init.normal_(style.weight[len(style.weight) - rank :], std=0.5)
    nn.init.zeros_(_bias(style))


def _begin_with_relief(layer: Modulated, block: int) -> None:
    """Start with a little of the relief, in grey, where it is; and nothing else of the frame."""
    nn.init.zeros_(layer.style.weight)
    nn.init.zeros_(layer.conv.weight)
    places = torch.arange(block)
    for colour in range(3):
        layer.conv.weight.data[colour * block + places, 3 * block + places, 0, 0] = 1.0


def _alike_subpixels(layer: Modulated, block: int) -> None:
    """Start all sub-pixels of a channel alike (ICNR, Aitken et al. 2017): no grid to unlearn."""
    weight = layer.conv.weight.data[::block].clone() * 0.3
    layer.conv.weight.data.copy_(weight.repeat_interleave(block, dim=0))
    nn.init.zeros_(layer.style.weight)
