"""How near the style and how steady: every model on the same clips and styles, side by side.

Steadiness alone is worthless as a score: a model that hardly changes the frame wins it. So it is
never told without the style distance, nor without what the unpainted clip itself has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from vstyle import device
from vstyle.bench import footage, likeness
from vstyle.bench.footage import Footage, filmed, rendered, timed
from vstyle.bench.likeness import Look
from vstyle.bench.records import Drift, Failure, Measures, Pair, Quality
from vstyle.bench.speed import tried
from vstyle.bench.steadiness import sharpness, steadiness
from vstyle.engine.base import Engine, Picture
from vstyle.engine.build import build_engine, choose_model
from vstyle.folders import names_of
from vstyle.models.config import READ_SIDE
from vstyle.models.vgg import Features
from vstyle.pictures import read_picture
from vstyle.scene import Scene, render
from vstyle.video.flow import track
from vstyle.video.paint import paint

LOOKED_AT = slice(footage.FIRST_LOOK, None, 10)  # the frames whose likeness is measured
HELD = 1000  # frames for which a still picture is held, and
EARLY = 10  # the one of them that the last is compared with
STILL = (320, 180)
PLAIN = 0.25  # grey levels: a frame whose gradients are fainter, on average, shows nothing


@dataclass(frozen=True, eq=False)
class Seen:
    """A frame, to be looked at."""

    title: str
    before: Picture
    style: Picture
    after: Picture


@dataclass(frozen=True)
class Wanted:
    """What to measure."""

    models: tuple[str, ...]
    device: str
    vgg: Features | None  # none: there is nothing to tell how near the style is
    clips: tuple[Path, ...]  # on top of the rendered scenes
    styles: tuple[Path, ...]  # pictures


Event = str | Quality | Failure | Seen
"""A text says what is measured now; the rest is what was found."""


@dataclass(frozen=True, eq=False)
class _Style:
    name: str
    path: Path
    picture: Picture
    look: Look | None  # none where there is no VGG


@dataclass(frozen=True, eq=False)
class _Painter:
    """A model with a style."""

    model: str
    style: _Style
    engine: Engine


def measure(wanted: Wanted) -> Iterator[Event]:
    """Measure clip by clip; what fails is said as a Failure, and the rest goes on."""
    vgg = wanted.vgg
    chosen = tried(wanted.device, device.choose, wanted.device)
    if isinstance(chosen, Failure):
        yield chosen
        return
    place, _ = chosen
    styles: list[_Style] = []
    for path, called in zip(wanted.styles, names_of(wanted.styles), strict=True):
        style = tried(path.name, _read_style, path, called, vgg)
        if isinstance(style, Failure):
            yield style
        else:
            styles.append(style)
    painters: list[_Painter] = []
    for model in dict.fromkeys(tried(each, choose_model, each, place) for each in wanted.models):
        if isinstance(model, Failure):
            yield model
            continue
        yield f"loading {model}"
        mine = tried(model, _painters, model, styles, place)
        if isinstance(mine, Failure):
            yield mine
        else:
            painters += mine
    pairs: dict[str, list[Pair]] = {}
    for name, load in _clips(wanted.clips):
        yield f"measuring the motion of {name}"
        clip = tried(name, load)
        if isinstance(clip, Failure):
            yield clip
            continue
        looks = looks_of(vgg, clip.frames)
        for painter in painters:
            yield f"painting {name} as {painter.style.name} with {painter.model}"
            painted = [f.image for f in paint(track(timed(clip.frames)), painter.engine)]
            found = measured(painted, clip, looks_of(vgg, painted), looks, painter.style.look)
            pair = Pair(clip.name, painter.style.name, clip.exact, found)
            pairs.setdefault(painter.model, []).append(pair)
            yield _seen(painter, clip, painted)
    for model, found_pairs in pairs.items():
        yield f"holding a still picture with {model}"
        mine = [painter for painter in painters if painter.model == model]
        yield Quality(
            model,
            place,
            mine[0].engine.precision,
            vgg is not None,
            mean_of([pair.measures for pair in found_pairs]),
            tuple(found_pairs),
            tuple(drift(painter.engine, painter.style.name) for painter in mine),
        )


def drift(engine: Engine, style: str, held: int = HELD) -> Drift:
    """Paint a still picture over and over; compare the last frame with the tenth."""
    still = render(Scene(*STILL), 0)
    early = last = still
    for number, frame in enumerate(paint(track(timed([still] * held)), engine), start=1):
        last = frame.image
        early = last if number == EARLY else early
    gaps = np.abs(last.mean((0, 1)) - early.mean((0, 1))) / 255
    return Drift(style, held, float(gaps.max()), sharpness(last) / max(sharpness(early), 1e-6))


def _read_style(path: Path, name: str, vgg: Features | None) -> _Style:
    picture = read_picture(path, READ_SIDE)
    return _Style(name, path, picture, likeness.look(vgg, picture) if vgg else None)


def _painters(model: str, styles: Sequence[_Style], place: str) -> list[_Painter]:
    return [
        _Painter(model, style, build_engine(model, str(style.path), place)[0]) for style in styles
    ]


def looks_of(vgg: Features | None, frames: Sequence[Picture]) -> list[Look]:
    """Return what VGG sees of some of the frames; nothing where there is no VGG."""
    return [likeness.look(vgg, frame) for frame in frames[LOOKED_AT]] if vgg else []


def _seen(painter: _Painter, clip: Footage, painted: Sequence[Picture]) -> Seen:
    """Show the middle of a clip."""
    middle = len(painted) // 2
    title = f"{painter.model}: {clip.name} as {painter.style.name}"
    return Seen(title, clip.frames[middle], painter.style.picture, painted[middle])


def measured(
    painted: Sequence[Picture],
    clip: Footage,
    looks: Sequence[Look],
    source_looks: Sequence[Look],
    goal: Look | None,
) -> Measures:
    """Measure a painted clip; `looks` are those of its frames and of its source's."""
    seen = list(zip(looks, source_looks, strict=True))
    triples = [(*pair, goal) for pair in seen if goal]
    both = list(zip(painted[LOOKED_AT], clip.frames[LOOKED_AT], strict=True))
    near, far = (steadiness(painted, motions) for motions in (clip.near, clip.far))
    own, own_far = (steadiness(clip.frames, motions) for motions in (clip.near, clip.far))
    return Measures(
        style=_average([likeness.style_distance(*three) for three in triples]),
        gram=_average([likeness.gram_distance(*three) for three in triples]),
        content=_average([likeness.content_distance(*pair) for pair in seen]),
        ssim=_average([likeness.ssim(*two) for two in both]),
        detail=_average([_detail(*two) for two in both]),
        e_warp=near.e_warp if near else None,
        trmse=near.trmse if near else None,
        trmse_long=far.trmse if far else None,
        source_e_warp=own.e_warp if own else None,
        source_trmse=own.trmse if own else None,
        source_trmse_long=own_far.trmse if own_far else None,
        e_warp_ratio=near.e_warp / own.e_warp if near and own and own.e_warp else None,
    )


def mean_of(measures: Sequence[Measures]) -> Measures:
    """Return the mean of each measure over the pairs that have it."""
    rows = [asdict(each) for each in measures]
    means: dict[str, Any] = {name: _average([row[name] for row in rows]) for name in rows[0]}
    return Measures(**means)


def _average(values: Sequence[float | None]) -> float | None:
    """Return the mean of the values that there are."""
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _detail(painted: Picture, source: Picture) -> float | None:
    """Return the sharpness of a painted frame over its source's; of a plain one it says nothing."""
    own = sharpness(source)
    return sharpness(painted) / own if own >= PLAIN else None


def _clips(paths: Sequence[Path]) -> Iterator[tuple[str, Callable[[], Footage]]]:
    """Yield the names of the clips, and what loads each."""
    for seed in footage.SEEDS:
        yield f"scene {seed}", partial(rendered, seed)
    for path, name in zip(paths, names_of(paths), strict=True):
        yield name, partial(filmed, path, name)
