"""The oracle of all engines: the network itself, eager, in float32, frame by frame."""

import torch

from vstyle import pixels
from vstyle.engine.base import Grain, Mask, Picture
from vstyle.models.generator import Generator


class Eager:
    """Paints as an engine does, with the module that is trained."""

    precision = "fp32"

    def __init__(self, generator: Generator, code: torch.Tensor) -> None:
        self.generator, self.code = generator.eval(), code[None]
        self.factor = generator.config.factor

    @torch.inference_mode()
    def paint(
        self, frame: Picture, carried: Picture | None, trust: Mask | None, grain: Grain
    ) -> Picture:
        """Paint a frame of any size; see `Engine`."""
        height, width = frame.shape[:2]
        multiple = self.generator.config.multiple
        least = 2 * multiple
        source = pixels.to_tensor(pixels.pad(frame, multiple, least))
        if carried is None or trust is None:
            last = torch.zeros_like(source)
            belief = torch.zeros_like(source[:, :1, :: self.factor, :: self.factor])
        else:
            last = pixels.to_tensor(pixels.pad(carried, multiple, least))
            belief = pixels.to_tensor(
                pixels.pad(trust, multiple // self.factor, least // self.factor)
            )
        strokes = pixels.pad(grain, multiple // self.factor, least // self.factor)
        canvas = torch.from_numpy(strokes)[None, None]
        painted = self.generator(source, last, belief, canvas, self.code)
        return pixels.crop(pixels.to_picture(painted, frame.dtype), height, width)
