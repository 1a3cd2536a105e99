"""A small generator, larger ones, and what they are given: for growing and cutting."""

from dataclasses import replace

import torch

from vstyle.models.config import GeneratorConfig

SMALL = GeneratorConfig(factor=2, widths=(8, 12), blocks=(1, 1), inner=(8, 8), rank=4, code=16)
LARGER = {
    "wider": replace(SMALL, widths=(12, 20), inner=(10, 16)),
    "deeper": replace(SMALL, blocks=(2, 3)),
    "coarser": replace(SMALL, widths=(8, 12, 16), blocks=(1, 1, 2), inner=(8, 8, 16)),
    "more kernels": replace(SMALL, rank=6),
    "more to paint from": replace(SMALL, expanded=72),
    "all": replace(SMALL, widths=(10, 16, 16), blocks=(2, 2, 1), inner=(12, 8, 4), rank=5),
}


def inputs() -> tuple[torch.Tensor, ...]:
    torch.manual_seed(1)
    blocks = torch.rand(2, 2, 16, 24)
    frames = torch.rand(2, 2, 3, 32, 48)
    return *frames, blocks[:, :1], blocks[:, 1:] * 2 - 1, torch.randn(2, SMALL.code)
