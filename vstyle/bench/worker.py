"""A fresh process for every row: nothing warm, nothing large, nothing broken is left for the next.

`run` starts one, gives it a task, and returns or raises what it did; `python -m` of this module is
that process. Tasks and answers are JSON files.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vstyle import errors
from vstyle.errors import DeviceError, VstyleError, out_of_memory

PATIENCE = 10  # seconds to clean up in

Task = dict[str, Any]


def run(task: Task) -> dict[str, Any]:
    """Do a task in a fresh process. Raises what it raised, or VstyleError if it died."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as words:
        place = Path(folder) / "task.json"
        place.write_text(json.dumps({**task, "began": time.monotonic()}), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "vstyle.bench.worker", str(place)],
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
            start_new_session=True,  # Ctrl-C reaches us, and we end it in our own way
        )
        try:
            code = process.wait()
        finally:
            _end(process)
        answer = place.with_name("answer.json")
        if answer.exists():
            found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
            if "error" not in found:
                return found
            raise getattr(errors, found["error"])(found["message"], found["hint"])
        words.seek(0)
        said = words.read().decode(errors="replace").strip().splitlines() or [""]
    if code == -signal.SIGKILL:
        raise DeviceError("it was killed", "Is memory short? Choose a smaller size or model.")
    raise VstyleError(f"it ended with code {code}: {said[-1]}", "Run it with `vstyle stylize`.")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that still runs, and let it clean up."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def do(task: Task) -> dict[str, Any]:
    """Do a task in this process."""
    kind = task.pop("kind")
    if kind == "roof":
        from vstyle import device
        from vstyle.bench.roofline import measure_roof

        return asdict(measure_roof(device.choose(task["device"])[0], task["precisions"]))
    from vstyle.bench import row

    measure: dict[str, Callable[[row.Job], Any]] = {
        "floor": row.measure_floor,
        "speed": row.measure_speed,
    }
    return asdict(measure[kind](row.Job(**task)))


def main(place: Path) -> None:
    """Do the task at `place` and leave the answer beside it."""
    signal.signal(signal.SIGTERM, _leave)
    task = json.loads(place.read_text(encoding="utf-8"))
    try:
        answer = do(task)
    except VstyleError as error:
        kind = type(error).__name__
        answer = {"error": kind, "message": error.message, "hint": error.hint}
    except Exception as error:
        if not out_of_memory(error):
            raise
        answer = {
            "error": DeviceError.__name__,
            "message": "out of memory",
            "hint": "Choose a smaller size or model.",
        }
    part = place.with_name("answer.part")
    part.write_text(json.dumps(answer), encoding="utf-8")
    part.replace(place.with_name("answer.json"))


def _leave(number: int, _: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
