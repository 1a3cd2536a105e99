"""A generator cut out of a larger one has its channels, and paints as it did where it can."""

from dataclasses import replace

import pytest
import torch
from generators import LARGER, SMALL, inputs

from vstyle.models.build import Networks
from vstyle.models.config import GeneratorConfig
from vstyle.models.cut import cut, fits
from vstyle.models.grow import grow


@pytest.mark.parametrize("large", [SMALL, *LARGER.values()], ids=["the same", *LARGER])
def test_what_was_grown_is_found_again(small: Networks, large: GeneratorConfig) -> None:
    """What growing adds is not seen by what was there: so it is what is cut off."""
    grown = grow(small, large)
    assert fits(SMALL, large)
    found = cut(grown, SMALL)
    assert found.generator.config == SMALL
    for name, values in small.generator.state_dict().items():
        torch.testing.assert_close(found.generator.state_dict()[name], values, msg=name)
    assert found.encoder is not small.encoder
    for name, values in small.encoder.state_dict().items():
        assert torch.equal(found.encoder.state_dict()[name], values)


@pytest.mark.parametrize(
    "change",
    [
        {"widths": (10, 12)},
        {"widths": (8, 12, 12), "blocks": (1, 1, 0), "inner": (8, 8, 8)},
        {"blocks": (0, 2)},
        {"inner": (8, 9)},
        {"rank": 5},
        {"expanded": 65},
        {"factor": 4},
        {"code": 17},
    ],
)
def test_what_is_larger_does_not_fit(change: dict) -> None:
    assert not fits(replace(SMALL, **change), SMALL)


ENTERING = ["mix.0", "down.0"], ["mix.1"]
LEAVING = ["expand", "blocks.0.0.first"], ["up.0", "blocks.1.0.first"]


@pytest.mark.parametrize(
    ("change", "odd", "first"),
    [
        ({"expanded": 32}, ["head"], []),
        ({"inner": (4, 8)}, ["blocks.0.0.second"], []),
        ({"inner": (8, 4)}, ["blocks.1.0.second"], []),
        ({"widths": (4, 12)}, ENTERING[0], LEAVING[0]),
        ({"widths": (4, 12)}, LEAVING[0], ENTERING[0]),
        ({"widths": (8, 6)}, ENTERING[1], LEAVING[1]),
        ({"widths": (8, 6)}, LEAVING[1], ENTERING[1]),
    ],
)
def test_the_channels_that_are_seen_most_stay(
    change: dict, odd: list[str], first: list[str], small: Networks
) -> None:
    """Where some layers see odd channels only, and some the first half, nothing is lost."""
    generator = small.generator.eval()
    with torch.no_grad():
        for name in (*odd, *first):
            layer = generator.get_submodule(name)
            number = torch.arange(layer.conv.weight.shape[1])
            unseen = number % 2 == 0 if name in odd else number >= len(number) // 2
            for kernels in (layer.conv.weight, layer.filters.weight):
                kernels[:, unseen] *= 1e-5
    found = cut(small, replace(SMALL, **change)).generator.eval()
    with torch.no_grad():
        torch.testing.assert_close(found(*inputs()), generator(*inputs()), atol=2e-3, rtol=0)
