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


def test_composed_flow_leads_from_the_last_frame_to_the_first() -> None:
    """Against warping step by step, on a steady shift, and where something was hidden between."""
    size = 32
    shift = torch.tensor([2.0, 0.0]).expand(1, size, size, 2)
    seen = torch.ones(1, 1, size, size)
    hidden = seen.clone()
    hidden[..., 10] = 0  # in the second frame, what is at column 10 was not in the first
    flow, visible = motion.compose([shift, shift, shift], [hidden, seen, seen])
    torch.testing.assert_close(flow, 3 * shift)
    # Column 6 of the last frame was at column 8, then at 10 of the second one.
    assert visible[0, 0, 5, 4:9].tolist() == [1, 1, 0, 1, 1]


def test_a_still_does_not_move() -> None:
    """The same frame, no flow, everything visible."""
    film = motion.still(photos(2, 32), 4)
    assert all(torch.equal(frame, film.frames[0]) for frame in film.frames)
    assert not any(flow.any() for flow in film.flows)
    assert (len(film.frames), len(film.flows), len(film.visible)) == (4, 3, 3)
