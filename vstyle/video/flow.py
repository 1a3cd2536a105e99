"""How the picture moved since the last frame, where that can be believed, and moving along it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from vstyle.engine.base import Picture
from vstyle.strips import enlarged
from vstyle.video.canvas import Canvas, follow
from vstyle.video.cuts import is_cut
from vstyle.video.decode import Frame
from vstyle.video.lucas_kanade import Flow, exact
from vstyle.video.sampling import NOTHING, places, sample

SMALL_WIDTH = 160
"""Width of the grey frames that motion is measured on, in pixels.

Motion is smooth, so a small picture is enough to find it, and the cost grows with its area; what
that leaves inexact is mended on a finer one. `docs/performance.md` has the figures.
"""

FINE_WIDTH = 320
"""Width of the grey frames on which the motion is made exact and checked, in pixels.

A picture that is carried a fraction of a pixel beside its place blurs. And a subject's outline is
no smoother than that: what it hides would else be painted around it.
"""

# Two parts of one object that disagree by up to SURE pixels do so by noise and rounding; from LOST
# on it is something else that we see there. In pixels of the small frame.
SURE, LOST = 0.5, 1.5
# The same for the brightness of a place, in grey levels of 255, that its motion should explain.
SAME, OTHER = 6.0, 18.0
# And of the fine frame, where an outline is as sharp as it is going to be painted.
SAME_FINE, OTHER_FINE = 10.0, 30.0
# Where the picture is the same to this many grey levels, motion below STILL pixels is noise of the
# search (up to 0.05 on equal frames). Moved by noise, a still painting would blur frame by frame.
UNCHANGED, STILL = 1.5, 0.125

STRIP = 64  # rows of a picture that are carried at a time
LEAST_SIDE = 24  # pixels, of what inverse search can search

Grey = NDArray[np.uint8]
"""A small grey frame, (h, w)."""

Trust = NDArray[np.float32]
"""How far to believe the motion of each place, (h, w), from 0 (not at all) to 1 (fully)."""


@dataclass(frozen=True)
class Motion:
    """Where each place was in the frame before: pixel p of this frame was at p + flow[p].

    `flow` (h, w, 2) counts pixels of its own size; that of `trust` may be another.
    """

    flow: Flow
    trust: Trust


class _Look(NamedTuple):
    """A frame in grey, as motion is searched on it, and as it is made exact and checked."""

    small: Grey
    fine: Grey


class Tracked(NamedTuple):
    """A frame and what is known of it before it is painted."""

    frame: Frame
    motion: Motion | None
    canvas: Canvas


def track(frames: Iterable[Frame], canvas: Canvas | None = None) -> Iterator[Tracked]:
    """Yield each frame with the motion that led to it, and the canvas that moves along.

    There is no motion to the first one, after a cut, and for a damaged frame and the one after it:
    nothing of what is broken must be carried on. A given `canvas` is that of the first frame.
    """
    last: _Look | None = None
    given = canvas
    for frame in frames:
        fine = shrink(frame.image, FINE_WIDTH)
        now = _Look(_narrowed(fine, SMALL_WIDTH), fine)
        begins = last is None or frame.damaged
        found = None if begins or last is None else _motion_or_cut(last.small, now.small)
        canvas = given or follow(canvas, now.small, found.flow if found else None)
        given = None
        motion = refined(found, last.fine, now.fine) if found and last is not None else None
        yield Tracked(frame, motion, canvas)
        last = None if frame.damaged else now


def shrink(picture: Picture, width: int = SMALL_WIDTH) -> Grey:
    """Return a small grey picture, of a width in pixels or, if that is less, the picture's."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    if picture.dtype == np.uint16:
        grey = cv2.convertScaleAbs(grey, alpha=1 / 257)
    return _narrowed(np.asarray(grey, np.uint8), width)


def _narrowed(grey: Grey, width: int) -> Grey:
    height, before = grey.shape
    if before <= width:
        return grey
    size = (width, max(1, round(height * width / before)))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def motion_between(last: Grey, grey: Grey) -> Motion:
    """Measure the motion that led from `last` to `grey`, and where it can be trusted."""
    if np.array_equal(last, grey):  # a slide, a frozen or doubled frame: no need to search
        return Motion(np.zeros((*grey.shape, 2), np.float32), np.ones(grey.shape, np.float32))
    back = _displacement(grey, last)
    change = cv2.blur(np.asarray(cv2.absdiff(grey, last), np.float32), (5, 5))
    back[(np.hypot(back[..., 0], back[..., 1]) < STILL) & (change < UNCHANGED)] = 0
    return Motion(back, _trust(last, grey, back))


