"""One Gauss-Newton step on known motion."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vstyle.video.lucas_kanade import FARTHEST, exact

SIZE = (90, 120)
INNER = np.s_[12:-12, 12:-12]


def waves(x: float = 0.0, y: float = 0.0) -> np.ndarray:
    """Return waves of many directions, moved by less than a pixel, exactly."""
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]].astype(np.float64)
    rng = np.random.default_rng(0)
    total = sum(
        np.sin((columns - x) * a + (rows - y) * b + c)
        for a, b, c in rng.uniform((-0.4, -0.4, 0), (0.4, 0.4, 6.28), (12, 3))
    )
    return np.clip(128 + 18 * np.asarray(total), 0, 255).round().astype(np.uint8)


def flow_of(x: float, y: float) -> np.ndarray:
    return np.broadcast_to(np.float32([x, y]), (*SIZE, 2)).copy()


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_what_was_left_of_the_motion_is_found(
    x: float, y: float, off_x: float, off_y: float
) -> None:
    """Of up to 0.7 pixels less than a tenth remains in most places."""
    found = exact(flow_of(off_x - x, off_y - y), waves(), waves(x, y))
    gap = np.linalg.norm(found - flow_of(-x, -y), axis=2)[INNER]
    assert np.median(gap) < 0.06
    assert gap.mean() < 0.12


def test_a_flat_picture_says_nothing_of_motion() -> None:
    """What is known stays, to the last bit."""
    flat, begin = np.full(SIZE, 77, np.uint8), flow_of(1.25, -0.5)
    np.testing.assert_array_equal(exact(begin, flat, flat), begin)


def test_along_an_edge_nothing_is_made_up() -> None:
    """Only what lies across it can be seen."""
    edge = cv2.GaussianBlur(np.tile(np.uint8([40] * 60 + [200] * 60), (90, 1)), (9, 9), 2)
    found = exact(flow_of(0.5, 0.0), edge, edge)
    assert np.abs(found[..., 1]).max() < 1e-3
    assert abs(np.median(found[INNER][:, 46:50, 0])) < 0.1


@pytest.mark.parametrize("seed", range(3))
def test_no_step_goes_far(seed: int) -> None:
    """Whatever there is to see."""
    last, grey = np.random.default_rng(seed).integers(0, 256, (2, *SIZE), np.uint8)
    begin = flow_of(2.0, -1.0)
    step = exact(begin, last, grey) - begin
    assert np.abs(step).max() <= FARTHEST + 1e-6
