"""Every term against a value worked out by other means."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from vstyle.training import losses

PLAIN = torch.zeros(1, 1, 32, 32)  # a canvas without strokes


def test_statistics_are_mean_deviation_and_gram() -> None:
    """Against NumPy, channel by channel; the Gram matrix is the specification's, over C H W."""
    torch.manual_seed(0)
    x = torch.rand(2, 5, 6, 7)
    found = losses.statistics(x)
    flat = x.numpy().reshape(2, 5, 42)
    np.testing.assert_allclose(found.mean, flat.mean(2), rtol=1e-5)
    np.testing.assert_allclose(found.deviation, flat.std(2), rtol=1e-3)
    np.testing.assert_allclose(found.gram[1], flat[1] @ flat[1].T / (5 * 42), rtol=1e-5)


def test_distances_of_a_hand_made_pair() -> None:
    """One channel, values worked out on paper: means 1 and 3, deviations 1 and 1."""
    a = losses.statistics(torch.tensor([0.0, 2.0]).view(1, 1, 1, 2))
    b = losses.statistics(torch.tensor([2.0, 4.0]).view(1, 1, 1, 2))
    assert losses.moments_distance(a, b).item() == pytest.approx(4.0, rel=1e-4)
    # Gram matrices: mean squares 2 and 10.
    assert (a.gram.item(), b.gram.item()) == (2, 10)
    assert losses.gram_distance(a, b).item() == pytest.approx(64 / 100, rel=1e-4)


@pytest.mark.parametrize("distance", [losses.moments_distance, losses.gram_distance])
def test_style_distances_do_not_depend_on_the_layers_scale(distance) -> None:
    """Features ten times as large, the same distance."""
    torch.manual_seed(0)
    x, y = torch.rand(1, 4, 8, 8), torch.rand(1, 4, 8, 8)
    near = distance(losses.statistics(x), losses.statistics(y))
    far = distance(losses.statistics(10 * x), losses.statistics(10 * y))
    torch.testing.assert_close(near, far, rtol=1e-3, atol=1e-6)


def test_content_lets_go_of_contrast_and_colour() -> None:
    """A channel scaled and shifted has the same content; other shapes do not."""
    torch.manual_seed(0)
    x = torch.rand(1, 4, 16, 16)
    assert losses.content(3 * x + 1, x).item() < 1e-3
    assert losses.content(torch.rand(1, 4, 16, 16), x).item() > 1


def test_structure_is_ssim() -> None:
    """Against Wang's formula computed with NumPy's convolution over one window."""
    torch.manual_seed(0)
    x, y = torch.rand(1, 3, 11, 11), torch.rand(1, 3, 11, 11)
    at = np.arange(-5, 6)
    line = np.exp(-(at**2) / 4.5)
    w = np.outer(line, line) / line.sum() ** 2
    grey = np.array([0.299, 0.587, 0.114])
    a, b = (np.tensordot(grey, z[0].double().numpy(), 1) for z in (x, y))
    ma, mb = (w * a).sum(), (w * b).sum()
    va, vb, ab = (w * a * a).sum() - ma**2, (w * b * b).sum() - mb**2, (w * a * b).sum() - ma * mb
    c1, c2 = 1e-4, 9e-4
    ssim = (2 * ma * mb + c1) * (2 * ab + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))
    assert losses.structure(x, y).item() == pytest.approx(1 - ssim, abs=1e-4)
    assert losses.structure(x, x).item() == pytest.approx(0, abs=1e-5)


def test_shapes_count_however_faint_they_are() -> None:
    """The same waves at a twelfth of the contrast cost little; waves that run across cost all."""
    wave = torch.sin(torch.arange(128.0) * 2 * torch.pi / 24)
    upright, level = (0.5 + 0.24 * each.expand(1, 3, 128, 128) for each in (wave, wave[:, None]))
    faint = 0.5 + (upright - 0.5) / 12
    assert losses.shapes(upright, upright, PLAIN).item() < 0.1
    assert losses.shapes(upright, faint, PLAIN).item() < 0.4
    assert losses.shapes(level, faint, PLAIN).item() > 0.9
    assert losses.shapes(1 - upright, faint, PLAIN).item() > 1.4


