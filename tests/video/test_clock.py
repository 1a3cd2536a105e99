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
    assert all(abs(b - a - 0.04) < 0.06 for (a, _), (b, _) in pairwise(frames))
    return [time for time, level in frames if level > 200]


def beeps(path: Path, pause: float = 0.06) -> list[float]:
    with av.open(str(path)) as container:
        heard = [(f.time, float(np.abs(f.to_ndarray()).max())) for f in container.decode(audio=0)]
    assert all(0 < b - a < pause for (a, _), (b, _) in pairwise(heard))
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


@pytest.mark.parametrize("starts", [(10, 500), (500, 10), (10, 60000)])
def test_recordings_of_other_times_follow_each_other(
    starts: tuple[float, float], one: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    both, painted = tmp_path / "both.ts", tmp_path / "out.mkv"
    for start in starts:
        part = tmp_path / f"{start}.ts"
        ffmpeg("-i", one, "-c", "copy", "-output_ts_offset", str(start), part)
        with both.open("ab") as file:
            file.write(part.read_bytes())
    assert stylize(both, painted, Identity).frames == 100
    assert flashes(painted) == pytest.approx([1, 3], abs=0.1)
    assert beeps(painted) == pytest.approx(flashes(painted), abs=0.06)


def test_a_recording_without_sound_between_two_with_it(
    one: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    part, mute, painted = (tmp_path / name for name in ("part.ts", "mute.ts", "out.mkv"))
    ffmpeg("-i", one, "-c", "copy", part)
    ffmpeg("-i", one, "-c", "copy", "-an", mute)
    (tmp_path / "all.ts").write_bytes(b"".join(map(Path.read_bytes, (part, mute, part))))
    stylize(tmp_path / "all.ts", painted, Identity)
    assert flashes(painted) == pytest.approx([1, 3, 5], abs=0.1)
    assert beeps(painted, pause=3) == pytest.approx([1, 5], abs=0.1)


def moved(stream: bytes, number: int, seconds: float) -> bytes:
    """Return a transport stream with the times of one of its pictures wrong by some seconds."""
    data, count = bytearray(stream), 0
    for at in range(0, len(data), 188):
        pid, begins = (data[at + 1] & 31) << 8 | data[at + 2], data[at + 1] & 64
        head = at + 4 + (1 + data[at + 4] if data[at + 3] & 32 else 0)
        if pid != 256 or not begins or data[head : head + 3] != b"\0\0\1":
            continue
        if count == number:
            for there, place in ((0x80, head + 9), (0x40, head + 14)):
                if data[head + 7] & there:
                    a, b, c, d, e = data[place : place + 5]
                    time = (a >> 1 & 7) << 30 | b << 22 | c >> 1 << 15 | d << 7 | e >> 1
                    time += round(seconds * 90000)
                    data[place : place + 5] = bytes([
                        a & 0xF1 | (time >> 30 & 7) << 1, time >> 22 & 255,
                        time >> 14 & 254 | 1, time >> 7 & 255, time << 1 & 254 | 1,
                    ])  # fmt: skip
        count += 1
    return bytes(data)


@pytest.mark.parametrize("seconds", [-5, 5, 50])
def test_one_wrong_time_moves_nothing_else(
    seconds: float, one: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    part, painted = tmp_path / "part.ts", tmp_path / "out.mkv"
    ffmpeg("-i", one, "-c", "copy", "-output_ts_offset", "100", part)
    (tmp_path / "wrong.ts").write_bytes(moved(part.read_bytes(), 10, seconds))
    assert (tmp_path / "wrong.ts").read_bytes() != part.read_bytes()
    stylize(tmp_path / "wrong.ts", painted, Identity)
    with av.open(str(painted)) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert len(times) == 50
    assert times[-1] - times[0] == pytest.approx(1.96, abs=0.1 if abs(seconds) > 10 else 6)


def test_what_ffmpeg_reads_itself_is_said_not_to_follow(
    one: Path, tmp_path: Path, ffmpeg: Ffmpeg
) -> None:
    part, both = tmp_path / "part.ts", tmp_path / "both.ts"
    ffmpeg("-i", one, "-c:v", "copy", "-c:a", "eac3", part)
    both.write_bytes(part.read_bytes() * 2)
    said = stylize(both, tmp_path / "out.mkv", Identity).notes
    assert [note for note in said if "begins again" in note and "stream 1" in note]
    assert not [n for n in stylize(part, tmp_path / "o.mkv", Identity).notes if "again" in n]


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
