"""A long clip takes no more memory than a short one."""

import gc
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from fidelity.ledger import MEMORY, Enter

from vstyle.video.decode import Frame, open_clip

SETTLED = 1000  # frames
MOST = 1.0  # 1e6 bytes for 1,000 frames


def held(process: int) -> float:
    """Return how much memory a process holds, in 1e6 bytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024 / 1e6


def test_no_frame_waits_for_the_collector_of_cycles(cfr: Path) -> None:
    """Of 20 decoded frames none is left when they were seen, but the first, which was asked."""
    gc.collect()
    gc.disable()
    try:
        with open_clip(cfr) as source:
            assert sum(isinstance(item, Frame) for item in source.items) == 20
        # By type(): isinstance would wake what other modules hold as proxies.
        left = sum(type(each) is av.VideoFrame for each in gc.get_objects())
    finally:
        gc.enable()
    assert left <= 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("painter", "size", "frames"),
    [("--model identity", "64x48", 5000), ("--style great-wave", "160x96", 2500)],
)
def test_memory_does_not_grow(
    painter: str,
    size: str,
    frames: int,
    *,
    tmp_path: Path,
    ffmpeg: Callable[..., None],
    enter: Enter,
) -> None:
    clip = tmp_path / "long.mp4"
    picture = f"testsrc2=s={size}:r=25:d={frames // 25},format=yuv420p"
    ffmpeg(
        *("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", f"sine=d={frames // 25}"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", clip),
    )
    words = ["stylize", str(clip), *painter.split(), "-o", str(tmp_path / "out.mkv")]
    words += ["--codec", "mpeg4", "--device", "cpu", "--progress", "json"]
    with subprocess.Popen(
        [sys.executable, "-m", "vstyle", *words], stderr=subprocess.PIPE, text=True
    ) as run:
        assert run.stderr is not None
        told = (json.loads(line) for line in run.stderr if line.startswith('{"frame"'))
        points = [(each["frame"], held(run.pid)) for each in told if each["frame"] > SETTLED]
    assert run.returncode == 0
    numbers, memory = np.transpose(points)
    assert numbers[-1] > 0.9 * frames
    slope = float(np.polyfit(numbers / 1000, memory, 1)[0])
    assert slope < MOST
    found = f"grows by less than {MOST:g} MB for 1,000 frames"
    enter(MEMORY, painter, f"{frames:,} frames of {size}, with sound", found)
