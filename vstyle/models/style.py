"""The style encoder: a picture becomes a short code that tells the generator how to paint.

What makes a style in the sense of Gram and AdaIN is in the channel statistics of features at
several scales, wherever in the picture they occur. So the encoder is a chain of small convolutions,
and the code is a function, part linear, of the mean and deviation of every channel of every level,
the colours included.
What most pictures have in common is taken off first, and the rest brought to one scale: else all
codes would be nearly the same, and the generator slow to learn that there are styles at all.
The palette itself goes into the code unaltered: what is so simple need not be learned.
It runs once per style, never per frame.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vstyle.models.config import FAR, PALETTE, SCALE, StyleConfig


class Standardise(nn.Module):
    """Bring every number to mean 0 and deviation 1 over the training's pictures, softly bounded.

    Unlike batch norm it uses the long-term figures in training too: a batch of four styles says
    little of what styles have in common, and a picture's code must not depend on its neighbours'.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, size: int, pace: float = 0.02) -> None:
        super().__init__()
        self.pace = pace
        self.register_buffer("mean", torch.zeros(size))
        self.register_buffer("deviation", torch.ones(size))

    @property
    def fresh(self) -> bool:
        """Whether it has seen no pictures yet."""
        return not bool(self.mean.any())

    def bounded(self, x: Tensor) -> Tensor:
        """(B, size) -> (B, size)."""
        standard = (x - self.mean) / (self.deviation + 1e-4)
        # Statistics have long tails, and a linear layer would follow one outlier anywhere.
        return FAR * torch.tanh(standard / FAR)

    def forward(self, x: Tensor) -> Tensor:
        """Return the same, and in training learn from what was seen."""
        found = self.bounded(x)
        # Afterwards: of two processes that share a batch, neither sees the other's half.
        if self.training:
            with torch.no_grad():
                gap = (x - self.mean).square().mean(0).sqrt()
                self.mean.lerp_(x.mean(0), self.pace)
                self.deviation.lerp_(gap, self.pace)
        return found


class StyleEncoder(nn.Module):
    """Turn style pictures into style codes."""

    def __init__(self, config: StyleConfig) -> None:
        super().__init__()
        self.config = config
        inputs = [3, *config.widths]
        self.levels = nn.ModuleList(
            nn.Conv2d(a, b, 3, 2, padding=1) for a, b in zip(inputs, config.widths, strict=False)
        )
        self.standardise = Standardise(2 * sum(inputs))
        learned = config.code - PALETTE
        self.direct = nn.Linear(2 * sum(inputs), learned)
        self.perceptron = nn.Sequential(
            nn.Linear(2 * sum(inputs), config.hidden),
            nn.ReLU(),
            nn.Linear(config.hidden, learned),
        )
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                assert layer.bias is not None
                nn.init.zeros_(layer.bias)

    def forward(self, picture: Tensor) -> Tensor:
        """(B, 3, SIDE, SIDE), values 0..1 -> (B, code)."""
        found = self.statistics(picture)
        learned = self.learned(self.standardise(found))
        # A style unlike any other must not set the generator's layers to what they never were: no
        # code is longer than those of training are (whitened, so of length 1 per entry) on average.
        length = learned.norm(dim=1, keepdim=True) / learned.shape[1] ** 0.5
        learned = learned / length.clamp_min(1)
        return torch.cat([found[:, :6], _correlations(picture), learned], 1) * SCALE

    def statistics(self, picture: Tensor) -> Tensor:
        """(B, 3, SIDE, SIDE), values 0..1 -> the moments of all levels, (B, statistics)."""
        x = (picture - 0.5) * 4
        found = list(_moments(x))
        for level in self.levels:
            x = F.relu(level(x))
            found += _moments(x)
        return torch.cat(found, 1)

    def learned(self, standard: Tensor) -> Tensor:
        """Standardised statistics -> the learned entries of the code before they are bounded."""
        entries: Tensor = self.direct(standard) + self.perceptron(standard)
        return entries


def _correlations(picture: Tensor) -> Tensor:
    """(B, 3, H, W) -> how red goes with green, red with blue and green with blue, -1..1: (B, 3)."""
    flat = picture.flatten(2)
    flat = flat - flat.mean(2, keepdim=True)
    flat = flat / (flat.square().mean(2, keepdim=True) + 1e-4).sqrt()
    red, green, blue = flat.unbind(1)
    return torch.stack([(red * green), (red * blue), (green * blue)], 1).mean(2)


def _moments(x: Tensor) -> tuple[Tensor, Tensor]:
    """(B, C, H, W) -> mean and standard deviation of every channel, each (B, C)."""
    flat = x.flatten(2)
    # The small term keeps the root's gradient finite for a channel that is nowhere active.
    return flat.mean(2), (flat.var(2, unbiased=False) + 1e-4).sqrt()
