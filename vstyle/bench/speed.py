"""How fast: every model on every device at every size, each in its own process, by its floor."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from vstyle import device, styles
from vstyle.bench import worker
from vstyle.bench.clips import Size, make_clip
from vstyle.bench.parse import parse
from vstyle.bench.records import Failure, Floor, Roof, Speed
from vstyle.engine.build import choose_model
from vstyle.errors import VstyleError

T = TypeVar("T")
A = TypeVar("A")


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
    devices, absent = _usable(wanted.devices, lambda name: device.choose(name)[0])
    looks, missing = _usable((wanted.style,), styles.find)
    asked = list(product(wanted.models, devices))
    pairs, unknown = _usable(asked, lambda pair: (choose_model(*pair), pair[1]))
    yield from dict.fromkeys((*unknown, *absent, *missing))
    if not (pairs and looks):
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
        for model, name in pairs:
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


def _usable(asked: Iterable[A], find: Callable[[A], T]) -> tuple[list[T], list[Failure]]:
    """Return what is found for what is asked for, each once, and why the rest is not."""
    results = [tried(_name(each), find, each) for each in asked]
    failures = [found for found in results if isinstance(found, Failure)]
    found = (found for found in results if not isinstance(found, Failure))
    return list(dict.fromkeys(found)), failures


def _name(asked: object) -> str:
    """Return what a row is called that cannot be measured: of a pair, the model."""
    return str(asked[0] if isinstance(asked, tuple) else asked)


def _measured(kind: type[T], task: worker.Task) -> T:
    return parse(kind, worker.run(task))
