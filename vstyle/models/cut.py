"""A smaller generator that begins with what fits of a larger one.

Of wider layers the channels that the next layer's kernels see most of stay, of more blocks and of
more kernels for styles the first, of more levels the finest: what a student begins with is nearer
to its teacher than anything new. `grow` goes the other way.
"""

from __future__ import annotations

import copy
from itertools import pairwise

import torch
from torch import Tensor

from vstyle.models.build import Networks, new_networks
from vstyle.models.config import BANDS, GeneratorConfig, block_names
from vstyle.models.generator import Generator, Modulated, Styled
from vstyle.models.grow import fitted, lacking


def fits(small: GeneratorConfig, large: GeneratorConfig) -> bool:
    """Tell whether a generator of one size can be cut out of another."""
    return not lacking(small, large)


@torch.no_grad()
def cut(networks: Networks, config: GeneratorConfig) -> Networks:
    """Return networks of a config's sizes that begin with parts of larger ones; see `fits`.

    The encoder is a copy.
    """
    old = networks.generator
    new = new_networks(config, networks.encoder.config).generator
    ends = _ends(old, config)
    for name, (inputs, outputs) in ends.items():
        _take(_layer(new, name), _layer(old, name), inputs, outputs)
    _, fine = ends["stem"]
    bands = (BANDS * fine[:, None] + torch.arange(BANDS)).flatten()
    for into, of, rows in ((new.canvas, old.canvas, fine), (new.bands, old.bands, bands)):
        into.weight.copy_(of.weight[rows])
        into.bias.copy_(of.bias[rows])
    return Networks(new, copy.deepcopy(networks.encoder))


def _ends(old: Generator, config: GeneratorConfig) -> dict[str, tuple[Tensor, Tensor]]:
    """Return which inputs and outputs of each layer stay, by its name.

    A level has two sets of channels: those that enter its mix, and those that leave it.
    """
    entering = [_most(old, f"mix.{level}", width) for level, width in enumerate(config.widths)]
    seeing = ["expand", *(f"up.{level}" for level in range(config.coarsest))]
    leaving = [_most(old, name, width) for name, width in zip(seeing, config.widths, strict=True)]
    fine, hidden = entering[0], _most(old, "head", config.expanded)
    block = config.factor**2
    colours, blocks = torch.arange(3 * block), torch.arange(4 * block)
    ends = {
        "stem": (colours, fine),
        "memory": (torch.arange(3 * block + 1), fine),
        "expand": (leaving[0], hidden),
        "expand_detail": (blocks, hidden),
        "head": (hidden, colours),
        "detail": (blocks, colours),
    }
    for level, (finer, coarser) in enumerate(pairwise(entering)):
        ends[f"down.{level}"] = finer, coarser
        ends[f"up.{level}"] = leaving[level + 1], finer
    for level, (before, kept) in enumerate(zip(entering, leaving, strict=True)):
        ends[f"mix.{level}"] = before, kept
        for name in block_names(config, level):
            inner = _most(old, f"{name}.second", config.inner[level])
            ends[f"{name}.first"], ends[f"{name}.second"] = (kept, inner), (inner, kept)
    return ends


def _layer(generator: Generator, name: str) -> Styled:
    layer = generator.get_submodule(name)
    assert isinstance(layer, Styled)
    return layer


def _most(old: Generator, name: str, count: int) -> Tensor:
    """Return the inputs that a layer's kernels see most of, in their order: (count,)."""
    seen = _layer(old, name).conv.weight.square().sum((0, 2, 3))
    return seen.topk(count).indices.sort().values


def _take(layer: Styled, old: Styled, inputs: Tensor, outputs: Tensor) -> None:
    """Copy what a larger layer has for some of its inputs and outputs."""
    side, rank = layer.conv.weight.shape[2], len(layer.filters.weight)
    layer.conv.weight.copy_(fitted(old.conv.weight, side)[outputs][:, inputs])
    layer.filters.weight.copy_(fitted(old.filters.weight, side)[:rank, inputs])
    layer.columns.weight.copy_(old.columns.weight[outputs, :rank])
    rows = [outputs, outputs, torch.arange(rank)]
    if isinstance(layer, Modulated) and isinstance(old, Modulated):
        layer.bias.copy_(old.bias[outputs])
        rows = [inputs, *rows]
    for part in ("weight", "bias"):
        values = getattr(old.style, part).split(list(old.split))
        kept = [value[row] for value, row in zip(values, rows, strict=True)]
        getattr(layer.style, part).copy_(torch.cat(kept))
