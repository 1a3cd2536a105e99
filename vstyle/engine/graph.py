"""The generator in one style as an OpenVINO graph, built from plain arrays.

It computes what `models.generator.Generator` computes (a test holds the two together), but takes
and gives pixels as uint8. The frame comes in blocks, its relief beside its colours: it is looked at
twice. The carried picture comes as it lies in memory, row by row: `factor` pixels of one row are
`3 factor` neighbouring bytes, so a picture *is* a tensor of that many channels, and what sees its
blocks is a convolution of `factor` rows with stride `factor`. The head likewise paints the rows of
every block one after the other: to become a picture they are moved as they are. In int8 nothing
but bytes has the full resolution.

In int8, what convolutions and upsamplings take is rounded to 256 steps between two measured bounds,
and weights to 255 steps per output channel (Jacob et al. 2018). A residual sum adds to what its
block took, so that no floats are kept beside the bytes; normalisation and the blend stay in float,
or in bfloat16 where the processor has it.
The painted picture is rounded where it would be anyway, to bytes; and head and detail are one
convolution.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from vstyle.engine.openvino import Node, op, ov
from vstyle.models.config import BANDS, FARTHEST, GeneratorConfig, block_names
from vstyle.models.fold import Convolution
from vstyle.models.quantised import quantise, rounded

EPSILON = 1e-5  # of torch's instance_norm
RELIEF_UNIT = np.float32(255 / 127)  # of bytes read as 0..1, what is 1 of the relief

Bounds = Mapping[str, tuple[float, float]]
"""Smallest and largest value of each tensor that int8 rounds, by its name."""


class Builder:
    """Makes nodes; remembers every tensor that int8 rounds: calibration measures its bounds."""

    def __init__(self, layers: Mapping[str, Convolution], bounds: Bounds | None) -> None:
        """Without `bounds` the graph is in float32."""
        self.layers = layers
        self.bounds = bounds
        self.rounded: dict[str, Node] = {}

    def round(self, x: Node, name: str) -> Node:
        """Round the tensor `name` to 256 steps, if the graph is in int8."""
        self.rounded[name] = x
        x.output(0).get_tensor().add_names({name})
        if self.bounds is None:
            return x
        return _stepped(x, *self.bounds[name])

    def convolve(self, x: Node, name: str, stride: int = 1) -> Node:
        """Return layer `name` of x (1, C, H, W), borders replicated, without any activation."""
        layer = self.layers[name]
        x = replicate(x, layer.weight.shape[2] // 2)
        return finish(op.convolution(x, self.weight(layer.weight), *_steps(stride)), layer)

    def blocks(self, x: Node, names: Iterable[str]) -> Node:
        """Return what residual blocks in turn make of x."""
        for name in names:
            x = self.round(x, f"{name}.in")
            y = op.relu(self.convolve(x, f"{name}.first"))
            x = op.add(x, self.convolve(self.round(y, f"{name}.inner"), f"{name}.second"))
        return x

    def convolve_rows(self, x: Node, weight: NDArray[np.float32]) -> Node:
        """Return a 1x1 convolution of blocks, (outputs, c f f, 1, 1), of a picture's rows.

        x: (1, c factor, H, W / factor), values 0..1 -> (1, outputs, H / factor, W / factor).
        """
        kernel = rows_kernel(weight, weight.shape[1] // x.get_output_shape(0)[1])
        return op.convolution(x, self.weight(kernel), [kernel.shape[2], 1], [0, 0], [0, 0], [1, 1])

    def weight(self, kernel: NDArray[np.float32]) -> Node:
        """Return a kernel as a constant, in int8 steps if the graph is in int8."""
        if self.bounds is None:
            return _float(kernel)
        steps, size = quantise(kernel)
        return op.multiply(op.convert(op.constant(steps), np.float32), _float(size))


def replicate(x: Node, side: int) -> Node:
    """Repeat the borders of (1, C, H, W) `side` times."""
    pads = _whole(0, 0, side, side)
    return op.pad(x, pads, pads, "edge") if side else x


def finish(y: Node, layer: Convolution) -> Node:
    """Normalise, scale and shift what a convolution gave, as its layer says."""
    if layer.normalised:
        y = op.clamp(op.mvn(y, _whole(2, 3), True, EPSILON, "inside_sqrt"), -FARTHEST, FARTHEST)
        y = op.multiply(y, _channels(layer.scale))
    return op.add(y, _channels(layer.shift))


def build_graph(
    config: GeneratorConfig,
    layers: Mapping[str, Convolution],
    height: int,
    width: int,
    *,
    bounds: Bounds | None = None,
    observe: bool = False,
) -> ov.Model:
    """Return the graph for frames of one size, whose sides are multiples of `config.multiple`.

    Inputs, with h = H / factor and w = W / factor: blocks, (1, h, w, 4 factor^2) uint8, of the
    frame and its relief (`pixels.blocks`); carried, (1, H, W, 3) uint8; trust, (1, h, w, 1) uint8;
    grain, (1, 1, h, w) float32; and the bands of the relief, (1, BANDS, h, w) float32.
    Output: the painted frame, (1, H, W, 3) uint8. With `observe`, more outputs follow: the extremes
    of every tensor that int8 rounds, `NAME.low` and `NAME.high`.
    """
    factor = config.factor
    shape, grid = [1, height, width, 3], [height // factor, width // factor]
    blocks, carried, trust = (
        op.parameter(sides, np.uint8, name)
        for sides, name in (
            ([1, *grid, 4 * factor**2], "blocks"), (shape, "carried"), ([1, *grid, 1], "trust"),
        )
    )  # fmt: skip
    grain, bands = (
        op.parameter([1, planes, *grid], np.float32, name)
        for planes, name in ((1, "grain"), (BANDS, "bands"))
    )
    make = Builder(layers, bounds)
    source, last, belief = _values(blocks), _rows(carried, factor), _values(trust)

    # 1. stem and memory; torch's version takes half a unit off all of memory's inputs
    memory = layers["memory"]
    faint = [memory.weight[:, -1:], layers["canvas"].weight, layers["bands"].weight]
    planes = op.concat([belief, grain, bands], 1)
    laid = op.convolution(planes, _float(np.concatenate(faint, 1)), *_steps(1))
    kernel = rounded(memory.weight[:, :-1]) if bounds else memory.weight[:, :-1]
    whole = kernel.sum((1, 2, 3)) + memory.weight[:, -1, 0, 0]
    laid = op.add(laid, _channels(memory.shift - 0.5 * whole))
    seen = op.add(make.convolve_rows(last, kernel), laid)
    kernel = make.weight(blocks_kernel(layers["stem"].weight, factor))
    stem = finish(op.convolution(source, kernel, *_steps(1)), layers["stem"])
    skips = [make.round(op.relu(op.add(stem, seen)), "skip.0")]
    # 2. down, and up
    for level in range(config.coarsest):
        x = op.relu(make.convolve(skips[level], f"down.{level}", 2))
        skips.append(make.round(x, f"skip.{level + 1}"))
    x = skips[-1]
    for level, skip in reversed(list(enumerate(skips))):
        if level < config.coarsest:
            up, mix = f"up.{level}", f"mix.{level}"
            x = make.round(make.convolve(make.round(x, f"{up}.in"), up), f"{up}.out")
            x = make.round(op.relu(op.add(_double(x), skip)), f"{mix}.in")
        x = op.relu(make.convolve(x, f"mix.{level}"))
        x = make.blocks(x, block_names(config, level))
    x = make.round(x, "expand.in")
    # 3. paint, and blend with the carried picture
    painted = _paint(make, x, blocks, factor)
    share = _share(belief, factor, config.carry)
    before = op.convert(
        op.reshape(carried, _whole(*painted.get_output_shape(0)), False), np.float32
    )
    result = op.add(painted, op.multiply(share, op.subtract(before, painted)))
    result = op.convert(op.round(result, "half_to_even"), np.uint8)
    outputs = [op.result(op.reshape(result, _whole(*shape), False))]
    if observe:
        for name, node in make.rounded.items():
            for end, reduce in (("low", op.reduce_min), ("high", op.reduce_max)):
                extreme = reduce(node, _whole(0, 1, 2, 3))
                extreme.output(0).get_tensor().set_names({f"{name}.{end}"})
                outputs.append(op.result(extreme))
    return ov.Model(outputs, [blocks, carried, trust, grain, bands], "generator")


def _paint(make: Builder, x: Node, blocks: Node, factor: int) -> Node:
    """Return the new picture, values 0..255, (1, h, factor, 3 W): `factor` rows for each of x's."""
    kernels = painting(make.layers, factor, make.bounds)
    # 1. what the features and the frame's pixels say together
    expand, seen = make.layers["expand"], make.layers["expand_detail"]
    y = op.convolution(replicate(x, 1), make.weight(expand.weight), *_steps(1))
    y = op.add(
        y, op.convolution(_values(blocks), make.weight(kernels["expand_detail"]), *_steps(1))
    )
    y = op.add(y, _channels(expand.shift + seen.shift + _no_relief(kernels["expand_detail"])))
    x = make.round(op.relu(y), "head.in")
    # 2. the pixels of each block, row by row
    at = np.concatenate([row_outputs(row, factor) for row in range(factor)])
    head, detail = (255 * kernels[name][at] for name in ("head", "detail"))
    shift = 255 * (make.layers["head"].shift + make.layers["detail"].shift)[at] + _no_relief(detail)
    if make.bounds:
        # The blocks' bytes are read as steps between the bounds of x; one of them is its zero.
        bounds = make.bounds["head.in"]
        low, unit = bounds[0], bounds[1] - bounds[0]
        same = op.add(op.multiply(_values(blocks), _float(unit)), _float(low))
        x = op.concat([x, _stepped(same, *bounds)], 1)
        y = op.convolution(x, make.weight(np.concatenate([head, detail / unit], 1)), *_steps(1))
        shift = shift - low / unit * detail.sum((1, 2, 3))
    else:
        y = op.convolution(x, make.weight(head), *_steps(1))
        y = op.add(y, op.convolution(_values(blocks), make.weight(detail), *_steps(1)))
    y = op.add(y, _channels(shift.astype(np.float32)))
    # In int8 the same, and rounded to bytes.
    y = op.convert(_stepped(y, 0, 255), np.uint8) if make.bounds else op.clamp(y, 0, 255)
    return op.convert(_over_rows(y, factor), np.float32)


