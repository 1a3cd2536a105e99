"""Whatever ffmpeg or its disk do: nothing is lost, the code is right, no process is left."""

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from fidelity.fault import DEADLINE, MINE, Run, frames_in
from fidelity.ledger import FAULTS, Enter
from fidelity.moments import (
    FFV1,
    MOMENTS,
    finishing,
    slow,
    untouched,
)


@pytest.mark.parametrize(
    ("number", "moment"),
    [
        (signal.SIGKILL, "in the middle"),
        (signal.SIGKILL, "while ffmpeg ends the file"),
        slow(signal.SIGSEGV, "in the middle"),
        slow(signal.SIGTERM, "in the middle"),
    ],
)
def test_ffmpeg_is_killed(
    number: signal.Signals, moment: str, start: Callable[..., Run], enter: Enter
) -> None:
    words, script, pipes, reach = MOMENTS[moment]
    run = start(words, script, **pipes)
    reach(run)
    (child,) = run.children()
    os.kill(child, number)
    left = run.end()
    assert left.code == 5
    untouched(left)
    enter(FAULTS, f"{number.name} to ffmpeg", moment, "5", left.words())


@pytest.mark.parametrize("moment", ["in the middle", slow("while ffmpeg ends the file")])
def test_ffmpeg_hangs(moment: str, start: Callable[..., Run], enter: Enter) -> None:
    """Stopped, or asleep when it should end."""
    words, script, pipes, reach = MOMENTS[moment]
    run = start(f"{words} --patience 2", script, **pipes)
    reach(run)
    if moment == "in the middle":
        (child,) = run.children()
        os.kill(child, signal.SIGSTOP)
    left = run.end()
    assert left.code == 5
    untouched(left)
    enter(FAULTS, "ffmpeg hangs, --patience 2", moment, "5", left.words())


@pytest.mark.slow
def test_a_slow_ffmpeg_is_no_hanging_one(start: Callable[..., Run], enter: Enter) -> None:
    """It takes nothing for longer than the patience, but computes."""
    run = start(f"short.mp4 {FFV1} --patience 3", 'timeout 6 yes > /dev/null; exec "$real" "$@"')
    left = run.end()
    assert left.code == 0, left.said
    assert frames_in(run.folder / "out.mkv") == 20
    enter(FAULTS, "ffmpeg is slow, --patience 3", "before the first frame", "0", "painted")


HALF = '"$real" "${@:1:$#-1}" -frames:v 100'
FAKES = {
    "ffmpeg ends well at once": ("short.mp4", "exit 0"),
    "ffmpeg ends well and wrote nothing": ("short.mp4", "cat > /dev/null"),
    "ffmpeg ends well and wrote no video": ("short.mp4", 'cat > /dev/null; echo no > "${!#:5}"'),
    "ffmpeg ends well and wrote a part": ("long.mp4", f'exec {HALF} "${{!#}}"'),
    "ffmpeg ends well, read all and wrote a part": (
        "short.mp4",
        'tee -p >(exec "$real" "${@:1:$#-1}" -frames:v 5 "${!#}") > /dev/null 2>&1; sleep 1',
    ),
    "ffmpeg fails": ("short.mp4", "echo 'no memory for that' >&2; exit 1"),
    "ffmpeg fails and floods stderr": (
        "short.mp4",
        "head -c 4000000 /dev/zero | tr '\\0' x >&2; echo >&2; echo 'that was much' >&2; exit 1",
    ),
    "no space left": ("long.mp4", 'exec "$real" "${@:1:$#-1}" file:/dev/full'),
}


@pytest.mark.parametrize(
    "fault", [fault if "no space" in fault else slow(fault) for fault in FAKES]
)
def test_ffmpeg_does_not_do_its_work(fault: str, start: Callable[..., Run], enter: Enter) -> None:
    clip, script = FAKES[fault]
    run = start(f"{clip} {FFV1}", script)
    left = run.end()
    assert left.code == 5
    untouched(left)
    said = left.words().replace(f".out.mkv.vstyle-{run.process.pid}.part", "PART")
    enter(FAULTS, fault, "in the middle", "5", said.replace(str(run.folder) + "/", ""))


