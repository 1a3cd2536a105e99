"""The OpenVINO engine paints what the torch network paints, and knows nothing of torch."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import grain
from hypothesis import given, settings
from hypothesis import strategies as st

from vstyle import checkpoint, pixels, styles
from vstyle.compress.calibrate import Observer, zero_on_a_step
from vstyle.engine.build import load_model, style_code
from vstyle.engine.eager import Eager
from vstyle.engine.graph import blocks_kernel, row_outputs, rows_kernel
from vstyle.models.build import from_arrays, new_networks, to_arrays
from vstyle.models.config import (
    SIDE,
    GeneratorConfig,
    StyleConfig,
    parse,
    parse_bounds,
    rounded_tensors,
)
from vstyle.models.encode import encode
from vstyle.models.fold import generator_layers

ov = pytest.importorskip("openvino")
openvino_engine = pytest.importorskip("vstyle.engine.openvino_engine")


def smooth(height: int, width: int, channels: int, seed: int) -> np.ndarray:
    """Make a random picture without hard edges, as frames are."""
    noise = torch.rand(1, channels, 5, 7, generator=torch.Generator().manual_seed(seed))
    picture = torch.nn.functional.interpolate(noise, (height, width), mode="bicubic").clamp(0, 1)
    return (picture[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


def engines(config: GeneratorConfig):
    """Return both engines for one random generator and style."""
    torch.manual_seed(1)
    networks = new_networks(config, StyleConfig((8,), 8, config.code))
    for name, weight in networks.generator.named_parameters():
        if name.endswith("style.weight"):
            torch.nn.init.normal_(weight, std=0.05)
    torch.nn.init.normal_(networks.generator.detail.conv.weight, std=0.1)
    code = torch.randn(config.code)
    layers = generator_layers(to_arrays(networks, half=False), code.numpy())
    return (
        Eager(networks.generator, code),
        openvino_engine.OpenVinoEngine(config, layers),
    )


def test_a_look_is_as_good_as_the_frame() -> None:
    """Of any size, and as often as it is painted."""
    _, engine = engines(GeneratorConfig(4, (16, 24), (1, 1), (16, 24), code=16))
    for size in ((64, 96), (50, 33)):
        frame = smooth(*size, 3, 0)
        strokes = grain(frame, engine.factor)
        look = engine.look(frame)
        painted = engine.paint(frame, None, None, strokes)
        for _ in range(2):
            assert np.array_equal(engine.paint(look, None, None, strokes), painted)


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("size", [(64, 96), (50, 33)])
@pytest.mark.parametrize("kernel", [1, 3])
def test_it_paints_what_torch_paints(factor: int, size: tuple[int, int], kernel: int) -> None:
    """Same weights, same style, same inputs: the same picture, but for the last bit's rounding."""
    config = GeneratorConfig(factor, (8, 8, 16), (1, 2, 2), (12, 8, 4), mix_kernel=kernel, code=16)
    expected, engine = engines(config)
    frame, carried = smooth(*size, 3, seed=0), smooth(*size, 3, seed=1)
    trust = smooth(*pixels.grid(*size, factor), 1, seed=2)[..., 0]
    strokes = grain(frame, factor)
    for inputs in ((frame, None, None, strokes), (frame, carried, trust, strokes)):
        gap = engine.paint(*inputs).astype(int) - expected.paint(*inputs)
        assert np.abs(gap).max() <= 1
        assert (gap != 0).mean() < 0.01


@pytest.mark.parametrize("factor", [2, 4])
@pytest.mark.parametrize("kernel", [1, 3])
def test_in_int8_it_paints_nearly_the_same(factor: int, kernel: int) -> None:
    """Between bounds that nothing exceeds, in a network that nobody has trained to be steady."""
    config = GeneratorConfig(factor, (16, 16), (1, 1), (16, 16), mix_kernel=kernel, code=16)
    _, exact = engines(config)
    frame, carried = smooth(64, 96, 3, seed=0), smooth(64, 96, 3, seed=1)
    trust = smooth(*pixels.grid(64, 96, factor), 1, seed=2)[..., 0]
    inputs = frame, carried, trust, grain(frame, factor)
    observer = Observer(config, exact.layers)
    observer.paint(*inputs)
    (seen,) = observer.extremes
    bounds = {
        name: zero_on_a_step(min(0, seen[f"{name}.low"]), max(1e-3, seen[f"{name}.high"]))
        for name in rounded_tensors(config)
    }
    engine = openvino_engine.OpenVinoEngine(config, exact.layers, bounds)
    gap = engine.paint(*inputs).astype(float) - exact.paint(*inputs)
    assert np.square(gap).mean() ** 0.5 < 10
    assert abs(gap.mean()) < 1


def test_it_paints_the_shipped_model_as_torch_does() -> None:
    """The real weights and a real style, over several frames with the recurrence closed."""
    found = checkpoint.load(checkpoint.find_model("student"), "model")
    networks = from_arrays(found.header.config, found.tensors)
    code = style_code(found, styles.read(styles.find("great-wave")), "student")
    expected = Eager(networks.generator, torch.from_numpy(code))
    layers = generator_layers(found.tensors, code)
    engine = openvino_engine.OpenVinoEngine(networks.generator.config, layers)
    trust = np.full(pixels.grid(96, 128, engine.factor), 230, np.uint8)
    last = wanted = None
    for seed in range(4):
        frame = smooth(96, 128, 3, seed)
        strokes = grain(frame, engine.factor, seed)
        last = engine.paint(frame, last, None if last is None else trust, strokes).copy()
        wanted = expected.paint(frame, wanted, None if wanted is None else trust, strokes)
        assert np.abs(last.astype(int) - wanted).max() <= 2