def _no_relief(kernel: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what makes up for the relief's zero, which is 128 of 255: (outputs,)."""
    return np.asarray(-128 / 255 * kernel[:, 3::4].sum((1, 2, 3)), np.float32)


def _share(belief: Node, factor: int, carry: float) -> Node:
    """Return how much of each value is to be carried: (1, 1, h, w) -> (1, h, 1, 3 W)."""
    kernel = np.full((3 * factor, 1, 1, 1), carry, np.float32)
    return _over_rows(op.convolution(belief, _float(kernel), *_steps(1)), 1)


def painting(
    layers: Mapping[str, Convolution], factor: int, bounds: Bounds | None
) -> dict[str, NDArray[np.float32]]:
    """Return the kernels of `head`, and of the two that see blocks of values 0..1.

    In int8 they are rounded: head and detail as one kernel, over steps of the head's input and over
    bytes.
    """
    expand, detail = (
        detail_kernel(layers[name].weight, factor) for name in ("expand_detail", "detail")
    )
    head = layers["head"].weight
    if bounds is not None:
        expand = rounded(expand, _colours(0, factor))
        first, unit = head.shape[1], np.float32(bounds["head.in"][1] - bounds["head.in"][0])
        both = rounded(np.concatenate([head * unit, detail], 1), _colours(first, factor))
        head, detail = both[:, :first] / unit, both[:, first:]
    return {"expand_detail": expand, "head": head, "detail": detail}


def _colours(first: int, factor: int) -> list[NDArray[np.intp]]:
    """Return which inputs of a kernel over blocks, from `first` on, are red, green and blue."""
    return [first + colour + 4 * np.arange(factor**2) for colour in range(3)]


def detail_kernel(weight: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Reorder the detail's kernel as `blocks_kernel` does, and fit it to what is in the blocks.

    Of the colours it sees only what pixels differ by within their block: taking off a block's mean
    is linear, here it is done to the kernel. The relief's bytes, read as 0..1, have their own unit.
    """
    parts = weight.reshape(len(weight), 4, -1)
    within, relief = parts[:, :3] - parts[:, :3].mean(2, keepdims=True), parts[:, 3:]
    return blocks_kernel(np.concatenate([within, relief * RELIEF_UNIT], 1), factor)


def blocks_kernel(weight: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Reorder a 1x1 kernel over blocks, (o, c f f, 1, 1), c <= 4, to (row, column, four planes).

    What it does not see is multiplied by zero: (o, 4 f f, 1, 1).
    """
    planes = weight.reshape(len(weight), -1, factor, factor)
    planes = np.pad(planes, ((0, 0), (0, 4 - planes.shape[1]), (0, 0), (0, 0)))
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1).reshape(len(weight), -1, 1, 1))


