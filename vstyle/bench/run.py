"""One run of `vstyle bench`: speed, quality, or both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vstyle.bench import quality, speed
from vstyle.bench.records import Failure, Floor, Quality, Roof, Speed
from vstyle.engine.base import Picture
from vstyle.video.decode import open_clip
from vstyle.video.stylize import frames_of


@dataclass(frozen=True)
class Wanted:
    """What to measure; None is nothing of that kind."""

    speed: speed.Wanted | None
    quality: quality.Wanted | None


@dataclass(frozen=True, eq=False)
class Shown:
    """Pictures that belong together, each with its caption."""

    title: str
    pictures: tuple[tuple[str, Picture], ...]


Event = str | Floor | Speed | Roof | Quality | Failure | Shown
"""A text says what is done now; the rest is what was found."""


def measure(wanted: Wanted, folder: Path) -> Iterator[Event]:
    """Measure all that is wanted; `folder` is for clips and what is painted of them."""
    for event in speed.measure(wanted.speed, folder) if wanted.speed else ():
        yield _shown(event) if isinstance(event, speed.Painted) else event
    for seen in quality.measure(wanted.quality) if wanted.quality else ():
        if isinstance(seen, quality.Seen):
            parts = (("before", seen.before), ("style", seen.style), ("after", seen.after))
            yield Shown(seen.title, parts)
        else:
            yield seen


def _shown(painted: speed.Painted) -> Shown:
    """Show the middle frame of a clip, before and after."""
    row = painted.row
    title = f"{row.model} on {row.device}, {row.size}: {row.clip} as {row.style}"
    middle = row.frames // 2
    parts = (("before", _frame(painted.clip, middle)), ("after", _frame(painted.output, middle)))
    return Shown(title, parts)


def _frame(clip: Path, number: int) -> Picture:
    """Return a frame of a clip; the last one of a shorter clip."""
    with open_clip(clip) as source:
        for index, frame in enumerate(frames_of(source.items, lambda _: None)):
            image = frame.image
            if index == number:
                break
        return image
