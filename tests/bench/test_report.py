"""The page: true to the figures, of one piece, and readable in a real browser at any width."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vstyle.bench import plots
from vstyle.bench.compare import compare
from vstyle.bench.document import Document
from vstyle.bench.plots import Bar, Points
from vstyle.bench.records import (
    Drift,
    Failure,
    Floor,
    Measures,
    Pair,
    Quality,
    Reach,
    Roof,
    Speed,
    Spent,
    Work,
    repeated,
)
from vstyle.bench.report import page
from vstyle.bench.run import Shown
from vstyle.bench.stopwatch import STAGES
from vstyle.scene import Scene, render

EVIL = '<script>alert("x")</script>&amp;'
VOID = {"meta", "link", "img"}


def speed(model: str, size: str, fps: float) -> Speed:
    """Make up a row; the page must show it, whatever it says."""
    times = np.linspace(0.8, 1.6, 101) * 1000 / fps
    stages = {stage: Spent(2.0 + n, 3.0 + n, 4.0 + n) for n, stage in enumerate(STAGES)}
    return Speed(
        model, "cpu", "fp32", "canvas", "rendered bay, 72 frames", size, 72,
        repeated([fps * 0.98, fps, fps * 1.01]), fps / 90, 1600 / fps, stages, tuple(times),
        repeated([400 / fps, 401 / fps]), 1.25, 61.0, 512.0, None, None, Work(2.5, 40.0),
        Reach(2.5, 60.0, 0.66, 40.0, 1.0, 0.05),
    )  # fmt: skip


def judged(model: str, style: float) -> Quality:
    measures = Measures(style, style, 0.7, 0.8, 1.2, 0.002, 0.04, 0.06, 0.001, 0.02, 0.03, 2.0)
    pairs = []
    for n in range(3):
        found = replace(measures, style=style + n / 10, trmse=0.03 + n / 100)
        pairs.append(Pair(f"scene {n}", "canvas", True, found))
    drifts = (Drift("canvas", 1000, 0.001, 1.0),)
    return Quality(model, "cpu", "fp32", True, measures, tuple(pairs), drifts)


@pytest.fixture(scope="module")
def result() -> Document:
    rows = [speed(*row) for row in (("student", "640x360", 31.4), (EVIL, "640x360", 17.0),
                                    ("student", "1280x720", 9.25))]  # fmt: skip
    floors = tuple(
        Floor("bay", size, 72, repeated([fps, fps]), 9.0, {})
        for size, fps in (("640x360", 90.0), ("1280x720", 41.0))
    )
    return Document(
        1, "2026-01-01T00:00:00+00:00", ("vstyle", "bench"),
        {"cpu": {"name": EVIL, "flags": [f"flag{n}" for n in range(100)]}, "gpus": []},
        floors, tuple(rows), (Roof("cpu", 20.0, {"fp32": 90.0}),),
        (judged("student", 0.5), judged("other", 0.7)),
        (Failure("student on cuda:7", "the device cuda:7 is not here. There is: cpu.", 6),),
        ("the machine was noisy: student on cpu at 640x360 varied by 14% between runs",),
    )  # fmt: skip


@pytest.fixture(scope="module")
def html(result: Document) -> str:
    picture = render(Scene(320, 180, 8), 0)
    shown = [Shown(f"{EVIL} at 640x360", (("before", picture), ("after", 255 - picture)))]
    return page(result, shown, compare(result, result, 0.05))


class Reader(HTMLParser):
    """Checks that every element is closed, and gathers text, links and handlers."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.words = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module")
def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def test_the_page_is_well_formed_and_of_one_piece(html: str, read: Reader) -> None:
    """All is closed, nothing is fetched, nothing runs; what a name holds is only words."""
    assert read.open == []
    assert not read.tags & {"script", "iframe", "object"}
    assert all(link.startswith("data:") for link in read.links)
    assert not re.search(r"https?://|@import|url\(", html)
    assert EVIL in read.words


def test_the_page_says_what_was_found(read: Reader) -> None:
    """Figures, failures, noise, changes, the machine, and every plot."""
    for words in (
        "31.4", "17", "9.25", "the device cuda:7 is not here", "varied by 14%", "not significant",
        "flag99", "Frames per second by size", "Where the time goes", "How long frames take",
        "Style against steadiness", "before", "after", "Drift", "Roofline",
    ):  # fmt: skip
        assert words in read.words


