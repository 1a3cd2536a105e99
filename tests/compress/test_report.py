"""Before and after: what is written is what is so, and the layer that suffers most is found."""

import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import grain
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from vstyle import checkpoint, styles
from vstyle.cli.app import app, exit_code
from vstyle.compress.calibrate import Sample, measure_bounds, read_samples
from vstyle.compress.quantize import quantize
from vstyle.compress.report import report
from vstyle.compress.sensitivity import Rounding, errors_alone, in_steps
from vstyle.engine.base import Engine
from vstyle.engine.build import load_model, style_code
from vstyle.engine.graph import Bounds
from vstyle.engine.openvino_engine import OpenVinoEngine
from vstyle.models.build import configs, new_networks, to_arrays
from vstyle.models.config import GeneratorConfig, StyleConfig, parse, rounded_tensors
from vstyle.models.fold import Convolution, generator_layers
from vstyle.models.quantised import dequantised, quantised
from vstyle.scene import Scene, render, write_clip
from vstyle.scene.canvas import paint_canvas
from vstyle.video.decode import Frame

DEADLINE = 120  # seconds; only proves that nothing hangs
STUDENT = checkpoint.find_model("student")


@pytest.fixture(scope="module")
def sample() -> Sample:
    frames = [Frame(render(Scene(128, 96), t), t, None) for t in range(2)]
    return Sample("scene", styles.read(styles.find("great-wave")), frames)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a film, a photo, a painting, and a small model with random weights."""
    folder = tmp_path_factory.mktemp("data")
    for name in ("films", "photos", "art"):
        (folder / name).mkdir()
    write_clip(Scene(128, 96, frames=6), folder / "films" / "scene.mp4")
    Image.fromarray(render(Scene(256, 200), 0)).save(folder / "photos" / "bay.png")
    Image.fromarray(paint_canvas(96)).save(folder / "art" / "own.png")
    torch.manual_seed(0)
    generator = GeneratorConfig(4, (8, 8, 16), (1, 1, 1), (16, 16, 16), code=16)
    networks = new_networks(generator, StyleConfig((8,), 8, 16))
    header = checkpoint.Header("model", configs(networks), {})
    checkpoint.save(folder / "model.safetensors", header, to_arrays(networks, half=True))
    return folder


def layers_of(sample: Sample):
    """Return the student's config, its layers, the same of its int8 weights, and its bounds."""
    found = load_model(STUDENT)
    code = style_code(found, sample.style, "student")
    config, _ = parse(found.header.config)
    layers = generator_layers(found.tensors, code)
    rounded = generator_layers(dequantised(quantised(found.tensors)), code)
    return config, layers, rounded, measure_bounds(config, [layers], [sample])


def test_the_layer_that_suffers_most_is_found(sample: Sample) -> None:
    """Every layer is asked; one whose bounds cut off most of its values is the worst by far."""
    config, layers, rounded, bounds = layers_of(sample)
    low, high = bounds["mix.0.in"]
    narrow = {**bounds, "mix.0.in": (low / 20, high / 20)}
    found = errors_alone(config, layers, rounded, narrow, sample)
    ends = (".first", ".second", ".in", ".inner", ".out")
    names = [*layers, *rounded_tensors(config)]
    asked = {name.rpartition(".")[0] if name.endswith(ends) else name for name in names}
    assert set(found) == asked - {"canvas", "bands"}  # which stay in floats
    assert max(found, key=found.__getitem__) == "mix.0"
    assert found["mix.0"] > 10 * sorted(found.values())[-2]


def test_all_roundings_together_are_the_int8_graph(sample: Sample) -> None:
    """As far as can be: what is nearly half a step goes either way, and that goes on from there.

    So its errors are more like the graph's than those of other roundings are: in steps of another
    size, or with constants that were not rounded with their kernels.
    """
    config, _, rounded, bounds = layers_of(sample)
    wide = {name: (1.07 * low, 1.07 * high) for name, (low, high) in bounds.items()}

    def painted(engine: Engine) -> NDArray[np.int64]:
        images = [frame.image for frame in sample.frames]
        alone = [engine.paint(image, None, None, grain(image, config.factor)) for image in images]
        return np.stack(alone).astype(int)

    def together(kernels: Mapping[str, Convolution], within: Bounds) -> NDArray[np.int64]:
        return painted(Rounding(config, kernels, within, rounded_tensors(config)))

    exact = painted(OpenVinoEngine(config, rounded))
    graph = painted(OpenVinoEngine(config, rounded, bounds)) - exact
    ours, coarser, halfway = (
        np.corrcoef(graph.ravel(), (found - exact).ravel())[0, 1]
        for found in (
            together({**rounded, **in_steps(config, rounded, bounds)}, bounds),
            together({**rounded, **in_steps(config, rounded, wide)}, wide),
            together(rounded, bounds),
        )
    )
    assert ours > 0.35
    assert ours > 1.25 * max(coarser, halfway)


def test_a_model_beside_itself_has_lost_nothing(folder: Path, tmp_path: Path) -> None:
    """The same file twice: equal figures, and pictures without any difference."""
    model, rounded = folder / "model.safetensors", tmp_path / "int8.safetensors"
    samples = read_samples([folder / "films" / "scene.mp4"], [folder / "art" / "own.png"], 3)
    quantize(model, samples, rounded)
    found = report([("one", model), ("two", model), ("int8", rounded)], samples, None)
    one, two, int8 = found.sides
    assert (one.parameters, one.bytes) == (two.parameters, two.bytes)
    assert int8.parameters == one.parameters
    assert int8.bytes == rounded.stat().st_size < one.bytes
    assert one.psnr is one.measures is None
    assert two.psnr is not None
    assert int8.psnr is not None
    assert two.psnr > 100 > int8.psnr > 20
    assert int8.psnr_worst == int8.psnr  # there is but one clip


