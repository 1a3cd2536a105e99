"""Progress is drawn on a terminal only, and frames go by unchanged."""

import os
import re
import select
from collections.abc import Iterator
from fractions import Fraction
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from vstyle.cli import console
from vstyle.engine.base import Identity
from vstyle.video.colour import Colour
from vstyle.video.damage import Damage
from vstyle.video.decode import WHOLE, Clip, Frame, Source
from vstyle.video.plan import Plan
from vstyle.video.streams import CONTAINERS
from vstyle.video.stylize import Job

FRAMES = [Frame(np.zeros((2, 2, 3), np.uint8), index, Fraction(1, 10)) for index in range(30)]


def job(duration: float | None) -> Job:
    colour = Colour(1, full=False)
    one = Fraction(1)
    name = Path("a [b].mp4")
    clip = Clip(
        name, 2, 2, one / 10, one * 10, duration, one * 0, WHOLE, colour, one, 8, False, False
    )
    source = Source(clip, "h264", None, (), {}, (), (), iter(()), Damage("a"), lambda: None)
    plan = Plan(
        name, CONTAINERS[".mp4"], "libx264", (), False, None, (), False, 0, (), False, (), ()
    )
    return Job(source, plan, Identity(), 1)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Console, int]]:
    """Make a terminal of 100 columns, and the other end of its line to read what is drawn."""
    reader, writer = os.openpty()
    monkeypatch.setenv("TERM", "xterm")
    with os.fdopen(writer, "w") as terminal:
        yield Console(file=terminal, width=100), reader
    os.close(reader)


def everything(screen: int) -> str:
    """Read all that was drawn: one read of a terminal may return a part of it."""
    drawn = b""
    while select.select([screen], [], [], 0.5)[0]:
        drawn += os.read(screen, 1 << 16)
    return drawn.decode()


@pytest.mark.parametrize("duration", [3.0, None, 0.0])
def test_a_terminal_shows_how_far_it_is(
    duration: float | None, screen: tuple[Console, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "_console", lambda: screen[0])
    assert list(console.draw(job(duration), iter(FRAMES), "student on cpu")) == FRAMES
    drawn = everything(screen[1])
    assert "student on cpu" in drawn
    assert "30 frames" in drawn
    assert ("left" in drawn) == (duration is not None)


@pytest.mark.parametrize("name", ["student-int8", "ミレー・落穂"])
@pytest.mark.parametrize("columns", [25, 38, 40, 60, 80, 100, 200])
def test_the_numbers_fit_into_any_line(
    name: str, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the name is of what paints, they are seen, and all in one line."""
    terminal = StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    screen = Console(file=terminal, width=columns, force_terminal=True, color_system=None)
    monkeypatch.setattr(console, "_console", lambda: screen)
    painter = f"{name} on cpu with OpenVINO, int8 (no CUDA device was found)"
    assert len(list(console.draw(job(3.0), iter(FRAMES), painter))) == 30
    line = re.sub(r"\x1b\[[^a-zA-Z]*[a-zA-Z]", "", terminal.getvalue()).split("\r")[-2].rstrip()
    assert re.search(r"30 frames, \S+ fps" + (r" +\S+ left$" if columns > 25 else "$"), line)
    assert cell_len(line) <= columns
    assert "\n" not in line
    assert ("━" in line, name in line) == (columns >= 60, columns >= 80)


def test_elsewhere_nothing_moves(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert list(console.draw(job(3.0), iter(FRAMES), "student on cpu")) == FRAMES
    out, err = capsys.readouterr()
    assert out == ""
    assert "frames" not in err
