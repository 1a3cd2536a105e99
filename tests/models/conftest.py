"""Networks that more than one test begins with."""

import pytest
import torch
from generators import SMALL

from vstyle.models.build import Networks, new_networks
from vstyle.models.config import StyleConfig


@pytest.fixture
def small() -> Networks:
    """Return networks in which nothing is zero by chance."""
    torch.manual_seed(0)
    networks = new_networks(SMALL, StyleConfig((8,), 8, SMALL.code))
    for parameter in networks.generator.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return networks
