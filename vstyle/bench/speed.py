"""How fast: every model on every device at every size, each in its own process, by its floor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from vstyle import checkpoint, device, styles
from vstyle.bench import worker
from vstyle.bench.clips import Size, make_clip
from vstyle.bench.parse import parse
from vstyle.bench.records import Failure, Floor, Roof, Speed
from vstyle.errors import VstyleError

T = TypeVar("T")


@dataclass(frozen=True)
class Wanted:
    """What to measure: all combinations."""

    models: tuple[str, ...]
    devices: tuple[str, ...]
    sizes: tuple[Size | None, ...]  # None: the clip's own
    clip: Path | None  # None: the rendered one
    style: str
    runs: int


@dataclass(frozen=True)
class Painted:
    """A clip and what a row has made of it, to be looked at before the next row is measured."""

    row: Speed
    clip: Path
    output: Path


Event = str | Floor | Speed | Roof | Failure | Painted
"""A text says what is measured now; the rest is what was found."""


def measure(wanted: Wanted, folder: Path) -> Iterator[Event]:
    """Measure row by row, each floor before its rows and the roofs last.

    What fails is said as a Failure, and the rest goes on. Clips are made and painted in `folder`.
    """
    models, unknown = _usable(wanted.models, checkpoint.find_model)
    devices, absent = _usable(wanted.devices, device.choose)
    looks, missing = _usable((wanted.style,), styles.find)
    yield from (*unknown, *absent, *missing)
    if not (models and devices and looks):
        return
    rows: list[Speed] = []
    for size in wanted.sizes:
        where = str(size or wanted.clip or "the rendered clip")
        yield f"making {where}"
        made = tried(where, make_clip, wanted.clip, size, folder)
        if isinstance(made, Failure):
            yield made
            continue
        clip, shows = made
        output = folder / "painted.mp4"
        task = {"clip": str(clip), "shows": shows, "output": str(output), "runs": wanted.runs}
        yield f"measuring the floor at {where}"
        floor = tried(f"floor at {where}", _measured, Floor, {"kind": "floor", **task})
        yield floor
        task |= {"kind": "speed", "style": wanted.style}
        for model, name in product(models, devices):
            label = f"{model} on {name} at {where}"
            yield f"measuring {label}"
            row = tried(label, _measured, Speed, {**task, "model": model, "device": name})
            if isinstance(row, Failure):
                yield row
                continue
            if isinstance(floor, Floor):
                row = replace(row, floor_share=row.fps.median / floor.fps.median)
            rows.append(row)
            yield row
            yield Painted(row, clip, output)
    for name in dict.fromkeys(row.device for row in rows):
        yield f"measuring what {name} can do at most"
        precisions = sorted({row.precision for row in rows if row.device == name})
        task = {"kind": "roof", "device": name, "precisions": precisions}
        yield tried(f"roof of {name}", _measured, Roof, task)


def tried(row: str, call: Callable[..., T], *arguments: Any) -> T | Failure:
    """Call, and turn an error that the user can act on into a Failure of this row."""
    try:
        return call(*arguments)
    except VstyleError as error:
        message = f"{error.message}. {error.hint}" if error.hint else error.message
        return Failure(row, message, error.exit_code)


def _usable(
    names: Iterable[str], check: Callable[[str], object]
) -> tuple[list[str], list[Failure]]:
    """Return the names that pass a check, and why the others do not."""
    checked = [(name, tried(name, check, name)) for name in names]
    failures = [found for _, found in checked if isinstance(found, Failure)]
    return [name for name, found in checked if not isinstance(found, Failure)], failures


def _measured(kind: type[T], task: worker.Task) -> T:
    return parse(kind, worker.run(task))
