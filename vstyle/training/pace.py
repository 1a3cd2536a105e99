"""How fast a run is, and what it waits for."""

from __future__ import annotations

import functools
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

from vstyle.training.step import Step

WORTH_ROUNDING = 1.3  # times as fast, from which on bfloat16 is taken on a CPU
SKIPPED = 5  # first steps, in which libraries choose their algorithms


class Pace:
    """Sums up the steps of a run."""

    def __init__(self) -> None:
        self.steps = self.images = 0
        self.seconds = self.waited = self.flops = 0.0

    def add(self, step: Step) -> None:
        """Take a step into account, but for the first few."""
        self.steps += 1
        if self.steps > SKIPPED:
            self.images += step.images
            self.seconds += step.seconds
            self.waited += step.waited
            self.flops += step.flops

    def words(self, device: torch.device) -> str:
        """Say it in a line; nothing if there were too few steps."""
        if not self.seconds:
            return ""
        rate, most = self.flops / self.seconds, matrix_rate(device, fast_dtype(device))
        return (
            f"{self.images / self.seconds:.3g} images per second, "
            f"{self.waited / self.seconds:.1%} of the time waiting for data, "
            f"{rate / 1e12:.3g} TFLOP/s ({rate / most:.0%} of what a large matrix product reaches)"
        )


class Counter:
    """Counts the operations of each kind of step, once: counting itself is slow."""

    def __init__(self) -> None:
        self.known: dict[object, float] = {}
        self.mode: FlopCounterMode | None = None
        self.kind: object = None

    def __call__(self, kind: object) -> Counter:
        """Name the kind of the step that is counted next."""
        self.kind = kind
        return self

    def __enter__(self) -> None:
        if self.kind not in self.known:
            self.mode = FlopCounterMode(display=False)
            self.mode.__enter__()  # type: ignore[no-untyped-call]

    def __exit__(self, *error: object) -> None:
        if self.mode:
            self.mode.__exit__(*error)  # type: ignore[no-untyped-call]
            self.known[self.kind] = float(self.mode.get_total_flops())
            self.mode = None


@functools.cache
def fast_dtype(device: torch.device) -> torch.dtype:
    """Return what VGG is computed in: bfloat16 where it is multiplied faster.

    That a processor has it does not say so: without AMX, Intel's multiply it at little more than
    half the speed of float32, AMD's at twice that speed.
    """
    if device.type == "cuda":
        return torch.bfloat16
    if device.type != "cpu" or not torch.cpu._is_avx512_bf16_supported():
        return torch.float32
    gain = matrix_rate(device, torch.bfloat16) / matrix_rate(device, torch.float32)
    return torch.bfloat16 if gain > WORTH_ROUNDING else torch.float32


def matrix_rate(device: torch.device, dtype: torch.dtype) -> float:
    """Measure the operations per second of a large product of matrices: what is within reach."""
    side = 8192 if device.type == "cuda" else 1024
    # Of its own randomness: that of the run is not to depend on what was measured.
    own = torch.Generator(device)
    a = torch.randn(side, side, device=device, dtype=dtype, generator=own)
    best = float("inf")
    for _ in range(5):
        _wait(device)
        start = time.perf_counter()
        a @ a
        _wait(device)
        best = min(best, time.perf_counter() - start)
    return 2 * side**3 / best


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