def _motion_or_cut(last: Grey, grey: Grey) -> Motion | None:
    """Return the motion that led from `last` to `grey`, None if another shot begins."""
    motion = motion_between(last, grey)
    return None if is_cut(warp(last, motion), grey, motion.trust) else motion


def refined(motion: Motion, last: Grey, grey: Grey) -> Motion:
    """Make motion exact on finer pictures, (H, W), and trust it where it explains them."""
    flow = motion.flow
    if flow.shape[:2] != grey.shape:
        begin = _scaled(flow, *grey.shape)
        flow = exact(begin, last, grey) if flow.any() else begin
        still = (begin[..., 0] == 0) & (begin[..., 1] == 0)
        flow[still] = 0  # what stands still goes on doing so
    motion = Motion(flow, np.asarray(cv2.resize(motion.trust, grey.shape[::-1]), np.float32))
    explained = _falling(_difference(warp(last, motion), grey), SAME_FINE, OTHER_FINE)
    return Motion(flow, np.asarray(motion.trust * explained, np.float32))


def warp(picture: Picture, motion: Motion) -> Picture:
    """Carry a picture (H, W, 3) or (H, W) of the last frame to where its parts are in this one.

    What comes from outside the picture repeats its edge. Where nothing moves, nothing changes.
    """
    size = picture.shape[:2]
    carried = np.empty_like(picture)
    for rows, flow in enlarged(_measured(motion.flow, *size), size, STRIP):
        sample(picture, flow, rows.start, carried[rows])
    return carried


def _scaled(flow: Flow, height: int, width: int) -> Flow:
    """Return a flow (h, w, 2) as it is on a picture of another size, in pixels of that."""
    return np.asarray(cv2.resize(_measured(flow, height, width), (width, height)), np.float32)


def _measured(flow: Flow, height: int, width: int) -> Flow:
    """Return a flow (h, w, 2) in pixels of a picture of another size."""
    h, w = flow.shape[:2]
    return flow * np.array([width / w, height / h], np.float32)


def _displacement(end: Grey, start: Grey) -> Flow:
    """Return where each pixel of `end` is in `start`.

    By dense inverse search (Kroeger et al. 2016); by Farneback's method (2003) where a picture is
    too small for that.
    """
    if min(end.shape) < LEAST_SIDE:
        flow = cv2.calcOpticalFlowFarneback(
            end,
            start,
            NOTHING,
            pyr_scale=0.5,
            levels=2,
            winsize=13,
            iterations=2,
            poly_n=5,
            poly_sigma=1.1,
            flags=0,
        )
    else:
        search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        search.setFinestScale(0)  # the picture is small: all of it is looked at
        # Closer patches and a median do as well as refining what is found, for half of the time.
        search.setPatchStride(3)
        search.setVariationalRefinementIterations(0)
        parts = cv2.split(search.calc(end, start, NOTHING))
        flow = cv2.merge([cv2.medianBlur(part, 3) for part in parts])
    return np.asarray(flow, np.float32)


def _trust(last: Grey, grey: Grey, back: Flow) -> Trust:
    """Return where going back along `back` ends at the same thing, seen in both frames."""
    h, w = grey.shape
    x, y = np.moveaxis(back + places(h, w), 2, 0)
    inside = (x > -1) & (x < w) & (y > -1) & (y < h)
    # There and back again: what was hidden in the last frame comes back somewhere else. Half the
    # size is a quarter of the work, and makes mistakes other than those of `back`.
    forth = 2 * cv2.resize(_displacement(_half(last), _half(grey)), (w, h))
    returned = back + np.asarray(sample(forth, back), np.float32)
    # Going far, the search is off by more.
    slack = 1 + 0.1 * np.hypot(back[..., 0], back[..., 1])
    distance = np.hypot(returned[..., 0], returned[..., 1]) / slack
    difference = _difference(sample(last, back), grey)
    trust = _falling(distance, SURE, LOST) * _falling(difference, SAME, OTHER) * inside
    return np.asarray(cv2.blur(trust, (3, 3)), np.float32)


def _difference(warped: MatLike, grey: Grey) -> MatLike:
    return cv2.blur(np.asarray(cv2.absdiff(warped, grey), np.float32), (3, 3))


def _falling(value: MatLike, top: float, bottom: float) -> Trust:
    """Return 1 up to `top`, 0 from `bottom` on, and a straight line between."""
    line = (bottom - np.asarray(value, np.float32)) / (bottom - top)
    return np.asarray(np.clip(line, 0, 1), np.float32)


def _half(grey: Grey) -> Grey:
    """Return a picture of half the size, rounded up."""
    h, w = grey.shape
    size = (-(-w // 2), -(-h // 2))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)