def test_a_page_of_nothing_is_a_page() -> None:
    reader = Reader()
    reader.feed(page(Document(1, "now", ("vstyle",), {}), [], []))
    assert reader.open == []


def drawn(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def test_bars_are_as_long_as_their_values() -> None:
    """From zero, parts end to end, every value in words."""
    rows = [Bar("one", ((0, 10.0, "a"), (1, 30.0, "b"))), Bar("two", ((0, 20.0, "a"),))]
    svg = drawn(plots.bars("t", rows, "ms"))
    boxes = [(float(r.get("x", 0)), float(r.get("width", 0))) for r in svg.iter("rect")]
    assert boxes[0][0] == boxes[2][0] == 0
    assert boxes[1][0] == pytest.approx(boxes[0][1], abs=0.1)
    assert boxes[1][1] == pytest.approx(3 * boxes[0][1], abs=0.5)
    assert boxes[2][1] == pytest.approx(2 * boxes[0][1], abs=0.5)
    assert [t.text for t in svg.iter("title")] == ["one: a 10 ms", "one: b 30 ms", "two: a 20 ms"]
    assert "40 ms" in [t.text for t in svg.iter("text")]


def test_points_lie_where_the_axes_say() -> None:
    """The place of a point, read off the ticks of both axes, is its value."""
    points = [Points("a", ((0.31, 0.052), (0.77, 0.021)))]
    svg = drawn(plots.plane("t", points, "across", "up", (0.02, "floor")))
    ticks: dict[str, list[tuple[float, float]]] = {"middle": [], "end": []}
    for text in svg.iter("text"):
        anchor, words = text.get("text-anchor", ""), text.text or ""
        if anchor in ticks and re.fullmatch(r"[\d.]+", words):
            place = float(text.get("x", 0)) if anchor == "middle" else float(text.get("y", 0)) - 4
            ticks[anchor].append((place, float(words)))

    def value(anchor: str, place: float) -> float:
        """Read a place off an axis, beyond its last tick too."""
        slope, start = np.polyfit(*zip(*ticks[anchor], strict=True), 1)
        return float(slope * place + start)

    for circle, (x, y) in zip(svg.iter("circle"), points[0].at, strict=True):
        assert value("middle", float(circle.get("cx", 0))) == pytest.approx(x, abs=0.005)
        assert value("end", float(circle.get("cy", 0))) == pytest.approx(y, abs=0.0005)


@given(st.floats(1e-6, 1e9))
def test_ticks_are_few_even_and_within(most: float) -> None:
    found = plots.ticks(most)
    assert found[0] == 0
    assert 3 <= len(found) <= 7
    assert found[-1] <= most * 1.001
    assert np.ptp(np.diff(found)) <= 1e-6 * most


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Start a real Chromium; skip where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        pytest.skip("needs a Chromium: chromium or google-chrome on the PATH")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    quiet += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as play:
        started = play.chromium.launch(executable_path=program, args=quiet)
        yield started
        started.close()


@pytest.mark.slow
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_in_a_real_browser(width: int, browser: Any, html: str, tmp_path: Path) -> None:
    """No error, no request, nothing wider than the window, words large enough, plots drawn."""
    path = tmp_path / "report.html"
    path.write_text(html, encoding="utf-8")
    context = browser.new_context(viewport={"width": width, "height": 900})
    tab = context.new_page()
    said: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(path.as_uri())
    assert said == []
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.locator("svg").count() == 4
    for box in [svg.bounding_box() for svg in tab.locator("svg").all()]:
        assert box["width"] > 0.7 * min(width, 480)
        assert box["height"] > 60
    letters = tab.evaluate(
        "[...document.querySelectorAll('svg text')].map(t => t.getBoundingClientRect().height)"
    )
    assert min(letters) >= 9
    assert tab.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    context.close()


@pytest.mark.slow
def test_the_page_needs_no_scripts(browser: Any, html: str, tmp_path: Path) -> None:
    """With scripts switched off the very same picture."""
    path = tmp_path / "report.html"
    path.write_text(html, encoding="utf-8")
    pictures = []
    for scripts in (True, False):
        size = {"width": 1000, "height": 900}
        context = browser.new_context(viewport=size, java_script_enabled=scripts)
        tab = context.new_page()
        tab.goto(path.as_uri())
        pictures.append(tab.screenshot(full_page=True))
        context.close()
    assert pictures[0] == pictures[1]
