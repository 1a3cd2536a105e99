"""Which way up a picture is: phones write it as it falls, with a note how to turn it."""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
from av.sidedata.sidedata import SideData

from vstyle.engine.base import Picture


@dataclass(frozen=True)
class Orientation:
    """How a stored picture becomes an upright one; the steps are taken in this order."""

    transposed: bool = False  # rows become columns
    mirrored: bool = False  # left and right change places
    flipped: bool = False  # top and bottom change places

    @property
    def turned(self) -> bool:
        """Whether anything is to be done."""
        return self.transposed or self.mirrored or self.flipped


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """Return what the display matrix of a decoded frame asks for, to a right angle.

    FFmpeg makes one of a photo's EXIF, too, mirrored ones among them; see `filters.listable`.
    """
    note = frame.side_data.get("DISPLAYMATRIX")
    if not isinstance(note, SideData):
        return Orientation()
    # Fixed point; a place (x, y) is shown at (a x + c y, b x + d y).
    a, b, _, c, d = np.frombuffer(bytes(note), np.int32)[:5].tolist()
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(True, mirrored=c < 0, flipped=b < 0)
    return Orientation(False, mirrored=a < 0, flipped=d < 0)


def turn(picture: Picture, orientation: Orientation) -> Picture:
    """Return an (H, W, ...) picture upright and contiguous; itself if nothing is to be done."""
    if not orientation.turned:
        return picture
    view = picture.swapaxes(0, 1) if orientation.transposed else picture
    across, down = (-1 if orientation.mirrored else 1), (-1 if orientation.flipped else 1)
    return np.ascontiguousarray(view[::down, ::across])
