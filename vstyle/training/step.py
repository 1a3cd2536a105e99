"""One step of training, done: what it cost, how long it took, and what was painted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor


class Numbers:
    """Numbers on their way from the device, which nobody waits for until they are asked for."""

    def __init__(self, names: tuple[str, ...], values: Tensor) -> None:
        """`values` is (len(names),)."""
        self.names = names
        on_gpu = values.device.type == "cuda"
        self.values = torch.empty(values.shape, pin_memory=on_gpu)
        self.values.copy_(values, non_blocking=on_gpu)
        self.ready = torch.cuda.Event() if on_gpu else None  # type: ignore[no-untyped-call]
        if self.ready:
            self.ready.record()

    def read(self) -> dict[str, float]:
        """Return the numbers by name."""
        if self.ready:
            self.ready.synchronize()
        return dict(zip(self.names, self.values.tolist(), strict=True))


@dataclass(frozen=True)
class Step:
    """One step. Pictures are (B, 3, H, W), values 0..1; one per frame of a film."""

    number: int  # steps done, with this one
    done: float  # share of the run that is done with it, 0..1
    size: int  # pixels
    images: int  # frames painted
    rate: float  # learning rate
    seconds: float  # since the last step
    waited: float  # seconds of these in which the data was waited for
    flops: float  # floating point operations of its networks; 0 if they were not counted
    numbers: Numbers
    frames: list[Tensor]
    style: Tensor  # (B, 3, SIDE, SIDE)
    painted: list[Tensor]

    @cached_property
    def terms(self) -> dict[str, float]:
        """The terms of the objective before weighting, their weighted total, the gradient's norm.

        On a GPU, asking for the latest step's waits until it has been computed.
        """
        return self.numbers.read()
