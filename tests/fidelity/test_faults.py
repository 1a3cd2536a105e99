"""Whatever goes wrong, and whenever: nothing is lost, the code is right, and no process is left."""

import os
import resource
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from fidelity.fault import DEADLINE, MINE, Left, Run, frames_in, send
from fidelity.ledger import FAULTS, Enter, Table

INT, TERM, HUP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP
CODES = {INT: 130, TERM: 143, HUP: 129}
FFV1 = "--codec ffv1 -o out.mkv -y"
# ffmpeg does its work, and then takes its time.
DAWDLES = '"$real" "$@" && touch written && exec sleep 60'


@pytest.fixture
def start(tmp_path: Path, long_clip: Path, cfr: Path) -> Callable[..., Run]:
    """Start the command in a folder with `long.mp4`, `short.mp4` and an `out.mkv` of before."""
    folder = tmp_path / "desk"
    folder.mkdir()
    os.link(long_clip, folder / "long.mp4")
    os.link(cfr, folder / "short.mp4")

    def run(words: str, script: str = "", **pipes: object) -> Run:
        return Run(folder, words, script, **pipes)

    return run


def slow(*values: object) -> object:
    """Leave a case to `make test-all`."""
    return pytest.param(*values, marks=pytest.mark.slow)


def untouched(left: Left) -> None:
    """Say that the folder is as it was."""
    assert left.out == MINE
    assert not left.new


def waits_for_input(run: Run) -> None:
    """Get to where the command reads: it has a pipe of its own then, to be woken by."""

    def reads() -> bool:
        try:
            descriptors = Path(f"/proc/{run.process.pid}/fd").iterdir()
            own = [str(link.readlink()) for link in descriptors if int(link.name) > 2]
        except OSError:  # one was closed meanwhile
            return False
        return sum("pipe:" in name for name in own) >= 2

    run.wait_until(reads)
    time.sleep(0.2)


def nobody_reads(run: Run) -> None:
    """Get to where ffmpeg has filled the pipe that nobody reads."""
    run.wait_until(run.children)
    time.sleep(0.5)


def stalled(run: Run) -> None:
    """Send half of a clip to standard input, and no more."""
    data = (run.folder / "long.mp4").read_bytes()
    assert run.process.stdin is not None
    run.process.stdin.write(data[: len(data) // 6])
    run.wait_until(run.grows)


def middle(run: Run) -> None:
    run.wait_until(run.grows)


def finishing(run: Run) -> None:
    run.wait_until((run.folder / "written").exists)
    run.before.add("written")


def second(run: Run) -> None:
    run.wait_until(lambda: run.grows() and (run.folder / "painted" / "short.mkv").exists())


PIPE = subprocess.PIPE
MOMENTS = {
    "while it waits for standard input": (f"- {FFV1}", "", {"stdin": PIPE}, waits_for_input),
    "when standard input stalls in the middle": (f"- {FFV1}", "", {"stdin": PIPE}, stalled),
    "in the middle": (f"long.mp4 {FFV1}", "", {}, middle),
    "when nobody reads its output": ("long.mp4 -o -", "", {"stdout": PIPE}, nobody_reads),
    "while ffmpeg ends the file": (f"short.mp4 {FFV1}", DAWDLES, {}, finishing),
    "in the second of two clips": (
        "short.mkv long.mkv --out-dir painted --codec ffv1 -q",
        "",
        {},
        second,
    ),
}


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


@pytest.fixture(scope="session")
def fast(clips: Path, long_clip: Path, ffmpeg: Callable[..., None]) -> Path:
    """Copy the long clip into an mp4 with its index in front."""
    path = clips / "long-fast.mp4"
    ffmpeg("-i", long_clip, "-c", "copy", "-movflags", "+faststart", path)
    return path


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
