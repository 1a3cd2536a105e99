"""Enlarging a picture strip by strip: floats of a whole frame would fill no processor's cache."""

from __future__ import annotations

from collections.abc import Iterator
from math import gcd
from typing import NamedTuple

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray


class Strip(NamedTuple):
    """Some rows of an enlarged picture."""

    rows: slice  # which ones
    values: NDArray[np.float32]  # (rows, width, ...)


def enlarged(small: MatLike, size: tuple[int, ...], rows: int) -> Iterator[Strip]:
    """Yield what `cv2.resize` makes of floats (h, w, ...), in strips of about `rows` rows.

    `size` is (height, width). Strips begin where a row of `small` does in the enlarged picture,
    too: heights without a common divisor make a single strip.
    """
    height, width = size
    common = gcd(len(small), height)
    unit, large = len(small) // common, height // common
    step = max(1, rows // large)
    for top in range(0, common, step):
        bottom = min(top + step, common)
        # What lies around a strip counts for its first and last rows.
        above, below = min(top, 1), min(common - bottom, 1)
        part = small[(top - above) * unit : (bottom + below) * unit]
        values = cv2.resize(part, (width, len(part) // unit * large))
        inner = values[above * large : (above + bottom - top) * large]
        yield Strip(slice(top * large, bottom * large), np.asarray(inner, np.float32))
