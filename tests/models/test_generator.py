"""The generator: what it promises about sizes, styles, trust, and being foldable."""

import pytest
import torch
import torch.nn.functional as F

from vstyle.models.config import LEAST_DEVIATION, GeneratorConfig, StyleConfig
from vstyle.models.fold import fold
from vstyle.models.generator import Block, Generator, Modulated, in_palette, palette
from vstyle.models.style import StyleEncoder

SMALL = GeneratorConfig(widths=(8, 8, 16), blocks=(1, 1, 1), inner=(8, 8, 64), code=16)


@pytest.fixture
def generator() -> Generator:
    torch.manual_seed(0)
    return Generator(SMALL).eval()


def inputs(config: GeneratorConfig, height: int = 32, width: int = 48) -> list[torch.Tensor]:
    torch.manual_seed(1)
    blocks = (height // config.factor, width // config.factor)
    return [
        torch.rand(2, 3, height, width),
        torch.rand(2, 3, height, width),
        torch.rand(2, 1, *blocks),
        torch.rand(2, 1, *blocks) * 2 - 1,
        torch.randn(2, config.code),
    ]


@pytest.mark.parametrize("factor", [2, 4])
def test_output_has_the_size_of_the_frame_and_values_of_a_picture(factor: int) -> None:
    """Any multiple of the stride goes through; the values stay in 0..1."""
    config = GeneratorConfig(factor=factor, widths=(8, 16), blocks=(1, 1), inner=(8, 16), code=16)
    painted = Generator(config).eval()(*inputs(config))
    assert painted.shape == (2, 3, 32, 48)
    assert painted.min() >= 0
    assert painted.max() <= 1


def test_no_trust_means_no_memory(generator: Generator) -> None:
    """With trust 0 the blend takes nothing of the carried picture but what the network sees."""
    frame, carried, trust, grain, code = inputs(SMALL)
    with torch.no_grad():
        generator.memory.conv.weight.zero_()
        nothing = generator(frame, carried, trust * 0, grain, code)
        other = generator(frame, 1 - carried, trust * 0, grain, code)
    torch.testing.assert_close(nothing, other)


def test_a_fixed_share_of_the_carried_picture_is_taken(generator: Generator) -> None:
    """With full trust it is all of that share, wherever and whatever is painted."""
    frame, _, trust, grain, code = inputs(SMALL)
    with torch.no_grad():
        generator.memory.conv.weight.zero_()
        black = generator(frame, frame * 0, trust * 0 + 1, grain, code)
        white = generator(frame, frame * 0 + 1, trust * 0 + 1, grain, code)
    torch.testing.assert_close(white - black, torch.full_like(frame, SMALL.carry))


@pytest.mark.parametrize("kernel", [1, 3])
def test_folding_a_style_into_the_weights_changes_nothing(kernel: int) -> None:
    """The plain convolution with folded weights equals the modulated one, for every style."""
    torch.manual_seed(0)
    layer = Modulated(SMALL, 5, 7, kernel)
    torch.nn.init.normal_(layer.style.weight)
    torch.nn.init.normal_(layer.style.bias)
    torch.nn.init.normal_(layer.columns.weight)
    x, code = torch.randn(1, 5, 8, 8), torch.randn(SMALL.code)
    tensors = {f"layer.{name}": array.numpy() for name, array in layer.state_dict().items()}
    plain = fold(tensors, "layer", code.numpy())
    # In double precision, or how a processor sums would count.
    weight, bias = (torch.from_numpy(part).double() for part in (plain.weight, plain.shift))
    padded = F.pad(x.double(), (kernel // 2,) * 4, mode="replicate")
    folded = F.conv2d(padded, weight, bias)
    wanted = layer.double()(x.double(), code[None].double())
    torch.testing.assert_close(folded, wanted, rtol=1e-4, atol=1e-4)


def test_a_block_does_not_see_brightness_and_contrast_of_its_branch() -> None:
    """Instance norm: scaling the branch's first convolution leaves the output as it is."""
    torch.manual_seed(0)
    block = Block(SMALL, 16, 8).eval()
    x, code = torch.randn(1, 16, 8, 8), torch.randn(1, SMALL.code)
    with torch.no_grad():
        before = block(x, code)
        block.first.conv.weight *= 3
        torch.testing.assert_close(block(x, code), before, rtol=1e-3, atol=1e-3)


def test_sub_pixels_start_alike() -> None:
    """Before training, all pixels of a block have the same colour: no grid to unlearn."""
    torch.manual_seed(0)
    generator = Generator(SMALL).eval()
    _, carried, trust, grain, code = inputs(SMALL)
    frame = torch.full_like(carried, 0.3)  # without detail of its own
    painted = generator(frame, carried, trust * 0, grain, code)
    blocks = F.pixel_unshuffle(painted, SMALL.factor).unflatten(1, (3, -1))
    torch.testing.assert_close(blocks, blocks[:, :, :1].expand_as(blocks))


def test_the_style_changes_the_picture(generator: Generator) -> None:
    """Two codes, two pictures: the modulation is wired into the network."""
    frame, carried, trust, grain, code = inputs(SMALL)
    with torch.no_grad():
        assert not torch.allclose(
            generator(frame, carried, trust, grain, code),
            generator(frame, carried, trust, grain, -code),
        )


def test_the_palette_of_the_frame_does_not_pass_by(generator: Generator) -> None:
    """Tinting the whole frame changes nothing: colours come from the style's code alone."""
    frame, carried, trust, grain, code = inputs(SMALL)
    tint = torch.tensor([0.2, -0.1, 0.3]).view(1, 3, 1, 1)
    with torch.no_grad():
        for layer in (generator.detail, generator.expand_detail):
            colours = layer.conv.weight[:, : 3 * SMALL.factor**2].clone()
            for weight in (layer.conv.weight, layer.filters.weight):  # nothing of the relief
                weight.zero_()
            layer.conv.weight[:, : 3 * SMALL.factor**2] = torch.nn.init.normal_(colours)
        generator.bands.weight.zero_()  # of whole grey levels, which a tint rounds otherwise
        generator.bands.bias.zero_()
        plain = generator(frame, carried, trust, grain, code)
        tinted = generator(frame + tint, carried, trust, grain, code)
    torch.testing.assert_close(tinted, plain, rtol=1e-3, atol=1e-3)


def test_the_border_of_a_flat_picture_is_no_place_of_its_own(generator: Generator) -> None:
    """A flat frame without grain is painted flat: nothing tells where the border is."""
    flat = torch.full((1, 3, 64, 64), 0.4)
    with torch.no_grad():
        none = torch.zeros(1, 1, 64 // SMALL.factor, 64 // SMALL.factor)
        painted = generator(flat, flat * 0, none, none, torch.randn(1, SMALL.code))
    blocks = F.pixel_unshuffle(painted, SMALL.factor)
    torch.testing.assert_close(blocks, blocks[..., :1, :1].expand_as(blocks), rtol=1e-3, atol=1e-3)


def test_what_is_painted_has_the_palette_of_the_style() -> None:
    """Colours of mean 0, deviation 1 and no correlation come out with those of the style picture.

    The palette is read off the picture's code: the encoder's statistics are the oracle's input.
    """
    torch.manual_seed(0)
    picture = torch.rand(2, 3, 16, 16).cumsum(1) / 3  # channels that go with each other
    encoder = StyleEncoder(StyleConfig((8,), 8, 16))
    z = torch.randn(2, 3 * 4, 100, 100)
    painted = in_palette(z, encoder(picture)).reshape(2, 3, -1)
    for one, style in zip(painted, picture.flatten(2), strict=True):
        torch.testing.assert_close(one.mean(1), style.mean(1), atol=5e-3, rtol=0)
        torch.testing.assert_close(one.cov(), style.cov(correction=0), atol=2e-3, rtol=0.03)


def test_a_palette_of_one_colour_still_shows_something() -> None:
    """The root of a covariance that has none is bounded from below."""
    means, root = palette(torch.zeros(1, 9))
    torch.testing.assert_close(means, torch.full((1, 3), 0.5))
    torch.testing.assert_close(root[0], torch.eye(3) * LEAST_DEVIATION)
