"""The generator in one style as torch operations: plain convolutions, nothing left of the style.

It computes what `models.generator.Generator` computes with that style's code (a test holds the two
together), from the same folded layers that the OpenVINO graph is built of.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor

from vstyle.models.config import FARTHEST, GeneratorConfig, block_names
from vstyle.models.fold import Convolution
from vstyle.models.generator import EDGE
from vstyle.models.relief_torch import bands, relief


class Folded:
    """A generator in a style, on a device, in a precision."""

    def __init__(
        self,
        config: GeneratorConfig,
        layers: Mapping[str, Convolution],
        device: torch.device,
        kind: torch.dtype,
    ) -> None:
        self.config, self.kind, self.device = config, kind, device
        self.normalised = {name: layer.normalised for name, layer in layers.items()}
        self.weights = {
            name: torch.from_numpy(layer.weight)
            .to(device, kind)
            .contiguous(memory_format=torch.channels_last)
            for name, layer in layers.items()
        }
        self.scales, self.shifts = (
            {
                name: torch.from_numpy(getattr(layer, part)).to(device, kind)[:, None, None]
                for name, layer in layers.items()
            }
            for part in ("scale", "shift")
        )

    def __call__(
        self, frame: Tensor, carried: Tensor, trust: Tensor, grain: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Paint as `Generator.forward` does, and tell whether all numbers are finite.

        Pictures are (1, 3, H, W), values 0..1; trust and grain (1, 1, H / factor, W / factor),
        values 0..1 and -1..1; all of the precision. The second result is one bool on the device,
        found before anything is clamped.
        """
        factor = self.config.factor
        source, last = F.pixel_unshuffle(frame, factor), F.pixel_unshuffle(carried, factor)
        memory = self._convolve(torch.cat([last, trust], 1) - 0.5, "memory")
        laid = self._convolve(grain, "canvas")
        laid = laid + self._convolve(bands(frame, factor).to(self.kind), "bands")
        skips = [F.relu(self._convolve(source - 0.5, "stem") + memory + laid)]
        for level in range(self.config.coarsest):
            skips.append(F.relu(self._convolve(skips[level], f"down.{level}", 2)))
        x = skips[-1]
        for level, skip in reversed(list(enumerate(skips))):
            if level < self.config.coarsest:
                x = self._convolve(x, f"up.{level}")
                x = F.relu(F.interpolate(x, scale_factor=2.0, mode="nearest") + skip)
            x = self._blocks(F.relu(self._convolve(x, f"mix.{level}")), level)
        colours = source.reshape(1, 3, factor**2, *source.shape[2:])
        within = (colours - colours.mean(2, keepdim=True)).flatten(1, 2)
        grey = F.pixel_unshuffle(relief(frame).to(self.kind), factor)
        detail = torch.cat([within, grey], 1)
        hidden = F.relu(self._convolve(x, "expand") + self._convolve(detail, "expand_detail"))
        painted = self._convolve(hidden, "head") + self._convolve(detail, "detail")
        finite = painted.isfinite().all()
        share = (self.config.carry * trust).expand_as(last)
        return F.pixel_shuffle(torch.lerp(painted.clamp(0, 1), last, share), factor), finite

    def _convolve(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = self.weights[name]
        side = weight.shape[2] // 2
        padded = F.pad(x, (side,) * 4, mode=EDGE) if side else x
        y = F.conv2d(padded, weight, stride=stride)
        if self.normalised[name]:
            y = F.instance_norm(y).clamp(-FARTHEST, FARTHEST) * self.scales[name]
        return y + self.shifts[name]

    def _blocks(self, x: Tensor, level: int) -> Tensor:
        for name in block_names(self.config, level):
            y = F.relu(self._convolve(x, f"{name}.first"))
            x = x + self._convolve(y, f"{name}.second")
        return x
