"""The recurrent stage: each frame is painted knowing the last painted picture, moved along."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from vstyle import pixels
from vstyle.engine.base import Deep, Engine, Graded, Mask, Picture
from vstyle.video.canvas import Canvas, grain
from vstyle.video.decode import Frame
from vstyle.video.flow import Motion, Tracked, warp
from vstyle.video.grade import grade


@dataclass
class Memory:
    """What the recurrent stage carries from frame to frame."""

    picture: Picture | None = None  # the last one that the engine has painted
    canvas: Canvas | None = None  # the one that it was painted on


def paint(
    tracked: Iterable[Tracked],
    engine: Engine,
    strength: float = 1.0,
    memory: Memory | None = None,
) -> Iterator[Frame]:
    """Yield each frame painted by `engine`, with its own timestamp.

    What is yielded is graded to the engine's palette, and `strength` mixes it (1) with the source
    (0). Both are for the eyes only: the engine sees its own picture again. A given `memory` is gone
    on from, and holds the picture of the frame that was yielded last.
    """
    memory = memory or Memory()
    deep = isinstance(engine, Deep)
    palette = engine.palette if isinstance(engine, Graded) else None
    for frame, motion, canvas in tracked:
        last = memory.picture
        kind = frame.image.dtype
        image = frame.image if deep else pixels.to_kind(frame.image, pixels.BYTE)
        rows, columns = pixels.grid(image.shape[0], image.shape[1], engine.factor)
        strokes = grain(canvas, rows, columns)
        if last is None or motion is None:
            last = engine.paint(image, None, None, strokes)
        else:
            trust = trust_mask(motion, image.shape[0], image.shape[1], engine.factor)
            last = engine.paint(image, warp(last, motion), trust, strokes)
        memory.picture, memory.canvas = last, canvas
        shown = pixels.to_kind(last, kind)
        shown = grade(shown, palette) if palette and strength else shown
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
