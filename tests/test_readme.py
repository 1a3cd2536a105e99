"""What the README says can be typed."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
from PIL import Image

from vstyle.cli.app import app, exit_code
from vstyle.scene.canvas import paint_canvas

README = (Path(__file__).parents[1] / "README.md").read_text()
LINES = [line.split("#")[0].strip() for line in re.findall(r"^    (vstyle .*)$", README, re.M)]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cfr: Path) -> Path:
    """Make a folder with the files that the README's commands name."""
    shutil.copy(cfr, tmp_path / "in.mp4")
    for name in ("starry.jpg", "my-painting.png"):
        Image.fromarray(paint_canvas(96)).save(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VSTYLE_DEVICE", "cpu")
    return tmp_path


@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("vstyle stylize")])
def test_a_command_of_the_readme_works(line: str, desk: Path) -> None:
    """It ends well and makes the file it names."""
    words = shlex.split(line)[1:]
    assert exit_code(lambda: app(words)) == 0
    assert (desk / words[words.index("-o") + 1]).stat().st_size > 0


def test_every_option_of_the_readme_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is documented that the command does not know."""
    exit_code(lambda: app(["stylize", "--help"]))
    exit_code(lambda: app(["train", "--help"]))
    exit_code(lambda: app(["distill", "--help"]))
    exit_code(lambda: app(["quantize", "--help"]))
    exit_code(lambda: app(["bench", "--help"]))
    known = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) | {"--debug"}
    assert set(re.findall(r"`(--[a-z-]+)", README)) <= known
    for line in LINES:
        assert {word for word in line.split() if word.startswith("--")} <= known
