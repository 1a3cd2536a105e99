"""Progress is drawn on a terminal only, and frames go by unchanged."""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from vstyle.cli import console
from vstyle.video.colour import Colour
from vstyle.video.decode import Clip, Frame
from vstyle.video.stylize import Job

FRAMES = [Frame(np.zeros((2, 2, 3), np.uint8), index, Fraction(1, 10)) for index in range(30)]


def job(duration: float | None) -> Job:
    colour = Colour(1, full=False)
    one = Fraction(1)
    name = Path("a [b].mp4")
    clip = Clip(name, 2, 2, one / 10, one * 10, duration, one * 0, colour, one, 0)
    return Job(clip, ("something is converted",))


def drawn(frames: Iterable[Frame], duration: float | None, terminal: bool) -> tuple[list, str]:
    screen = Console(force_terminal=terminal, width=100, record=True, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
    with pytest.MonkeyPatch.context() as patch, screen.file:
        patch.setattr(console, "_console", lambda: screen)
        patch.setenv("TERM", "xterm")
        return list(console.draw(job(duration), frames)), screen.export_text()


@pytest.mark.parametrize("duration", [3.0, None, 0.0])
@pytest.mark.parametrize("terminal", [True, False])
def test_frames_go_by(duration: float | None, terminal: bool) -> None:
    frames, text = drawn(iter(FRAMES), duration, terminal)
    assert frames == FRAMES
    assert "note: something is converted" in text
    assert ("30 frames" in text) == terminal
