"""Whitened codes vary alike in every direction, and the generator's layers are set as before."""

import torch
from torch import Tensor

from vstyle.models.build import Networks, new_networks
from vstyle.models.config import PALETTE, SCALE, SIDE, GeneratorConfig, StyleConfig
from vstyle.training.whiten import whiten


def some_networks() -> Networks:
    torch.manual_seed(3)
    generator = GeneratorConfig(widths=(8, 8), blocks=(0, 1), inner=(8, 8), code=PALETTE + 6)
    return new_networks(generator, StyleConfig((8, 8), 16, PALETTE + 6))


def some_squares() -> Tensor:
    """Fields of colour that differ in brightness, contrast and grain."""
    chance = torch.Generator().manual_seed(4)
    grain = torch.rand((40, 3, SIDE // 8, SIDE // 8), generator=chance)
    grain = torch.nn.functional.interpolate(grain, scale_factor=8)
    fine = torch.rand((40, 3, SIDE, SIDE), generator=chance)
    share = torch.rand((40, 3, 1, 1), generator=chance)
    bright = torch.rand((40, 3, 1, 1), generator=chance)
    return (share * grain + (1 - share) * fine) * 0.5 + bright * 0.5


def entries(networks: Networks, squares: Tensor) -> Tensor:
    """Return the learned entries before they are bounded, (N, learned)."""
    encoder = networks.encoder
    return encoder.learned(encoder.standardise.bounded(encoder.statistics(squares)))


def modulation(networks: Networks, squares: Tensor) -> Tensor:
    """Return what two of the generator's layers are set to, without the bound."""
    palette = networks.encoder(squares)[:, :PALETTE]
    code = torch.cat([palette, entries(networks, squares) * SCALE], 1)
    return torch.cat([networks.generator.stem.style(code), networks.generator.canvas(code)], 1)


@torch.no_grad()
def test_entries_vary_alike_and_layers_are_set_as_before() -> None:
    networks, squares = some_networks(), some_squares().double()
    for net in (networks.generator, networks.encoder):
        net.double().eval()  # what is turned there and back is the same but for rounding
    whiten(networks, squares)  # from now on the encoder has seen pictures
    networks.encoder.direct.weight.mul_(torch.linspace(0.3, 3, 6)[:, None].double())
    networks.encoder.perceptron[-1].bias.add_(1.5)
    before = modulation(networks, squares)
    whiten(networks, squares)
    found = entries(networks, squares)
    assert torch.allclose(modulation(networks, squares), before, atol=1e-9)
    assert torch.allclose(found.mean(0), torch.zeros(6).double(), atol=1e-3)
    covariance = found.T @ found / len(found)
    variances = covariance.diagonal()
    assert torch.allclose(covariance - variances.diag(), torch.zeros(6, 6).double(), atol=1e-3)
    assert ((variances - 1).abs() < 1e-2).sum() >= 3
    assert variances.max() < 1.01


@torch.no_grad()
def test_what_hardly_varies_is_not_blown_up() -> None:
    """Of pictures that are all alike nothing is learned about how styles differ."""
    networks = some_networks()
    squares = some_squares()[:1].repeat(20, 1, 1, 1)
    squares[10:] *= 0.9  # one direction
    whiten(networks, squares)
    found = entries(networks, squares)
    deviations = (found - found.mean(0)).square().mean(0).sqrt()
    assert deviations[0].isclose(torch.tensor(1.0), atol=1e-2)
    assert deviations[1:].max() < 1e-2
    assert all(weight.isfinite().all() for weight in networks.encoder.parameters())
