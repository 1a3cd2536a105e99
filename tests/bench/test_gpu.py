"""On a CUDA device the same is measured, by the device's own clock and memory."""

import time
from pathlib import Path

import pytest
import torch

from vstyle.bench import roofline, speed
from vstyle.bench.records import Failure, Roof, Speed

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


def test_events_time_what_the_device_does() -> None:
    """Not only how long it takes to ask for it: as long as waiting for the result takes."""
    a = torch.ones(4096, 4096, device="cuda:0")
    timed = roofline.clock("cuda:0")
    timed(lambda: a @ a)
    found = min(timed(lambda: a @ a) for _ in range(5))
    torch.cuda.synchronize()
    begin = time.perf_counter()
    for _ in range(5):
        a @ a
    torch.cuda.synchronize()
    assert found == pytest.approx((time.perf_counter() - begin) / 5, rel=0.5)


def test_a_row_on_a_gpu(cfr: Path, tmp_path: Path) -> None:
    """It has memory, and a roof in its own precision, below which the network stays."""
    wanted = speed.Wanted(("student",), ("cuda:0",), (None,), cfr, "great-wave", 2)
    found = list(speed.measure(wanted, tmp_path))
    assert not [each for each in found if isinstance(each, Failure)]
    (row,) = (each for each in found if isinstance(each, Speed))
    (roof,) = (each for each in found if isinstance(each, Roof))
    assert row.device == roof.device == "cuda:0"
    assert row.gpu_memory_mb
    assert roof.matrix_gflop_s[row.precision] > 100
    assert roof.copy_gb_s > 20
