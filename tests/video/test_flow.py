"""Motion is found, believed where it should be, and never invented."""

from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from vstyle.video.decode import Frame, open_clip
from vstyle.video.flow import Motion, motion_between, shrink, track, warp


def picture(height: int = 96, width: int = 160, seed: int = 0) -> NDArray[np.uint8]:
    """Return a picture with things of every size in it."""
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.float32)
    sizes = [cv2.GaussianBlur(noise, (0, 0), sigma) * sigma for sigma in (1.5, 4, 10)]
    total = np.sum(sizes, axis=0)
    return cv2.normalize(total, None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)


def motions(*pictures: NDArray[np.uint8]) -> list[Motion | None]:
    frames = [Frame(image, index, 1) for index, image in enumerate(pictures)]  # type: ignore[arg-type]
    return [motion for _, motion, _ in track(frames)]


def shifted(image: NDArray[np.uint8], x: float, y: float) -> NDArray[np.uint8]:
    """Return the picture after everything in it has moved by (x, y)."""
    matrix = np.array([[1, 0, x], [0, 1, y]], np.float32)
    size = image.shape[1::-1]
    return cv2.warpAffine(image, matrix, size, borderMode=cv2.BORDER_REFLECT).astype(np.uint8)


def test_the_first_frame_has_no_motion() -> None:
    assert motions(picture()) == [None]


def test_a_still_picture_moves_to_itself_bit_for_bit() -> None:
    still = picture(290, 515)
    motion = motions(still, still)[1]
    assert motion is not None
    assert not motion.flow.any()
    assert motion.trust.min() == 1
    assert np.array_equal(warp(still, motion), still)


def test_a_still_part_stays_sharp_beside_a_moving_one() -> None:
    first = picture(240, 400)
    second = first.copy()
    second[:, 280:] = shifted(first, 4, 0)[:, 280:]
    motion = motions(first, second)[1]
    assert motion is not None
    assert np.array_equal(warp(first, motion)[:, :200], first[:, :200])


@pytest.mark.parametrize(("x", "y"), [(3, 0), (0, -3), (6, 4), (-12, 5), (0.5, 0.25)])
def test_a_shift_is_found_and_undone(x: float, y: float) -> None:
    first = picture(288, 480)
    second = shifted(first, x, y)
    motion = motions(first, second)[1]
    assert motion is not None
    inner = motion.flow[40:-40, 40:-40]
    # The finer picture has two thirds of the size, and the flow leads back.
    assert np.abs(np.median(inner, axis=(0, 1)) + np.array([x, y]) / 1.5).max() < 0.1
    assert motion.trust[40:-40, 40:-40].mean() > 0.9
    error = np.abs(warp(first, motion).astype(int) - second)[40:-40, 40:-40].mean()
    unmoved = np.abs(first.astype(int) - second)[40:-40, 40:-40].mean()
    assert error < 0.3 * unmoved


def test_the_finer_pictures_make_motion_more_exact() -> None:
    """Of a turn and a zoom the true motion is known everywhere: a third of the error goes."""
    first = picture(360, 640, seed=2)
    turn = cv2.getRotationMatrix2D((320, 180), 1.5, 1.02)
    second = cv2.warpAffine(first, turn, (640, 360), borderMode=cv2.BORDER_REFLECT)
    back = cv2.invertAffineTransform(turn)
    y, x = np.mgrid[:360, :640].astype(np.float32)
    true = np.dstack([x, y, np.ones_like(x)]) @ back.T - np.dstack([x, y])
    small = motion_between(shrink(first), shrink(second))
    (_, fine) = motions(first, second)
    assert fine is not None

    def error(motion: Motion) -> float:
        wide = cv2.resize(motion.flow, (640, 360)) * (640 / motion.flow.shape[1])
        return float(np.linalg.norm(wide - true, axis=2)[40:-40, 40:-40].mean())

    assert error(fine) < 0.67 * error(small)


def test_what_comes_into_the_picture_is_not_trusted() -> None:
    wide = picture(96, 200)
    motion = motions(wide[:, 8:168], wide[:, :160])[1]  # the camera turns left
    assert motion is not None
    assert motion.trust[:, :7].mean() < 0.2
    assert motion.trust[13:-13, 20:-13].mean() > 0.9


def test_what_was_hidden_is_not_trusted() -> None:
    ground, thing = picture(seed=1), picture(seed=2)[:40, :40]
    first, second = ground.copy(), ground.copy()
    first[27:67, 53:93] = thing
    second[27:67, 59:99] = thing
    motion = motions(first, second)[1]
    assert motion is not None
    assert motion.trust[31:63, 54:58].mean() < 0.35
    assert motion.trust[31:63, 67:90].mean() > 0.8
    assert motion.trust[:, 120:].mean() > 0.9


@pytest.mark.parametrize("light", [-70, 70])
def test_a_flash_is_not_a_cut(light: int) -> None:
    first = picture()
    flash = np.clip(first.astype(int) + light, 0, 255).astype(np.uint8)
    assert None not in motions(first, flash, first)[1:]


def test_another_picture_is_a_cut() -> None:
    assert motions(picture(seed=1), picture(seed=2))[1] is None
    assert motions(np.zeros((96, 160, 3), np.uint8), picture(seed=2))[1] is None


def test_a_fade_from_black_is_not_a_cut() -> None:
    steps = [(picture() * share).astype(np.uint8) for share in np.linspace(0, 1, 13)]
    assert None not in motions(*steps)[1:]


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 70), st.integers(1, 70))
def test_any_size_can_be_tracked_and_carried(height: int, width: int) -> None:
    first = np.random.default_rng(height).integers(0, 256, (height, width, 3)).astype(np.uint8)
    motion = motions(first, first)[1]
    assert motion is not None
    assert np.array_equal(warp(first, motion), first)


@pytest.mark.slow
def test_real_film_has_no_false_cut(real_clips: list[Path]) -> None:
    for path in real_clips:
        with open_clip(path) as source:
            frames = (item for item in source.items if isinstance(item, Frame))
            cuts = [index for index, (_, motion, _) in enumerate(track(frames)) if motion is None]
        assert cuts == [0], path


def test_cuts_between_real_clips_are_found(real_clips: list[Path]) -> None:
    firsts = []
    for path in real_clips:
        with open_clip(path) as source:
            image = next(item for item in source.items if isinstance(item, Frame)).image
            firsts.append(cv2.resize(image, (320, 240)).astype(np.uint8))
    for one, other in pairwise(firsts):
        assert motions(one, other)[1] is None


def test_small_is_small() -> None:
    assert shrink(picture(1080, 1920)).shape == (90, 160)
    assert shrink(picture(30, 40)).shape == (30, 40)
