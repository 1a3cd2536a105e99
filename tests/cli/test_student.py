"""The command with the model that ships: styles by name and picture, and what can be wrong."""

from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from vstyle.cli.app import app, exit_code
from vstyle.engine.build import fingerprint
from vstyle.scene.canvas import paint_canvas

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture
def paint(
    cfr: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Run `vstyle stylize` on a small clip; return the exit code and what was said."""

    def run(*options: str | Path, clip: Path = cfr, out: str = "out.mkv") -> tuple[int, str]:
        words = ["stylize", clip, "-o", tmp_path / out, "--device", "cpu", *options]
        code = exit_code(lambda: app([str(word) for word in words]))
        said = capfd.readouterr()
        assert said.out == ""
        return code, said.err

    return run


def frames(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.stack([f.to_ndarray(format="rgb24") for f in container.decode(video=0)])


def test_a_name_and_a_picture_are_styles(paint, tmp_path: Path) -> None:
    """Both paint, and not the same."""
    Image.fromarray(paint_canvas(96)).save(tmp_path / "own.png")
    assert paint("--style", "great-wave", "--codec", "ffv1", out="name.mkv")[0] == 0
    assert paint("--style", tmp_path / "own.png", "--codec", "ffv1", out="picture.mkv")[0] == 0
    name, picture = frames(tmp_path / "name.mkv"), frames(tmp_path / "picture.mkv")
    assert len(name) == len(picture) == 20
    assert np.abs(name.astype(int) - picture).mean() > 10


def test_strength_zero_is_the_source(paint, cfr: Path, tmp_path: Path) -> None:
    """Whatever the style: the same pictures as through the engine that paints nothing."""
    assert paint("--style", "great-wave", "--strength", "0", "--codec", "ffv1", out="a.mkv")[0] == 0
    assert paint("--model", "identity", "--codec", "ffv1", out="b.mkv")[0] == 0
    np.testing.assert_array_equal(frames(tmp_path / "a.mkv"), frames(tmp_path / "b.mkv"))


def test_work_that_goes_on_knows_its_painter_by_what_is_in_the_files(tmp_path: Path) -> None:
    """Not by their names: a picture that was changed meanwhile is another style."""
    picture, copy = tmp_path / "own.png", tmp_path / "copy.png"
    Image.fromarray(paint_canvas(32)).save(picture)
    copy.write_bytes(picture.read_bytes())
    before = fingerprint("student", str(picture), "cpu")
    assert fingerprint("student", str(copy), "cpu") == before
    Image.fromarray(paint_canvas(33)).save(picture)
    assert fingerprint("student", str(picture), "cpu") != before
    assert fingerprint("student", "great-wave", "cpu") != before


def test_a_copy_of_the_model_knows_the_styles_by_name(paint, tmp_path: Path) -> None:
    """Codes belong to weights, not to file names."""
    from vstyle import checkpoint

    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(checkpoint.find_model("student").read_bytes())
    assert paint("--style", "the-scream", "--model", copy)[0] == 0


CASES: dict[str, tuple[list[str], int, str]] = {
    "unknown style": (["--style", "stary-night"], 2, "starry-night"),
    "missing picture": (["--style", "none.jpg"], 3, "does not exist"),
    "style is a text": (["--style", "text.png"], 3, "not a picture"),
    "style is empty": (["--style", "empty.jpg"], 3, "not a picture"),
    "style is a folder": (["--style", "folder"], 3, "is a directory"),
    "unknown model": (["--style", "great-wave", "--model", "picasso"], 4, "student"),
    "foreign model": (["--style", "great-wave", "--model", "foreign.safetensors"], 4, "not a vst"),
    "absent device": (["--style", "great-wave", "--device", "cuda:7"], 6, "cpu"),
    "no style": ([], 2, "--style"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_wrong_with_style_model_or_device_is_said(
    case: str, paint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right exit code, what and what to do, and nothing written."""
    monkeypatch.chdir(tmp_path)
    Path("text.png").write_text("no picture")
    Path("empty.jpg").touch()
    Path("folder").mkdir()
    save_file({"a": np.zeros(1, np.float32)}, "foreign.safetensors")
    before = sorted(tmp_path.iterdir())
    options, code, words = CASES[case]
    found, said = paint(*options)
    assert found == code
    assert words in said
    assert said.startswith("vstyle: ")
    assert len(said.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real clips are not beside the checkout")
@pytest.mark.parametrize("clip", sorted((SHARED / "video").glob("*.mp4")), ids=lambda p: p.stem)
def test_real_clips_are_painted_frame_by_frame(paint, clip: Path, tmp_path: Path) -> None:
    """Same number of frames, same size, same times."""
    assert paint("--style", "starry-night", clip=clip)[0] == 0
    with av.open(str(clip)) as source, av.open(str(tmp_path / "out.mkv")) as painted:
        before = [(f.width, f.height, f.time) for f in source.decode(video=0)]
        after = [(f.width, f.height, f.time) for f in painted.decode(video=0)]
    assert [b[:2] for b in before] == [a[:2] for a in after]
    assert np.abs(np.subtract([b[2] for b in before], [a[2] for a in after])).max() <= 1e-3
