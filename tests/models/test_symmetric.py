"""Powers of symmetric matrices, against their eigenvectors."""

import pytest
import torch

from vstyle.models.symmetric import power


@pytest.mark.parametrize(("exponent", "least"), [(0.5, 0.02), (-0.5, 0.06), (1.0, 0.3)])
def test_powers_are_those_of_the_eigenvalues(exponent: float, least: float) -> None:
    """Of covariances of all kinds: equal eigenvalues, none, and what is none."""
    torch.manual_seed(0)
    x = torch.randn(600, 3, 5) * torch.rand(600, 1, 1) * 0.3
    x[:100, 1] = x[:100, 0]  # two channels alike
    x[100:200] = x[100:200, :1]  # all three
    x[200:220] = 0
    x[220:240] = 0.2 * torch.eye(3, 5)  # all eigenvalues equal
    covariances = x @ x.mT / 5
    covariances[240:300] -= 0.01 * torch.eye(3)  # negative ones, which count as `least` squared
    values, vectors = torch.linalg.eigh(covariances.double())
    expected = (vectors * values.clamp_min(least**2).pow(exponent)[:, None]) @ vectors.mT
    torch.testing.assert_close(
        power(covariances, exponent, least), expected.float(), rtol=1e-5, atol=1e-5
    )