def test_in_int8_nothing_of_the_head_is_written_again_as_floats() -> None:
    """In bfloat16, its results are added as they are: at 3840x2160 that is 125 MB less."""
    if "BF16" not in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        pytest.skip("this processor has no bfloat16")
    found = load_model(checkpoint.find_model("student-int8"))
    config, _ = parse(found.header.config)
    layers = generator_layers(found.tensors, np.zeros(config.code, np.float32))
    engine = openvino_engine.OpenVinoEngine(config, layers, parse_bounds(found.header.config))
    frame = smooth(128, 160, 3, 0)
    engine.paint(frame, None, None, grain(frame, engine.factor, 0))
    head = [1, 3 * engine.factor**2, 128 // engine.factor, 160 // engine.factor]
    copies = [
        node.get_friendly_name()
        for node in engine.compiled.get_runtime_model().get_ordered_ops()
        if node.get_rt_info()["layerType"].astype(str) == "Reorder"
        and node.get_rt_info()["outputPrecisions"].astype(str) == "f32"
        and list(node.get_output_shape(0)) == head
    ]
    assert copies == []


@settings(deadline=None, max_examples=15)
@given(height=st.integers(1, 40), width=st.integers(1, 40), carry=st.booleans())
def test_any_size_goes_in_and_comes_out(height: int, width: int, carry: bool) -> None:
    """Sizes that do not fit the stride are padded and cropped; a new size is compiled anew."""
    _, engine = engines(
        GeneratorConfig(widths=(8, 8, 16), blocks=(1, 1, 1), inner=(8, 8, 8), code=16)
    )
    frame = smooth(height, width, 3, seed=0)
    trust = np.full(pixels.grid(height, width, engine.factor), 200, np.uint8)
    strokes = grain(frame, engine.factor)
    painted = engine.paint(frame, frame if carry else None, trust if carry else None, strokes)
    assert painted.shape == frame.shape
    assert painted.dtype == np.uint8


@pytest.mark.parametrize("factor", [2, 4])
def test_a_kernel_over_rows_is_the_kernel_over_blocks(factor: int) -> None:
    """The reordered 1x1 kernel sees the same pixels, and the head's rows hold every output once."""
    torch.manual_seed(0)
    weight = torch.randn(5, 3 * factor**2, 1, 1)
    picture = torch.randint(0, 256, (1, 3, 4 * factor, 6 * factor)) / 255
    blocks = torch.nn.functional.pixel_unshuffle(picture, factor)
    expected = torch.nn.functional.conv2d(blocks, weight)
    levels = (255 * picture[0].permute(1, 2, 0)).round().byte().numpy()
    four = pixels.blocks(levels, levels[..., 0], factor)
    kernel = torch.from_numpy(blocks_kernel(weight.numpy(), factor))
    found = torch.nn.functional.conv2d(pixels.to_tensor(four), kernel)
    torch.testing.assert_close(found, expected)
    rows = picture.permute(0, 2, 3, 1).reshape(1, 4 * factor, 6, 3 * factor).permute(0, 3, 1, 2)
    kernel = torch.from_numpy(rows_kernel(weight.numpy(), factor))
    found = torch.nn.functional.conv2d(rows, kernel, stride=(factor, 1))
    torch.testing.assert_close(found, expected)
    outputs = np.concatenate([row_outputs(row, factor) for row in range(factor)])
    assert sorted(outputs) == list(range(3 * factor**2))


def test_the_code_of_a_picture_is_the_one_training_saw() -> None:
    """NumPy's encoder against the torch module that is trained."""
    torch.manual_seed(0)
    config = StyleConfig((8, 12), 16, 20)
    networks = new_networks(
        GeneratorConfig(widths=(8, 8), blocks=(1, 1), inner=(8, 8), code=20), config
    )
    networks.encoder.standardise.mean.normal_()
    squares = [smooth(SIDE, SIDE, 3, seed) for seed in range(2)]
    with torch.inference_mode():
        expected = networks.encoder.eval()(torch.cat([pixels.to_tensor(one) for one in squares]))
    found = encode(config, to_arrays(networks, half=False), squares)
    np.testing.assert_allclose(found, expected.mean(0).numpy(), atol=1e-4)


def test_painting_on_the_cpu_does_not_import_torch(cfr: Path, tmp_path: Path) -> None:
    """It would cost two seconds and 200 MB: a style picture and all, not once.

    Nor what openvino calls home with.
    """
    code = (
        "import sys\nfrom vstyle.cli.app import app\n"
        "sys.argv = ['vstyle', *sys.argv[1:]]\n"
        "try:\n    app()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "unwanted = {'torch', 'openvino_telemetry'} & sys.modules.keys()\n"
        "sys.exit(' '.join(unwanted) or 0)"
    )
    picture = tmp_path / "style.png"
    from PIL import Image

    Image.fromarray(smooth(200, 300, 3, seed=5)).save(picture)
    arguments = [cfr, "--style", picture, "-o", tmp_path / "out.mp4", "-q"]
    command = [sys.executable, "-c", code, "stylize", *map(str, arguments)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert run.returncode == 0, run.stderr
