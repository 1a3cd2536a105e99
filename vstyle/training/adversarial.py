"""The adversarial term in its four usual forms, and the penalty that keeps its judge smooth.

Logits come as one map per scale, (B, 1, h, w); every scale counts the same. For the discriminator
real is a crop of the style picture, fake a painted frame.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

# What one map of logits costs the generator, and what real and fake ones cost the discriminator.
# With D = sigmoid(logit): log D = -softplus(-logit), log(1 - D) = -softplus(logit).
FORMS: dict[str, tuple[Callable[[Tensor], Tensor], ...]] = {
    # Goodfellow et al. 2014, as the specification has it: the generator minimises log(1 - D(G)).
    "minimax": (lambda fake: -F.softplus(fake), lambda real: F.softplus(-real), F.softplus),
    # The same discriminator; the generator maximises log D(G), which has a gradient when it loses.
    "non-saturating": (
        lambda fake: F.softplus(-fake),
        lambda real: F.softplus(-real),
        F.softplus,
    ),
    # Lim and Ye 2017.
    "hinge": (lambda fake: -fake, lambda real: F.relu(1 - real), lambda fake: F.relu(1 + fake)),
    # Mao et al. 2017, with targets 1 and 0.
    "least-squares": (
        lambda fake: (fake - 1).square() / 2,
        lambda real: (real - 1).square() / 2,
        lambda fake: fake.square() / 2,
    ),
}


def generator_loss(form: str, fake: list[Tensor]) -> Tensor:
    """Return what the logits of painted pictures cost the generator: (B,)."""
    return _per_picture(FORMS[form][0], fake)


def discriminator_loss(form: str, real: list[Tensor], fake: list[Tensor]) -> Tensor:
    """Return what the logits of real and painted pictures cost the discriminator: (B,)."""
    return _per_picture(FORMS[form][1], real) + _per_picture(FORMS[form][2], fake)


def gradient_penalty(logits: list[Tensor], picture: Tensor) -> Tensor:
    """R1 (Mescheder et al. 2018): half the squared gradient of the logits of real pictures: (B,).

    `picture` (B, 3, H, W) must require a gradient, and `logits` come from it.
    """
    total = _per_picture(lambda real: real, logits).sum()
    (slope,) = torch.autograd.grad(total, picture, create_graph=True)
    return slope.square().sum((1, 2, 3)) / 2


def _per_picture(cost: Callable[[Tensor], Tensor], maps: list[Tensor]) -> Tensor:
    """Average a cost over the patches of each map, then over the maps: (B,)."""
    return torch.stack([cost(one.float()).mean((1, 2, 3)) for one in maps]).mean(0)
