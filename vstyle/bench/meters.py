"""Memory, CPU time and watts, where the system tells them."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

RAPL = Path("/sys/class/powercap")
SAMPLING = 200  # milliseconds between two readings of a GPU's power

Reading = Callable[[], float | None]


def peak_rss(process: int | None = None) -> float | None:
    """Return the most memory that a process has held, this one if not told, in 1e6 bytes.

    None where the system does not tell, or the process is gone.
    """
    status = Path(f"/proc/{process or 'self'}/status")
    if status.exists():
        # Not `ru_maxrss`: on Linux it begins with the size of the process that started this one.
        for line in status.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    if process:
        return None
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


def cpu_seconds() -> float:
    """Return the time that all cores spent on this process and on those it has waited for."""
    return sum(os.times()[:4])


@contextmanager
def power(device: str) -> Iterator[Reading]:
    """Measure while the block lasts: the reading is the mean power so far, in watts, or None.

    Of a CUDA device its own, as its driver tells it; else that of the CPU packages (RAPL).
    """
    if device.startswith("cuda"):
        query = "--query-gpu=power.draw", "--format=csv,noheader,nounits", f"-lms={SAMPLING}"
        with sampled(["nvidia-smi", "-i", _card(device), *query]) as reading:
            yield reading
    else:
        yield packages(RAPL)


def _card(device: str) -> str:
    """Return what the driver calls a CUDA device: its numbers need not be torch's."""
    import torch

    return f"GPU-{torch.cuda.get_device_properties(device).uuid}"


@contextmanager
def sampled(command: Sequence[str]) -> Iterator[Reading]:
    """Run a program that prints one number of watts a line; the reading is their mean."""
    with tempfile.TemporaryFile("w+") as said:
        try:
            process = subprocess.Popen(command, stdout=said, stderr=subprocess.DEVNULL)
        except OSError:
            yield lambda: None
            return

        def reading() -> float | None:
            said.seek(0)
            values = [float(line) for line in said.read().split("\n") if _is_number(line)]
            return statistics.fmean(values) if values else None

        try:
            yield reading
        finally:
            process.kill()
            process.wait()


def packages(folder: Path) -> Reading:
    """Begin to measure the power of the CPU packages under `folder`, as Linux counts it there."""
    counters = sorted(folder.glob("intel-rapl:[0-9]/energy_uj"))
    ranges = [path.with_name("max_energy_range_uj") for path in counters]
    try:
        before = [int(path.read_text(encoding="utf-8")) for path in counters]
        limits = [int(path.read_text(encoding="utf-8")) for path in ranges]
    except (OSError, ValueError):  # only root may read them
        return lambda: None
    begin = time.perf_counter()

    def reading() -> float | None:
        now = [int(path.read_text(encoding="utf-8")) for path in counters]
        # The counters begin again at zero when they are full.
        used = sum((b - a) % (limit + 1) for a, b, limit in zip(before, now, limits, strict=True))
        return used / 1e6 / (time.perf_counter() - begin) if counters else None

    return reading


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
