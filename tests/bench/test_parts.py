"""The parts that measure: work and roof, memory and watts, the machine, the fresh process."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vstyle.bench import machine, meters, roofline, worker
from vstyle.bench.parse import parse
from vstyle.bench.records import NOISY, Roof, Work, percentiles, repeated, spent
from vstyle.errors import CheckpointError, DeviceError, VstyleError


def test_the_work_of_a_convolution_is_counted() -> None:
    """2 K K C_in C_out H W operations; input, weights, bias and output pass through memory."""
    x, w = torch.empty(1, 8, 20, 30, device="meta"), torch.empty(16, 8, 3, 3, device="meta")
    b = torch.empty(16, device="meta")
    found = roofline.count(lambda: F.relu(F.conv2d(x, w, b, padding=1)), 4)
    assert found.gflop * 1e9 == pytest.approx(2 * 9 * 8 * 16 * 20 * 30)
    numbers = 8 * 600 + 16 * 8 * 9 + 16 + 16 * 600
    assert found.mbytes * 1e6 == pytest.approx(4 * numbers)


def test_the_work_of_a_model_grows_with_the_picture_and_its_numbers() -> None:
    """Four times the pixels, four times the operations; half the bytes in half precision."""
    small, large = (roofline.work_of("student", *size, "fp32") for size in ((96, 160), (192, 320)))
    half = roofline.work_of("student", 96, 160, "fp16")
    least = (roofline.work_of("teacher", side, side, "fp32") for side in (1, 16, 32))
    assert len({work.gflop for work in least if work}) == 1  # as engines pad it
    assert small is not None
    assert large is not None
    assert half is not None
    assert large.gflop == pytest.approx(4 * small.gflop, rel=0.01)
    assert half.mbytes == pytest.approx(small.mbytes / 2)
    assert roofline.work_of("no such model", 96, 160, "fp32") is None


def test_the_roof_is_a_roof() -> None:
    """Arithmetic of the shares, and figures that any machine of this century has."""
    roof = roofline.measure_roof("cpu", ["fp32", "uint8"])
    assert roof.copy_gb_s > 0.3
    assert set(roof.matrix_gflop_s) == {"fp32"}
    assert roof.matrix_gflop_s["fp32"] > 1
    plain = Roof("cpu", 10.0, {"fp32": 100.0})
    found = roofline.reach(Work(0.5, 20.0), 10.0, "fp32", plain)
    assert (found.gflop_s, found.gb_s) == pytest.approx((50, 2))
    assert (found.matrix_share, found.copy_share) == pytest.approx((0.5, 0.2))
    assert roofline.reach(Work(0.5, 20.0), 10.0, "int8", plain).matrix_share is None


def test_summaries() -> None:
    """Against NumPy; a spread of more than 10 % is noise."""
    assert repeated([9.0, 10, 12]).median == 10
    assert repeated([9.0, 10, 12]).spread == pytest.approx(0.3)
    assert repeated([10.0]).spread == 0 < NOISY
    times = np.random.default_rng(0).exponential(0.01, 500)
    found = spent(times.tolist())
    assert found.p95 == pytest.approx(1000 * np.quantile(times, 0.95))
    assert found.median == percentiles(times.tolist())[50]
    assert percentiles(times.tolist())[100] == pytest.approx(1000 * times.max())


def test_the_most_memory_is_remembered() -> None:
    """Also after it was given back; and of a fresh process only its own."""
    before = meters.peak_rss()
    ballast = np.ones(12_500_000)  # 100 MB
    del ballast
    after = meters.peak_rss()
    assert before is not None
    assert after is not None
    held = "import numpy; a = numpy.ones(12_500_000); from vstyle.bench import meters; "
    own = subprocess.run(
        [sys.executable, "-c", held + "print(meters.peak_rss())"], capture_output=True, check=True
    )
    assert 100 < float(own.stdout) < 250
    assert after >= max(before, 100)


def test_the_time_of_children_counts() -> None:
    before = meters.cpu_seconds()
    subprocess.run([sys.executable, "-c", "sum(range(10**7))"], check=True)
    assert meters.cpu_seconds() - before > 0.05


def test_the_power_of_packages(tmp_path: Path) -> None:
    """Energy over time, summed over packages, also when a counter begins anew; else None."""
    for number, start in enumerate((1_000_000, 9_000_000)):
        folder = tmp_path / f"intel-rapl:{number}"
        folder.mkdir()
        (folder / "energy_uj").write_text(str(start))
        (folder / "max_energy_range_uj").write_text("9999999")
    begin = time.perf_counter()
    reading = meters.packages(tmp_path)
    begun = time.perf_counter()
    time.sleep(0.1)
    (tmp_path / "intel-rapl:0" / "energy_uj").write_text("3000000")
    (tmp_path / "intel-rapl:1" / "energy_uj").write_text("1000000")
    end = time.perf_counter()
    watts = reading()
    assert watts is not None
    assert 4 / (time.perf_counter() - begin) <= watts <= 4 / (end - begun)
    assert meters.packages(tmp_path / "none")() is None


def test_the_power_of_a_gpu_is_the_mean_of_what_its_program_says() -> None:
    """A program that prints numbers, as the driver's does; None if there is no such program."""
    says = "import time; print('40\\n[N/A]\\n60', flush=True); time.sleep(60)"
    with meters.sampled([sys.executable, "-c", says]) as reading:
        until = time.monotonic() + 30
        while reading() is None and time.monotonic() < until:
            time.sleep(0.05)
        assert reading() == 50
    with meters.sampled(["no-such-program"]) as reading:
        assert reading() is None


