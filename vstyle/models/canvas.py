"""The canvas: fixed noise that gives smooth places something to paint from.

A convolution paints a plain sky plainly. With a grain below the picture, it can hatch it. The grain
lies still; the recurrence carries what was painted from it along with the motion.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=4)
def canvas(height: int, width: int) -> NDArray[np.float32]:
    """Return white noise, (height, width), values -1..1; a place's value does not depend on these.

    A hash of the coordinates (PCG's output function, Jarzynski and Olano 2020), so that it is the
    same with every library and on every machine.
    """
    y, x = np.mgrid[:height, :width].astype(np.uint32)
    with np.errstate(over="ignore"):
        state = (y * np.uint32(1664525) + x * np.uint32(1013904223)) ^ np.uint32(2891336453)
        state = state * np.uint32(747796405) + np.uint32(2891336453)
        word = ((state >> ((state >> np.uint32(28)) + np.uint32(4))) ^ state) * np.uint32(277803737)
        word = (word >> np.uint32(22)) ^ word
    grain = np.asarray(word / np.float64(2**31) - 1, np.float32)
    grain.setflags(write=False)
    return grain
