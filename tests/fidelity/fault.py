"""A run of the command that something happens to, and what is left of it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av

from vstyle.video.ffmpeg import executable

DEADLINE = 60  # seconds; only proves that nothing hangs
MINE = b"what was there before"


class Run:
    """`vstyle stylize`, started in a folder in which `out.mkv` is there already."""

    def __init__(self, folder: Path, words: str, script: str = "", **pipes: object) -> None:
        self.folder = folder
        (folder / "out.mkv").write_bytes(MINE)
        environment = dict(os.environ)
        if script:  # in place of ffmpeg
            fake = folder / "ffmpeg.sh"
            asked = '[[ " $* " == *" -h "* ]] && exec "$real" "$@"'  # what it can do
            fake.write_text(f"#!/bin/bash\nreal={executable()}\n{asked}\n{script}\n")
            fake.chmod(0o755)
            environment["VSTYLE_FFMPEG"] = str(fake)
        self.before = {path.name for path in folder.iterdir()}
        command = [sys.executable, "-m", "vstyle", "stylize", *words.split(), "--model", "identity"]
        self.errors = folder.parent / f"{folder.name}.errors"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                command, cwd=folder, stderr=errors, env=environment, bufsize=0, **pipes
            )
        self.family: set[int] = set()

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Wait until something is true of the run, which must go on meanwhile."""
        end = time.monotonic() + DEADLINE
        while not condition():
            assert self.process.poll() is None, self.errors.read_text()
            assert time.monotonic() < end
            time.sleep(0.02)
        self.family |= self.children()

    def children(self) -> set[int]:
        """Return the processes that the run has started."""
        tasks = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return {int(child) for task in tasks for child in task.read_text().split()}

    def part(self) -> Path | None:
        """Return the file that grows."""
        return next(iter(self.folder.rglob(".*.part")), None)

    def grows(self) -> bool:
        """Tell whether the output has begun to be written."""
        part = self.part()
        return part is not None and part.stat().st_size > 10_000

    def end(self) -> "Left":
        """Wait for the end and return what is left."""
        try:
            code = self.process.wait(DEADLINE)
        finally:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
        return Left(self, code)


class Left:
    """What is there when a run has ended."""

    def __init__(self, run: Run, code: int) -> None:
        self.code = code
        self.said = run.errors.read_text()
        self.out = (run.folder / "out.mkv").read_bytes()
        self.new = {path.name for path in run.folder.iterdir()} - run.before
        end = time.monotonic() + DEADLINE
        while any(alive(child) for child in run.family):
            assert time.monotonic() < end, "a child is left"
            time.sleep(0.02)

    def words(self) -> str:
        """Return the first sentence of the last line that was said."""
        assert "Traceback" not in self.said
        lines = self.said.splitlines()
        return lines[-1].removeprefix("vstyle: ").partition(". ")[0] if lines else "nothing"


def alive(process: int) -> bool:
    """Tell whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def frames_in(path: Path) -> int:
    """Count the frames of a file, which must be readable to its end."""
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def send(run: Run, *numbers: signal.Signals) -> None:
    """Send signals to the command, one after the other."""
    for number in numbers:
        run.process.send_signal(number)
        time.sleep(0.05)
