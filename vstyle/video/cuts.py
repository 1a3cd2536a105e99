"""Does a new shot begin here? Compares a small grey frame with the last one, moved along."""

import cv2
import numpy as np
from numpy.typing import NDArray

# Measured on 28 real clips: their neighbouring frames have a trust of at least 0.34 and a likeness
# of at least 0.71, 600 pairs of frames from different clips at most 0.19 and 0.39.
# Both must fail: a flash takes the trust and leaves the likeness, a fade from black the reverse.
TRUST, LIKENESS = 0.25, 0.55

STRUCTURE = 8.0
"""Details up to about this size, in pixels, are compared; the light of larger areas is not."""


def is_cut(moved: NDArray[np.uint8], grey: NDArray[np.uint8], trust: NDArray[np.float32]) -> bool:
    """Tell whether `grey` begins a new shot.

    `moved` is the last frame carried to where things are in `grey`, `trust` how far each place of
    it is believed (0..1), all (h, w).
    """
    return float(trust.mean()) < TRUST and likeness(moved, grey) < LIKENESS


def likeness(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """Return the correlation of the details of two grey pictures: 1 the same, 0 nothing in common.

    Brighter, darker or flatter light changes it little. Pictures without details have 0.
    """
    x, y = _details(a), _details(b)
    # The 1 (a grey level, squared) keeps pictures of mere noise from being compared.
    return float((x * y).mean() / (np.sqrt((x * x).mean() * (y * y).mean()) + 1))


def _details(grey: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what a blurred picture lacks."""
    values = grey.astype(np.float32)
    return values - cv2.GaussianBlur(values, (0, 0), STRUCTURE)
