"""Several clips in one command, and what programs read: JSON, progress, exit code 1."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vstyle.cli import stylize as verb
from vstyle.engine.base import Identity

Run = Callable[..., tuple[int, str, str]]
IDENTITY = ["--model", "identity"]


@pytest.fixture
def three(
    tmp_path: Path, cfr: Path, text: Path, vfr: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Make a folder with a good clip, a bad one, and a good one; go there."""
    for name, source in {"a.mp4": cfr, "bad.mp4": text, "c.mkv": vfr}.items():
        os.link(source, tmp_path / name)
    (tmp_path / "o").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_bad_file_does_not_stop_the_others(
    vstyle: Run, three: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model is loaded once, what can be painted is, the table tells, and the code is 1."""
    loaded = []
    monkeypatch.setattr(verb, "_engine", lambda *_: loaded.append(1) or (Identity(), "identity"))
    clips = ["a.mp4", "bad.mp4", "c.mkv"]
    code, out, err = vstyle("stylize", *clips, *IDENTITY, "--out-dir", "o")
    assert (code, out) == (1, "")
    assert sorted(path.name for path in (three / "o").iterdir()) == ["a.mp4", "c.mkv"]
    assert len(loaded) == 1
    rows = [re.split(r"  +", line)[:2] for line in err.splitlines()[-3:]]
    assert rows == [["done", "a.mp4"], ["failed", "bad.mp4"], ["done", "c.mkv"]]
    assert "vstyle: bad.mp4 is not a video" in err


def test_all_well_is_0_and_json_tells_of_each(vstyle: Run, three: Path) -> None:
    code, out, _ = vstyle("stylize", "a.mp4", "c.mkv", *IDENTITY, "--out-dir", "o", "--json")
    assert code == 0
    told = json.loads(out)
    assert told["failed"] == 0
    assert [one["frames"] for one in told["files"]] == [20, 30]


def test_a_dry_run_says_what_would_be(vstyle: Run, three: Path) -> None:
    code, _, err = vstyle("stylize", "a.mp4", *IDENTITY, "--out-dir", "o", "--dry-run")
    assert code == 0
    assert err.splitlines()[-1].startswith("would be painted  a.mp4")
    assert not list((three / "o").iterdir())
    code, _, err = vstyle("stylize", "a.mp4", *IDENTITY, "-o", "o.avi", "--resume", "--dry-run")
    assert code == 2
    assert "cannot be made in pieces" in err


def test_json_tells_of_errors_too(vstyle: Run, three: Path) -> None:
    code, out, err = vstyle("stylize", "bad.mp4", *IDENTITY, "-o", "o.mp4", "--json")
    assert code == 3
    told = json.loads(out)
    assert told["exit_code"] == 3
    assert "not a video" in told["error"]
    assert err.startswith("vstyle: ")


def test_json_of_a_clip(vstyle: Run, three: Path) -> None:
    code, out, _ = vstyle("stylize", "a.mp4", *IDENTITY, "-o", "o.gif", "--json", "-q")
    told = json.loads(out)
    assert code == 0
    assert told["frames"] == 20
    assert told["fps"] == pytest.approx(20 / told["seconds"], rel=0.1)
    assert [stream["becomes"] for stream in told["streams"]] == ["gif", None]
    assert len(told["warnings"]) == 1


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["a.mp4", "c.mkv", "-o", "o.mp4"], "several clips cannot become one"),
        (["a.mp4", "./a.mp4", "--out-dir", "o"], "2 clips would become"),
        (["-", "--out-dir", "o"], "no name"),
        (["a.mp4", "--out-dir", "o", "-o", "o.mp4"], "two places"),
        (["a.mp4"], "no output"),
        (["a.mp4", "--out-dir", "none"], "is no directory"),
    ],
)
def test_places_that_make_no_sense(words: list[str], reason: str, vstyle: Run, three: Path) -> None:
    before = sorted(three.iterdir())
    code, _, err = vstyle("stylize", *words, *IDENTITY)
    assert code == (5 if "directory" in reason else 2)
    assert reason in err
    assert sorted(three.iterdir()) == before


def test_a_clip_is_never_written_over_itself(vstyle: Run, three: Path) -> None:
    before = (three / "a.mp4").read_bytes()
    code, _, err = vstyle("stylize", "a.mp4", *IDENTITY, "--out-dir", ".", "-y")
    assert code == 1
    assert "is the input itself" in err
    assert (three / "a.mp4").read_bytes() == before


def test_a_dry_run_says_all_and_writes_nothing(vstyle: Run, three: Path) -> None:
    before = sorted(three.iterdir())
    for words in (["-o", "o.mp4"], ["--out-dir", "o"]):
        code, out, err = vstyle("stylize", "a.mp4", *IDENTITY, *words, "--dry-run")
        assert (code, out) == (0, "")
        for word in ("64x48", "25 fps", "bt709", "audio (aac) is copied", "painter: identity"):
            assert word in err
        assert "libx264" in err.rpartition("command: ")[2]
    assert sorted(three.iterdir()) == before


def test_verbose_says_what_a_dry_run_says(vstyle: Run, three: Path) -> None:
    dry = vstyle("stylize", "a.mp4", *IDENTITY, "-o", "o.mp4", "--dry-run")[2]
    code, _, err = vstyle("stylize", "a.mp4", *IDENTITY, "-o", "o.mp4", "-v")
    assert code == 0
    assert err.startswith(dry)


def test_progress_is_json_lines(vstyle: Run, three: Path) -> None:
    words = ["-o", "o.mp4", "--progress", "json", "-q"]
    _, out, err = vstyle("stylize", "a.mp4", *IDENTITY, *words)
    assert out == ""
    first, *_, last = map(json.loads, err.splitlines())
    assert (first["frame"], last["frame"]) == (1, 20)
    assert first["duration"] == pytest.approx(0.8, abs=0.1)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_can_complete(shell: str) -> None:
    """The script of each shell, and for bash what it would be offered."""
    # What --show-completion prints. That asks which shell it was started from: perhaps make's.
    code = "import sys; sys.argv = ['vstyle']; from vstyle.cli.app import main; main()"
    show = [sys.executable, "-c", code]
    asked = os.environ | {"_VSTYLE_COMPLETE": f"source_{shell}"}
    run = subprocess.run(show, env=asked, capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert "vstyle" in run.stdout


def test_a_style_can_be_completed() -> None:
    line = "vstyle stylize in.mp4 --style gre"
    asked = {"_VSTYLE_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": "4"}
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.argv = ['vstyle']; from vstyle.cli.app import main; main()",
        ],
        env=os.environ | asked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "great-wave" in run.stdout.split()


@pytest.mark.parametrize("name", ["NO_COLOR", "TERM"])
def test_no_colour_and_no_bar_where_they_are_not_wanted(name: str, three: Path) -> None:
    """On a terminal: NO_COLOR takes the colours, TERM=dumb the bar as well."""
    main, terminal = os.openpty()
    command = [sys.executable, "-m", "vstyle", "stylize", "a.mp4", *IDENTITY, "-o", "o.mp4"]
    values = {"NO_COLOR": {"NO_COLOR": "1", "TERM": "xterm"}, "TERM": {"TERM": "dumb"}}[name]
    environment = {key: text for key, text in os.environ.items() if key != "NO_COLOR"}
    run = subprocess.run(command, stderr=terminal, env=environment | values, check=False)
    os.close(terminal)
    drawn = os.read(main, 1 << 16).decode()
    os.close(main)
    assert run.returncode == 0
    assert "20 frames" in drawn
    assert not re.search(r"\x1b\[[0-9;]*[1-9][0-9;]*m", drawn)
    if name == "TERM":
        assert "\x1b" not in drawn
