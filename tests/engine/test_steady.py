"""Steady for ever: the shipped student paints in frame 1,000 what it painted in frame 10."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import SHARED

from vstyle.bench.footage import timed
from vstyle.bench.quality import drift
from vstyle.bench.steadiness import sharpness
from vstyle.engine.base import Engine, Picture
from vstyle.engine.build import build_engine
from vstyle.scene import Scene, render
from vstyle.video.decode import Frame, open_clip
from vstyle.video.flow import track
from vstyle.video.paint import paint

VGG = SHARED / "vgg19-normalised-relu3_4.safetensors"
LONG = SHARED / "dev" / "whole" / "dog-1280x720.mp4"


def painter(style: str) -> Engine:
    engine, _ = build_engine("auto", style, "cpu")
    return engine


@pytest.mark.slow
@pytest.mark.parametrize("style", ["great-wave", "starry-night"])
def test_a_still_picture_held_for_1000_frames_stays_as_it_is(style: str) -> None:
    """From frame 10 on no colour moves by more than 1/255, no edge is blurred or sharpened."""
    found = drift(painter(style), style, 1000)
    assert found.colour <= 1 / 255
    assert found.sharpness == pytest.approx(1, abs=0.02)


def test_no_ghost_of_the_old_scene_is_left_after_a_cut() -> None:
    """From the first frame on the new scene is painted as if there had been no other."""
    engine = painter("great-wave")
    before, after = ([render(Scene(192, 112, seed=seed), t) for t in range(3)] for seed in (1, 3))
    whole = [frame.image.copy() for frame in paint(track(timed(before + after)), engine)]
    alone = [frame.image.copy() for frame in paint(track(timed(after)), engine)]
    for painted, wanted in zip(whole[3:], alone, strict=True):
        np.testing.assert_array_equal(painted, wanted)


def pictures(path: Path) -> Iterator[Frame]:
    with open_clip(path) as source:
        yield from (item for item in source.items if isinstance(item, Frame))


@pytest.mark.slow
@pytest.mark.skipif(
    not (LONG.exists() and VGG.exists()), reason="needs the clips and VGG-19 of ../shared"
)
def test_a_long_clip_ends_as_it_began() -> None:
    """After 260 frames the style is within 5 %, and detail within 10 %, of the first 24 frames'.

    Both are over the source's own, which changes too.
    """
    from vstyle.bench import likeness
    from vstyle.models.config import READ_SIDE
    from vstyle.models.vgg import Features
    from vstyle.pictures import read_picture
    from vstyle.training.vgg import read_vgg

    vgg = Features(read_vgg(VGG))
    picture = next((SHARED / "dev" / "style").glob("*Gogh*"))
    goal = likeness.look(vgg, read_picture(picture, READ_SIDE))
    engine = painter(str(picture))
    sources = {t: frame.image for t, frame in enumerate(pictures(LONG)) if asked(t)}
    ends: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for t, frame in enumerate(paint(track(pictures(LONG)), engine)):
        if asked(t):
            ends[t > 100].append(measures(frame.image, sources[t], vgg, goal))
    first, last = (np.mean(ends[late], 0) for late in (False, True))
    assert last[0] == pytest.approx(first[0], rel=0.05)
    assert last[1] == pytest.approx(first[1], rel=0.10)


def asked(t: int) -> bool:
    """Tell whether a frame is measured: every sixth of the first 24 and of the last."""
    return (t < 24 or 260 <= t < 284) and t % 6 == 2


def measures(painted: Picture, source: Picture, vgg: object, goal: object) -> tuple[float, float]:
    """Return the distance of the style, and the detail over the source's."""
    from vstyle.bench import likeness

    looks = (likeness.look(vgg, picture) for picture in (painted, source))
    return likeness.style_distance(*looks, goal), sharpness(painted) / sharpness(source)
