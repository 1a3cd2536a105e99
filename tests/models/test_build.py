"""Networks to a file and back, and files that do not fit."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from vstyle.models.build import configs, from_arrays, new_networks, to_arrays
from vstyle.models.config import GeneratorConfig, StyleConfig

Change = Callable[[dict[str, Any], dict[str, Any]], object]


def a_file() -> tuple[dict[str, Any], dict[str, Any]]:
    """Make what a small model's file holds: configs as JSON gives them back, and arrays."""
    torch.manual_seed(0)
    generator = GeneratorConfig(widths=(8, 8, 16), blocks=(1, 1, 1), inner=(8, 8, 16), code=12)
    networks = new_networks(generator, StyleConfig(widths=(4, 8), hidden=16, code=12))
    config = configs(networks)
    for part in config.values():
        part |= {name: list(value) for name, value in part.items() if isinstance(value, tuple)}
    return config, to_arrays(networks, half=True)


def test_networks_come_back_as_they_were() -> None:
    """Same configs, same weights to half precision, so the same pictures."""
    config, arrays = a_file()
    again = from_arrays(config, arrays)
    for name, array in to_arrays(again, half=True).items():
        np.testing.assert_array_equal(array, arrays[name])
    assert again.generator.config.widths == (8, 8, 16)


FAULTS: dict[str, tuple[Change, str]] = {
    "no generator": (lambda c, _: c.pop("generator"), "not understood"),
    "unknown field": (lambda c, _: c["generator"].update(depth=3), "unknown field 'depth'"),
    "a word for a number": (lambda c, _: c["generator"].update(blocks="432"), "not understood"),
    "an absurd size": (lambda c, _: c["generator"].update(code=10**9), "not understood"),
    "negative": (lambda c, _: c["generator"].update(blocks=[1, -1, 1]), "not understood"),
    "one number for three": (lambda c, _: c["generator"].update(blocks=4), "not understood"),
    "a fraction": (lambda c, _: c["generator"].update(blocks=[1.0, 1, 1]), "not understood"),
    "true": (lambda c, _: c["generator"].update(blocks=[True, 1, 1]), "not understood"),
    "one inner width": (lambda c, _: c["generator"].update(inner=64), "not understood"),
    "two inner widths": (lambda c, _: c["generator"].update(inner=[8, 8]), "not as many"),
    "two widths": (lambda c, _: c["generator"].update(widths=[8, 8]), "not as many"),
    "all of the carried picture": (lambda c, _: c["generator"].update(carry=1.0), "not below 1"),
    "another code": (lambda c, _: c["style"].update(code=24), "do not fit each other"),
    "a code too short": (
        lambda c, _: (c["style"].update(code=9), c["generator"].update(code=9)),
        "too short",
    ),
    "a weight missing": (lambda _, a: a.pop("generator.stem.conv.weight"), "do not fit the config"),
    "a weight too many": (lambda _, a: a.update(more=np.zeros(1)), "do not fit the config"),
    "another shape": (
        lambda _, a: a.update({"generator.stem.conv.weight": np.zeros((1, 1, 1, 1))}),
        "do not fit the config",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_does_not_fit_is_refused(fault: str) -> None:
    """A ValueError that says what, before anything is allocated."""
    config, arrays = a_file()
    change, words = FAULTS[fault]
    change(config, arrays)
    with pytest.raises(ValueError, match=words):
        from_arrays(config, arrays)
