"""Pictures to tensors and back, and to sizes that fit."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from vstyle import pixels

pictures = arrays.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3)))


@given(picture=pictures)
def test_to_tensor_and_back_is_exact(picture: np.ndarray) -> None:
    """All 256 values survive the division by 255."""
    tensor = pixels.to_tensor(picture)
    assert tensor.shape == (1, 3, *picture.shape[:2])
    assert tensor.min() >= 0
    assert tensor.max() <= 1
    np.testing.assert_array_equal(pixels.to_picture(tensor), picture)


@given(picture=pictures, multiple=st.integers(1, 33), least=st.integers(1, 66))
def test_crop_undoes_pad(picture: np.ndarray, multiple: int, least: int) -> None:
    """The padded sides are multiples, no more is added than needed, and the edge is repeated."""
    padded = pixels.pad(picture, multiple, least)
    for side, before in zip(padded.shape[:2], picture.shape[:2], strict=True):
        assert side % multiple == 0
        assert side >= least
        assert side - max(before, least) < multiple
    np.testing.assert_array_equal(pixels.crop(padded, *picture.shape[:2]), picture)
    np.testing.assert_array_equal(padded[-1, -1], picture[-1, -1])


@given(height=st.integers(1, 99), width=st.integers(1, 99), factor=st.integers(1, 9))
def test_the_grid_covers_the_picture(height: int, width: int, factor: int) -> None:
    """No pixel is without a block, no block without a pixel."""
    rows, columns = pixels.grid(height, width, factor)
    assert (rows - 1) * factor < height <= rows * factor
    assert (columns - 1) * factor < width <= columns * factor


@given(picture=pictures)
def test_16_bits_hold_8(picture: np.ndarray) -> None:
    """Black is black, white is white, and the way back is exact."""
    deep = pixels.to_kind(picture, np.dtype(np.uint16))
    assert deep.dtype == np.uint16
    np.testing.assert_allclose(deep / 65535, picture / 255)
    np.testing.assert_array_equal(pixels.to_kind(deep, pixels.BYTE), picture)
    tensor = pixels.to_tensor(deep)
    np.testing.assert_array_equal(pixels.to_picture(tensor, deep.dtype), deep)