def rows_kernel(weight: NDArray[np.float32], factor: int) -> NDArray[np.float32]:
    """Reorder a 1x1 kernel over blocks, (outputs, c f f, 1, 1), to one over rows, (o, c f, f, 1).

    Inputs change from (colour, row, column) to (column, colour) with the rows as the height.
    """
    outputs, inputs = weight.shape[:2]
    blocks = weight.reshape(outputs, inputs // factor**2, factor, factor)
    return np.ascontiguousarray(
        blocks.transpose(0, 3, 1, 2).reshape(outputs, inputs // factor, factor, 1)
    )


def row_outputs(row: int, factor: int) -> NDArray[np.intp]:
    """Return which of a head's outputs paint a row of a block, in the order (column, colour)."""
    column, colour = np.divmod(np.arange(3 * factor), 3)
    return np.asarray(colour * factor**2 + row * factor + column, np.intp)


def _rows(picture: Node, factor: int) -> Node:
    """(1, H, W, 3) uint8 -> (1, 3 factor, H, W / factor), values 0..1; no byte is moved."""
    _, height, width, colours = picture.get_output_shape(0)
    rows = _whole(1, height, width // factor, colours * factor)
    return _values(op.reshape(picture, rows, False))


def _values(raw: Node) -> Node:
    """(1, h, w, c) uint8 -> (1, c, h, w), values 0..1."""
    # In this order the conversion merges into an int8 convolution; after the transpose it does not.
    values = op.multiply(op.convert(raw, np.float32), _float(1 / 255))
    return op.transpose(values, _whole(0, 3, 1, 2))


def _stepped(x: Node, low: float, high: float) -> Node:
    """Round x to 256 steps from `low` to `high`."""
    return op.fake_quantize(x, *(_float(v) for v in (low, high, low, high)), 256)


def _over_rows(y: Node, rows: int) -> Node:
    """(1, rows n, h, w) -> (1, h, rows, n w): the values of a row of pixels side by side."""
    _, values, h, w = y.get_output_shape(0)
    # The other way about, transposed and then split, it takes four times as long.
    parts = op.split(y, op.constant(1), rows).outputs()
    shape = _whole(1, h, 1, values // rows * w)
    lines = (op.transpose(part, _whole(0, 2, 3, 1)) for part in parts)
    return op.concat([op.reshape(line, shape, False) for line in lines], 2)


def _double(x: Node) -> Node:
    """Double the height and width of (1, C, H, W), each value repeated."""
    return op.interpolate(
        x,
        _float(np.array([2, 2])),
        "nearest",
        "scales",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
        axes=_whole(2, 3),
    )


def _steps(stride: int) -> tuple[list[int], list[int], list[int], list[int]]:
    """Return what op.convolution wants to know: strides, no padding twice, no dilation."""
    return [stride, stride], [0, 0], [0, 0], [1, 1]


def _whole(*values: int) -> Node:
    return op.constant(np.array(values, np.int64))


def _float(values: float | NDArray[np.float32]) -> Node:
    return op.constant(np.asarray(values, np.float32))


def _channels(values: NDArray[np.float32]) -> Node:
    return _float(values.reshape(1, -1, 1, 1))
