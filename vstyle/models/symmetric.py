"""Powers of symmetric matrices."""

import torch
from torch import Tensor


def power(covariance: Tensor, exponent: float, least: float) -> Tensor:
    """(B, 3, 3) -> its symmetric power, no deviation along any axis counted below `least`."""
    values, vectors = torch.linalg.eigh(covariance)
    root = vectors * values.clamp_min(least**2).pow(exponent)[:, None]
    return torch.matmul(root, vectors.transpose(1, 2))
