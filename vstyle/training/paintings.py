"""The styles: what the encoder sees of a painting, and what a painted picture must reach."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from vstyle.models.config import SIDE
from vstyle.models.contrast import Contrast, contrast
from vstyle.models.vgg import Features
from vstyle.training.data import Memory, Picture, cut, on_device, variant
from vstyle.training.losses import Statistics, statistics

BORDER = 16  # a sixteenth of the side is left out of what is compared with a style
KEPT = 2000  # targets, of some 1.5 MB each; on a GPU thrice as many

# Style is measured on a pyramid: (factor of reduction, layers). Shallow layers of a small picture
# see the large strokes (Snelgrove 2017); the deepest one at full size would cost half of the step.
PYRAMID = (
    (1, ("relu1_1", "relu2_1", "relu3_1")),
    (2, ("relu1_1", "relu2_1", "relu3_1", "relu3_4")),
    (4, ("relu1_1", "relu2_1", "relu3_1", "relu3_4")),
)


def pyramid(features: Features, picture: Tensor) -> list[Tensor]:
    """(B, 3, H, W), values 0..1 -> the activations of every level and layer of PYRAMID."""
    return [
        found
        for factor, layers in PYRAMID
        for found in features(
            avg_pool2d(picture, factor) if factor > 1 else picture, layers
        ).values()
    ]


def pyramid_of_part(features: Features, picture: Tensor, corner: Tensor) -> list[Tensor]:
    """Return the same of a painted picture; at full size only of a part of a quarter of its area.

    There VGG costs most, and the statistics of a part are as good. `corner` (y, x), 0..1, says
    where it is: on the device, which need not be asked. The border is left out, or frames would be
    painted where paintings have frames.
    """
    side = picture.shape[-1]
    border = side // BORDER
    inner = picture[..., border : side - border, border : side - border]
    free = side // 2 - 2 * border
    at = (border + (corner * free).round()).long()[:, None]
    rows, columns = at + torch.arange(side // 2, device=picture.device)
    part = picture.index_select(2, rows).index_select(3, columns)
    return [
        found
        for factor, layers in PYRAMID
        for found in features(avg_pool2d(inner, factor) if factor > 1 else part, layers).values()
    ]


@dataclass(frozen=True)
class Style:
    """A style that was drawn."""

    key: tuple[int, int]  # number of the painting and of its variant
    painting: Picture  # the whole variant, (H, W, 3)
    square: Picture  # what the encoder sees, (SIDE, SIDE, 3)
    contrast: Contrast
    crop: Picture  # what the discriminator sees as real, (size, size, 3)


class Paintings:
    """All paintings, each in a few variants, which are made when first drawn."""

    def __init__(self, pictures: list[Picture], memory: Memory, variants: int) -> None:
        """`variants` is how many there are of each: itself, and parts of it."""
        self.pictures = pictures
        self.memory = memory
        self.variants = variants
        self.made: dict[tuple[int, int], tuple[Picture, Contrast]] = {}

    def draw(self, rng: np.random.Generator, size: int) -> Style:
        """Draw a style; half of the draws are a painting as it is. `size` is that of the crop."""
        index = int(rng.integers(len(self.pictures)))
        number = (
            int(rng.integers(1, self.variants)) if self.variants > 1 and rng.random() < 0.5 else 0
        )
        key = index, number
        if key not in self.made:
            chance = np.random.default_rng([index, number])  # always the same for the same numbers
            picture = self.pictures[index]
            made = self.memory.keep(variant(picture, chance)) if number else picture
            self.made[key] = made, contrast(made)
        painting, known = self.made[key]
        crop = cut(painting, size, rng, (1.0, 1.0))
        return Style(key, painting, _square(painting, rng), known, crop)

    def squares(self, count: int) -> list[Picture]:
        """Return squares as the encoder sees them, the paintings in turn, always the same ones."""
        rng = np.random.default_rng(0)
        return [_square(self.pictures[i % len(self.pictures)], rng) for i in range(count)]


class Targets:
    """The statistics of the paintings, worked out when first asked for."""

    def __init__(self, features: Features, device: torch.device) -> None:
        self.features = features
        self.device = device
        self.most = 3 * KEPT if device.type == "cuda" else KEPT
        self.kept: dict[tuple[int, int], list[Statistics]] = {}

    def of(self, styles: list[Style]) -> list[Statistics]:
        """Return the statistics of the layers of PYRAMID, each for the whole batch of styles."""
        self._work_out({style.key: style for style in styles if style.key not in self.kept})
        found = []
        for style in styles:
            layers = self.kept.pop(style.key)
            self.kept[style.key] = layers  # the last to go
            found.append(layers)
        while len(self.kept) > self.most:
            self.kept.pop(next(iter(self.kept)))  # the one that was asked for longest ago
        return [
            Statistics(
                torch.cat([layer.mean for layer in layers]),
                torch.cat([layer.deviation for layer in layers]),
                torch.cat([layer.gram for layer in layers]),
            )
            for layers in zip(*found, strict=True)
        ]

    def _work_out(self, missing: dict[tuple[int, int], Style]) -> None:
        """Keep the targets of styles: on a GPU, of paintings of one size at once."""
        # On a CPU that is no faster, and a resumed run, which groups them otherwise, would round
        # otherwise.
        groups: dict[object, list[Style]] = {}
        for key, style in missing.items():
            on_gpu = self.device.type == "cuda"
            groups.setdefault(style.painting.shape if on_gpu else key, []).append(style)
        for alike in groups.values():
            pictures = on_device(np.stack([style.painting for style in alike]), self.device)
            with torch.inference_mode():
                found = [statistics(layer) for layer in pyramid(self.features, pictures)]
            for index, style in enumerate(alike):
                only = slice(index, index + 1)
                self.kept[style.key] = [
                    # Copies: a part would keep the whole.
                    Statistics(*(part[only].clone() for part in (of.mean, of.deviation, of.gram)))
                    for of in found
                ]


def _square(picture: Picture, rng: np.random.Generator) -> Picture:
    """Cut a random square of the short side, and bring it to what the encoder sees."""
    side = min(picture.shape[:2])
    y = rng.integers(picture.shape[0] - side + 1)
    x = rng.integers(picture.shape[1] - side + 1)
    square = picture[y : y + side, x : x + side]
    if rng.random() < 0.5:
        square = square[:, ::-1]
    # The users' pictures have been scaled by all kinds of programs: sharpness is no style.
    way = (cv2.INTER_AREA, cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(4)]
    size = (SIDE, SIDE)
    return cv2.resize(square, size, interpolation=way).astype(np.uint8, copy=False)
