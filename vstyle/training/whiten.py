"""Codes whose entries all vary alike, so that every way in which styles differ is learned as fast.

Left alone, a handful of directions (light and dark, coarse and fine) hold nearly all that codes
differ by, the generator learns those, and the rest of a style hardly reaches its layers. Whitening
is a change of coordinates: the encoder's last layers are turned and scaled, and what the generator
multiplies with the code is turned and scaled back (the idea of whitened inputs, LeCun et al. 1998,
"Efficient BackProp", section 4.3). What is painted stays the same, but for what the encoder's bound
does to a code: it holds back those that are longer than average in the new coordinates.
"""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from vstyle.models.build import Networks
from vstyle.models.config import PALETTE, SCALE
from vstyle.training.paintings import Paintings

BY_CODE = ("style.weight", "canvas.weight", "bands.weight")
"""How the names of the generator's weights end that are multiplied with a code."""

SAMPLES = 256  # style pictures
SMALLEST = 0.1  # of the largest deviation: what varies less is taken for chance, and left smaller
AT_ONCE = 16  # pictures


def samples(paintings: Paintings) -> Tensor:
    """Return style pictures to whiten codes on: (SAMPLES, 3, SIDE, SIDE), values 0..1."""
    squares = torch.from_numpy(np.stack(paintings.squares(SAMPLES)))
    return squares.permute(0, 3, 1, 2).float() / 255


@torch.no_grad()
def whiten(networks: Networks, squares: Tensor) -> None:
    """Change networks in place: over these style pictures learned entries have deviation SCALE.

    What a generator paints stays the same, unless its encoder has never seen a picture.
    squares: (N, 3, SIDE, SIDE), values 0..1, a few hundred. Directions in which they hardly differ
    get less than that. Before several processes share the networks: rounded otherwise in one of
    them, nearly equal directions could be turned otherwise too.
    """
    encoder = networks.encoder
    found = torch.cat([encoder.statistics(some) for some in torch.split(squares, AT_ONCE)])
    standard, fresh = encoder.standardise, encoder.standardise.fresh
    if fresh:  # else the codes would change again as soon as it had seen some pictures
        standard.mean.copy_(found.mean(0))
        standard.deviation.copy_(found.std(0))
    learned = encoder.learned(standard.bounded(found))
    mean = learned.mean(0)
    _, sizes, turn = torch.linalg.svd(learned - mean)
    deviations = torch.zeros_like(mean)
    deviations[: len(sizes)] = sizes / len(learned) ** 0.5
    deviations = deviations.clamp_min(SMALLEST * float(deviations[0])).clamp_min(1e-6)
    there, back = turn / deviations[:, None], turn.T * deviations

    last = cast(nn.Linear, encoder.perceptron[-1])
    encoder.direct.bias.sub_(mean)
    for layer in (encoder.direct, last):
        layer.weight.copy_(there @ layer.weight)
        layer.bias.copy_(there @ layer.bias)
    if fresh:  # a generator that has learned nothing had better see every direction as strongly
        return
    weights = dict(networks.generator.named_parameters())
    for name, weight in weights.items():
        if name.endswith(BY_CODE):
            weights[name.replace("weight", "bias")].add_(weight[:, PALETTE:] @ (SCALE * mean))
            weight[:, PALETTE:] = weight[:, PALETTE:] @ back
