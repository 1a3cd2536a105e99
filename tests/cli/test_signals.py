"""Whatever stops a run, in its middle: the right exit code, no part file, no orphan."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from started import DEADLINE, started, wait_for

ChildrenOf = Callable[[int], set[int]]


@contextmanager
def painting(clip: Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the command, and go on when ffmpeg has begun to write."""
    words = ["stylize", str(clip), "--model", "identity", "--codec", "ffv1"]

    def written() -> bool:
        return any(part.stat().st_size > 10_000 for part in folder.glob(".*.part"))

    with started([*words, "-o", str(folder / "out.mkv")], "the first bytes", written) as run:
        assert run.poll() is None
        yield run


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_everything(
    number: int, code: int, long_clip: Path, tmp_path: Path, children_of: ChildrenOf
) -> None:
    with painting(long_clip, tmp_path) as run:
        (child,) = children_of(run.pid)
        run.send_signal(number)
        _, err = run.communicate(timeout=DEADLINE)
    assert run.returncode == code
    assert "Traceback" not in err
    assert not list(tmp_path.iterdir())
    wait_for("the end of ffmpeg", lambda: not Path(f"/proc/{child}").exists())


def test_a_killed_ffmpeg_is_an_error_within_seconds(
    long_clip: Path, tmp_path: Path, children_of: ChildrenOf
) -> None:
    with painting(long_clip, tmp_path) as run:
        (child,) = children_of(run.pid)
        os.kill(child, signal.SIGKILL)
        _, err = run.communicate(timeout=DEADLINE)
    assert run.returncode == 5
    assert err.startswith("vstyle: ffmpeg was killed by signal 9. ")
    assert not list(tmp_path.iterdir())


def test_a_reader_that_leaves_is_141() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = [sys.executable, "-m", "vstyle", "stylize", "--help"]
        run = subprocess.run(
            command, stdout=writer, stderr=subprocess.PIPE, timeout=DEADLINE, check=False
        )
    finally:
        os.close(writer)
    assert run.returncode == 141
    assert run.stderr == b""
