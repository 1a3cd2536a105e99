"""`vstyle train` as it is typed: what it says, how it stops, what it refuses."""

import json
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from started import DEADLINE, started

from vstyle import checkpoint
from vstyle.cli.app import app, exit_code
from vstyle.cli.learning import check_output
from vstyle.errors import UsageError
from vstyle.training.trainer import state_path


@pytest.fixture
def words(folders: Path, vgg_file: Path, tmp_path: Path) -> list[str]:
    """Return the command line of a small run without an end in sight."""
    pictures = ["--content", str(folders / "photos"), "--styles", str(folders / "paintings")]
    recipe = ["--recipe", "smoke", "--set", "scene_share=0.0", "--max-steps", "100000"]
    output = ["-o", str(tmp_path / "out.safetensors"), "--device", "cpu"]
    return ["train", *pictures, *recipe, "--vgg", str(vgg_file), *output]


@contextmanager
def training(words: list[str], output: Path) -> Iterator[subprocess.Popen[str]]:
    """Start the command, and go on after its first steps."""
    log = output.with_suffix(".log") / "log.jsonl"

    def stepping() -> bool:
        return log.exists() and log.read_text().count("\n") > 8

    with started(words, "a step", stepping) as run:
        yield run


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)],
)
def test_a_signal_saves_and_says_how_to_go_on(
    number: int, code: int, words: list[str], tmp_path: Path
) -> None:
    """And what it says can be typed: it ends where it is told to, with the recipe it began with."""
    output = tmp_path / "out.safetensors"
    with training(words, output) as run:
        run.send_signal(number)
        _, err = run.communicate(timeout=DEADLINE)
    assert run.returncode == code, err
    assert "Traceback" not in err
    steps = checkpoint.describe(state_path(output)).provenance["steps"]
    assert f"{steps} steps" in err
    assert "images per second" in err
    (line,) = (line for line in err.splitlines() if line.startswith("stopped; go on with: "))
    again = shlex.split(line.removeprefix("stopped; go on with: "))
    assert again[0] == "vstyle"
    assert "--resume" in again
    if number == signal.SIGTERM:
        again = [word for word in again if word not in {"--recipe", "smoke"}]
        assert exit_code(lambda: app([*again[1:], "--max-steps", str(steps + 2)])) == 0
        about = checkpoint.describe(output).provenance
        assert about["steps"] == steps + 2
        assert about["recipe"]["generator"]["code"] == 32


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (["--set", "steos=3"], 2, "Did you mean 'steps'?"),
        (
            ["--recipe", "none"],
            2,
            "Shipped recipes: cpu, distill-style, distill,",
        ),
        (["--max-time", "soon"], 2, "soon is no time"),
        (["--style", "{paintings}/own.png"], 2, "--styles or --style"),
        (["--videos", "{paintings}"], 3, "no usable clip"),
        (["--from", "nobody"], 4, "neither a shipped name nor a file"),
        (["--resume"], 4, "cannot be read"),
        (["--device", "tpu"], 2, "'tpu' is no device"),
        (["-o", "{paintings}"], 5, "cannot be written"),
        (["-o", "."], 5, "cannot be written"),
        (["-o", "{paintings}/own.png"], 2, "own.png exists"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    change: list[str],
    code: int,
    says: str,
    *,
    words: list[str],
    folders: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the exit code of its kind, before anything is trained."""
    change = [word.format(paintings=folders / "paintings") for word in change]
    assert exit_code(lambda: app([*words, *change])) == code
    err = capsys.readouterr().err
    assert says in err
    assert len(err.strip().splitlines()) == 1


def test_the_log_of_an_earlier_run_stays(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its model may be elsewhere by now. --overwrite is what begins it anew."""
    log = tmp_path / "out.log" / "log.jsonl"
    log.parent.mkdir()
    log.write_text('{"step": 1}\n')
    assert exit_code(lambda: app(words)) == 2
    assert f"{log} exists. Add --overwrite" in capsys.readouterr().err
    assert log.read_text() == '{"step": 1}\n'
    assert exit_code(lambda: app([*words, "--overwrite", "--max-steps", "2"])) == 0
    assert len(log.read_text().splitlines()) == 2


def test_what_a_run_left_is_in_the_way_of_another(tmp_path: Path) -> None:
    """Model, state and log, each alone; not a log in which no step was written, nor --resume."""
    output = tmp_path / "out.safetensors"
    log = tmp_path / "out.log" / "log.jsonl"
    log.parent.mkdir()
    log.touch()
    check_output(output, [], begins=True)
    for path in (output, state_path(output), log):
        path.write_text("something")
        with pytest.raises(UsageError, match="exists"):
            check_output(output, [], begins=True)
        check_output(output, [], begins=False)
        path.unlink()


@pytest.mark.slow
def test_the_gpu_recipe_runs_on_a_cpu(words: list[str], tmp_path: Path) -> None:
    """The teacher's networks and every term of the objective, on small pictures."""
    phases = "phases=[{start=0, size=64, batch=2}, {start=0.5, size=64, batch=2, video=true}]"
    small = ["--set", phases, "--set", "reconstruction=1", "--set", "adversarial_start=0.0"]
    often = ["--set", "cycle_share=1.0", "--set", "identity_share=0.0", "--max-steps", "4"]
    terms = {"adversarial": 0.3, "cycle": 4, "long_flow": 8, "variation": 0.05, "style_ramp": 1}
    all_terms = [word for name in terms for word in ("--set", f"{name}={terms[name]}")]
    gpu = ["--recipe", "gpu", *all_terms]
    assert exit_code(lambda: app([*words, *gpu, *small, *often])) == 0
    output = tmp_path / "out.safetensors"
    assert output.stat().st_size <= 8e6
    lines = (output.with_suffix(".log") / "log.jsonl").read_text().splitlines()
    assert json.loads(lines[-1]).keys() >= {"adversarial", "cycle", "long_flow", "variation"}


def test_a_full_disk_leaves_the_last_model(words: list[str], tmp_path: Path) -> None:
    """A place where no file can be grown: the file from before survives, and it is said."""
    import resource

    output = tmp_path / "out.safetensors"
    assert exit_code(lambda: app([*words, "--max-steps", "2"])) == 0
    before = output.read_bytes()

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # writing then fails, as on a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))

    found = subprocess.run(
        [sys.executable, "-m", "vstyle", *words, "--resume", "--max-steps", "4"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        preexec_fn=small_files,
    )
    assert found.returncode == 5, found.stderr
    assert "cannot be saved after step 4" in found.stderr
    assert "Traceback" not in found.stderr
    assert output.read_bytes() == before
    assert not list(tmp_path.glob(".*.part"))
