"""Where a run can be when something happens to it, and how to get there."""

import subprocess
import time
from pathlib import Path

import pytest

from fidelity.fault import MINE, Left, Run

FFV1 = "--codec ffv1 -o out.mkv -y"
# ffmpeg does its work, and then takes its time.
DAWDLES = '"$real" "$@" && touch written && exec sleep 60'
PIPE = subprocess.PIPE


def slow(*values: object) -> object:
    """Leave a case to `make test-all`."""
    return pytest.param(*values, marks=pytest.mark.slow)


def untouched(left: Left) -> None:
    """Say that the folder is as it was."""
    assert left.out == MINE
    assert not left.new


def waits_for_input(run: Run) -> None:
    """Get to where the command reads: it has a pipe of its own then, to be woken by."""

    def reads() -> bool:
        try:
            descriptors = Path(f"/proc/{run.process.pid}/fd").iterdir()
            own = [str(link.readlink()) for link in descriptors if int(link.name) > 2]
        except OSError:  # one was closed meanwhile
            return False
        return sum("pipe:" in name for name in own) >= 2

    run.wait_until(reads)
    time.sleep(0.2)


def nobody_reads(run: Run) -> None:
    """Get to where ffmpeg has filled the pipe that nobody reads."""
    run.wait_until(run.children)
    time.sleep(0.5)


def stalled(run: Run) -> None:
    """Send half of a clip to standard input, and no more."""
    data = (run.folder / "long.mp4").read_bytes()
    assert run.process.stdin is not None
    run.process.stdin.write(data[: len(data) // 6])
    run.wait_until(run.grows)


def middle(run: Run) -> None:
    run.wait_until(run.grows)


def finishing(run: Run) -> None:
    run.wait_until((run.folder / "written").exists)
    run.before.add("written")


def second(run: Run) -> None:
    run.wait_until(lambda: run.grows() and (run.folder / "painted" / "short.mkv").exists())


MOMENTS = {
    "while it waits for standard input": (f"- {FFV1}", "", {"stdin": PIPE}, waits_for_input),
    "when standard input stalls in the middle": (f"- {FFV1}", "", {"stdin": PIPE}, stalled),
    "in the middle": (f"long.mp4 {FFV1}", "", {}, middle),
    "when nobody reads its output": ("long.mp4 -o -", "", {"stdout": PIPE}, nobody_reads),
    "while ffmpeg ends the file": (f"short.mp4 {FFV1}", DAWDLES, {}, finishing),
    "in the second of two clips": (
        "short.mkv long.mkv --out-dir painted --codec ffv1 -q",
        "",
        {},
        second,
    ),
}
