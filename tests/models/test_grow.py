"""A grown generator paints as the small one did, and all that is new learns."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from generators import LARGER, SMALL, inputs

from vstyle.models.build import Networks
from vstyle.models.config import GeneratorConfig
from vstyle.models.grow import grow


@pytest.mark.parametrize("config", LARGER.values(), ids=LARGER.keys())
def test_it_paints_the_same(small: Networks, config: GeneratorConfig) -> None:
    grown = grow(small, config)
    assert grown.generator.config == config
    assert grown.encoder is small.encoder
    with torch.no_grad():
        wanted = small.generator.eval()(*inputs())
        found = grown.generator.eval()(*inputs())
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)


def test_kernels_grow_and_shrink(small: Networks) -> None:
    """There and back paints the same; smaller ones do too, where everything is plain."""
    light = grow(small, replace(SMALL, mix_kernel=1))
    large = grow(light, SMALL)
    again = grow(large, light.generator.config)
    *pictures, code = inputs()
    plain = [each.mean((2, 3), keepdim=True).expand_as(each) for each in pictures]
    with torch.no_grad():
        wanted = light.generator.eval()(*pictures, code)
        for same in (large, again):
            found = same.generator.eval()(*pictures, code)
            torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)
        wanted = small.generator.eval()(*plain, code)
        found = light.generator(*plain, code)
    torch.testing.assert_close(found, wanted, atol=1e-3, rtol=0)


@pytest.mark.parametrize("config", LARGER.values(), ids=LARGER.keys())
def test_what_is_new_learns(small: Networks, config: GeneratorConfig) -> None:
    """After five steps of descent every convolution has moved: none is cut off by zeros."""
    generator = grow(small, config).generator.train()
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    optimiser = torch.optim.Adam(generator.parameters(), 0.01)
    for _ in range(5):
        optimiser.zero_grad()
        (generator(*inputs()) - 0.3).square().mean().backward()
        optimiser.step()
    for name, value in generator.state_dict().items():
        if name.endswith(("conv.weight", "filters.weight", "columns.weight")):
            assert not torch.equal(value, before[name]), name


@pytest.mark.parametrize(
    "change", [{"widths": (6, 12)}, {"blocks": (0, 1)}, {"rank": 3}, {"factor": 4}]
)
def test_it_does_not_shrink(small: Networks, change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"factor|less"):
        grow(small, replace(SMALL, **change))
