"""The command between other programs: lines of a shell, with real ffmpeg at both ends."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from vstyle.video.ffmpeg import executable

DEADLINE = 60  # seconds; only proves that nothing hangs

Shell = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """Run a line of bash in a folder of its own; `vstyle`, `ffmpeg` and clips by name."""
    monkeypatch.chdir(tmp_path)
    vstyle = shlex.join([sys.executable, "-m", "vstyle"])
    ffmpeg = shlex.join([executable(), "-hide_banner", "-loglevel", "error", "-y"])
    names = f'vstyle() {{ {vstyle} "$@"; }}; ffmpeg() {{ {ffmpeg} "$@"; }}; set -o pipefail; '

    def run(line: str, **clips: Path) -> subprocess.CompletedProcess[bytes]:
        for name, clip in clips.items():
            line = line.replace(f"{name.upper()}", shlex.quote(str(clip)))
        return subprocess.run(
            ["bash", "-c", names + line], capture_output=True, timeout=DEADLINE, check=False
        )

    return run


def pictures(path: Path) -> list[tuple[Fraction, np.ndarray]]:
    """Return when each frame is shown, in seconds, and its brightness as it is stored."""
    with av.open(str(path)) as container:
        return [
            (frame.pts * frame.time_base, frame.to_ndarray()[: frame.height])
            for frame in container.decode(video=0)
        ]


def sounds(path: Path) -> list[tuple[Fraction, bytes]]:
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(stream) if p.size]


def same(before: Path, after: Path) -> None:
    """Say that the frames are as many, at the same times, and look alike."""
    a, b = pictures(before), pictures(after)
    assert len(a) == len(b)
    shift = a[0][0] - b[0][0]
    assert max(abs(x[0] - y[0] - shift) for x, y in zip(a, b, strict=True)) <= Fraction(1, 500)
    for (_, x), (_, y) in zip(a, b, strict=True):
        assert np.abs(x.astype(int) - y).mean() < 4


LINES = {
    "sound and pictures in one pipe, both ways": (
        "ffmpeg -i IN -map 0 -c copy -f nut - | vstyle stylize - --model identity -o - "
        "| ffmpeg -f nut -i - -c:v libx264 -enc_time_base:v demux -c:a copy out.mkv"
    ),
    "sound from the file": (
        "ffmpeg -i IN -map 0:v -c copy -f nut - | vstyle stylize - --model identity -o - "
        "| ffmpeg -f nut -i - -i IN -map 0:v -map '1:a?' -map '1:s?' -c:v libx264 -c:a copy out.mkv"
    ),
    "matroska both ways": (
        "ffmpeg -i IN -c copy -f matroska - | vstyle stylize - --model identity -o - "
        "--format matroska > out.mkv"
    ),
    "mpegts in": (
        "ffmpeg -i IN -c copy -f mpegts - | vstyle stylize - --model identity -o out.mkv"
    ),
    "fragmented mp4 in": (
        "ffmpeg -i IN -c copy -movflags frag_keyframe+empty_moov -f mp4 - "
        "| tee sent.mp4 | vstyle stylize - --model identity -o out.mkv"
    ),
    "a file on standard input": "vstyle stylize - --model identity -o out.mkv < FAST",
    "a file through cat": "cat FAST | vstyle stylize - --model identity -o out.mkv",
}
SILENT = {
    "y4m in": "ffmpeg -i IN -f yuv4mpegpipe - | vstyle stylize - --model identity -o out.mkv",
    "y4m out": (
        "vstyle stylize IN --model identity -o - --format y4m | ffmpeg -i - -c:v libx264 out.mkv"
    ),
    "y4m to a player that is not there": (
        "vstyle stylize IN --model identity -o - | ffmpeg -i - -f null - "
        "&& vstyle stylize IN --model identity -o out.mkv"
    ),
}


@pytest.fixture(scope="session")
def fast(clips: Path, cfr: Path, ffmpeg: Callable[..., None]) -> Path:
    """Copy the clip `cfr` into an mp4 with its index in front."""
    path = clips / "fast.mp4"
    ffmpeg("-i", cfr, "-c", "copy", "-movflags", "+faststart", path)
    return path


@pytest.mark.parametrize("line", [*LINES, *SILENT])
def test_a_pipeline_keeps_what_goes_in(
    line: str, shell: Shell, cfr: Path, fast: Path, tmp_path: Path
) -> None:
    run = shell((LINES | SILENT)[line], fast=fast, **{"in": cfr})
    assert run.returncode == 0, run.stderr
    assert run.stdout == b""
    # Without an index in front, an mp4 of ffmpeg's has other times.
    sent = tmp_path / "sent.mp4" if (tmp_path / "sent.mp4").exists() else cfr
    same(sent, tmp_path / "out.mkv")
    if line in LINES:
        before, after = sounds(sent), sounds(tmp_path / "out.mkv")
        # From MPEG-TS, sound comes with a header on every packet.
        if "mpegts" not in line:
            assert [data for _, data in before] == [data for _, data in after]
        assert len(before) == len(after)
        offset = [x[0] - y[0] for x, y in zip(before, after, strict=True)]
        assert max(offset) - min(offset) <= Fraction(1, 500)
        shift = pictures(sent)[0][0] - pictures(tmp_path / "out.mkv")[0][0]
        assert abs(offset[0] - shift) <= Fraction(1, 500)


def test_variable_rate_goes_through_pipes(shell: Shell, vfr: Path, tmp_path: Path) -> None:
    run = shell(
        "cat VFR | vstyle stylize - --model identity -o - | "
        "ffmpeg -f nut -i - -fps_mode passthrough -enc_time_base demux out.mkv",
        vfr=vfr,
    )
    assert run.returncode == 0, run.stderr
    same(vfr, tmp_path / "out.mkv")


def test_y4m_says_that_it_drops_the_times(shell: Shell, vfr: Path) -> None:
    run = shell("vstyle stylize VFR --model identity -o - --format y4m", vfr=vfr)
    assert run.returncode == 0
    assert run.stdout.startswith(b"YUV4MPEG2 W64 H48 F")
    assert run.stdout.count(b"FRAME\n") == 30
    assert b"XCOLORRANGE=LIMITED" in run.stdout.splitlines()[0]
    assert b"times" in run.stderr


def test_an_avi_in_a_pipe_is_whole(shell: Shell, cfr: Path) -> None:
    """FFmpeg guesses its length there, and wildly."""
    line = "ffmpeg -i CFR -c copy -f avi - | vstyle stylize - --model identity -o o.mp4"
    done = shell(line, cfr=cfr)
    assert done.returncode == 0, done.stderr
    assert b"damaged" not in done.stderr


def test_a_list_of_files_is_not_eaten(shell: Shell, cfr: Path, tmp_path: Path) -> None:
    os.link(cfr, tmp_path / "a.mp4")
    os.link(cfr, tmp_path / "b.mp4")
    run = shell(
        "mkdir out; printf 'a.mp4\\nb.mp4\\n' > list; "
        'while read f; do vstyle stylize "$f" --model identity -o "out/$f"; done < list'
    )
    assert run.returncode == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a.mp4", "b.mp4"]


def test_the_plan_is_one_json_object(shell: Shell, cfr: Path, tmp_path: Path) -> None:
    line = "vstyle stylize IN --model identity -o out.mp4 --dry-run --json"
    run = shell(f"{line} | {sys.executable} -m json.tool", **{"in": cfr})
    assert run.returncode == 0
    plan = json.loads(run.stdout)
    assert plan["streams"][0] == {"kind": "video", "codec": "h264", "becomes": "libx264"}
    assert plan["streams"][1]["becomes"] == "copy"
    assert plan["colour"] == "bt709, limited range"
    assert "libx264" in plan["command"]
    assert not list(tmp_path.iterdir())


def test_a_reader_that_leaves_ends_it_quietly(shell: Shell, long_clip: Path) -> None:
    """As SIGPIPE would: 141, and not a word."""
    run = shell(
        "vstyle stylize LONG --model identity -o - | head -c 1000 >/dev/null; "
        'echo "${PIPESTATUS[@]}"',
        long=long_clip,
    )
    assert (run.stdout, run.stderr) == (b"141 0\n", b"")


def test_whatever_a_library_prints_stdout_is_video(shell: Shell, cfr: Path, tmp_path: Path) -> None:
    """An engine that prints, in Python and from C: both land on stderr."""
    (tmp_path / "chatty.py").write_text(
        "import ctypes, os, sys\n"
        "from vstyle.cli import app\n"
        "from vstyle.engine.base import Identity\n"
        "class Chatty(Identity):\n"
        "    def __init__(self):\n"
        "        print('PYTHON', flush=True)\n"
        "        os.system('echo CHILD')\n"
        "        libc = ctypes.CDLL(None)\n"
        "        libc.puts(b'LIBRARY')\n"
        "        libc.fflush(None)\n"
        "import vstyle.engine.base\n"
        "vstyle.engine.base.Identity = Chatty\n"
        "app.main()\n"
    )
    line = f"{sys.executable} chatty.py stylize IN --model identity -o -"
    run = shell(line, **{"in": cfr})
    assert run.returncode == 0
    assert run.stdout.startswith(b"nut/multimedia container")
    for word in (b"PYTHON", b"CHILD", b"LIBRARY"):
        assert word in run.stderr
        assert word not in run.stdout


def test_json_stays_off_standard_output_when_video_is_on_it(shell: Shell, cfr: Path) -> None:
    run = shell("vstyle stylize IN --model identity -o - --json -q > video.nut", **{"in": cfr})
    assert run.stdout == b""
    assert json.loads(run.stderr)["frames"] == 20


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("vstyle stylize IN --model identity -o -", "written to the terminal"),
        ("vstyle stylize - --model identity -o out.mp4", "read from the terminal"),
    ],
)
def test_no_video_to_or_from_a_terminal(line: str, reason: str, shell: Shell, cfr: Path) -> None:
    """`script` gives the command a terminal at both ends."""
    main, terminal = os.openpty()
    words = shlex.split(line.replace("IN", str(cfr)))[1:]
    run = subprocess.run(
        [sys.executable, "-m", "vstyle", *words],
        stdin=terminal,
        stdout=terminal,
        stderr=subprocess.PIPE,
        timeout=DEADLINE,
        check=False,
    )
    os.close(main)
    os.close(terminal)
    assert run.returncode == 2
    assert reason in run.stderr.decode()


@pytest.mark.parametrize(
    ("line", "code", "reason"),
    [
        ("cat SOUND | vstyle stylize - --model identity -o o.mp4", 3, "sound but no video"),
        ("printf '' | vstyle stylize - --model identity -o o.mp4", 3, "standard input is not"),
        ("cat TEXT | vstyle stylize - --model identity -o o.mp4", 3, "standard input is not"),
        ("cat LONG | vstyle stylize - --model identity -o o.mp4", 3, "have its index in front"),
        ("vstyle stylize IN --model identity -o o.mp4 --format nut", 2, "--format is for"),
        ("vstyle stylize IN --model identity -o - --format avi", 2, "cannot be streamed"),
        ("vstyle stylize IN --model identity", 2, "no output is given"),
    ],
)
def test_what_is_wrong_with_a_pipe_is_said(  # noqa: PLR0917
    line: str, code: int, reason: str, shell: Shell, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    names = {"in": "cfr", "sound": "sound_only", "text": "text", "long": "long_clip"}
    run = shell(line, **{name: request.getfixturevalue(clip) for name, clip in names.items()})
    assert run.returncode == code
    assert reason in run.stderr.decode()
    assert len(run.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_what_is_redirected_can_be_named(shell: Shell, cfr: Path, tmp_path: Path) -> None:
    """What the pipe cannot carry, ffmpeg reads itself: its own standard input is another."""
    line = (
        f"ffmpeg -y -loglevel error -i {cfr} -c:v copy -c:a alac in.mkv "
        "&& vstyle stylize /dev/stdin --model identity -o out.mkv < in.mkv"
    )
    run = shell(line)
    assert run.returncode == 0, run.stderr
    with av.open(str(tmp_path / "out.mkv")) as container:
        assert container.streams.audio[0].codec_context.name == "alac"


def test_a_dash_can_be_a_file(shell: Shell, cfr: Path, tmp_path: Path) -> None:
    (tmp_path / "-").write_bytes(cfr.read_bytes())
    run = shell("vstyle stylize ./- --model identity -o out.mkv")
    assert run.returncode == 0, run.stderr
    same(cfr, tmp_path / "out.mkv")
