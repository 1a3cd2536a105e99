"""Measuring the bounds between which int8 rounds: on real clips, with the recurrence running."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np

from vstyle import styles
from vstyle.engine.base import Grain, Mask, Picture
from vstyle.engine.graph import Bounds, build_graph
from vstyle.engine.openvino_engine import Look, OpenVinoEngine
from vstyle.models.config import GeneratorConfig
from vstyle.models.fold import Convolution
from vstyle.styles import Style
from vstyle.video.decode import Frame, open_clip
from vstyle.video.flow import track
from vstyle.video.paint import paint

WIDTH = 640  # pixels; larger frames are reduced: the bounds hardly depend on the size
FRAMES = 5  # of each clip: the first is painted without a carried picture, the others with one


class Observer(OpenVinoEngine):
    """Paints in float32 and remembers the extremes of every tensor that int8 would round."""

    def __init__(self, config: GeneratorConfig, layers: Mapping[str, Convolution]) -> None:
        """See OpenVinoEngine."""
        super().__init__(config, layers)
        self.extremes: list[dict[str, float]] = []  # of each painted frame

    def paint(
        self, frame: Picture | Look, carried: Picture | None, trust: Mask | None, grain: Grain
    ) -> Picture:
        """Paint a frame and look at it; see `Engine`."""
        painted = super().paint(frame, carried, trust, grain).copy()
        outputs = self.compiled.outputs[1:]
        tensors = (self.request.get_tensor(output) for output in outputs)
        names = (output.get_any_name() for output in outputs)
        seen = {
            name: float(tensor.data.item()) for name, tensor in zip(names, tensors, strict=True)
        }
        self.extremes.append(seen)
        return painted

    def graph(self, height: int, width: int) -> object:
        """Return the float32 graph with the extremes among its outputs."""
        return build_graph(self.config, self.layers, height, width, observe=True)


@dataclass(frozen=True)
class Sample:
    """A short film, and the style that it is painted in."""

    name: str
    style: Style
    frames: list[Frame]


def read_samples(clips: Sequence[Path], looks: Sequence[Path], count: int) -> list[Sample]:
    """Return the first `count` frames of every clip, the styles going round. Raises InputError."""
    pairs = zip(clips, cycle([styles.read(look) for look in looks]))
    return [Sample(clip.stem, style, first_frames(clip, count)) for clip, style in pairs]


def measure_bounds(
    config: GeneratorConfig,
    folded: Iterable[Mapping[str, Convolution]],
    samples: Iterable[Sample],
) -> Bounds:
    """Return the bounds of every rounded tensor over samples, each painted in its own style.

    `folded` are the generator's layers in the style of each sample.

    Of each clip the extremes are averaged over its frames, so that a single odd frame does not
    widen the steps for all others; of these, the widest over all clips are taken.
    """
    films = []
    for layers, sample in zip(folded, samples, strict=True):
        engine = Observer(config, layers)
        for _ in paint(track(sample.frames[:FRAMES]), engine):
            pass
        names = engine.extremes[0]
        films.append({name: np.mean([seen[name] for seen in engine.extremes]) for name in names})
    tensors = [name.removesuffix(".low") for name in films[0] if name.endswith(".low")]
    return {
        name: zero_on_a_step(
            min(0.0, *(float(film[f"{name}.low"]) for film in films)),
            max(1e-3, *(float(film[f"{name}.high"]) for film in films)),
        )
        for name in tensors
    }


def zero_on_a_step(low: float, high: float) -> tuple[float, float]:
    """Widen bounds, low <= 0 < high, until one of their 256 steps lies at zero.

    int8 convolutions hold zero as a whole number of steps; bounds that do not would be shifted.
    """
    below = min(round(-low * 255 / (high - low)), 254)
    step = max(-low / below if below else 0.0, high / (255 - below))
    return -below * step, (255 - below) * step


def first_frames(path: Path, count: int) -> list[Frame]:
    """Return the first frames of a clip, reduced to WIDTH if they are wider."""
    with open_clip(path) as source:
        frames = (item for item in source.items if isinstance(item, Frame))
        return [replace(frame, image=_reduced(frame.image)) for frame in islice(frames, count)]


def _reduced(picture: Picture) -> Picture:
    height, width = picture.shape[:2]
    if width <= WIDTH:
        return picture
    size = (WIDTH, max(1, round(height * WIDTH / width)))
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
