"""The command as people meet it: one line, the right exit code, nothing changed on disk."""

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from vstyle.cli import app as door
from vstyle.engine.base import Identity

Run = Callable[..., tuple[int, str, str]]


def test_a_clip_is_painted_and_one_line_said(vstyle: Run, cfr: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    code, out, err = vstyle("stylize", cfr, "--model", "identity", "-o", output)
    assert (code, out) == (0, "")
    assert re.fullmatch(rf"{re.escape(str(output))}: 20 frames, \d+\.\d s, \d+\.\d fps\n", err)
    assert output.stat().st_size > 0


def test_quiet_is_quiet(vstyle: Run, cfr: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.webm"
    assert vstyle("stylize", cfr, "--model", "identity", "-q", "-o", output) == (0, "", "")


def test_notes_come_before_the_closing_line(vstyle: Run, odd: Path, tmp_path: Path) -> None:
    _, _, err = vstyle("stylize", odd, "--model", "identity", "-o", tmp_path / "out.mp4")
    assert [line.split(":")[0] for line in err.splitlines()] == ["note", str(tmp_path / "out.mp4")]


def test_options_that_do_not_fit_are_said(vstyle: Run, cfr: Path, tmp_path: Path) -> None:
    ffv1 = ["--codec", "ffv1", "--crf", "18", "--preset", "slow"]
    output = tmp_path / "out.mkv"
    code, _, err = vstyle("stylize", cfr, "--model", "identity", *ffv1, "-o", output)
    assert code == 0
    assert "ffv1 has no --crf" in err
    assert "ffv1 has no --preset" in err


BAD = {
    "missing input": ("missing.mp4", "out.mp4", 3, "does not exist"),
    "directory as input": (".", "out.mp4", 3, "is a directory"),
    "text as input": ("text.mp4", "out.mp4", 3, "not a video"),
    "empty input": ("empty.mp4", "out.mp4", 3, "is empty"),
    "sound only": ("sound.mp4", "out.mp4", 3, "no video"),
    "output exists": ("in.mp4", "exists.mp4", 2, "exists"),
    "output is the input": ("in.mp4", "in.mp4", 2, "is the input itself"),
    "output is a link to the input": ("in.mp4", "link.mp4", 2, "is the input itself"),
    "output is a directory": ("in.mp4", "folder.mp4", 2, "is a directory"),
    "no such directory": ("in.mp4", "nowhere/out.mp4", 5, "is no directory"),
    "place that cannot be written": ("in.mp4", "/proc/out.mp4", 5, "cannot be written"),
    "no suffix": ("in.mp4", "out", 2, "suffix"),
    "unknown suffix": ("in.mp4", "out.doc", 2, "no format that"),
}


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder with good and bad files in it, and go there."""
    sources = {"in": "cfr", "text": "text", "empty": "empty", "sound": "sound_only"}
    for name, fixture in sources.items():
        source = request.getfixturevalue(fixture)
        (tmp_path / f"{name}.mp4").write_bytes(source.read_bytes())
    (tmp_path / "exists.mp4").write_bytes(b"mine")
    (tmp_path / "link.mp4").symlink_to("in.mp4")
    (tmp_path / "folder.mp4").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused(case: str, vstyle: Run, folder: Path) -> None:
    source, output, expected, reason = BAD[case]
    before = contents(folder)
    yes = ["-y"] if "input itself" in reason else []
    code, out, err = vstyle("stylize", source, "--model", "identity", "-o", output, *yes)
    assert (code, out) == (expected, "")
    (line,) = err.splitlines()
    assert line.startswith("vstyle: ")
    assert reason in line
    assert line.endswith((".", "?"))
    assert contents(folder) == before


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--codec", "libx246"], "no video encoder 'libx246'"),
        (["--preset", "quick"], "no preset 'quick'"),
        (["--model", "student"], "no style is given"),
    ],
)
def test_bad_options_are_refused(
    arguments: list[str], reason: str, vstyle: Run, folder: Path
) -> None:
    before = contents(folder)
    code, _, err = vstyle("stylize", "in.mp4", "--model", "identity", "-o", "o.mp4", *arguments)
    assert code == 2
    assert reason in err
    assert contents(folder) == before


@pytest.mark.parametrize("arguments", [["--strength", "2"], ["--crf", "x"], ["--nonsense"]])
def test_the_parser_refuses_with_2(arguments: list[str], vstyle: Run, folder: Path) -> None:
    assert vstyle("stylize", "in.mp4", "-o", "o.mp4", *arguments)[0] == 2


def test_overwrite_replaces_what_a_link_points_to(vstyle: Run, folder: Path, vfr: Path) -> None:
    link = folder / "soft.mp4"
    link.symlink_to("exists.mp4")
    code, _, _ = vstyle("stylize", vfr, "--model", "identity", "-o", link, "--overwrite")
    assert code == 0
    assert link.is_symlink()
    assert (folder / "exists.mp4").stat().st_size > 100


def test_what_came_to_be_meanwhile_is_not_replaced(
    vstyle: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless that is asked for; and what was painted is not lost."""
    output, command = folder / "new.mp4", ["stylize", "in.mp4", "--model", "identity"]

    def slow_one(*_: object) -> tuple[Identity, str]:
        output.write_text("another's")
        return Identity(), "identity"

    monkeypatch.setattr("vstyle.cli.stylize._engine", slow_one)
    code, _, err = vstyle(*command, "-o", output)
    assert code == 5
    assert "new.mp4 came to be meanwhile" in err
    assert output.read_text() == "another's"
    (part,) = folder.glob(".new.mp4.*.part")
    assert part.stat().st_size > 100
    assert str(part) in err
    part.unlink()
    assert vstyle(*command, "-o", output, "-y")[0] == 0
    assert output.stat().st_size > 100


@pytest.mark.parametrize("name", ["n" * 251, "\N{HIRAGANA LETTER A}" * 83])
@pytest.mark.parametrize("more", [[], ["--resume"]])
def test_any_name_that_the_disk_takes(
    name: str, more: list[str], vstyle: Run, folder: Path
) -> None:
    code, _, err = vstyle("stylize", "in.mp4", "--model", "identity", "-o", f"{name}.mp4", *more)
    assert code == 0, err
    assert (folder / f"{name}.mp4").stat().st_size > 100


def test_ffmpegs_own_words_are_in_the_error(vstyle: Run, folder: Path) -> None:
    before = contents(folder)
    options = ["--model", "identity", "--codec", "libx264"]
    code, _, err = vstyle("stylize", "in.mp4", "-o", "out.webm", *options)
    assert code == 5
    assert "WebM" in err
    assert ".." not in err
    assert contents(folder) == before


def test_an_ffmpeg_that_cannot_run_is_named(
    vstyle: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VSTYLE_FFMPEG", "/nowhere/ffmpeg")
    code, _, err = vstyle("stylize", "in.mp4", "--model", "identity", "-o", "out.mp4")
    assert code == 5
    assert "/nowhere/ffmpeg" in err
    assert "VSTYLE_FFMPEG" in err


def test_a_bug_is_one_line_and_a_traceback_on_request(
    vstyle: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vstyle.video.stylize.plan_encoding", lambda *_: 1 / 0)
    command = ["stylize", "in.mp4", "--model", "identity", "-o", "out.mp4"]
    code, _, err = vstyle(*command)
    assert code == 70
    assert "ZeroDivisionError" in err.splitlines()[0]
    assert "Traceback" not in err
    monkeypatch.setenv("VSTYLE_DEBUG", "1")
    assert "Traceback" in vstyle(*command)[2]


@pytest.mark.parametrize(
    ("kind", "words"), [(MemoryError, ""), (RuntimeError, "Exception from x:1: std::bad_alloc")]
)
def test_memory_that_ran_out_is_no_bug(
    kind: type[Exception],
    words: str,
    *,
    vstyle: Run,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def plan(*_: object) -> None:
        raise kind(words)

    monkeypatch.setattr("vstyle.video.stylize.plan_encoding", plan)
    code, _, err = vstyle("stylize", "in.mp4", "--model", "identity", "-o", "out.mp4")
    assert code == 6
    assert "memory ran out" in err


def test_every_verb_has_help_that_ends_in_examples(vstyle: Run) -> None:
    for verb in door.app.registered_commands:
        assert verb.callback is not None
        name = verb.callback.__name__
        code, out, _ = vstyle(name, "-h")
        assert code == 0
        assert out
        examples = (verb.callback.__doc__ or "").partition("Examples:")[2]
        assert len(re.findall(rf"^\s+vstyle {name} ", examples, re.MULTILINE)) >= 2


def test_version(vstyle: Run) -> None:
    code, out, _ = vstyle("--version")
    assert code == 0
    assert re.fullmatch(r"vstyle \d+\.\d+\.\d+\n", out)


def test_files_with_newlines_and_brackets_in_their_names(
    vstyle: Run, cfr: Path, tmp_path: Path
) -> None:
    source, output = tmp_path / "a [b]\nc.mp4", tmp_path / "[red]\nout.mp4"
    os.link(cfr, source)
    code, _, err = vstyle("stylize", source, "--model", "identity", "-o", output)
    assert code == 0
    assert "[red] out.mp4: 20 frames" in err
    assert err.count("\n") == 1