def test_pruned_recovered_and_quantised_by_one_command(folder: Path, vgg_file: Path) -> None:
    """The table is the JSON. The pruned model is kept, taught by the whole one, its encoder too."""
    model = folder / "model.safetensors"
    output, written = folder / "small.safetensors", folder / "report.json"
    words = ["quantize", model, "--calibrate", folder / "films", "--styles", folder / "art"]
    words += ["--prune", "0.3", "--recover", folder / "photos", "--recover-time", "1s"]
    words += ["--vgg", vgg_file, "--report", written, "-o", output]
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    found = json.loads(written.read_text())
    assert [side["title"] for side in found["sides"]] == ["before", "pruned", "after"]
    before, pruned, after = found["sides"]
    assert before["parameters"] > pruned["parameters"] == after["parameters"]
    assert before["psnr"] is None
    for side in (before, pruned, after):
        assert f"{side['parameters']:,}" in result.output
        assert f"{side['measures']['ssim']:.3f}" in result.output
        assert side["measures"]["style"] > 0
        assert side["measures"]["trmse"] > 0
    assert found["worst_layer"] in result.output
    kept = checkpoint.load(folder / "small.pruned.safetensors", "model")
    assert kept.header.provenance["teacher"] == model.name
    assert kept.header.provenance["steps"] >= 1
    inner = parse(kept.header.config)[0].inner
    assert parse(checkpoint.describe(output).config)[0].inner == inner
    whole = checkpoint.load(model, "model")
    assert inner < parse(whole.header.config)[0].inner
    for name, array in whole.tensors.items():
        if name.startswith("style."):
            np.testing.assert_array_equal(kept.tensors[name], array)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (["--recover", "{folder}/photos"], "--recover trains what --prune leaves"),
        (["--prune", "0.3", "--recover", "{folder}/photos"], "Add --prune 0.3 and --styles"),
        (["--report", "{folder}/nowhere/a.json"], "a.json cannot be written"),
        (["--report", "{folder}/model.safetensors"], "the report would replace"),
        (["--report", "{folder}/out.safetensors"], "the report would replace"),
        (["-o", "{folder}"], "cannot be written"),
        (["-o", "/"], "cannot be written"),
        (["--vgg", "{folder}/films/scene.mp4"], "VGG file"),
        (["--styles", "{folder}/films"], "no picture in"),
        (["-o", "{folder}/model.safetensors"], "is the model itself"),
        (["--recover-time", "soon", "--prune", "0.3", "--recover", "{folder}/photos"], "--styles"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(folder: Path, change: list[str], says: str) -> None:
    """Before anything is measured, and nothing is written."""
    model, output = folder / "model.safetensors", folder / "out.safetensors"
    before = model.read_bytes()
    words = ["quantize", str(model), "--calibrate", str(folder / "films"), "-o", str(output)]
    result = CliRunner().invoke(app, [*words, *(word.format(folder=folder) for word in change)])
    error = result.exception
    assert says in f"{error.message}. {error.hint}"
    assert not output.exists()
    assert model.read_bytes() == before


@pytest.mark.slow
def test_a_recovery_that_is_stopped_can_go_on(folder: Path, vgg_file: Path, tmp_path: Path) -> None:
    """SIGTERM: what was learned is kept, and what is said can be typed."""
    output, log = tmp_path / "small.safetensors", tmp_path / "small.pruned.log" / "log.jsonl"
    model, vgg = folder / "model.safetensors", ["--vgg", str(vgg_file)]
    pictures = ["--calibrate", str(folder / "films"), "--styles", str(folder / "art")]
    prune = ["--prune", "0.3", "--recover", str(folder / "photos"), "--recover-time", "1h"]
    words = ["quantize", str(model), *pictures, *prune, *vgg, "-o", str(output)]
    run = subprocess.Popen(
        [sys.executable, "-m", "vstyle", *words], stderr=subprocess.PIPE, text=True
    )
    try:
        end = time.monotonic() + DEADLINE
        while run.poll() is None and not (log.exists() and log.read_text().count("\n") > 3):
            assert time.monotonic() < end, "waited in vain for a step"
            time.sleep(0.05)
        run.send_signal(signal.SIGTERM)
        _, err = run.communicate(timeout=DEADLINE)
    finally:
        run.kill()
        run.wait()
    assert run.returncode == 143, err
    assert not output.exists()
    line = next(line for line in err.splitlines() if line.startswith("stopped; go on with: "))
    again = shlex.split(line.removeprefix("stopped; go on with: ").partition(", and quantize")[0])
    pruned = tmp_path / "small.pruned.safetensors"
    steps = checkpoint.describe(pruned).provenance["steps"]
    more = ["--max-steps", str(steps + 1)]
    assert exit_code(lambda: app([*again[1:], *more, *vgg])) == 0
    about = checkpoint.describe(pruned)
    assert about.provenance["steps"] == steps + 1
    assert about.provenance["teacher"] == model.name
