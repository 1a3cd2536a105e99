"""The result as one self-contained page: no network, no script, readable on a phone."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path

import cv2

from vstyle.bench import plots
from vstyle.bench.compare import Change
from vstyle.bench.document import Document
from vstyle.bench.plots import Bar, Points
from vstyle.bench.records import Speed
from vstyle.bench.run import Shown
from vstyle.bench.stopwatch import IN_PATH
from vstyle.bench.tables import Table, tables
from vstyle.engine.base import Picture

SIDE = 480  # pixels: the longer side of the pictures in the page

STYLE = Path(__file__).with_suffix(".css")


def page(document: Document, shown: Sequence[Shown], changes: Sequence[Change]) -> str:
    """Return the whole page as HTML."""
    parts = [
        _head(document),
        _list("Could not be measured", (f"{f.row}: {f.message}" for f in document.failures)),
        _list("To be known", document.notes),
        f'<div class="plots">{"".join(_plots(document))}</div>',
        *(_table(table) for table in tables(document, changes)),
        _frames(shown),
        _machine(document),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        # Without this a browser asks the place that the page is served from for an icon.
        '<link rel="icon" href="data:,">'
        f"<title>vstyle bench</title><style>{STYLE.read_text(encoding='utf-8')}</style></head>"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _head(document: Document) -> str:
    command = escape(" ".join(document.command))
    return f"<h1>vstyle bench</h1><p>{escape(document.made)} &middot; <code>{command}</code></p>"


def _list(title: str, lines: Iterable[str]) -> str:
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<section class="notes"><h2>{title}</h2><ul>{items}</ul></section>' if items else ""


def _plots(document: Document) -> Iterator[str]:
    """Yield the plots that there are figures for."""
    if document.speed:
        yield _rates(document)
        yield _where(document.speed)
        yield _latency(document.speed)
    yield from _judged(document)


def _rates(document: Document) -> str:
    """Return the fps, size by size, each under its floor."""
    bars = [
        (floor.size, Bar(f"floor, {floor.size}", ((0, floor.fps.median, "fps"),)))
        for floor in document.floors
    ]
    bars += [(row.size, Bar(_name(row), ((1, row.fps.median, "fps"),))) for row in document.speed]
    bars.sort(key=lambda bar: _pixels(bar[0]))
    title = "Frames per second by size"
    drawn = plots.bars(title, [bar for _, bar in bars], "fps")
    return _figure(title, drawn, "End to end; the floor paints nothing.", ["floor", "painted"])


def _where(rows: Sequence[Speed]) -> str:
    """Return how the time of a frame falls to the stages of the thread that paints."""
    title = "Where the time goes"
    bars = []
    for row in rows:
        parts = [
            (number, row.stages_ms[stage].median, stage)
            for number, stage in enumerate(IN_PATH)
            if stage in row.stages_ms
        ]
        bars.append(Bar(_name(row), tuple(parts)))
    drawn = plots.bars(title, bars, "ms")
    return _figure(
        title, drawn, "Medians of the thread that paints, in milliseconds per frame.", IN_PATH
    )


def _latency(rows: Sequence[Speed]) -> str:
    """Return the distribution of the time between two frames."""
    title = "How long frames take"
    lines = []
    for row in rows:
        at = tuple((ms, percent / 100) for percent, ms in enumerate(row.frame_ms))
        lines.append(Points(_name(row), at, line=True))
    drawn = plots.plane(title, lines, "ms from one frame to the next", "share of frames", None)
    note = "The share of frames that took at most so long."
    return _figure(title, drawn, note, [line.name for line in lines], 1)


def _judged(document: Document) -> Iterator[str]:
    """Yield style against steadiness, if both are known."""
    models = []
    for row in document.quality:
        at = [(pair.measures.style, pair.measures.trmse) for pair in row.pairs]
        both = tuple((x, y) for x, y in at if x is not None and y is not None)
        if both:
            models.append(Points(f"{row.model} ({row.precision})", both))
    if not models:
        return
    own = document.quality[0].mean.source_trmse
    title = "Style against steadiness"
    level = None if own is None else (own, "the clips' own")
    drawn = plots.plane(title, models, "distance to the style", "tRMSE", level)
    note = (
        "One point for each clip and style; nearer to the left is more style, lower is steadier. "
        "At 1 a model paints no style at all."
    )
    yield _figure(title, drawn, note, [model.name for model in models], 1)


def _figure(title: str, drawn: str, note: str, names: Sequence[str], first: int = 0) -> str:
    return (
        f"<figure><h3>{escape(title)}</h3>{drawn}{plots.legend(names, first)}"
        f"<figcaption>{escape(note)}</figcaption></figure>"
    )


def _table(table: Table) -> str:
    kinds = ["word" if index < table.words else "value" for index in range(len(table.heads))]
    head = "".join(
        f'<th class="{k}">{escape(h)}</th>' for k, h in zip(kinds, table.heads, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(f'<td class="{k}">{escape(c)}</td>' for k, c in zip(kinds, row, strict=True))
        + "</tr>"
        for row in table.rows
    )
    return (
        f'<section><h2>{escape(table.title)}</h2><div class="scroll" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        + (f"<p>{escape(table.note)}</p></section>" if table.note else "</section>")
    )


def _frames(shown: Sequence[Shown]) -> str:
    """Return the pictures, as data in the page."""
    figures = []
    for each in shown:
        images = "".join(
            f'<label>{escape(caption)}<img src="{data_uri(picture)}" '
            f'alt="{escape(f"{each.title}, {caption}")}"></label>'
            for caption, picture in each.pictures
        )
        figures.append(f"<figure><h3>{escape(each.title)}</h3><div>{images}</div></figure>")
    return f'<h2>Frames</h2><div class="frames">{"".join(figures)}</div>' if figures else ""


def _machine(document: Document) -> str:
    """Return what it was measured on."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd>{escape(_words(value))}</dd>"
        for name, value in document.environment.items()
    )
    return f"<section><h2>The machine</h2><dl>{rows}</dl></section>"


def _words(value: object) -> str:
    """Return a value of the environment in words."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    if isinstance(value, list | tuple):
        return " ".join(_words(each) for each in value) or "none"
    if isinstance(value, float):
        return f"{value:.4g}"
    return "unknown" if value is None else str(value)


def data_uri(picture: Picture) -> str:
    """Return a picture, reduced, as a data URI."""
    scale = min(1.0, SIDE / max(picture.shape[:2]))
    small = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(
        ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 85]
    )
    return f"data:image/jpeg;base64,{b64encode(data.tobytes()).decode()}"


def _name(row: Speed) -> str:
    return f"{row.model} ({row.precision}) on {row.device}, {row.size}"


def _pixels(size: str) -> int:
    """Return how many pixels `640x360` are."""
    width, height = size.split("x")
    return int(width) * int(height)
