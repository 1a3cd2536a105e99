"""Synthetic motion is exact: what the flow says is what the pixels do."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from vstyle.training import motion


def photos(count: int = 3, size: int = 96) -> torch.Tensor:
    """Smooth random pictures, so that bilinear sampling is all but exact."""
    torch.manual_seed(0)
    return torch.nn.functional.interpolate(
        torch.rand(count, 3, 8, 8), (size, size), mode="bicubic", align_corners=True
    ).clamp(0, 1)


@settings(deadline=None, max_examples=12)
@given(seed=st.integers(0, 1 << 30))
def test_warping_the_last_frame_along_the_flow_gives_this_frame(seed: int) -> None:
    """On visible pixels, but for the grain and the light that every frame has of its own."""
    pictures = photos()
    chance = torch.Generator().manual_seed(seed)
    film = motion.film(pictures, pictures.flip(0), 64, 3, chance)
    for before, after, flow, visible in zip(
        film.frames, film.frames[1:], film.flows, film.visible, strict=False
    ):
        gap = (motion.warp(before, flow) - after).abs().mean(1, keepdim=True)
        if visible.sum() > 500:
            assert (gap * visible).sum() / visible.sum() < 0.04  # grain and light alone: 0.03


def test_warp_moves_by_whole_pixels_exactly() -> None:
    """A flow of (2, -1) looks two to the right and one up."""
    picture = torch.rand(1, 1, 8, 8)
    flow = torch.tensor([2.0, -1.0]).expand(1, 8, 8, 2)
    moved = motion.warp(picture, flow)
    torch.testing.assert_close(moved[..., 1:, :6], picture[..., :7, 2:])


def test_what_comes_from_outside_is_not_visible() -> None:
    """A pixel whose flow leaves the frame was not seen before."""
    pictures = photos(1)
    chance = torch.Generator().manual_seed(3)
    film = motion.film(pictures, pictures, 64, 2, chance)
    at = motion.pixels(64, 64, torch.device("cpu")) + film.flows[0]
    outside = ((at < 0) | (at > 63)).any(-1)[:, None]
    assert (film.visible[0] * outside).sum() == 0


def test_the_same_chance_makes_the_same_film() -> None:
    """Resuming depends on it."""
    pictures = photos(2)
    one, two = (
        motion.film(pictures, pictures, 48, 2, torch.Generator().manual_seed(5)) for _ in range(2)
    )
    assert all(
        torch.equal(a, b)
        for a, b in zip(one.frames + one.flows, two.frames + two.flows, strict=True)
    )
