"""Pictures for training: decoded once, kept as uint8, cropped at random without end."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import avg_pool2d

from vstyle.errors import CheckpointError, InputError
from vstyle.models.config import SIDE
from vstyle.models.vgg import Features
from vstyle.pictures import SUFFIXES, read_picture
from vstyle.training.losses import Statistics, statistics

PHOTO_SIDE = 320  # pixels; short side at which photos are kept

# Style is measured on a pyramid: (factor of reduction, layers). Shallow layers of a small picture
# see the large strokes (Snelgrove 2017); the deepest one at full size would cost half of the step.
PYRAMID = (
    (1, ("relu1_1", "relu2_1", "relu3_1")),
    (2, ("relu1_1", "relu2_1", "relu3_1", "relu3_4")),
    (4, ("relu1_1", "relu2_1", "relu3_1", "relu3_4")),
)


def read_folder(folder: Path, short_side: int) -> list[NDArray[np.uint8]]:
    """Read all pictures below a folder; those that cannot be read are left out.

    Raises InputError if there is none at all.
    """
    pictures = []
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        try:
            pictures.append(read_picture(path, short_side))
        except InputError:
            continue
    if not pictures:
        raise InputError(
            f"no readable picture in {folder}", "Give a folder of jpg, png or webp files."
        )
    return pictures


def read_vgg(path: Path) -> dict[str, Tensor]:
    """Read the weights of VGG-19: safetensors with torchvision's key names, at least to relu3_4.

    Raises CheckpointError if the file is not that.
    """
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"VGG file {path} cannot be read: {error}") from error
    if "features.16.weight" not in weights:
        raise CheckpointError(
            f"{path} is not VGG-19", "Give safetensors with torchvision's names, features.N.weight."
        )
    return {name: weight.float() for name, weight in weights.items()}


def crop(picture: NDArray[np.uint8], size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Cut a random square, mirrored half of the time, and bring it to size x size.

    The square is 0.5 to 1.4 times as large as `size`, as far as the picture goes: frames of video
    are smoother than small photos, and a painter who never saw a smooth wall leaves it unpainted.
    """
    side = min(int(size * rng.uniform(0.5, 1.4)), *picture.shape[:2])
    y = rng.integers(picture.shape[0] - side + 1)
    x = rng.integers(picture.shape[1] - side + 1)
    square = picture[y : y + side, x : x + side]
    if rng.random() < 0.5:
        square = square[:, ::-1]
    way = cv2.INTER_AREA if side > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (size, size), interpolation=way), np.uint8)


def batch(pictures: list[NDArray[np.uint8]]) -> Tensor:
    """Stack (H, W, 3) pictures of one size: (B, 3, H, W), values 0..1."""
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255


def pyramid(features: Features, picture: Tensor) -> list[Tensor]:
    """(B, 3, H, W), values 0..1 -> the activations of every level and layer of PYRAMID."""
    return [
        found
        for factor, layers in PYRAMID
        for found in features(
            avg_pool2d(picture, factor) if factor > 1 else picture, layers
        ).values()
    ]


@dataclass(frozen=True)
class Style:
    """One style as the objective wants it: what the encoder sees, and what must be reached."""

    picture: Tensor  # (3, SIDE, SIDE), values 0..1
    target: list[Statistics]  # of the whole painting, each with a batch of 1


class Paintings:
    """All paintings, each in a few variants whose statistics are computed once, when first drawn.

    Variant 0 is the painting itself; the others are parts of it, enlarged, half of them in other
    colours: a few hundred paintings become a thousand styles.
    """

    def __init__(
        self, pictures: list[NDArray[np.uint8]], features: Features, variants: int = 3
    ) -> None:
        self.pictures = pictures
        self.features = features
        self.variants = variants
        self.cache: dict[tuple[int, int], tuple[NDArray[np.uint8], list[Statistics]]] = {}

    def draw(self, rng: np.random.Generator) -> Style:
        """Draw a style; half of the draws are the painting as it is."""
        index = int(rng.integers(len(self.pictures)))
        variant = int(rng.integers(1, self.variants)) if rng.random() < 0.5 else 0
        if (index, variant) not in self.cache:
            picture = self._variant(index, variant)
            with torch.inference_mode():
                target = [statistics(found) for found in pyramid(self.features, batch([picture]))]
            self.cache[index, variant] = picture, target
        picture, target = self.cache[index, variant]
        return Style(batch([_square(picture, rng)])[0], target)

    def _variant(self, index: int, variant: int) -> NDArray[np.uint8]:
        """Make a variant, always the same one for the same numbers."""
        picture = self.pictures[index]
        if not variant:
            return picture
        rng = np.random.default_rng([index, variant])
        share = rng.uniform(0.6, 0.9)
        height, width = (int(side * share) for side in picture.shape[:2])
        y = rng.integers(picture.shape[0] - height + 1)
        x = rng.integers(picture.shape[1] - width + 1)
        part = cv2.resize(
            picture[y : y + height, x : x + width],
            (picture.shape[1], picture.shape[0]),
            interpolation=cv2.INTER_CUBIC,
        )
        enlarged = part.astype(np.uint8, copy=False)
        return recolour(enlarged, rng) if rng.random() < 0.6 else enlarged


def recolour(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Turn an (H, W, 3) picture's hues about the grey axis; change saturation, contrast, gamma."""
    angle, saturation = rng.uniform(0.15, 0.85) * 2 * np.pi, rng.uniform(0.4, 1.4)
    axis = np.full(3, 3**-0.5)
    across = np.array(
        [[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]], np.float32
    )
    grey = np.outer(axis, axis)
    turn = grey + saturation * (np.cos(angle) * (np.eye(3) - grey) + np.sin(angle) * across)
    shift = rng.uniform(-0.15, 0.15)
    turned = ((picture / 255.0) @ turn.T - 0.5) * rng.uniform(0.6, 1.2) + 0.5 + shift
    brighter = turned.clip(0, 1) ** rng.uniform(0.75, 1.35)
    return np.asarray((brighter * 255).round(), np.uint8)


def _square(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
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