def test_strokes_are_no_false_shapes_and_no_false_tints() -> None:
    """On the canvas they are free, either way and beside the source's shapes; elsewhere not."""
    wave = torch.sin(torch.arange(128.0) * 2 * torch.pi / 24)
    upright, level = (each.expand(1, 1, 128, 128) for each in (wave, wave[:, None]))
    source = (0.5 + 0.2 * upright).expand(-1, 3, -1, -1)
    red = torch.tensor([0.1, 0.0, -0.1]).view(1, 3, 1, 1)
    laid = 0.5 * F.avg_pool2d(level, 4)
    for strokes in (0.2 * level, -0.2 * level):
        assert losses.shapes(source + strokes, source, laid).item() < 0.1
        assert losses.shapes(source + strokes, source, PLAIN).item() > 0.25
        assert losses.tints(source + red * strokes, source, laid).item() < 0.1
    # Strokes that lie as the shapes do explain nothing that these do not: the sign counts.
    assert losses.shapes(1 - source, source, 0.5 * F.avg_pool2d(upright, 4)).item() > 1.4


def test_tints_are_colours_that_have_nothing_to_do_with_the_shapes() -> None:
    """Grey pictures have none; colours that go with the shapes, either way, are free."""
    wave = torch.sin(torch.arange(128.0) * 2 * torch.pi / 24)
    upright, level = (each.expand(1, 1, 128, 128) for each in (wave, wave[:, None]))
    source = (0.5 + 0.2 * upright).expand(-1, 3, -1, -1)
    red = torch.tensor([0.1, 0.0, -0.1]).view(1, 3, 1, 1)
    assert losses.tints(1 - source, source, PLAIN).item() < 1e-6
    assert losses.tints(source + red * upright, source, PLAIN).item() < 0.05
    assert losses.tints(source - red * upright, source, PLAIN).item() < 0.05
    assert losses.tints(source + red * level, source, PLAIN).item() > 0.8
    # Dots of a few pixels are the strokes' own.
    dots = torch.ones(1, 1, 128, 128)
    dots[..., ::4, :] = -3
    assert losses.tints(source + red * dots / 3, source, PLAIN).item() < 0.1


def test_tints_of_a_batch_are_those_of_its_pictures() -> None:
    pictures, sources = torch.rand(2, 3, 3, 64, 80, generator=torch.Generator().manual_seed(5))
    strokes = torch.rand(3, 1, 16, 20, generator=torch.Generator().manual_seed(6)) - 0.5
    each = zip(pictures.split(1), sources.split(1), strokes.split(1), strict=True)
    alone = [losses.tints(*one) for one in each]
    torch.testing.assert_close(losses.tints(pictures, sources, strokes), torch.cat(alone))


def test_flow_counts_only_what_is_visible() -> None:
    """Half of the frame is off by 0.5, and that half is hidden, or is not."""
    x = torch.zeros(1, 3, 4, 4)
    y = x.clone()
    y[..., 2:] = 0.5
    seen = torch.ones(1, 1, 4, 4)
    assert losses.flow(x, y, seen).item() == pytest.approx(0.25)
    seen[..., 2:] = 0
    assert losses.flow(x, y, seen).item() == 0
    assert losses.flow(x, y, seen * 0).item() == 0


def test_variation_of_a_hand_made_picture() -> None:
    """Columns 0, 1, 0 and two equal rows: neighbours across differ by 1, those below by nothing."""
    x = torch.tensor([0.0, 1.0, 0.0]).expand(1, 3, 2, 3)
    assert losses.variation(x).item() == pytest.approx(1)
    assert losses.variation(x.transpose(2, 3)).item() == pytest.approx(1)
    assert losses.variation(torch.full((1, 3, 4, 4), 0.7)).item() == 0


def test_identity_is_the_mean_absolute_difference() -> None:
    """The identity's and the cycle's term, per picture."""
    x = torch.zeros(2, 3, 4, 4)
    y = x.clone()
    y[1] = 0.25
    assert losses.identity(x, y).tolist() == [0, 0.25]


def test_likeness_is_relative_to_the_wanted() -> None:
    """Off by a tenth of what is wanted everywhere: a hundredth, whatever the scale."""
    torch.manual_seed(0)
    wanted = torch.rand(2, 4, 6, 6) + 0.1
    for scale in (1, 50):
        found = losses.likeness(1.1 * scale * wanted, scale * wanted)
        torch.testing.assert_close(found, torch.full((2,), 0.01))


def test_grid_sees_blocks_and_dots_and_checks_and_little_else() -> None:
    """Worked out for a checkerboard; next to nothing for noise and for a smooth picture."""
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 9, 9), (64, 64), mode="bicubic")
    at = torch.arange(64)
    checks = 0.05 * (1 - 2 * ((at[:, None] + at) % 2)) * torch.tensor([1, -1, 1]).view(1, 3, 1, 1)
    dots = torch.zeros(1, 3, 64, 64)
    dots[..., 1::4, 1::4] = 0.1
    flips = torch.ones(1, 1, 64, 64)
    flips[..., 32:] = -1  # a pattern that changes its sign from one half to the other
    assert losses.grid(0.5 + checks, 4).item() == pytest.approx(1, rel=0.01)
    assert losses.grid(smooth, 4).item() < 0.02
    assert losses.grid(0.1 * torch.randn(1, 3, 64, 64), 4).item() < 0.2
    assert losses.grid(smooth + dots, 4).item() > 0.2
    assert losses.grid(smooth + checks * flips, 4).item() > 0.5


