"""Every clip of the page goes through the command and comes out as the page says."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fidelity.cases import CASES
from fidelity.clips import LONG, Case, make
from fidelity.ledger import MATRIX, Enter, Table
from fidelity.looks import Look
from vstyle.cli import app as door

CLOSE = 3  # of 255


def paint(source: Path, case: Case) -> Path:
    """Send a clip through the command."""
    painted = source.with_name(f"out.{case.output}")
    command = ["stylize", str(source), "--model", "identity", "-o", str(painted)]
    assert door.exit_code(lambda: door.app([*command, *case.options.split()])) == 0
    return painted


def times_of(before: Look, after: Look) -> str:
    """Say how the times of all frames compare."""
    assert len(before.times) == len(after.times)
    start = before.times[0] - after.times[0]
    # A broadcast counts from anywhere; everything else keeps its zero.
    origin = start if {before.path.suffix, after.path.suffix} & {".ts", ".mpg"} else 0
    pairs = zip(before.times, after.times, strict=True)
    worst = max(abs(b - a - origin) for b, a in pairs)
    if worst == 0:
        return f"{len(after.times)}, exact"
    assert worst <= after.tick
    return f"{len(after.times)}, within a tick of {after.tick.numerator}/{after.tick.denominator} s"


def picture_of(before: Look, after: Look, *filters: str) -> str:
    """Say what the picture is like, and how far its patches are from those of the source.

    `filters` are ffmpeg's, for the source.
    """
    worst = int(np.abs(before.patches(*filters) - after.patches()).max())
    words = "equal" if worst == 0 else f"within {CLOSE}/255"
    assert worst <= CLOSE, f"{before.picture} became {after.picture}"
    return f"{after.picture}, {words}"


def streams_of(before: Look, after: Look, notes: str) -> str:
    """Say which streams there are, and what was said of the others."""
    sounds = list(zip(before.sounds(), after.sounds(), strict=False))
    copied = [[d for _, d in b] == [d for _, d in a] for b, a in sounds]
    names = after.streams.copy()
    for index, same in enumerate(copied):
        names[index] += ", the same packets" if same else ""
    return "; ".join([*names, *[f"said: {line}" for line in notes.splitlines()]]) or "-"


@pytest.mark.parametrize(
    "case",
    [pytest.param(c, marks=[pytest.mark.slow] if c.slow else []) for c in CASES],
    ids=lambda case: f"{case.source} to {case.output} {case.options}",
)
def test_a_clip_comes_through(
    case: Case,
    tmp_path: Path,
    ffmpeg: Callable[..., None],
    capfd: pytest.CaptureFixture[str],
    enter: Enter,
) -> None:
    source = make(case, tmp_path, ffmpeg)
    capfd.readouterr()
    painted = paint(source, case)
    said = [line for line in capfd.readouterr().err.splitlines() if line.startswith("note: ")]
    before, after = Look(source), Look(painted)
    whole = "interlaced" in case.traits and "--deinterlace off" not in case.options
    filters = ["bwdif=mode=send_frame:deint=interlaced"] if whole else []
    times = times_of(before, after)
    if LONG in case.traits:
        assert abs(before.lasting - after.lasting) <= max(before.tick, after.tick)
        times += f", the last for {float(after.lasting):.2f} s"
    enter(
        MATRIX,
        case.source,
        f"{case.output} {case.options}".strip(),
        times,
        picture_of(before, after, *filters),
        streams_of(before, after, "\n".join(line.removeprefix("note: ") for line in said)),
    )


def test_the_page_has_a_row_for_every_case_and_no_other(
    committed: Callable[[Table], list[str]],
) -> None:
    listed = [tuple(row.split(" | ")[:2]) for row in committed(MATRIX)]
    cases = [(f"| {case.source}", f"{case.output} {case.options}".strip()) for case in CASES]
    assert listed == cases
