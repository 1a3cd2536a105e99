"""Weights as int8 steps, there and back."""

import numpy as np
import pytest

from vstyle import checkpoint
from vstyle.engine.build import load_model
from vstyle.models.config import SIDE, GeneratorConfig, parse, parse_bounds, rounded_tensors
from vstyle.models.encode import encode
from vstyle.models.quantised import dequantised, quantise, quantised
from vstyle.scene.canvas import paint_canvas


def test_int8_weights_are_within_half_a_step() -> None:
    """Each output has its own step; an output of zeros is no division by zero."""
    weight = np.random.default_rng(0).normal(0, 1, (4, 3, 3, 3)).astype(np.float32)
    weight *= np.array([1, 10, 1e-3, 0], np.float32).reshape(4, 1, 1, 1)
    steps, size = quantise(weight)
    assert np.all(np.abs(steps * size - weight) <= size / 2 + 1e-7)


def test_what_sums_to_zero_does_so_in_steps() -> None:
    """In every group of inputs, by steps that are off by less than one; other inputs as before."""
    weight = np.random.default_rng(0).normal(0, 1, (6, 40, 1, 1)).astype(np.float32)
    groups = [np.arange(0, 32, 2), np.arange(1, 33, 2)]
    for inputs in groups:
        weight[:, inputs] -= weight[:, inputs].mean(1, keepdims=True)
    plain, _ = quantise(weight)
    steps, size = quantise(weight, groups)
    for inputs in groups:
        assert not steps[:, inputs].sum(1, dtype=int).any()
    assert plain[:, :32].sum(1, dtype=int).any()
    assert np.all(np.abs(steps * size - weight) <= size * 1.001)
    np.testing.assert_array_equal(steps[:, 32:], plain[:, 32:])
    # Rounded again, nothing changes: the largest of a row is never moved, so the step stays.
    np.testing.assert_array_equal(quantise(steps * size)[0], steps)


def test_there_and_back_twice_is_there_and_back_once() -> None:
    """What can be said in int8 steps is kept exactly; vectors stay floating-point numbers."""
    rng = np.random.default_rng(0)
    tensors = {"a.weight": rng.normal(size=(5, 7)).astype(np.float32), "a.bias": np.ones(5)}
    once = dequantised(quantised(tensors))
    assert once.keys() == tensors.keys()
    twice = dequantised(quantised(once))
    for name, array in once.items():
        np.testing.assert_allclose(twice[name], array, rtol=1e-6)


def test_rounded_encoders_read_styles_alike() -> None:
    """Codes of pictures are off by far less than they differ from each other."""
    found = load_model(checkpoint.find_model("student"))
    _, config = parse(found.header.config)
    rounded = dequantised(quantised(found.tensors))
    whole = paint_canvas(SIDE)
    looks = [whole, whole[::-1, :, ::-1] // 2, 255 - whole, np.roll(whole, 40, 2)]
    before, after = (
        np.array([encode(config, tensors, [look]) for look in looks])
        for tensors in (found.tensors, rounded)
    )
    apart = (before - before.mean(0)).std()
    assert np.abs(after - before).mean() < 0.05 * apart


@pytest.mark.parametrize("wrong", ["missing", "shape", "lonely"])
def test_steps_that_do_not_fit_are_refused(wrong: str) -> None:
    """A file that lies about its steps is a ValueError, not a picture of noise."""
    tensors = quantised({"a": np.ones((4, 3), np.float32)})
    if wrong == "missing":
        del tensors["a.step"]
    elif wrong == "shape":
        tensors["a.step"] = np.ones(4, np.float32)
    else:
        tensors["b.step"] = tensors["a.step"]
    with pytest.raises(ValueError, match="step"):
        dequantised(tensors)


@pytest.mark.parametrize("bound", [(0.0, 0.0), (1.0, 2.0), (0.0, float("nan")), (0.0,), None])
def test_bounds_that_are_none_are_refused(bound: object) -> None:
    """Zero must be within them, and all must be there."""
    config = {"generator": {"blocks": [1, 1]}, "style": {}}
    good = dict.fromkeys(rounded_tensors(GeneratorConfig(blocks=(1, 1))), (-1.0, 1.0))
    assert parse_bounds(config | {"bounds": good}) == good
    with pytest.raises(ValueError, match="bound"):
        parse_bounds(config | {"bounds": good | {"skip.0": bound}})
    with pytest.raises(ValueError, match="bounds"):
        parse_bounds(config | {"bounds": {"skip.0": (0.0, 1.0)}})