@pytest.mark.slow
def test_a_flood_on_stderr_does_no_harm(start: Callable[..., Run], enter: Enter) -> None:
    flood = "head -c 4000000 /dev/zero | tr '\\0' x >&2"
    run = start(f"short.mp4 {FFV1}", f'{flood}; exec "$real" "$@"')
    left = run.end()
    assert left.code == 0
    assert frames_in(run.folder / "out.mkv") == 20
    enter(FAULTS, "ffmpeg floods stderr", "before the first frame", "0", "painted")


@pytest.mark.parametrize("kind", ["mp4", slow("mkv"), slow("nut")])
def test_no_space_for_the_last_bytes(kind: str, start: Callable[..., Run], enter: Enter) -> None:
    """A clip so small that ffmpeg writes all of it at its end."""
    run = start(f"short.mp4 -o new.{kind}", 'exec "$real" "${@:1:$#-1}" file:/dev/full')
    left = run.end()
    assert left.code == 5
    untouched(left)
    enter(FAULTS, "no space left", f"only at the end of a small {kind}", "5", left.words())


def test_no_space_on_standard_output(start: Callable[..., Run], enter: Enter) -> None:
    with Path("/dev/full").open("wb") as full:
        run = start("long.mp4 -o -", stdout=full)
    left = run.end()
    assert left.code == 5
    untouched(left)
    enter(FAULTS, "no space left", "on standard output", "5", left.words())


def test_a_file_as_large_as_is_allowed(start: Callable[..., Run], enter: Enter) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    run = start(f"long.mp4 {FFV1}", preexec_fn=limit)
    left = run.end()
    assert left.code == 5
    untouched(left)
    enter(FAULTS, "the limit of file sizes", "in the middle", "5", left.words())


PROGRAMS = {"is not there": None, "is no program": "text", "may not be run": "#!/bin/sh\n"}


@pytest.mark.slow
@pytest.mark.parametrize("fault", PROGRAMS)
def test_ffmpeg_cannot_be_run(
    fault: str,
    start: Callable[..., Run],
    enter: Enter,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    program = tmp_path / "program"
    if (text := PROGRAMS[fault]) is not None:
        program.write_text(text)
        program.chmod(0o644 if "may not" in fault else 0o755)
    monkeypatch.setenv("VSTYLE_FFMPEG", str(program))
    left = start(f"short.mp4 {FFV1}").end()
    assert left.code == 5
    untouched(left)
    said = left.words().replace(str(program), "PROGRAM")
    enter(FAULTS, f"ffmpeg {fault}", "before the first frame", "5", said)


def takes_part_away(run: Run) -> None:
    part = run.part()
    assert part is not None
    part.unlink()


def makes_a_folder(run: Run) -> None:
    (run.folder / "out.mkv").unlink()
    (run.folder / "out.mkv").mkdir()
    (run.folder / "out.mkv" / "mine").write_bytes(MINE)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "act"),
    [
        ("the hidden file is removed", takes_part_away),
        ("a folder takes the output's name", makes_a_folder),
    ],
)
def test_the_place_changes(
    fault: str, act: Callable[[Run], None], start: Callable[..., Run], enter: Enter
) -> None:
    run = start(f"short.mp4 {FFV1}", '"$real" "$@" && touch written && exec sleep 3')
    finishing(run)
    act(run)
    code = run.process.wait(DEADLINE)
    said = run.errors.read_text()
    assert code == 5
    assert "Traceback" not in said
    assert run.part() is None
    place = run.folder / "out.mkv"
    assert (place / "mine" if place.is_dir() else place).read_bytes() == MINE
    words = said.removeprefix("vstyle: ").partition(". ")[0].replace(f"{run.folder}/", "")
    words = words.replace(f".out.mkv.vstyle-{run.process.pid}.part", "PART")
    enter(FAULTS, fault, "before it gets its name", "5", words)
