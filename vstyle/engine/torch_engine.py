"""The torch engine: one generator and one style on a CPU or a GPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vstyle import pixels
from vstyle.engine.base import Grain, Mask, Picture
from vstyle.engine.folded import Folded
from vstyle.errors import DeviceError
from vstyle.models.config import GeneratorConfig
from vstyle.models.contrast import Contrast
from vstyle.models.fold import Convolution

NAMES = {torch.float32: "fp32", torch.float16: "fp16"}
WARM_UP = 3  # runs before a graph is captured: libraries choose their kernels in the first


class TorchEngine:
    """Paints with the folded generator, channels_last; on a CUDA device as one captured graph.

    If numbers run over in half precision, that frame and all that follow are painted in single
    precision, and `notes` says so.
    """

    deep = True

    def __init__(
        self,
        config: GeneratorConfig,
        layers: Mapping[str, Convolution],
        device: torch.device,
        kind: torch.dtype | None = None,
        contrast: Contrast | None = None,
    ) -> None:
        """`layers` is the generator in its style; `kind` is chosen by the device if not given.

        `contrast` is the style's, for those who show what is painted.
        """
        if kind is None:
            kind = torch.float16 if device.type == "cuda" else torch.float32
        self.config, self.layers, self.device = config, layers, device
        self.factor = config.factor
        self.contrast = contrast
        self.notes: tuple[str, ...] = ()
        self._choose(kind)

    def _choose(self, kind: torch.dtype) -> None:
        self.precision = NAMES[kind]
        self._network = Folded(self.config, self.layers, self.device, kind)
        self._made_for: tuple[Any, ...] = ()

    def paint(
        self, frame: Picture, carried: Picture | None, trust: Mask | None, grain: Grain
    ) -> Picture:
        """Paint a frame of any size; see `Engine`. Raises DeviceError if memory runs out."""
        try:
            return self._paint(frame, carried, trust, grain)
        except torch.OutOfMemoryError as error:
            height, width = frame.shape[:2]
            raise DeviceError(
                f"the GPU is out of memory with frames of {width}x{height}",
                "Free some of it, or use --device cpu.",
            ) from error

    @torch.inference_mode()
    def _paint(
        self, frame: Picture, carried: Picture | None, trust: Mask | None, grain: Grain
    ) -> Picture:
        height, width = frame.shape[:2]
        multiple = self.config.multiple
        least = 2 * multiple  # a single place at the bottom has nothing to be normalised by
        source = pixels.pad(frame, multiple, least)
        if self._made_for != (source.shape, source.dtype):
            self._make(source)
        self._frame.copy_(_tensor(source))
        blocks = (multiple // self.factor, least // self.factor)
        self._grain.copy_(_tensor(pixels.pad(grain, *blocks)))
        if carried is None or trust is None:
            self._carried.zero_()
            self._trust.zero_()
        else:
            self._carried.copy_(_tensor(pixels.pad(carried, multiple, least)))
            self._trust.copy_(_tensor(pixels.pad(trust, *blocks)))
        painted, finite = self._run()
        if not finite and self._network.kind != torch.float32:
            self.notes = (f"{self.precision} was not enough for this model: painted in fp32",)
            self._choose(torch.float32)
            return self._paint(frame, carried, trust, grain)
        return pixels.crop(painted.cpu().numpy(), height, width)

    def _make(self, source: Picture) -> None:
        """Make room on the device for frames like `source`, and capture the graph if it has any."""
        height, width, _ = source.shape
        like = _tensor(source)
        self._frame, self._carried = (
            torch.zeros_like(like, device=self.device) for _ in ("frame", "carried")
        )
        grid = (height // self.factor, width // self.factor)
        self._trust = torch.zeros(grid, dtype=torch.uint8, device=self.device)
        self._grain = torch.zeros(grid, dtype=torch.float32, device=self.device)
        self._run = self._captured() if self.device.type == "cuda" else self._compute
        self._made_for = (source.shape, source.dtype)

    def _captured(self) -> Any:
        """Capture the work on one frame; what is returned does it again, in the same memory."""
        with torch.cuda.device(self.device):
            stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
            with torch.cuda.stream(stream):
                for _ in range(WARM_UP):
                    self._compute()
            stream.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                results = self._compute()

        def run() -> tuple[Tensor, Tensor]:
            graph.replay()
            return results

        return run

    def _compute(self) -> tuple[Tensor, Tensor]:
        """Paint what lies in the inputs: a picture like the frame, and whether all was finite."""
        top = torch.iinfo(self._frame.dtype).max
        frame, carried = (self._network_input(raw, top) for raw in (self._frame, self._carried))
        trust = self._network_input(self._trust[..., None], 255)
        grain = self._grain[None, None].to(self._network.kind)
        painted, finite = self._network(frame, carried, trust, grain)
        scaled = painted[0].permute(1, 2, 0).float().mul(top).round_().clamp_(0, top)
        return scaled.to(self._frame.dtype), finite

    def _network_input(self, raw: Tensor, top: int) -> Tensor:
        """(H, W, C) whole numbers -> (1, C, H, W), values 0..1: channels_last, as it lies there."""
        # By single precision: 65535 is beyond half.
        return raw.permute(2, 0, 1)[None].float().mul_(1 / top).to(self._network.kind)


def _tensor(picture: NDArray[Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture))
