"""The result of a benchmark as one JSON document; `schema.json` beside this file describes it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from vstyle.bench import roofline
from vstyle.bench.parse import parse
from vstyle.bench.records import NOISY, Failure, Floor, Quality, Roof, Speed
from vstyle.errors import InputError

FORMAT = 1


@dataclass(frozen=True)
class Document:
    """All that one run of `vstyle bench` has found."""

    format: int
    made: str  # ISO 8601, UTC
    command: tuple[str, ...]
    environment: dict[str, Any]
    floors: tuple[Floor, ...] = ()
    speed: tuple[Speed, ...] = ()
    roofs: tuple[Roof, ...] = ()
    quality: tuple[Quality, ...] = ()
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()


def assemble(
    made: str, command: Iterable[str], environment: dict[str, Any], found: Iterable[object]
) -> Document:
    """Put together what was found: every row with its roof, and what must be said about it."""
    found = list(found)
    floors = tuple(each for each in found if isinstance(each, Floor))
    roofs = tuple(each for each in found if isinstance(each, Roof))
    speed = tuple(_with_reach(each, roofs) for each in found if isinstance(each, Speed))
    return Document(
        FORMAT,
        made,
        tuple(command),
        environment,
        floors,
        speed,
        roofs,
        tuple(each for each in found if isinstance(each, Quality)),
        tuple(each for each in found if isinstance(each, Failure)),
        tuple(_noise(floors, speed, environment)),
    )


def to_json(document: Document) -> str:
    """Return the document as JSON; every number is finite."""
    return json.dumps(asdict(document), indent=1, allow_nan=False)


def read(path: Path) -> Document:
    """Read a document; InputError if the file is none, or is of a newer format."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "Check the name.") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON", "Name a file that `bench --json` wrote.") from error
    number = values.get("format") if isinstance(values, dict) else None
    if isinstance(number, int) and number > FORMAT:
        raise InputError(
            f"{path} has format {number}, newer than this vstyle reads ({FORMAT})", "Update vstyle."
        )
    try:
        return parse(Document, values)
    except ValueError as error:
        raise InputError(
            f"{path} is no result of vstyle bench: {error}",
            "Name a file that `bench --json` wrote.",
        ) from error


def _with_reach(row: Speed, roofs: tuple[Roof, ...]) -> Speed:
    """Return the row with its network held against its device's roof."""
    if row.work is None:
        return row
    roof = next((roof for roof in roofs if roof.device == row.device), None)
    return replace(row, reach=roofline.reach(row.work, row.network_ms.median, row.precision, roof))


def _noise(
    floors: Iterable[Floor], rows: Iterable[Speed], environment: dict[str, Any]
) -> Iterable[str]:
    """Say which figures are noisy, and whether the machine was busy from the start."""
    for floor in floors:
        if floor.fps.spread > NOISY:
            yield _varied(f"the floor at {floor.size}", floor.fps.spread)
    for row in rows:
        spread = max(row.fps.spread, row.network_ms.spread)
        if spread > NOISY:
            yield _varied(f"{row.model} on {row.device} at {row.size}", spread)
    load, cores = environment.get("load"), environment.get("cpu", {}).get("usable_cores")
    if load and cores and load[0] > cores / 2:
        yield f"the machine was busy before the first run: load {load[0]:.1f}, usable cores {cores}"


def _varied(what: str, spread: float) -> str:
    return f"the machine was noisy: {what} varied by {spread * 100:.0f} % between runs"
