"""The bars of real time: which way they count, and the two sides that nothing else measures."""

import subprocess
import sys
from pathlib import Path

import pytest

from vstyle import checkpoint, styles
from vstyle.bench import meters
from vstyle.bench.clips import own_painting
from vstyle.bench.realtime import Bar, both, stylize, transcode
from vstyle.compress.calibrate import read_samples
from vstyle.compress.quantize import quantize
from vstyle.scene import Scene, write_clip
from vstyle.video.decode import Frame, open_clip


def test_a_bar_counts_in_its_direction() -> None:
    assert Bar("fps", 30, 30, least=True).met
    assert not Bar("fps", 29.9, 30, least=True).met
    assert Bar("ms", 14, 14).met
    assert not Bar("ms", 14.1, 14).met
    assert not Bar("what could not be measured", float("nan"), 1).met


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_memory_of_another_process_is_its_own() -> None:
    """A process that holds 300 MB, asked from outside; and nobody's."""
    hold = "x = bytearray(b'x' * 300_000_000); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        peak = meters.peak_rss(process.pid)
        process.communicate(b"\n")
    assert peak is not None
    assert 300 < peak < 700
    assert meters.peak_rss(process.pid) is None


def test_the_plain_side_is_a_copy(tmp_path: Path) -> None:
    """All frames are there, and time and memory were measured."""
    # Long enough that memory, looked at from time to time, is seen while there is some.
    write_clip(Scene(640, 360, frames=20), tmp_path / "film.mp4")
    plain = transcode(tmp_path / "film.mp4", tmp_path / "plain.mp4")
    assert plain.seconds > 0
    assert plain.core_seconds > 0
    assert plain.peak_mb > 1 or not Path("/proc").exists()
    with open_clip(tmp_path / "plain.mp4") as source:
        assert sum(isinstance(item, Frame) for item in source.items) == 20


def test_the_command_is_run_as_users_run_it(tmp_path: Path) -> None:
    """It paints every frame of the clip, and is at least as large as what it loads."""
    clip, target = tmp_path / "film.mp4", tmp_path / "painted.mp4"
    write_clip(Scene(96, 64, frames=3), clip)
    model = checkpoint.find_model("student-int8")
    ran = stylize(clip, model, own_painting(tmp_path), target)
    assert ran.peak_mb > 50 or not Path("/proc").exists()
    with open_clip(target) as source:
        assert sum(isinstance(item, Frame) for item in source.items) == 3


def test_both_precisions_are_timed(tmp_path: Path) -> None:
    clip, model = tmp_path / "film.mp4", tmp_path / "int8.safetensors"
    write_clip(Scene(96, 64, frames=3), clip)
    style = styles.find("great-wave")
    quantize(checkpoint.find_model("student"), read_samples([clip], [style], 3), model)
    code = tmp_path / "style.png"
    from PIL import Image

    Image.new("RGB", (300, 300), (20, 90, 200)).save(code)
    assert min(both(model, code, clip)) > 0