def test_seams_are_blocks_that_each_differ_from_the_next() -> None:
    """Steps between blocks, worked out on paper; slopes, edges and noise cost next to nothing."""
    torch.manual_seed(0)
    steps = torch.arange(16.0).repeat_interleave(4).expand(1, 3, 64, 64) * 0.05
    # Across 15 seams of a row 0.05 squared, within nothing; and there are none from row to row.
    assert losses.seams(steps, 4).item() == pytest.approx(0.5, rel=1e-4)
    slope = torch.linspace(0, 1, 64).expand(1, 3, 64, 64)
    assert losses.seams(slope, 4).item() == 0
    edge = (torch.arange(64) > 25).float().expand(1, 3, 64, 64)  # not at a seam
    assert losses.seams(edge, 4).item() == 0
    assert losses.seams(0.1 * torch.randn(1, 3, 64, 64), 4).item() < 0.5
    blocks = 0.1 * torch.randn(1, 3, 16, 16).repeat_interleave(4, 2).repeat_interleave(4, 3)
    assert losses.seams(blocks, 4).item() > 4
    assert losses.grid(blocks, 4).item() < 0.1  # which is why there are two terms


def test_dots_are_detail_at_the_same_places_of_blocks() -> None:
    """Of one pixel in sixteen, worked out on paper, of any sign; noise and edges are free."""
    torch.manual_seed(0)
    signs = (torch.randint(0, 2, (1, 1, 16, 16)) * 2.0 - 1).repeat(1, 3, 1, 1)
    size = 0.2
    dotted = torch.zeros(1, 3, 64, 64)
    dotted[..., 2::4, 2::4] = size * signs
    # Where the dots are nearly all of the energy: x times a sixteenth of the places.
    spread = size**2 * (15**0.5 / 16 - losses.DOTS_CHANCE / 16)
    assert losses.dots(dotted, 4).item() == pytest.approx(spread / 0.05**2, rel=0.15)
    assert losses.grid(dotted, 4).item() < losses.dots(dotted, 4).item() / 10
    noise = 0.1 * torch.randn(1, 3, 64, 64)
    assert losses.dots(noise, 4).item() < 0.02
    at = torch.arange(64.0)
    slanted = ((at + 0.7 * at[:, None]) % 23 < 9).float().expand(1, 3, 64, 64)
    assert losses.dots(slanted, 4).item() < 1.5


def test_every_term_has_the_right_gradient() -> None:
    """The gradients against finite differences, in double precision where it is kept."""
    torch.manual_seed(0)
    x = torch.rand(1, 3, 12, 12, dtype=torch.float64, requires_grad=True)
    y = torch.rand(1, 3, 12, 12, dtype=torch.float64)
    seen = torch.ones(1, 1, 12, 12, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda z: losses.flow(z, y, seen), (x,))
    assert torch.autograd.gradcheck(lambda z: losses.identity(z, y), (x,))
    assert torch.autograd.gradcheck(losses.variation, (x,))
    assert torch.autograd.gradcheck(lambda z: losses.dots(z, 4), (x,))


def test_the_gradient_of_the_statistics_is_autograds() -> None:
    """The hand-written gradient against finite differences, in double precision."""
    torch.manual_seed(0)
    flat = torch.rand(2, 6, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(losses._Products.apply, (flat,))


def test_tone_is_content_with_the_source_in_the_colours_of_the_style() -> None:
    """A style that is the source recoloured is reached by the recoloured source, to the last bit.

    And a fine texture of mean zero costs nothing, while a blot of the same strength does.
    """
    torch.manual_seed(0)
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 6, 6), (96, 96), mode="bilinear")
    source = smooth * 0.6 + 0.2
    style = (source - source.mean((2, 3), keepdim=True)) * 0.8 + 0.5
    assert losses.tone(style, source, style).item() < 1e-3
    fine = torch.ones(96, 96)
    fine[::2] = -1
    assert losses.tone(style + 0.1 * fine, source, style).item() < 1e-3
    blot = torch.zeros(96, 96)
    blot[32:64, 32:64] = 0.1
    assert losses.tone(style + blot, source, style).item() > 5e-3
