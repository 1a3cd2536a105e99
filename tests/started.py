"""The command, started as a process of its own, for something to happen to it."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

DEADLINE = 120  # seconds; only proves that nothing hangs


def wait_for(what: str, condition: Callable[[], bool]) -> None:
    """Wait until something is true."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)


@contextmanager
def started(
    words: list[str], what: str, begun: Callable[[], bool]
) -> Iterator[subprocess.Popen[str]]:
    """Start `vstyle` with these words, and go on as soon as it has begun its work."""
    run = subprocess.Popen(
        [sys.executable, "-m", "vstyle", *words],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    try:
        wait_for(what, lambda: run.poll() is not None or begun())
        yield run
    finally:
        if run.poll() is None:
            run.kill()
        run.communicate()
