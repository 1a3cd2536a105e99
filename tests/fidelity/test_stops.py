"""Stopped at any moment, in any way: nothing is lost, the code is right, no process is left."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from fidelity.fault import MINE, Run, frames_in, send
from fidelity.ledger import FAULTS, Enter
from fidelity.moments import (
    FFV1,
    MOMENTS,
    PIPE,
    middle,
    slow,
    untouched,
    waits_for_input,
)

INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
CODES = {INT: 130, TERM: 143, HUP: 129}


@pytest.mark.parametrize("number", [INT, slow(TERM), slow(HUP)])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_signal(
    number: signal.Signals, moment: str, start: Callable[..., Run], enter: Enter, fast: Path
) -> None:
    words, script, pipes, reach = MOMENTS[moment]
    run = start(words, script, **pipes)
    if "standard input" in moment:
        run.folder.joinpath("long.mp4").unlink()
        os.link(fast, run.folder / "long.mp4")
    if "second" in moment:
        for name in ("short", "long"):
            os.link(run.folder / f"{name}.mp4", run.folder / f"{name}.mkv")
        (run.folder / "painted").mkdir()
        run.before |= {"painted", "short.mkv", "long.mkv"}
    reach(run)
    send(run, number)
    left = run.end()
    assert left.code == CODES[number], left.said
    untouched(left)
    result = "the first clip is painted" if "second" in moment else "nothing"
    if "second" in moment:
        assert [path.name for path in (run.folder / "painted").iterdir()] == ["short.mkv"]
    enter(FAULTS, number.name, moment, str(left.code), result)


@pytest.mark.slow
@pytest.mark.parametrize("number", [INT, TERM])
def test_what_is_kept_on_request_can_be_played(
    number: signal.Signals, start: Callable[..., Run], enter: Enter
) -> None:
    run = start(f"long.mp4 {FFV1} --keep-partial")
    middle(run)
    send(run, number)
    left = run.end()
    part = run.part()
    assert left.code == CODES[number], left.said
    assert left.out == MINE
    assert part is not None
    assert left.new == {part.name}
    assert part.name in left.said
    assert frames_in(part) > 0
    part.unlink()
    what = "the hidden file stays, is named, and can be played"
    enter(FAULTS, f"{number.name}, --keep-partial", "in the middle", str(left.code), what)


@pytest.mark.slow
@pytest.mark.parametrize(("words", "whom"), [("long.mp4", "ffmpeg too"), ("-", "ffmpeg too")])
def test_ctrl_c_reaches_the_whole_group(
    words: str, whom: str, start: Callable[..., Run], enter: Enter
) -> None:
    """As a terminal does it."""
    pipes = {"stdin": PIPE} if words == "-" else {}
    run = start(f"{words} {FFV1}", process_group=0, **pipes)
    (waits_for_input if words == "-" else middle)(run)
    os.killpg(run.process.pid, INT)
    left = run.end()
    assert left.code == 130
    untouched(left)
    moment = "while it waits for standard input" if words == "-" else "in the middle"
    enter(FAULTS, "Ctrl-C, to the whole process group", moment, "130", "nothing")


@pytest.mark.slow
@pytest.mark.parametrize("options", ["", "--keep-partial"])
def test_a_second_ctrl_c_is_as_good(options: str, start: Callable[..., Run], enter: Enter) -> None:
    run = start(f"long.mp4 {FFV1} {options}")
    middle(run)
    send(run, INT, INT)
    left = run.end()
    assert left.code == 130
    assert left.out == MINE
    if part := run.part():
        part.unlink()
    enter(FAULTS, f"Ctrl-C twice {options}".strip(), "in the middle", "130", "nothing")


def test_kill_9_leaves_a_file_that_can_be_played(start: Callable[..., Run], enter: Enter) -> None:
    """Nothing can be done about it; but ffmpeg sees the end of its input and ends well."""
    run = start(f"long.mp4 {FFV1}")
    middle(run)
    send(run, signal.SIGKILL)
    left = run.end()
    part = run.part()
    assert part is not None
    assert left.code == -9
    assert left.out == MINE
    assert frames_in(part) > 0
    part.unlink()
    enter(FAULTS, "SIGKILL", "in the middle", "137", "the hidden file stays, and can be played")


@pytest.mark.slow
def test_resume_goes_on_after_kill_9(start: Callable[..., Run], enter: Enter) -> None:
    """Killed in its third piece, and gone on with: not a bit of the pictures differs."""
    words = "long.mp4 --duration 6 --codec ffv1 -y"
    assert start(f"{words} -o whole.mkv").end().code == 0
    run = start(f"{words} -o out.mkv --resume")
    third = run.folder / ".out.mkv.vstyle-resume" / "000002.nut"
    run.wait_until(third.exists)
    send(run, signal.SIGKILL)
    assert run.end().out == MINE
    assert start(f"{words} -o out.mkv --resume").end().code == 0
    with (
        av.open(str(run.folder / "whole.mkv")) as one,
        av.open(str(run.folder / "out.mkv")) as other,
    ):
        for before, after in zip(one.decode(video=0), other.decode(video=0), strict=True):
            assert before.pts == after.pts
            assert bytes(before.planes[0]) == bytes(after.planes[0])
    result = "the same command goes on; frames and times are those of a run that was not stopped"
    enter(FAULTS, "SIGKILL, --resume", "in the third piece", "137, then 0", result)


@pytest.mark.slow
def test_ffmpeg_is_stopped_and_then_we_are(start: Callable[..., Run], enter: Enter) -> None:
    run = start(f"long.mp4 {FFV1}")
    middle(run)
    (child,) = run.children()
    os.kill(child, signal.SIGSTOP)
    time.sleep(0.3)
    send(run, TERM)
    left = run.end()
    assert left.code == 143
    untouched(left)
    enter(FAULTS, "SIGSTOP to ffmpeg, then SIGTERM", "in the middle", "143", "nothing")
