"""A larger generator that begins by painting what a smaller one has learned to paint.

Wider layers, more blocks and coarser levels are added so that at first they change nothing, yet
learn from the first step on: what new channels hold is multiplied with zeros, new blocks are scaled
by zero, and a new level hands nothing up (the idea of Net2Net, Chen et al. 2016). Kernels alone may
shrink: a lighter generator, too, had better begin with what another has learned.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vstyle.models.build import Networks, new_networks
from vstyle.models.config import GeneratorConfig
from vstyle.models.generator import Modulated, Normalised, Styled


@torch.no_grad()
def grow(networks: Networks, config: GeneratorConfig) -> Networks:
    """Return networks whose generator has a config's sizes and paints as the given one does.

    If its kernels are smaller, it paints nearly so.

    Raises ValueError if a size is smaller, or the blocks of pixels or the codes differ.
    """
    small = networks.generator.config
    if words := lacking(small, config):
        raise ValueError(words)
    grown = new_networks(config, networks.encoder.config).generator
    known = dict(networks.generator.named_modules())
    # The blocks of a new level may do what they like: nothing of it gets out.
    silent = tuple(f"blocks.{level}." for level in range(len(small.widths)))
    for name, layer in grown.named_modules():
        old = known.get(name)
        if isinstance(layer, Styled):
            if isinstance(old, Styled):
                _widen(layer, old)
            elif name.startswith("up.") or (name.startswith(silent) and name.endswith("second")):
                _silence(layer)
        elif name in ("canvas", "bands"):
            assert isinstance(layer, nn.Linear)
            assert isinstance(old, nn.Linear)
            _overlay(layer.weight, old.weight)
            _overlay(layer.bias, old.bias)
    return Networks(grown, networks.encoder)


def lacking(small: GeneratorConfig, large: GeneratorConfig) -> str:
    """Return in words what keeps a generator of one size from being part of another; else ""."""
    if (small.factor, small.code) != (large.factor, large.code):
        return "factor and code must stay as they are"
    for field in ("widths", "blocks", "inner"):
        before, after = getattr(small, field), getattr(large, field)
        if len(after) < len(before) or any(b > a for b, a in zip(before, after, strict=False)):
            return f"{field} = {list(after)} has less than {list(before)}"
    for field in ("rank", "expanded"):
        less, more = getattr(small, field), getattr(large, field)
        if more < less:
            return f"{field} = {more} is less than {less}"
    return ""


def _widen(layer: Styled, old: Styled) -> None:
    """Put an old layer into the first channels of a wider one; they see nothing of the others."""
    _overlay(layer.conv.weight, fitted(old.conv.weight, layer.conv.weight.shape[2]))
    if isinstance(layer, Modulated) and isinstance(old, Modulated):
        _overlay(layer.bias, old.bias)
    _overlay(layer.filters.weight, fitted(old.filters.weight, layer.filters.weight.shape[2]))
    _overlay(layer.columns.weight, old.columns.weight)
    for part in ("weight", "bias"):
        new, before = getattr(layer.style, part), getattr(old.style, part)
        for into, of in zip(_parts(layer, new), _parts(old, before), strict=True):
            _overlay(into, of)


def _silence(layer: Styled) -> None:
    """Let a layer give zeros, in such a way that it still learns."""
    for values in (layer.style.weight, layer.style.bias):
        # All but the shares of kernels, whose columns are zero: of two zeros neither would learn.
        for part in _parts(layer, values)[:-1]:
            part.zero_()
    if isinstance(layer, Normalised):
        _parts(layer, layer.style.bias)[0].fill_(-1)  # the scale is 1 more than that
    else:
        layer.conv.weight.zero_()


def fitted(kernels: Tensor, side: int) -> Tensor:
    """Bring kernels of 1 or 3 taps a side to one of the two.

    Those that shrink have their taps summed, which is right where what they see is smooth.
    """
    if side < kernels.shape[2]:
        return kernels.sum((2, 3), keepdim=True)
    return F.pad(kernels, [(side - kernels.shape[2]) // 2] * 4)


def _parts(layer: Styled, values: Tensor) -> list[Tensor]:
    """Return the rows of a style's weight or bias, apart by what they set."""
    return list(torch.split(values, list(layer.split)))


def _overlay(new: Tensor, old: Tensor) -> None:
    """Write old values over the first new ones; in their rows, all further columns become 0."""
    rows = new[: len(old)]
    if new.ndim > 1:
        rows.zero_()
        rows[:, : old.shape[1]] = old
    else:
        rows.copy_(old)
