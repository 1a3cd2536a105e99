"""The OpenVINO engine: one generator and one style on the CPU, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from vstyle import pixels
from vstyle.engine.base import Grain, Mask, Picture
from vstyle.engine.graph import Bounds, build_graph
from vstyle.engine.openvino import ov
from vstyle.models.config import GeneratorConfig
from vstyle.models.contrast import Contrast
from vstyle.models.fold import Convolution
from vstyle.models.relief import relief

_CORE = ov.Core()


class Look(NamedTuple):
    """A frame with its relief, padded to what the graph takes."""

    size: tuple[int, int]  # of the frame as it was
    blocks: NDArray[np.uint8]  # (H / factor, W / factor, 4 factor factor), colours and relief
    bands: NDArray[np.float32]  # (BANDS, H / factor, W / factor)


class OpenVinoEngine:
    """Paints with a compiled graph, made for the size of the frames it is given."""

    def __init__(
        self,
        config: GeneratorConfig,
        layers: Mapping[str, Convolution],
        bounds: Bounds | None = None,
        contrast: Contrast | None = None,
    ) -> None:
        """`layers` is the generator in its style; with `bounds` it paints in int8, else float32.

        `contrast` is the style's, for those who show what is painted.
        """
        self.config = config
        self.layers = layers
        self.bounds = bounds
        self.contrast = contrast
        self.factor = config.factor
        self.precision = "fp32" if bounds is None else "int8"
        self._size = (0, 0)

    def look(self, frame: Picture) -> Look:
        """Return a frame of any size with its relief."""
        source = np.asarray(self._padded(frame), np.uint8)
        plane, bands = relief(source, self.factor)
        size = frame.shape[0], frame.shape[1]
        return Look(size, pixels.blocks(source, plane, self.factor), bands)

    def paint(
        self, frame: Picture | Look, carried: Picture | None, trust: Mask | None, grain: Grain
    ) -> Picture:
        """Paint a frame of any size, or what `look` made of it; see `Engine`."""
        seen = frame if isinstance(frame, Look) else self.look(frame)
        height, width = (side * self.factor for side in seen.blocks.shape[:2])
        if (height, width) != self._size:
            self._compile(height, width)
        if carried is None or trust is None:
            last, belief = self._nothing
        else:
            last, belief = self._padded(carried), self._padded(trust, self.factor)
        strokes = self._padded(grain, self.factor)
        arrays = (seen.blocks, last, belief[..., None], strokes[None], seen.bands)
        inputs = [np.ascontiguousarray(array)[None] for array in arrays]
        painted = self.request.infer(inputs, share_inputs=True)[0]
        return pixels.crop(painted[0], *seen.size)

    def _padded(self, values: NDArray[Any], block: int = 1) -> NDArray[Any]:
        """Pad a picture, or a plane of one value per `block`, to a size that the graph takes."""
        multiple = self.config.multiple // block
        # A single place at the bottom has nothing to be normalised by.
        return pixels.pad(values, multiple, 2 * multiple)

    def graph(self, height: int, width: int) -> ov.Model:
        """Return the graph for frames of one size."""
        return build_graph(self.config, self.layers, height, width, bounds=self.bounds)

    def _compile(self, height: int, width: int) -> None:
        options = {"PERFORMANCE_HINT": "LATENCY"}
        if self.bounds is None:
            # On processors with bfloat16 OpenVINO would otherwise round to it, unasked. Between the
            # bytes of int8 that costs a tenth of a decibel, and takes 3 to 10 % of the time away.
            options["INFERENCE_PRECISION_HINT"] = "f32"
        self.compiled = _CORE.compile_model(self.graph(height, width), "CPU", options)
        self.request = self.compiled.create_infer_request()
        self._size = (height, width)
        self._nothing = (
            np.zeros((height, width, 3), np.uint8),
            np.zeros((height // self.factor, width // self.factor), np.uint8),
        )
