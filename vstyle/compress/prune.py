"""A model without the channels that matter least.

What is taken out lies within the residual blocks, between their two convolutions: nothing else of
the network sees it, so whole channels go, and what is left is an ordinary smaller network. All
blocks of a level keep the same number, which the config holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from vstyle import checkpoint
from vstyle.compress.calibrate import FRAMES, Sample
from vstyle.compress.quantize import load_whole
from vstyle.engine.build import style_code
from vstyle.engine.eager import Eager
from vstyle.models.build import from_arrays
from vstyle.models.config import GeneratorConfig, block_names, parse
from vstyle.models.generator import EDGE, Block, Generator
from vstyle.models.tensors import Tensors
from vstyle.styles import Code
from vstyle.video.flow import track
from vstyle.video.paint import paint

STEP = 8  # channels; engines compute several at a time, and a smaller step would save nothing

Importance = Mapping[str, NDArray[np.floating[Any]]]
"""Of every inner channel of every block, by the block's name: (inner,)."""


def prune(
    model: Path, samples: Sequence[Sample], share: float, output: Path
) -> tuple[GeneratorConfig, GeneratorConfig]:
    """Write a model without `share` (0..1) of its blocks' work; return both sizes.

    Importance is measured on the samples with the recurrence running.
    Raises CheckpointError for the model, UsageError if it is in int8 or has no code of a style,
    OSError for the output.
    """
    found = load_whole(model)
    codes = [style_code(found, sample.style, model.stem) for sample in samples]
    networks = from_arrays(found.header.config, found.tensors)
    config = networks.generator.config
    kept = choose(importance(networks.generator, codes, samples), config, share)
    tensors = without(found.tensors, kept)
    inner = tuple(
        len(kept[names[0]]) if (names := block_names(config, level)) else before
        for level, before in enumerate(config.inner)
    )
    header = replace(
        found.header,
        config=found.header.config | {"generator": asdict(config) | {"inner": list(inner)}},
        provenance=found.header.provenance | {"pruned_from": model.name, "pruned_share": share},
    )
    checkpoint.save(output, header, tensors)
    return config, parse(checkpoint.describe(output).config)[0]


def importance(
    generator: Generator, codes: Sequence[Code], samples: Sequence[Sample]
) -> Importance:
    """Return each channel's share of what its block puts out, mean over frames: (inner,) each.

    The mean square, over places, of what the channel adds to the block's result, over that of the
    result itself (variances, since the normalisation takes off means).
    """
    found: dict[str, list[NDArray[np.floating[Any]]]] = {}

    def look(name: str) -> Any:
        def seen(block: Block, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
            found.setdefault(name, []).append(_shares(block, *inputs, output).numpy())

        return seen

    blocks = [(name, each) for name, each in generator.named_modules() if isinstance(each, Block)]
    hooks = [block.register_forward_hook(look(name)) for name, block in blocks]
    try:
        for code, sample in zip(codes, samples, strict=True):
            engine = Eager(generator, torch.from_numpy(code))
            for _ in paint(track(sample.frames[:FRAMES]), engine):
                pass
    finally:
        for hook in hooks:
            hook.remove()
    return {name: np.mean(shares, 0) for name, shares in found.items()}


def _shares(block: Block, x: Tensor, code: Tensor, output: Tensor) -> Tensor:
    """Return the inner channels' shares of a block's output for one frame: (inner,)."""
    inner = F.relu(block.first(x, code))
    second = block.second
    scale, _, shares = (part[0, :, 0, 0] for part in second.settings(code))
    weight = second.kernel(shares)
    channels, side = weight.shape[1:3]
    pad = side // 2
    padded = F.pad(inner, (pad, pad, pad, pad), mode=EDGE)
    patches = F.unfold(padded, side)
    patches = patches.view(channels, side * side, -1)
    patches = patches - patches.mean(2, keepdim=True)
    together = patches @ patches.transpose(1, 2) / patches.shape[2]
    kernels = weight.flatten(2)
    # The variance of a linear function of the patch: w C w.
    added = torch.einsum("oci,cij,ocj->oc", kernels, together, kernels)
    whole = F.conv2d(padded, weight)[0].var((1, 2), unbiased=False) + 1e-5
    energy = (added * ((1 + scale).square() / whole)[:, None]).sum(0)
    parts: Tensor = energy / output[0].var((1, 2), unbiased=False).sum().clamp_min(1e-12)
    return parts


def choose(
    importance: Importance, config: GeneratorConfig, share: float
) -> dict[str, NDArray[np.intp]]:
    """Return the inner channels that each block keeps, in their order, by the block's name.

    Channels go STEP by STEP, always from that level where least importance is lost for the work
    that is saved, until `share` (0..1) of the work of all blocks is saved or STEP are left.
    """
    ranked = {name: np.argsort(-values, kind="stable") for name, values in importance.items()}
    names = [block_names(config, level) for level in range(config.coarsest + 1)]
    left = list(config.inner)
    # Multiplications per frame and inner channel, but for a factor; each level has a quarter of the
    # places of the one before.
    work = [
        len(blocks) * width / 4**at
        for at, (blocks, width) in enumerate(zip(names, config.widths, strict=True))
    ]
    goal = (1 - share) * float(np.dot(work, left))

    def price(at: int) -> float:
        ends = left[at] - _step(left[at]), left[at]
        lost = sum(importance[name][ranked[name][slice(*ends)]].sum() for name in names[at])
        return float(lost / (work[at] * _step(left[at])))

    while np.dot(work, left) > goal:
        levels = [at for at in range(len(names)) if names[at] and left[at] > STEP]
        if not levels:
            break
        cheapest = min(levels, key=price)
        left[cheapest] -= _step(left[cheapest])
    return {
        name: np.sort(ranked[name][: left[at]])
        for at, blocks in enumerate(names)
        for name in blocks
    }


def _step(count: int) -> int:
    """Return how many of `count` channels go next, so that a multiple of STEP is left."""
    return count % STEP or STEP


def without(tensors: Tensors, kept: Mapping[str, NDArray[np.intp]]) -> dict[str, NDArray[Any]]:
    """Return a model's tensors with the `kept` inner channels of its blocks only."""
    found = dict(tensors)
    for name, keep in kept.items():
        first, second = f"generator.{name}.first", f"generator.{name}.second"
        inner = len(tensors[f"{first}.conv.weight"])
        for part in ("conv", "columns"):
            found[f"{first}.{part}.weight"] = tensors[f"{first}.{part}.weight"][keep]
        for end in ("weight", "bias"):
            style = tensors[f"{first}.style.{end}"]
            # The style's scales, its shifts, and the shares of kernels.
            rest = np.arange(2 * inner, len(style))
            found[f"{first}.style.{end}"] = style[np.concatenate([keep, inner + keep, rest])]
        for part in ("conv", "filters"):
            found[f"{second}.{part}.weight"] = tensors[f"{second}.{part}.weight"][:, keep]
    return found
