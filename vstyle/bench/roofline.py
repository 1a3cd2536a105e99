"""The roofline (Williams, Waterman and Patterson 2009): what a device could do, and what is done.

The roof is measured by copying a large array and multiplying large matrices; the work of a network
is counted on its graph. Winograd's convolutions, caches and TF32 can carry a network above 100 %.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from vstyle import checkpoint, pixels
from vstyle.bench.records import Reach, Roof, Work
from vstyle.engine.folded import Folded
from vstyle.errors import CheckpointError
from vstyle.models.config import generator_shapes, parse
from vstyle.models.fold import generator_layers

BYTES = {"fp32": 4, "fp16": 2, "bf16": 2, "int8": 1}  # of one number
DTYPES = {
    "fp32": torch.float32,
    "fp16": torch.float16,
    "bf16": torch.bfloat16,
    "int8": torch.int8,
}
Timer = Callable[[Callable[[], object]], float]
"""Times one call, in seconds."""

TRIES = 5  # the best counts: a roof is what can be done, not what is usually done


def clock(device: str) -> Timer:
    """Return what times one call in seconds: by CUDA's events on a GPU, else by the clock."""
    if device == "mps":
        return _by_the_clock(torch.mps.synchronize)
    if not device.startswith("cuda"):
        return _by_the_clock(lambda: None)

    def by_events(call: Callable[[], object]) -> float:
        with torch.cuda.device(device):
            begin = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            end = torch.cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
            begin.record()
            call()
            end.record()
            end.synchronize()
            return float(begin.elapsed_time(end)) / 1000

    return by_events


def _by_the_clock(wait: Callable[[], object]) -> Timer:
    """Return what times one call, and the end of the work that it began, by the clock."""

    def timer(call: Callable[[], object]) -> float:
        begin = time.perf_counter()
        call()
        wait()
        return time.perf_counter() - begin

    return timer


@torch.inference_mode()
def measure_roof(device: str, precisions: Iterable[str]) -> Roof:
    """Measure how fast a device copies, and multiplies matrices of these precisions."""
    timed = clock(device)
    large = 1 << (28 if device.startswith("cuda") else 26)  # numbers: far more than any cache holds
    source = torch.ones(large, device=device)
    target = torch.empty_like(source)
    copy = _best(timed, lambda: target.copy_(source))
    rates = {}
    for precision in sorted(set(precisions) & set(DTYPES)):
        rate = _matrix_rate(device, DTYPES[precision], timed)
        if rate is not None:
            rates[precision] = rate
    return Roof(device, 2 * 4 * large / copy / 1e9, rates)


def _best(timed: Timer, call: Callable[[], object]) -> float:
    """Return the seconds of the fastest of some calls."""
    return min(timed(call) for _ in range(TRIES))


def _matrix_rate(device: str, kind: torch.dtype, timed: Timer) -> float | None:
    """Return the GFLOP/s of a matrix product, None where this PyTorch has no such product."""
    side = 8192 if device.startswith("cuda") else 2048
    a = torch.ones(side, side, device=device).to(kind)
    b = torch.ones(side, side, device=device).to(kind)
    product: Callable[[], object] = lambda: a @ b  # noqa: E731
    if kind == torch.int8:
        product = lambda: torch._int_mm(a, b)  # noqa: E731
    allowed = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32  # as convolutions may
    try:
        return 2 * side**3 / _best(timed, product) / 1e9
    except RuntimeError:
        return None
    finally:
        torch.backends.cuda.matmul.allow_tf32 = allowed


def work_of(model: str, height: int, width: int, precision: str) -> Work | None:
    """Count what a model's generator does for one frame; None if it has no generator of ours.

    In one style, whose settings are folded into its layers. Nothing is computed: the graph is
    walked with shapes alone.
    """
    try:
        header = checkpoint.describe(checkpoint.find_model(model))
        config, _ = parse(header.config)
        nothing = {
            f"generator.{name}": np.zeros(shape, np.float32)
            for name, shape in generator_shapes(config)
        }
        layers = generator_layers(nothing, np.zeros(config.code, np.float32))
        meta = torch.device("meta")
        generator = Folded(config, layers, meta, torch.float32)
    except (CheckpointError, ValueError):
        return None
    multiple = config.multiple
    # As engines pad it: a single place at the bottom has nothing to be normalised by.
    rows, columns = (max(2, side) * multiple for side in pixels.grid(height, width, multiple))
    factor = config.factor
    frame = torch.empty(1, 3, rows, columns, device=meta)
    places = torch.empty(1, 1, rows // factor, columns // factor, device=meta)
    return count(lambda: generator(frame, frame, places, places), BYTES.get(precision, 4))


def count(call: Callable[[], object], bytes_each: int) -> Work:
    """Count the work of the convolutions in a call on tensors without data."""
    flops, traffic = FlopCounterMode(display=False), _Traffic()
    with torch.no_grad(), flops, traffic:
        call()
    counts = flops.get_flop_counts()["Global"]
    return Work(counts[torch.ops.aten.convolution] / 1e9, traffic.numbers * bytes_each / 1e6)


class _Traffic(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the numbers that go into and come out of convolutions."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.numbers = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if func.overloadpacket is torch.ops.aten.convolution:
            touched = [value for value in (*args, out) if isinstance(value, torch.Tensor)]
            self.numbers += sum(tensor.numel() for tensor in touched)
        return out


def reach(work: Work, milliseconds: float, precision: str, roof: Roof | None) -> Reach:
    """Return how near a network comes that does `work` in so many milliseconds."""
    gflop_s, gb_s = work.gflop / milliseconds * 1e3, work.mbytes / milliseconds
    top = roof.matrix_gflop_s.get(precision) if roof else None
    return Reach(
        gflop=work.gflop,
        gflop_s=gflop_s,
        matrix_share=gflop_s / top if top else None,
        mbytes=work.mbytes,
        gb_s=gb_s,
        copy_share=gb_s / roof.copy_gb_s if roof else None,
    )
