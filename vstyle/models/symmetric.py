"""Functions of symmetric matrices, in closed form: the eigenvectors of a GPU are waited for."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

APART = 1e-10  # eigenvalues nearer to each other than that are one
INSIDE = 1 - 1e-15


def power(covariance: Tensor, exponent: float, least: float) -> Tensor:
    """(B, 3, 3) -> its symmetric power, no deviation along any axis counted below `least`."""
    return mapped(covariance, lambda values: values.clamp_min(least**2).pow(exponent))


def mapped(matrices: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    """Apply a function to the eigenvalues of symmetric matrices, (B, 3, 3).

    `function` is given one eigenvalue of each, (B, 1, 1). What is returned is
    the quadratic in the matrix that has the wanted values at its eigenvalues (Newton's form of
    Sylvester's formula); these are those of the cosine formula (Smith 1961). In float64, in which
    nearly equal eigenvalues do no harm, and which no autocast rounds.
    """
    a = (matrices.cpu() if matrices.device.type == "mps" else matrices).double()
    one = torch.eye(3, dtype=a.dtype, device=a.device)
    mean = a.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
    apart = a - mean * one
    spread = (apart.square().sum((1, 2), keepdim=True) / 6 + 1e-30).sqrt()
    x, y, z = (apart / spread).unbind(1)
    volume = (torch.linalg.cross(x, y) * z).sum(1)[:, None, None]  # its determinant
    # At 1, where two eigenvalues are equal, as for greys, the slope of acos has no end.
    angle = (volume / 2).clamp(-INSIDE, INSIDE).acos() / 3
    high, middle, low = (
        mean + 2 * spread * (angle + turn * (2 * math.pi / 3)).cos() for turn in (0, 2, 1)
    )
    first, second, third = (function(value) for value in (high, middle, low))
    upper = (first - second) / (high - middle).clamp_min(APART)
    lower = (second - third) / (middle - low).clamp_min(APART)
    bend = (upper - lower) / (high - low).clamp_min(APART)
    above = a - high * one
    result = first * one + upper * above + bend * (above @ (a - middle * one))
    return torch.as_tensor(result).to(matrices)
