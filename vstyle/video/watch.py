"""Sees to it that a process that is waited for does something, or is ended."""

import os
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import Final

PATIENCE: Final = 60.0
"""Seconds, by default, that one end of the path may do nothing while the other waits for it."""

_TICK = 0.5  # seconds; counted, not looked up on a clock, which goes on while we are stopped


class Watch:
    """Ends a process that is waited for and does nothing for `patience` seconds; 0: for ever.

    It does something if it takes data, or computes, as a slow encoder does; Linux alone tells the
    latter, elsewhere nothing is ended. If it has no room to write to in `stdout`, its descriptor
    for that, the reader is the one who pauses: he may.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], stdout: int | None, patience: float
    ) -> None:
        self._process: Final = process
        self._stdout: Final = stdout
        self.patience: Final = patience
        self.stalled = False  # it was ended
        self._waits = 0  # how many there were
        self._waiting = False
        self._over: Final = Event()
        self._thread: Final = Thread(target=self._look, name="watch", daemon=True)
        if patience:
            self._thread.start()

    @contextmanager
    def waiting(self) -> Iterator[None]:
        """Mark the time in which the process is waited for."""
        self._waits += 1
        self._waiting = True
        try:
            yield
        finally:
            self._waiting = False

    def close(self) -> None:
        """Stop watching."""
        self._over.set()
        if self.patience:
            self._thread.join()

    def _look(self) -> None:
        idle, before = 0.0, (0, 0)
        while not self._over.wait(_TICK):
            if not self._waiting or self._waits != before[0] or _is_full(self._stdout):
                idle, before = 0.0, (self._waits, computed(self._process.pid) or 0)
                continue
            now = computed(self._process.pid)
            idle = idle + _TICK if now == before[1] else 0.0
            before = self._waits, now or 0
            if idle >= self.patience:
                self.stalled = True
                kill(self._process)
                return


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a process that leads a session of its own, and what it has started."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def computed(session: int) -> int | None:
    """Return how long all processes of a session have computed, in ticks; None if nobody knows."""
    total = None
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text("utf-8", "replace").rpartition(") ")[2].split()
        except OSError:
            continue  # it has ended since
        if int(fields[3]) == session:
            total = (total or 0) + sum(map(int, fields[11:15]))
    return total


def _is_full(descriptor: int | None) -> bool:
    """Tell whether there is no room to write to."""
    return descriptor is not None and not select.select([], [descriptor], [], 0)[1]
