"""How near a painted frame is to the style, and how much of its source it keeps.

The distances are those of the training objective, so that what is learned is what is measured. The
style's are on three sizes, and over the unpainted frame's own: 1 is no nearer to the style than the
photo, 0 has the style's statistics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from vstyle import pixels
from vstyle.engine.base import Picture
from vstyle.models.vgg import Features
from vstyle.training import losses

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu3_4")
CONTENT_LAYER = "relu3_1"
SCALES = (1, 2, 4)  # shallow layers of a small picture see what deep ones see of a large one
NEAR = 0.005  # a photo's distance to a style is some 50 times that

Distance = Callable[[losses.Statistics, losses.Statistics], Tensor]


@dataclass(frozen=True)
class Look:
    """What VGG sees of a picture."""

    statistics: tuple[losses.Statistics, ...]  # every layer of every scale
    shapes: Tensor  # activations of CONTENT_LAYER, (1, C, h, w)


@torch.inference_mode()
def look(vgg: Features, picture: Picture) -> Look:
    """See a picture on all scales."""
    image = pixels.to_tensor(picture)
    statistics, shapes = [], image
    for scale in SCALES:
        found = vgg(F.avg_pool2d(image, scale) if scale > 1 else image, STYLE_LAYERS)
        statistics += [losses.statistics(found[layer]) for layer in STYLE_LAYERS]
        shapes = found[CONTENT_LAYER] if scale == 1 else shapes
    return Look(tuple(statistics), shapes)


def style_distance(painted: Look, source: Look, style: Look) -> float | None:
    """Distance of channel means and deviations (Huang and Belongie 2017), over the source's.

    None where that is NEAR or less: there is no way to go.
    """
    return _over(losses.moments_distance, painted, source, style)


def gram_distance(painted: Look, source: Look, style: Look) -> float | None:
    """Distance of Gram matrices (Gatys et al. 2016), over the source's; None as above."""
    return _over(losses.gram_distance, painted, source, style)


def content_distance(painted: Look, source: Look) -> float:
    """Mean squared distance of the instance-normalised activations; 0: the same shapes."""
    return float(losses.content(painted.shapes, source.shapes))


def ssim(painted: Picture, source: Picture) -> float:
    """Structural similarity of the grey pictures (Wang et al. 2004): 1 is the same."""
    return 1 - float(losses.structure(pixels.to_tensor(painted), pixels.to_tensor(source)))


def _over(distance: Distance, painted: Look, source: Look, style: Look) -> float | None:
    start = _mean(distance, source, style)
    return _mean(distance, painted, style) / start if start > NEAR else None


def _mean(distance: Distance, a: Look, b: Look) -> float:
    """Return the mean distance over layers and scales."""
    parts = [distance(x, y) for x, y in zip(a.statistics, b.statistics, strict=True)]
    return float(torch.stack(parts).mean())
