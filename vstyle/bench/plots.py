"""Plots as inline SVG: small, readable at a phone's width, and coloured by the page's own style.

Every plot is WIDTH units wide and grows with the page. Series have the classes s0, s1, ... of the
page's style sheet; every mark has a title that says its value.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from vstyle.bench.tables import number

WIDTH = 420
LINE = 15  # from one line of text to the next
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 26, 38  # around a plot with axes
HEIGHT = 250
SERIES = 8  # different colours; the first is grey, for what is no model


@dataclass(frozen=True)
class Bar:
    """One bar: its name, and its parts (series, value, what they are)."""

    name: str
    parts: tuple[tuple[int, float, str], ...]


@dataclass(frozen=True)
class Points:
    """Some points of one series, joined by a line or not."""

    name: str
    at: tuple[tuple[float, float], ...]
    line: bool = False


def bars(title: str, rows: Sequence[Bar], unit: str) -> str:
    """Draw horizontal bars from zero, each under its name, with the total at its end."""
    step = 2 * LINE + 8
    room = WIDTH - RIGHT - 70
    most = max((sum(value for _, value, _ in row.parts) for row in rows), default=1) or 1
    drawn = []
    for index, row in enumerate(rows):
        y = index * step
        drawn.append(_text(0, y + 11, row.name))
        x, total = 0.0, 0.0
        for series, value, what in row.parts:
            wide = value / most * room
            label = escape(f"{row.name}: {what} {number(value)} {unit}")
            drawn.append(
                f'<rect class="s{_coloured(series)}" x="{x:.1f}" y="{y + LINE}" width="{wide:.1f}" '
                f'height="{LINE}"><title>{label}</title></rect>'
            )
            x, total = x + wide, total + value
        drawn.append(_text(x + 6, y + LINE + 12, f"{number(total)} {unit}"))
    return _svg(title, step * len(rows), drawn)


def plane(
    title: str, series: Sequence[Points], across: str, up: str, level: tuple[float, str] | None
) -> str:
    """Draw points or lines over two axes from zero, in the colours from the second on.

    `level` is a dashed line, and what it is.
    """
    points = [point for each in series for point in each.at]
    wide, high = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    most_x = max((x for x, _ in points), default=1) or 1
    most_y = max([y for _, y in points] + ([level[0]] if level else []), default=1) or 1
    ticks_x, ticks_y = ticks(most_x), ticks(most_y)
    # To the tick beyond the last value, or a point could lie on the border.
    most_x, most_y = (
        ceil(most / each[1] * 0.9999) * each[1]
        for most, each in ((most_x, ticks_x), (most_y, ticks_y))
    )

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + x / most_x * wide, TOP + high - y / most_y * high

    drawn = []
    for tick in ticks_x:
        x, low = place(tick, 0)
        drawn.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{low:.1f}"/>')
        drawn.append(_text(x, low + LINE, number(tick), "middle"))
    for tick in ticks_y:
        left, y = place(0, tick)
        drawn.append(
            f'<line class="grid" x1="{left:.1f}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        drawn.append(_text(left - 5, y + 4, number(tick), "end"))
    drawn.append(_text(LEFT + wide, HEIGHT - 5, across, "end"))
    drawn.append(_text(0, 12, up))
    if level:
        y = place(0, level[0])[1]
        drawn.append(
            f'<line class="level" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        # Below the line where there is no room above it; on the left, where few points lie.
        drawn.append(_text(LEFT + 4, y - 4 if y > TOP + LINE else y + 13, level[1]))
    for index, each in enumerate(series):
        drawn += _marks(each, [place(*point) for point in each.at], _coloured(index + 1))
    return _svg(title, HEIGHT, drawn)


def _marks(series: Points, at: Sequence[tuple[float, float]], colour: int) -> Iterable[str]:
    """Draw one series at places in the picture."""
    if series.line:
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        name = escape(series.name)
        yield f'<polyline class="s{colour}" points="{path}"><title>{name}</title></polyline>'
        return
    for (x, y), (a, b) in zip(at, series.at, strict=True):
        label = escape(f"{series.name}: {number(a)}, {number(b)}")
        yield (
            f'<circle class="s{colour}" cx="{x:.1f}" cy="{y:.1f}" r="4.5">'
            f"<title>{label}</title></circle>"
        )


def _coloured(series: int) -> int:
    """Return a colour's number; when all are used it begins anew after the grey."""
    return series if series < SERIES else 1 + (series - 1) % (SERIES - 1)


def legend(names: Sequence[str], first: int = 0) -> str:
    """Return names beside their colours, as HTML; `first` is the number of the first series."""
    items = (
        f'<li><span class="s{_coloured(index)}"></span>{escape(name)}</li>'
        for index, name in enumerate(names, start=first)
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


def ticks(most: float) -> list[float]:
    """Return three to seven round numbers from 0 up to about `most`, a positive number."""
    rough = most / 4
    power = 10 ** floor(log10(rough))
    step = next(each * power for each in (1, 2, 2.5, 5, 10) if each * power >= rough * 0.999)
    return [index * step for index in range(int(most / step * 1.0001) + 1)]


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(title: str, height: float, drawn: Iterable[str]) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"{''.join(drawn)}</svg>"
    )
