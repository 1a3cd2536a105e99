"""Strips put together are what the whole picture would be, and none is larger than asked for."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vstyle.strips import enlarged

sides = st.integers(1, 12)


@given(sides, sides, st.integers(1, 5), st.integers(1, 5), st.integers(1, 64))
def test_strips_together_are_the_whole(
    height: int, width: int, down: int, across: int, rows: int
) -> None:
    small = np.random.default_rng(height).random((height, width, 2), np.float32)
    size = height * down, width * across
    strips = list(enlarged(small, size, rows))
    assert [row for strip in strips for row in range(size[0])[strip.rows]] == list(range(size[0]))
    whole = cv2.resize(small, size[::-1])
    assert np.allclose(np.concatenate([strip.values for strip in strips]), whole, atol=1e-5)
    assert max(len(strip.values) for strip in strips) <= max(rows, down)


@pytest.mark.parametrize(("height", "count"), [(480, 8), (481, 1)])
def test_heights_that_are_no_multiples(height: int, count: int) -> None:
    """Strips are cut where both sizes have a row's edge; where there is none, it is one strip."""
    small = np.random.default_rng(0).random((180, 32), np.float32)
    strips = list(enlarged(small, (height, 85), 64))
    assert len(strips) == count
    found = np.concatenate([strip.values for strip in strips])
    assert np.allclose(found, cv2.resize(small, (85, height)), atol=1e-4)
