"""The folded torch engine against the network itself: every precision, frames of every size."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import grain
from hypothesis import given, settings
from hypothesis import strategies as st

from vstyle import pixels
from vstyle.engine.eager import Eager
from vstyle.engine.torch_engine import TorchEngine
from vstyle.models.build import new_networks, to_arrays
from vstyle.models.config import GeneratorConfig, StyleConfig
from vstyle.models.fold import generator_layers

SMALL = GeneratorConfig(widths=(8, 16), blocks=(1, 2), inner=(8, 12), code=16)
CPU = torch.device("cpu")
DEVICES = [
    CPU,
    pytest.param(
        torch.device("cuda"),
        marks=[
            pytest.mark.gpu,
            pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
        ],
    ),
]


@pytest.fixture(scope="module")
def eager() -> Eager:
    torch.manual_seed(0)
    networks = new_networks(SMALL, StyleConfig((8,), 8, SMALL.code))
    for name, weight in networks.generator.named_parameters():
        if name.endswith("style.weight"):
            torch.nn.init.normal_(weight, std=0.05)
    torch.nn.init.normal_(networks.generator.detail.conv.weight, std=0.1)
    return Eager(networks.generator, torch.randn(SMALL.code))


@pytest.fixture(scope="module")
def layers(eager: Eager):
    networks = new_networks(SMALL, StyleConfig((8,), 8, SMALL.code))
    networks.generator.load_state_dict(eager.generator.state_dict())
    return generator_layers(to_arrays(networks, half=False), eager.code[0].numpy())


def film(count: int, height: int = 48, width: int = 80, top: int = 255) -> list[np.ndarray]:
    rng = np.random.default_rng(1)
    kind = np.uint8 if top == 255 else np.uint16
    small = rng.random((count, 3, height // 8, width // 8), np.float32)
    large = torch.nn.functional.interpolate(torch.from_numpy(small), (height, width))
    return list((large.permute(0, 2, 3, 1).numpy() * top).astype(kind))


def gap(engine, eager: Eager, frames: list[np.ndarray]) -> float:
    """Return the mean distance of painted films, 0..1, each recurrence closed on its own."""
    mine = theirs = None
    distances = []
    for frame in frames:
        trust = np.full(pixels.grid(*frame.shape[:2], SMALL.factor), 200, np.uint8)
        mine, theirs = (
            painter.paint(frame, last, None if last is None else trust, grain(frame, SMALL.factor))
            for painter, last in ((engine, mine), (eager, theirs))
        )
        assert mine.dtype == frame.dtype
        scale = np.iinfo(frame.dtype).max
        distances.append(np.abs(mine.astype(float) - theirs).mean() / scale)
    return float(max(distances))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("top", [255, 65535])
@pytest.mark.parametrize("kind", [torch.float32, torch.float16], ids=str)
def test_it_paints_what_the_network_paints(
    eager: Eager, layers, kind: torch.dtype, top: int, device: torch.device
) -> None:
    engine = TorchEngine(SMALL, layers, device, kind)
    limit = 1e-3 if kind == torch.float32 else 1e-2
    assert gap(engine, eager, film(4, top=top)) < limit
    assert not engine.notes


@settings(deadline=None, max_examples=30)
@given(height=st.integers(1, 40), width=st.integers(1, 40), carry=st.booleans())
def test_any_size_goes_in_and_comes_out(layers, height: int, width: int, carry: bool) -> None:
    """Sizes that do not fit the stride are padded and cropped; arguments stay as they are."""
    engine = TorchEngine(SMALL, layers, CPU)
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 255, (height, width, 3), np.uint8)
    trust = np.full(pixels.grid(height, width, engine.factor), 200, np.uint8)
    strokes = grain(frame, engine.factor)
    before = frame.copy(), trust.copy()
    painted = engine.paint(frame, frame if carry else None, trust if carry else None, strokes)
    assert painted.shape == frame.shape
    assert painted.dtype == np.uint8
    np.testing.assert_array_equal(frame, before[0])
    np.testing.assert_array_equal(trust, before[1])


@pytest.mark.parametrize("device", DEVICES)
def test_what_overflows_in_half_is_painted_in_single(layers, device: torch.device) -> None:
    """Weights beyond 65504 on the way: the whole film is that of fp32, and one note says why."""
    large = {
        "up.0": replace(layers["up.0"], weight=layers["up.0"].weight * 1e6),
        "mix.0": replace(layers["mix.0"], weight=layers["mix.0"].weight * 1e-6),
    }
    kinds = torch.float32, torch.float16
    engines = [TorchEngine(SMALL, layers | large, device, kind) for kind in kinds]
    films = []
    for engine in engines:
        last, painted = None, []
        for frame in film(3):
            trust = np.full(pixels.grid(*frame.shape[:2], SMALL.factor), 200, np.uint8)
            strokes = grain(frame, SMALL.factor)
            last = engine.paint(frame, last, None if last is None else trust, strokes)
            painted.append(last)
        films.append(painted)
    np.testing.assert_array_equal(*films)
    assert [engine.precision for engine in engines] == ["fp32", "fp32"]
    assert not engines[0].notes
    assert len(engines[1].notes) == 1
    assert "fp16" in engines[1].notes[0]
