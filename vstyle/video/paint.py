"""The recurrent stage: each frame is painted knowing the last painted picture, moved along.

Only that has to wait for the frame before: what can be done earlier is `ready`'s, what can be done
later `show`'s, so that each can have a thread of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, NamedTuple

import cv2
import numpy as np

from vstyle import pixels
from vstyle.engine.base import Deep, Engine, Graded, Grain, Mask, Picture, seen_by
from vstyle.video.canvas import Canvas, grain
from vstyle.video.decode import Frame
from vstyle.video.flow import Motion, Tracked, warp
from vstyle.video.grade import grade


class Painted(NamedTuple):
    """A frame, the canvas that it was painted on, and the picture that the engine made of it."""

    frame: Frame
    canvas: Canvas
    picture: Picture


class Ready(NamedTuple):
    """A frame with all that painting it takes, but for the last painted picture."""

    frame: Frame
    motion: Motion | None
    canvas: Canvas
    seen: Any  # of the frame, by the engine
    trust: Mask | None
    strokes: Grain


def paint(tracked: Iterable[Tracked], engine: Engine, strength: float = 1.0) -> Iterator[Frame]:
    """Make frames ready, paint and show them, in one thread; see `carry` and `show`."""
    return show(carry(ready(tracked, engine), engine), engine, strength)


def ready(tracked: Iterable[Tracked], engine: Engine) -> Iterator[Ready]:
    """Yield each frame with what the engine is to be given besides the last painted picture."""
    deep = isinstance(engine, Deep)
    for frame, motion, canvas in tracked:
        image = frame.image if deep else pixels.to_kind(frame.image, pixels.BYTE)
        height, width = image.shape[:2]
        trust = trust_mask(motion, height, width, engine.factor) if motion else None
        seen = seen_by(engine, image)
        strokes = grain(canvas, *pixels.grid(height, width, engine.factor))
        yield Ready(frame, motion, canvas, seen, trust, strokes)


def carry(items: Iterable[Ready], engine: Engine, last: Picture | None = None) -> Iterator[Painted]:
    """Yield what `engine` paints of each frame, given its last picture moved along.

    `last` is the picture before the first of them, if there is one.
    """
    for frame, motion, canvas, seen, trust, strokes in items:
        if last is None or motion is None:
            last = engine.paint(seen, None, None, strokes)
        else:
            last = engine.paint(seen, warp(last, motion), trust, strokes)
        yield Painted(frame, canvas, last)


def show(items: Iterable[Painted], engine: Engine, strength: float = 1.0) -> Iterator[Frame]:
    """Yield painted frames as they are to be seen, each with its own timestamp.

    They are graded to the contrast of the engine's style, and `strength` mixes them (1) with the
    source (0). Both are for the eyes only: the engine sees its own picture again.
    """
    style = engine.contrast if isinstance(engine, Graded) else None
    for frame, _, picture in items:
        shown = pixels.to_kind(picture, frame.image.dtype)
        shown = grade(shown, style) if style is not None and strength else shown
        yield replace(frame, image=blend(frame.image, shown, strength))


def trust_mask(motion: Motion, height: int, width: int, factor: int) -> Mask:
    """Return the trust of `motion` on the grid of an engine: uint8, one value per block."""
    rows, columns = pixels.grid(height, width, factor)
    # The last row and column of blocks may reach over the edge of the picture: stretching the
    # small mask over the whole grid is wrong by less than a block, and the mask is soft.
    trust = cv2.resize(motion.trust, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return np.round(trust * 255).astype(np.uint8)


def blend(source: Picture, painted: Picture, strength: float) -> Picture:
    """Mix two pictures; strength 0 is exactly the source, 1 exactly the painted one."""
    if strength == 1:
        return painted
    if strength == 0:
        return source
    return np.asarray(cv2.addWeighted(painted, strength, source, 1 - strength, 0), source.dtype)
