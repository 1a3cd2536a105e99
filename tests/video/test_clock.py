"""Recordings put one after the other are one: pictures and sound go on, and stay together."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from vstyle.engine.base import Identity
from vstyle.video.stylize import stylize

Ffmpeg = Callable[..., None]


@pytest.fixture
def one(tmp_path: Path, ffmpeg: Ffmpeg) -> Path:
    """Make two seconds with a flash and a beep at 1 s."""
    path = tmp_path / "one.mkv"
    flash = "color=gray:s=64x48:r=25:d=2,drawbox=c=white:t=fill:enable='between(t,1,1.03)'"
    beep = "aevalsrc='if(between(t,1,1.04),0.8,0.02)*sin(2*PI*1000*t)':d=2:s=48000"
    video = ["-c:v", "mpeg2video", "-q:v", "1", "-g", "5", "-pix_fmt", "yuv420p"]
    ffmpeg("-f", "lavfi", "-i", flash, "-f", "lavfi", "-i", beep, *video, "-c:a", "mp2", path)
    return path


def flashes(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        frames = [(f.time, f.to_ndarray(format="gray").mean()) for f in container.decode(video=0)]
    assert all(abs(b - a - 0.04) < 0.03 for (a, _), (b, _) in pairwise(frames))
    return [time for time, level in frames if level > 200]


def beeps(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        heard = [(f.time, np.abs(f.to_ndarray()).max()) for f in container.decode(audio=0)]
    assert all(0 < b - a < 0.06 for (a, _), (b, _) in pairwise(heard))
    loud = [time for time, level in heard if level > heard[0][1] * 5]
    return [time for last, time in pairwise([-1.0, *loud]) if time - last > 0.5]


@pytest.mark.parametrize(("suffix", "times"), [("ts", 1), ("ts", 2), ("ts", 3), ("vob", 2)])
def test_a_clock_that_begins_again_goes_on(
    suffix: str, times: int, one: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    part, painted = tmp_path / f"part.{suffix}", tmp_path / "out.mkv"
    ffmpeg("-i", one, "-c", "copy", part)
    (tmp_path / f"all.{suffix}").write_bytes(part.read_bytes() * times)
    report = stylize(tmp_path / f"all.{suffix}", painted, Identity)
    assert report.frames == 50 * times
    assert not [note for note in report.notes if "damage" in note]
    seen, heard = flashes(painted), beeps(painted)
    assert seen == pytest.approx([1 + 2 * n for n in range(times)], abs=0.1)
    assert heard == pytest.approx(seen, abs=0.06)


def test_sound_that_stands_still_by_rounding(one: Path, tmp_path: Path, ffmpeg: Ffmpeg) -> None:
    """As ffmpeg itself makes it of such a broadcast: two packets in one millisecond."""
    source = tmp_path / "in.mkv"
    same = r"setts=pts=if(eq(N\,20)\,PREV_OUTPTS\,PTS):dts=if(eq(N\,20)\,PREV_OUTDTS\,DTS)"
    ffmpeg("-i", one, "-c", "copy", "-bsf:a", same, source)
    with av.open(str(source)) as container:
        times = [packet.pts for packet in container.demux(audio=0) if packet.size]
    assert len(times) == len(set(times)) + 1
    report = stylize(source, tmp_path / "out.mkv", Identity)
    assert not [note for note in report.notes if "damage" in note]
    assert beeps(tmp_path / "out.mkv") == pytest.approx([1], abs=0.1)
