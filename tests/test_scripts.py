"""The scripts and the Makefile: what they are given is checked before anything is written."""

import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


def script(name: str) -> dict[str, Any]:
    """Return what a script defines, without running it."""
    return runpy.run_path(str(ROOT / "scripts" / f"{name}.py"))


def run(name: str, *words: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a script as it is typed."""
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, words)])
    script(name)["main"]()


def test_results_replace_what_is_between_their_marks() -> None:
    """And nothing else of the page."""
    made = script("bench_table")
    begin, end = made["BEGIN"], made["END"]
    placed = made["placed"](f"# Page\n{begin}old\n{end}\nThe rest.\n", "| new |")
    assert placed == f"# Page\n{begin}\n| new |\n{end}\nThe rest.\n"
    assert made["placed"](placed, "| new |") == placed


@pytest.mark.parametrize("marks", ["", "b", "e", "eb", "bbe", "bee"])
def test_a_page_without_both_marks_stays(marks: str) -> None:
    """Whatever is missing, twice there or the wrong way round."""
    made = script("bench_table")
    page = "".join({"b": made["BEGIN"], "e": made["END"]}[mark] for mark in marks)
    with pytest.raises(ValueError, match="there must be one"):
        made["placed"](f"# Page\n{page}The rest.\n", "| new |")


def log(path: Path, values: list[object], tail: str = "") -> Path:
    """Write a training log with a term `content` in every step, and `tail` after it."""
    lines = [json.dumps({"step": 1 + n, "content": value}) for n, value in enumerate(values)]
    path.write_text("".join(f"{line}\n" for line in lines) + tail)
    return path


def test_curves_leave_out_what_is_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Terms that were not finite, and a line that a killed run left: the mean is of the others."""
    path = log(tmp_path / "log.jsonl", [3.0] * 30 + ["nan", "inf"] + [1.0] * 30, '{"step": 63, "co')
    made = script("curves")
    # Of the first 50 steps 30 are 3, 18 are 1, and 2 are no numbers.
    assert made["curve"](made["read"](path), "content") == ((50.0, pytest.approx(108 / 48)),)
    run("curves", path, monkeypatch=monkeypatch)
    assert "<polyline" in capsys.readouterr().out


@pytest.mark.parametrize("values", [[], [1.0] * 49, ["nan"] * 60])
def test_curves_of_nothing_are_no_picture(
    values: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit, match="nothing to draw"):
        run("curves", log(tmp_path / "log.jsonl", values), monkeypatch=monkeypatch)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "words",
    [["--steps", "10"], ["--steps", "5", "--skip", "9"], ["--recipe", "smoke", "--skip", "20"]],
)
def test_steps_that_nobody_counts_are_refused(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Before any picture is read: the folders are empty."""
    folders = ["--content", tmp_path, "--styles", tmp_path, "--device", "cpu"]
    with pytest.raises(SystemExit) as ended:
        run("training_speed", *folders, *words, monkeypatch=monkeypatch)
    assert ended.value.code == 2
    assert "cannot be left out" in capsys.readouterr().err


def test_an_ablation_keeps_what_could_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """When `bench` says that a row failed, the others are shown, and that one is empty."""
    made = script("ablation")
    row = {"model": "a.safetensors", "mean": dict.fromkeys(made["MEASURES"], 0.5)}
    answer = json.dumps({"quality": [row]})
    code = 1

    def started(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, code, answer)

    monkeypatch.setattr(subprocess, "run", started)
    options = type("Options", (), {"vgg": "vgg.safetensors"})
    models = {"nothing": Path("a.safetensors"), "gram": Path("b.safetensors")}
    means = made["measure"](options, list(models.values()), [])
    *_, first, second = made["table"](means, models).splitlines()
    assert first == "| nothing |" + " 0.5 |" * len(made["MEASURES"])
    assert second == "| gram |" + "  |" * len(made["MEASURES"])
    with pytest.raises(subprocess.CalledProcessError):  # a run that went wrong has no model
        made["vstyle"]("train")
    code = 2
    with pytest.raises(subprocess.CalledProcessError):
        made["measure"](options, list(models.values()), [])


@pytest.mark.parametrize("check", [[], ["--check"]])
def test_styles_are_made_of_all_paintings_or_none(
    check: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One that is missing is named, and no file of the folder of styles is touched."""
    styles = ROOT / "styles"
    listed = re.findall(r'^file = "(.*)"$', (styles / "paintings.toml").read_text(), re.M)
    for name in listed[:-1]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    before = {path: path.stat().st_mtime_ns for path in styles.rglob("*")}
    with pytest.raises(SystemExit) as ended:
        run("make_styles", "--paintings", tmp_path, *check, monkeypatch=monkeypatch)
    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith(f"lacks {listed[-1]}\n")
    if check:
        (tmp_path / listed[-1]).parent.mkdir(exist_ok=True)
        (tmp_path / listed[-1]).touch()
        run("make_styles", "--paintings", tmp_path, *check, monkeypatch=monkeypatch)
    assert before == {path: path.stat().st_mtime_ns for path in styles.rglob("*")}


def made(*words: str) -> subprocess.CompletedProcess[str]:
    """Return what `make` would do."""
    if not shutil.which("make"):
        pytest.skip("there is no make")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--no-print-directory", "-C", str(ROOT), "-n", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=clean)


def test_make_takes_names_with_spaces() -> None:
    """Each arrives as one word."""
    for target, names in {
        "styles": {"PAINTINGS": "my paintings"},
        "ablation": {"CONTENT": "my photos", "STYLES": "my styles", "VGG": "vgg 19.pth"},
        "bench": {"VGG": "vgg 19.pth"},
        "bench-realtime": {"CLIP": "my clip.mp4", "INT8": "my model.safetensors"},
    }.items():
        done = made(target, *(f"{name}={value}" for name, value in names.items()))
        assert done.returncode == 0, done.stderr
        words = shlex.split(done.stdout)
        for value in names.values():
            assert any(word in {value, f"{value}/video", f"{value}/named"} for word in words)
            assert value.split()[1] not in words


def test_make_asks_for_the_folders_of_an_ablation() -> None:
    """Left out they would be the folder one is in."""
    done = made("ablation", "CONTENT=photos")
    assert done.returncode == 2
    assert "CONTENT=photos STYLES=" in done.stderr


def test_a_new_environment_is_filled(tmp_path: Path) -> None:
    """Whatever was installed into an earlier one."""
    venv = tmp_path / "new"
    done = made("demo", f"VENV={venv}")
    assert f"-m venv {venv}" in done.stdout
    assert f"{venv}/bin/python -m pip install" in done.stdout
