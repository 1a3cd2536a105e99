"""Readers, senders, inputs and places that fail: nothing is lost, and the code is right."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fidelity.fault import Run, frames_in
from fidelity.ledger import FAULTS, Enter, Table
from fidelity.moments import (
    FFV1,
    PIPE,
    slow,
    stalled,
    untouched,
)


@pytest.mark.parametrize("form", ["nut", slow("matroska"), slow("y4m")])
@pytest.mark.parametrize("moment", ["at once", "in the middle"])
def test_a_reader_that_leaves(
    form: str, moment: str, start: Callable[..., Run], enter: Enter
) -> None:
    run = start(f"long.mp4 -o - --format {form}", stdout=PIPE)
    assert run.process.stdout is not None
    if moment == "in the middle":
        run.process.stdout.read(20_000)
        run.family |= run.children()
    run.process.stdout.close()
    left = run.end()
    assert left.code == 141
    assert "holds" not in left.said
    assert [line for line in left.said.splitlines() if not line.startswith("note: ")] == []
    untouched(left)
    enter(FAULTS, f"the reader of {form} leaves", moment, "141", "nothing")


@pytest.mark.slow
def test_a_slow_reader_gets_everything(start: Callable[..., Run], enter: Enter) -> None:
    run = start("short.mp4 -o - --format y4m", stdout=PIPE)
    assert run.process.stdout is not None
    received = 0
    while piece := run.process.stdout.read(1024):
        received += len(piece)
        time.sleep(0.002)
    left = run.end()
    assert left.code == 0
    assert received > 20 * 64 * 48 * 3 // 2
    enter(FAULTS, "the reader is slow", "all the time", "0", "all frames arrive")


@pytest.mark.slow
def test_a_reader_that_pauses_is_waited_for(start: Callable[..., Run], enter: Enter) -> None:
    """As a pager or a player does: for longer than the patience, then it goes on."""
    run = start("long.mp4 -o - --format y4m --patience 1 --duration 2", stdout=PIPE)
    assert run.process.stdout is not None
    received = len(run.process.stdout.read(20_000))
    time.sleep(5)
    while piece := run.process.stdout.read(1 << 20):
        received += len(piece)
    left = run.end()
    assert left.code == 0, left.said
    assert received > 200 * 160 * 120 * 3 // 2
    enter(FAULTS, "the reader pauses, --patience 1", "in the middle", "0", "all frames arrive")


@pytest.mark.parametrize("moment", ["in the beginning", "in the middle"])
def test_standard_input_gives_nothing(
    moment: str, start: Callable[..., Run], enter: Enter, fast: Path
) -> None:
    run = start(f"- {FFV1} --patience 2", stdin=PIPE)
    (run.folder / "long.mp4").unlink()
    os.link(fast, run.folder / "long.mp4")
    if moment == "in the middle":
        stalled(run)
    left = run.end()
    assert left.code == 3
    untouched(left)
    enter(FAULTS, "standard input gives nothing, --patience 2", moment, "3", left.words())


@pytest.mark.slow
def test_the_input_is_removed(start: Callable[..., Run], enter: Enter) -> None:
    run = start(f"short.mp4 {FFV1}", 'sleep 1; exec "$real" "$@"')
    run.wait_until(run.children)
    (run.folder / "short.mp4").unlink()
    assert run.end().code == 0
    assert frames_in(run.folder / "out.mkv") == 20
    enter(FAULTS, "the input is removed", "in the middle", "0", "painted")


@pytest.mark.slow
def test_the_sender_dies(start: Callable[..., Run], enter: Enter, fast: Path) -> None:
    run = start(f"- {FFV1}", stdin=PIPE)
    (run.folder / "long.mp4").unlink()
    os.link(fast, run.folder / "long.mp4")
    stalled(run)
    assert run.process.stdin is not None
    run.process.stdin.close()
    left = run.end()
    assert left.code == 0
    assert "the last" in left.said
    assert 0 < frames_in(run.folder / "out.mkv") < 3000
    what = "what came is painted, and how much is missing is said"
    enter(FAULTS, "the sender of standard input dies", "in the middle", "0", what)


BROKEN = {
    "half an mkv": ("out.mkv -y", 0, "what there is is painted, and what is missing said"),
    "half an mkv, --strict": ("out.mkv -y --strict", 3, ""),
    "half an mp4, its index lost": ("out.mkv -y", 3, ""),
    "40 bits turned": ("out.mkv -y", 0, "what there is is painted, and the damage counted"),
    "40 bits turned, --strict": ("out.mkv -y --strict", 3, ""),
    "an empty file": ("out.mkv -y", 3, ""),
    "a text": ("out.mkv -y", 3, ""),
    "sound without a picture": ("out.mkv -y", 3, ""),
    "no file": ("out.mkv -y", 3, ""),
    "a folder": ("out.mkv -y", 3, ""),
}


@pytest.mark.parametrize("fault", [f if "strict" in f else slow(f) for f in BROKEN])
def test_the_input_is_broken(  # noqa: PLR0917
    fault: str,
    start: Callable[..., Run],
    enter: Enter,
    tmp_path: Path,
    sound_only: Path,
    ffmpeg: Callable[..., None],
) -> None:
    options, code, result = BROKEN[fault]
    source = tmp_path / "desk" / "broken"
    whole = tmp_path / "whole.mkv"
    ffmpeg("-i", tmp_path / "desk" / "short.mp4", "-c", "copy", whole)
    data = bytearray(whole.read_bytes())
    for place in range(3000, len(data), (len(data) - 3000) // 40):
        data[place] ^= 1 << place % 8
    contents = {
        "half an mkv": whole.read_bytes()[: whole.stat().st_size // 2],
        "half an mp4": (tmp_path / "desk" / "short.mp4").read_bytes()[:8000],
        "40 bits turned": bytes(data),
        "an empty file": b"",
        "a text": b"No video.\n" * 50,
        "sound without a picture": sound_only.read_bytes(),
    }
    if fault == "a folder":
        source.mkdir()
    elif fault != "no file":
        source.write_bytes(contents[fault.partition(",")[0]])
    left = start(f"broken --codec ffv1 -o {options}").end()
    assert left.code == code, left.said
    if code:
        untouched(left)
    else:
        assert "is damaged" in left.said
        assert 0 < frames_in(tmp_path / "desk" / "out.mkv") <= 20
    enter(FAULTS, f"the input: {fault}", "in the beginning", str(code), result or left.words())


PLACES = {
    "exists": ("out.mkv", 2),
    "is the input": ("short.mp4 -y", 2),
    "is a folder": (". -y", 2),
    "is in a folder that is not there": ("nowhere/out.mkv", 5),
    "cannot be written": ("/proc/out.mkv", 5),
    "has a suffix that means nothing": ("out.doc", 2),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", PLACES)
def test_the_output_cannot_be(fault: str, start: Callable[..., Run], enter: Enter) -> None:
    options, code = PLACES[fault]
    run = start(f"short.mp4 -o {options}")
    left = run.end()
    assert left.code == code
    untouched(left)
    said = left.words().replace(f"{run.folder}/", "")
    enter(FAULTS, f"the output {fault}", "in the beginning", str(code), said)


def test_there_are_forty_rows_and_more(committed: Callable[[Table], list[str]]) -> None:
    assert len(committed(FAULTS)) >= 40
