"""A model in int8, from the command line to the painted clip."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from vstyle import checkpoint, styles
from vstyle.cli.app import app
from vstyle.compress.calibrate import zero_on_a_step
from vstyle.engine.build import build_engine, load_model, style_code
from vstyle.engine.openvino_engine import OpenVinoEngine
from vstyle.models.config import parse, parse_bounds, rounded_tensors
from vstyle.models.fold import generator_layers
from vstyle.scene import Scene, write_clip
from vstyle.video.decode import Frame, open_clip
from vstyle.video.flow import track
from vstyle.video.paint import paint


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two short films of the scene, and nothing else that could be taken for a clip."""
    folder = tmp_path_factory.mktemp("films")
    for seed in range(2):
        write_clip(Scene(192, 112, frames=6, seed=seed), folder / f"{seed}.mp4")
    (folder / "notes.txt").write_text("no clip")
    return folder


@pytest.fixture(scope="module")
def quantised(folder: Path) -> Path:
    model = folder / "int8.safetensors"
    arguments = ["quantize", "student", "--calibrate", str(folder), "-o", str(model)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return model


def test_the_file_holds_int8_and_its_bounds(quantised: Path) -> None:
    """Real int8 tensors; half of the bytes; every bound that the graph asks for."""
    found = checkpoint.load(quantised, "model")
    config, _ = parse(found.header.config)
    kinds = {name: array.dtype for name, array in found.tensors.items()}
    assert all(kinds[name] == np.int8 for name in kinds if name.endswith("conv.weight"))
    bounds = parse_bounds(found.header.config)
    assert bounds is not None
    assert set(bounds) == set(rounded_tensors(config))
    assert quantised.stat().st_size < 0.6 * checkpoint.find_model("student").stat().st_size


def test_it_paints_nearly_what_the_model_paints(quantised: Path, folder: Path) -> None:
    """35 dB over a clip, each recurrence closed on its own pictures."""
    before, after = load_model(checkpoint.find_model("student")), load_model(quantised)
    style = styles.read(styles.find("great-wave"))
    code = style_code(before, style, "student")
    config, _ = parse(before.header.config)
    with open_clip(folder / "0.mp4") as source:
        frames = [item for item in source.items if isinstance(item, Frame)]
    engines = (
        OpenVinoEngine(config, generator_layers(before.tensors, code)),
        OpenVinoEngine(
            config, generator_layers(after.tensors, code), parse_bounds(after.header.config)
        ),
    )
    films = [[one.image for one in paint(track(frames), engine)] for engine in engines]
    gap = np.square(np.subtract(*(np.asarray(film, np.float32) for film in films)))
    assert 10 * np.log10(255**2 / gap.mean()) >= 35


def test_a_style_picture_works_with_it(quantised: Path, tmp_path: Path) -> None:
    """The encoder is in the file too; what is said of the engine names int8."""
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 255, (300, 400, 3), np.uint8)
    Image.fromarray(noise).save(tmp_path / "style.png")
    engine, words = build_engine(str(quantised), str(tmp_path / "style.png"), "cpu")
    assert engine.precision == "int8"
    assert "int8" in words


def test_a_folder_without_clips_is_refused(tmp_path: Path) -> None:
    """One line, and no file."""
    output = tmp_path / "out.safetensors"
    arguments = ["quantize", "student", "--calibrate", str(tmp_path), "-o", str(output)]
    result = CliRunner().invoke(app, arguments)
    assert "no clip in" in str(result.exception)
    assert not output.exists()


@given(st.floats(-1e3, 0), st.floats(1e-3, 1e3))
def test_zero_is_one_of_the_steps(low: float, high: float) -> None:
    """A whole number of steps lies below it, and what is cut off is less than one."""
    wide_low, wide_high = zero_on_a_step(low, high)
    step = (wide_high - wide_low) / 255
    assert wide_low <= 0 < wide_high
    assert wide_low / step == pytest.approx(round(wide_low / step), abs=1e-6)
    assert wide_low < low + step
    assert wide_high > high - step
