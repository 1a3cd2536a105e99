"""The pinhole camera: where it is at a time, and how points of the world reach the picture.

World: metres; x to the right, y up from the water, z ahead. A *placement* is a (4, 3) matrix from
a layer's own (u, v, 1) texture coordinates to homogeneous world points, so that one matrix serves
upright boards, the ground seen from a reference camera, and the sky at infinity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

# The scenes are composed for 16:9; a narrower or a flatter picture is the middle of that one.
ASPECT = 16 / 9
FOCAL = 0.95  # focal length over the width of the 16:9 picture: a field of view of 56 degrees
HORIZON = 0.565  # how far down the 16:9 picture the horizon lies: lens shift, verticals stay so
HALF_WIDTH = 0.5 / FOCAL  # tangents of what the picture shows: to either side,
ABOVE = HORIZON / ASPECT / FOCAL  # above the horizon,
BELOW = (1 - HORIZON) / ASPECT / FOCAL  # and below it


@dataclass(frozen=True)
class Path:
    """A smooth camera path around `middle`, and the pan that goes with it.

    `reach` (metres) and `pan` (radians) are the way from the middle of the film to its end;
    `seconds` is the length of the film.
    """

    middle: tuple[float, float, float]
    reach: tuple[float, float, float]
    pan: float
    seconds: float

    def at(self, time: float) -> tuple[Matrix, float]:
        """Return the camera's position (3,) in metres and its yaw in radians at `time` seconds."""
        # From -1 to 1, a little slower at both ends; odd, so the middle of the film is the middle.
        share = np.sin((2 * time / self.seconds - 1) * 1.15) / np.sin(1.15)
        # A breath of rise and fall, as on a crane.
        breath = 0.05 * np.sin(2 * np.pi * time / 3.7)
        rise = np.array([0.0, breath, 0.0])
        return np.array(self.middle) + share * np.array(self.reach) + rise, float(share * self.pan)


def focal_length(width: int, height: int) -> float:
    """Return the focal length in pixels of a picture of that size."""
    return FOCAL * max(width, height * ASPECT)


def lens(width: int, height: int) -> Matrix:
    """Return the (3, 3) matrix from camera space (y up) to pixels, centres at whole numbers."""
    focal = focal_length(width, height)
    horizon = height / 2 + (HORIZON - 0.5) * focal / FOCAL / ASPECT
    return np.array([[focal, 0, (width - 1) / 2], [0, -focal, horizon - 0.5], [0, 0, 1]])


def view(path: Path, time: float, width: int, height: int) -> Matrix:
    """Return the (3, 4) matrix from homogeneous world points to homogeneous pixels at a time."""
    position, yaw = path.at(time)
    turn = np.array([[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]])
    return np.asarray(lens(width, height) @ turn @ np.hstack([np.eye(3), -position[:, None]]))