def test_the_commit_is_the_checkouts_own(tmp_path: Path) -> None:
    """Also when it was changed; a folder inside another checkout has none."""
    git = ["git", "-C", str(tmp_path), "-c", "user.name=n", "-c", "user.email=e"]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "a").write_text("1")
    subprocess.run([*git, "add", "a"], check=True)
    subprocess.run([*git, "commit", "-qm", "one"], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=True)
    assert machine.commit(tmp_path) == head.stdout.strip()
    (tmp_path / "a").write_text("2")
    assert machine.commit(tmp_path) == head.stdout.strip() + "-dirty"
    (tmp_path / "inner").mkdir()
    assert machine.commit(tmp_path / "inner") is None


def test_the_machine_is_described() -> None:
    found = json.loads(json.dumps(machine.environment()))
    assert found["libraries"]["torch"] == torch.__version__
    assert 1 <= found["cpu"]["usable_cores"] <= found["cpu"]["cores"]
    assert found["threads"]["torch"] == torch.get_num_threads()
    assert len(found["gpus"]) == torch.cuda.device_count()


def test_an_error_crosses_from_the_fresh_process() -> None:
    """With its kind, its message and its hint."""
    task = {"kind": "speed", "clip": "c", "shows": "c", "output": "o", "runs": 1}
    with pytest.raises(CheckpointError, match="picasso") as caught:
        worker.run({**task, "model": "picasso", "style": "great-wave", "device": "cpu"})
    assert "student" in caught.value.hint


@pytest.mark.parametrize(
    ("script", "error", "words"),
    [
        ("kill -9 $$", DeviceError, "killed"),
        ("echo oh; echo it broke >&2; exit 7", VstyleError, "code 7: it broke"),
    ],
)
def test_a_process_that_dies_is_a_row_that_failed(
    script: str, error: type[VstyleError], words: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Killed for its memory, or crashed: the reason is told, and nothing hangs."""
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    with pytest.raises(error, match=words):
        worker.run({"kind": "roof"})


def _workers(children: set[int]) -> set[int]:
    """Return those of the processes that measure a row."""
    found = set()
    for child in children:
        with suppress(OSError):
            if b"vstyle.bench.worker" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.add(child)
    return found


def test_ctrl_c_ends_the_fresh_process_too(tmp_path: Path, children_of) -> None:
    """Nothing is left: no process, no clip."""
    code = "import sys; from vstyle.cli.app import main; sys.argv[0] = 'vstyle'; main()"
    words = ["bench", "--size", "64x48", "--quiet", "--device", "cpu", "--style", "great-wave"]
    process = subprocess.Popen(
        [sys.executable, "-c", code, *words], env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    until = time.monotonic() + 60
    while not (workers := _workers(children_of(process.pid))) and time.monotonic() < until:
        time.sleep(0.02)
    assert workers
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert not any(Path(f"/proc/{each}").exists() for each in workers)
    assert not list(tmp_path.iterdir())


@dataclass(frozen=True)
class Small:
    name: str
    values: tuple[float, ...]
    more: dict[str, int] | None = None


def test_records_come_back() -> None:
    assert parse(Small, {"name": "a", "values": [1, 2.5]}) == Small("a", (1.0, 2.5))
    assert parse(Small, {"name": "a", "values": [], "more": {"b": 1}}).more == {"b": 1}


@pytest.mark.parametrize(
    "value",
    [
        None, [], {}, {"name": "a"}, {"name": 1, "values": []}, {"name": "a", "values": 1},
        {"name": "a", "values": [True]}, {"name": "a", "values": [], "other": 1},
        {"name": "a", "values": [], "more": {"b": 1.5}},
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="Small"):
        parse(Small, value)
