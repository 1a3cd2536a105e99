"""Which layer suffers most from int8: each is rounded alone, and the pictures are compared."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from vstyle.compress.calibrate import Sample
from vstyle.engine.graph import RELIEF_UNIT, Bounds, painting
from vstyle.engine.openvino import op, ov
from vstyle.engine.openvino_engine import OpenVinoEngine
from vstyle.models.config import GeneratorConfig, rounded_tensors
from vstyle.models.fold import Convolution
from vstyle.models.quantised import rounded
from vstyle.video.flow import track
from vstyle.video.paint import paint

DETAILS = ("expand_detail", "detail")  # layers that see the frame's blocks
FEW = 2  # frames: the second is painted with a carried picture


class Rounding(OpenVinoEngine):
    """Paints in float32, but for some tensors."""

    def __init__(
        self,
        config: GeneratorConfig,
        layers: Mapping[str, Convolution],
        bounds: Bounds,
        some: Collection[str],
    ) -> None:
        """Round the tensors `some` to 256 steps between their bounds; see OpenVinoEngine."""
        super().__init__(config, layers)
        self.limits = {name: bounds[name] for name in some}

    def graph(self, height: int, width: int) -> ov.Model:
        """Return the float32 graph with the roundings in it."""
        model = super().graph(height, width)
        for node in model.get_ordered_ops():
            names = node.output(0).get_names() if node.get_output_size() else set()
            for name in names & self.limits.keys():
                takers = node.output(0).get_target_inputs()
                ends = [op.constant(np.float32(end)) for end in self.limits[name]]
                rounded = op.fake_quantize(node, *ends, *ends, 256)
                for taker in takers:
                    taker.replace_source_output(rounded.output(0))
        return model


def errors_alone(
    config: GeneratorConfig,
    layers: Mapping[str, Convolution],
    in_int8: Mapping[str, Convolution],
    bounds: Bounds,
    sample: Sample,
) -> dict[str, float]:
    """Return the mean square error of the pictures with each layer rounded alone, by its name.

    `layers` is the generator in the sample's style, `in_int8` the same of its int8 weights. A layer
    is a convolution or a residual block, with the tensors that it takes.
    """
    frames = sample.frames[:FEW]

    def painted(engine: OpenVinoEngine) -> np.ndarray:
        return np.stack([frame.image for frame in paint(track(frames), engine)]).astype(np.float32)

    exact = painted(OpenVinoEngine(config, layers))
    kernels = in_steps(config, in_int8, bounds)
    found = {}
    for layer in dict.fromkeys(_layer(name) for name in [*kernels, *rounded_tensors(config)]):
        some = {name: kernel for name, kernel in kernels.items() if _layer(name) == layer}
        tensors = [name for name in rounded_tensors(config) if _layer(name) == layer]
        engine = Rounding(config, {**layers, **some}, bounds, tensors)
        found[layer] = float(np.square(painted(engine) - exact).mean())
    return found


def _layer(name: str) -> str:
    """Return the layer of a convolution or a rounded tensor: `mix.0` of `mix.0.in`."""
    layer, _, end = name.rpartition(".")
    return layer if end in {"first", "second", "in", "inner", "out"} else name


def in_steps(
    config: GeneratorConfig, layers: Mapping[str, Convolution], bounds: Bounds
) -> dict[str, Convolution]:
    """Return the convolutions with their folded weights rounded, as the int8 graph rounds them."""
    found = {}
    for name, layer in layers.items():
        if name in ("canvas", "bands", "head", *DETAILS):  # the first two stay in floats
            continue
        kernel, rest = layer.weight, layer.weight[:, :0]
        if name == "memory":  # the trust is multiplied apart
            kernel, rest = kernel[:, :-1], kernel[:, -1:]
        found[name] = replace(layer, weight=np.concatenate([rounded(kernel), rest], 1))
    for name, kernel in painting(layers, config.factor, bounds).items():
        weight = _in_planes(kernel) if name in DETAILS else kernel
        found[name] = replace(layers[name], weight=weight)
    return found


def _in_planes(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Undo `graph.detail_kernel`'s order, (row, column, plane), and its unit of the relief."""
    planes = kernel.reshape(len(kernel), -1, 4) / [1, 1, 1, RELIEF_UNIT]
    return np.asarray(planes.swapaxes(1, 2).reshape(kernel.shape), np.float32)
