"""The torch engine: one generator and one style code on a CPU or a GPU."""

from __future__ import annotations

import torch

from vstyle import pixels
from vstyle.engine.base import Mask, Picture
from vstyle.models.generator import Generator


class TorchEngine:
    """Paints with a generator in eager mode, channels_last, single precision."""

    precision = "fp32"
    deep = True

    def __init__(self, generator: Generator, code: torch.Tensor, device: torch.device) -> None:
        """`code` is the style, (code,); the generator is moved to the device and set to eval."""
        self.generator = generator.eval().requires_grad_(False)
        self.generator.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.code = code[None].to(device)
        self.device = device
        self.factor = generator.config.factor

    @torch.inference_mode()
    def paint(self, frame: Picture, carried: Picture | None, trust: Mask | None) -> Picture:
        """Paint a frame of any size; see `Engine`."""
        height, width = frame.shape[:2]
        multiple = self.generator.config.multiple
        # A single place at the bottom of the U would have nothing to be normalised by.
        least = 2 * multiple
        source = pixels.to_tensor(pixels.pad(frame, multiple, least), self.device)
        if carried is None or trust is None:
            last = torch.zeros_like(source)
            belief = torch.zeros_like(source[:, :1, :: self.factor, :: self.factor])
        else:
            last = pixels.to_tensor(pixels.pad(carried, multiple, least), self.device)
            blocks = pixels.pad(trust, multiple // self.factor, least // self.factor)
            belief = pixels.to_tensor(blocks, self.device)
        painted = self.generator(source, last, belief, self.code)
        return pixels.crop(pixels.to_picture(painted, frame.dtype), height, width)
