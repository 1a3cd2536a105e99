"""The engine against the network itself, and on frames of every size."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vstyle import pixels
from vstyle.engine.torch_engine import TorchEngine
from vstyle.models.config import GeneratorConfig
from vstyle.models.generator import Generator

SMALL = GeneratorConfig(widths=(8, 8, 16), blocks=(1, 1, 1), inner=(8, 8, 16), code=16)


@pytest.fixture(scope="module")
def engine() -> TorchEngine:
    torch.manual_seed(0)
    return TorchEngine(Generator(SMALL), torch.randn(16), torch.device("cpu"))


@settings(deadline=None, max_examples=30)
@given(height=st.integers(1, 40), width=st.integers(1, 40), carry=st.booleans())
def test_any_size_goes_in_and_comes_out(engine, height: int, width: int, carry: bool) -> None:
    """Sizes that do not fit the stride are padded and cropped; arguments stay as they are."""
    rng = np.random.default_rng(0)
    frame = rng.integers(0, 255, (height, width, 3), np.uint8)
    trust = np.full(pixels.grid(height, width, engine.factor), 200, np.uint8)
    before = frame.copy(), trust.copy()
    painted = engine.paint(frame, frame if carry else None, trust if carry else None)
    assert painted.shape == frame.shape
    assert painted.dtype == np.uint8
    np.testing.assert_array_equal(frame, before[0])
    np.testing.assert_array_equal(trust, before[1])


def test_it_paints_what_the_network_paints(engine) -> None:
    """On a size that fits, the engine is the network, rounded."""
    rng = np.random.default_rng(1)
    frame, last = rng.integers(0, 255, (2, 32, 48, 3), np.uint8)
    trust = rng.integers(0, 255, (8, 12), np.uint8)
    with torch.no_grad():
        painted = engine.generator(
            pixels.to_tensor(frame), pixels.to_tensor(last), pixels.to_tensor(trust), engine.code
        )
    expected = (painted[0].permute(1, 2, 0).numpy() * 255).round()
    assert np.abs(engine.paint(frame, last, trust) - expected).max() <= 1
