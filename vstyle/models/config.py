"""What decides the shape of the networks, and the names and shapes of the weights that follow.

Nothing here needs torch: an engine that paints without it builds its graph from these.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from math import inf, lcm
from typing import Any

LARGEST = 4096  # no width, length or count of a config is beyond this
MOST_LEVELS = 6

PALETTE = 9  # first entries of a code: means and deviations of the colours, and their correlations
CODE = PALETTE + 48  # length of a style code: more directions than that hold mostly chance
BLOCK = 4  # pixels: the relief of a frame is what differs from the mean of about as many
BANDS = 3  # of broader relief: shapes of about 3, 8 and 20 blocks
FARTHEST = 4.0  # deviations: of what a generator normalises, no more is let through
LEAST_DEVIATION = 0.02  # of any mix of a palette's colours, values 0..1
FAR = 3.0  # deviations; beyond them a statistic says no more than that it is far out
SCALE = 0.3  # of the code: its entries are about as large, so that styles are learned steadily
# Pixels: the short side at which style pictures are read, and the side of the squares cut from them
# that the encoder sees. The same in training and in use: deep statistics see how it was done, and
# even an odd width.
READ_SIDE, SIDE = 384, 256

Shapes = Iterator[tuple[str, tuple[int, ...]]]


@dataclass(frozen=True)
class GeneratorConfig:
    """The size of a generator. Teacher and student differ in these numbers only.

    Its levels, from the finest on, are at 1/factor of the picture's size, half of that, and so on.
    """

    factor: int = 4  # side of the pixel blocks of the stem and the head
    widths: tuple[int, ...] = (32, 48)  # channels of each level
    blocks: tuple[int, ...] = (1, 2)  # residual blocks of each level, on the way up
    inner: tuple[int, ...] = (32, 48)  # channels between the two convolutions of a level's blocks
    # Size of the kernels of the finest mix, 1 or 3: with 1 it sees single places only, and is
    # faster; a block of the finest level sees what is around.
    mix_kernel: int = 3
    expanded: int = 64  # channels that the picture is made of, of features and of pixels
    rank: int = 32  # kernels of each layer whose shares the style sets; they take no time per frame
    code: int = CODE  # length of the style code
    # What a painted pixel takes from the carried picture where that is fully trusted. The nearer to
    # 1, the longer a picture that stands still goes on changing. A learned gate that said so for
    # each block was shut in a few of them, and these flickered.
    carry: float = 0.77

    @property
    def multiple(self) -> int:
        """Sides of the input must be multiples of this many pixels."""
        return lcm(self.factor << self.coarsest, BLOCK)

    @property
    def coarsest(self) -> int:
        """The number of the coarsest level; the finest is 0."""
        return len(self.widths) - 1


@dataclass(frozen=True)
class StyleConfig:
    """The size of a style encoder."""

    widths: tuple[int, ...] = (32, 64, 96, 128)  # channels of the levels, each half the last's size
    hidden: int = 64  # width of the perceptron that makes the code
    code: int = CODE  # length of the style code; equal to the generator's

    @property
    def statistics(self) -> int:
        """How many numbers the perceptron sees: mean and deviation of every channel."""
        return 2 * (3 + sum(self.widths))


def parse(config: dict[str, Any]) -> tuple[GeneratorConfig, StyleConfig]:
    """Read the configs of a model's header; ValueError if they are none of ours, or absurd."""
    try:
        generator = _record(GeneratorConfig, config["generator"])
        style = _record(StyleConfig, config["style"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"the config is not understood: {error}") from error
    levels = {len(numbers) for numbers in (generator.widths, generator.blocks, generator.inner)}
    if len(levels) > 1 or max(levels) > MOST_LEVELS:
        raise ValueError(f"widths, blocks and inner are not as many, up to {MOST_LEVELS}")
    if generator.mix_kernel not in {1, 3}:
        raise ValueError("mix_kernel is neither 1 nor 3")
    if generator.carry >= 1:
        raise ValueError("carry is not below 1")
    if generator.code != style.code:
        raise ValueError("the configs of generator and style encoder do not fit each other")
    if style.code <= PALETTE:
        raise ValueError(f"a code of {style.code} entries is too short")
    return generator, style


def parse_bounds(config: dict[str, Any]) -> dict[str, tuple[float, float]] | None:
    """Read the bounds of a quantised model's tensors; None if it is none. ValueError if absurd."""
    if "bounds" not in config:
        return None
    try:
        bounds = {name: (float(low), float(high)) for name, (low, high) in config["bounds"].items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise ValueError(f"the bounds are not understood: {error}") from error
    generator, _ = parse(config)
    if set(bounds) != set(rounded_tensors(generator)):
        raise ValueError("the bounds are not those of this generator")
    if not all(-inf < low <= 0 < high < inf for low, high in bounds.values()):
        raise ValueError("a bound is not a number, or zero is not within its bounds")
    return bounds


def rounded_tensors(config: GeneratorConfig) -> list[str]:
    """Return the names of the tensors that an int8 generator rounds, in the order of its layers."""
    names = [f"skip.{level}" for level in range(config.coarsest + 1)]
    for level in reversed(range(config.coarsest + 1)):
        if level < config.coarsest:
            names += [f"up.{level}.in", f"up.{level}.out", f"mix.{level}.in"]
        names += [f"{name}.{end}" for name in block_names(config, level) for end in ("in", "inner")]
    return [*names, "expand.in", "head.in"]


def block_names(config: GeneratorConfig, level: int) -> list[str]:
    """Return the names of the residual blocks of a level."""
    return [f"blocks.{level}.{index}" for index in range(config.blocks[level])]


def check_shapes(
    generator: GeneratorConfig, style: StyleConfig, given: dict[str, tuple[int, ...]]
) -> None:
    """Raise ValueError unless these are exactly the weights that the configs ask for."""
    wanted = {f"generator.{name}": shape for name, shape in generator_shapes(generator)}
    wanted |= {f"style.{name}": shape for name, shape in style_shapes(style)}
    if wanted != given:
        wrong = sorted(set(wanted.items()) ^ set(given.items()))
        raise ValueError(f"the weights do not fit the config, first at {wrong[0][0]}")


def generator_shapes(config: GeneratorConfig) -> Shapes:
    """Yield name and shape of every weight of a generator."""
    pixels = 3 * config.factor**2  # values of a block of pixels
    fine = config.widths[0]

    def layer(name: str, inputs: int, outputs: int, kernel: int, scales: int) -> Shapes:
        yield f"{name}.conv.weight", (outputs, inputs, kernel, kernel)
        yield f"{name}.filters.weight", (config.rank, inputs, kernel, kernel)
        yield f"{name}.columns.weight", (outputs, config.rank, 1, 1)
        yield f"{name}.style.weight", (scales + outputs + config.rank, config.code)
        yield f"{name}.style.bias", (scales + outputs + config.rank,)

    def modulated(name: str, inputs: int, outputs: int, kernel: int) -> Shapes:
        yield f"{name}.bias", (outputs,)
        yield from layer(name, inputs, outputs, kernel, inputs + outputs)

    def normalised(name: str, inputs: int, outputs: int, kernel: int) -> Shapes:
        yield from layer(name, inputs, outputs, kernel, outputs)

    yield from normalised("stem", pixels, fine, 1)
    yield from modulated("memory", pixels + 1, fine, 1)
    yield "canvas.weight", (fine, config.code)
    yield "canvas.bias", (fine,)
    yield "bands.weight", (BANDS * fine, config.code)
    yield "bands.bias", (BANDS * fine,)
    for level, (width, inner) in enumerate(zip(config.widths, config.inner, strict=True)):
        if level < config.coarsest:
            coarser = config.widths[level + 1]
            yield from normalised(f"down.{level}", width, coarser, 3)
            yield from modulated(f"up.{level}", coarser, width, 1)
        kernel = 3 if level else config.mix_kernel
        yield from (normalised if level else modulated)(f"mix.{level}", width, width, kernel)
        for name in block_names(config, level):
            yield from normalised(f"{name}.first", width, inner, 3)
            yield from normalised(f"{name}.second", inner, width, 3)
    seen = pixels + config.factor**2  # of the frame: what differs within a block, and the relief
    yield from modulated("expand", fine, config.expanded, 3)
    yield from modulated("expand_detail", seen, config.expanded, 1)
    yield from modulated("head", config.expanded, pixels, 1)
    yield from modulated("detail", seen, pixels, 1)


def style_shapes(config: StyleConfig) -> Shapes:
    """Yield name and shape of every weight and buffer of a style encoder."""
    learned = config.code - PALETTE
    inputs = [3, *config.widths]
    for index, (a, b) in enumerate(zip(inputs, config.widths, strict=False)):
        yield f"levels.{index}.weight", (b, a, 3, 3)
        yield f"levels.{index}.bias", (b,)
    yield "standardise.mean", (config.statistics,)
    yield "standardise.deviation", (config.statistics,)
    yield "direct.weight", (learned, config.statistics)
    yield "direct.bias", (learned,)
    yield "perceptron.0.weight", (config.hidden, config.statistics)
    yield "perceptron.0.bias", (config.hidden,)
    yield "perceptron.2.weight", (learned, config.hidden)
    yield "perceptron.2.bias", (learned,)


def _record(kind: Any, values: dict[str, Any]) -> Any:
    """Build a config record from JSON values, refusing unknown fields and absurd sizes."""
    known = {field.name: field.default for field in fields(kind)}
    if set(values) - set(known):
        raise TypeError(f"unknown field {sorted(set(values) - set(known))[0]!r}")
    clean = {}
    for name, value in values.items():
        numbers = value if isinstance(value, list) else [value]
        least = 0 if name == "blocks" else 1e-6
        a_list = isinstance(known[name], tuple)
        kinds = {int, float} if isinstance(known[name], float) else {int}
        if (
            not numbers
            or isinstance(value, list) != a_list
            or not all(type(n) in kinds and least <= n <= LARGEST for n in numbers)
        ):
            raise TypeError(f"{name} = {value!r}")
        clean[name] = tuple(value) if isinstance(value, list) else value
    return kind(**clean)
