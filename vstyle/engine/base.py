"""The contract between the frame path and whatever paints: one model, one style, one device."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from vstyle.models.contrast import Contrast

Picture = NDArray[np.unsignedinteger[Any]]
"""An RGB picture, (height, width, 3), uint8, or uint16 where more than 8 bits are to be kept.
0 is black, and the largest value of the type is white."""

Mask = NDArray[np.uint8]
"""How far to trust each place, (height, width) of the engine's grid: 0 not at all, 255 fully."""


Grain = NDArray[np.float32]
"""The strokes of the canvas, (height, width) of the engine's grid, values -1..1."""


class Engine(Protocol):
    """Paints one frame at a time. Holds the weights and the style, never the last picture."""

    factor: int
    """Side, in pixels, of the blocks that share one value of trust."""

    precision: str
    """What it computes in: fp32, fp16 or int8; what `bench` calls its row."""

    def paint(
        self, frame: Picture, carried: Picture | None, trust: Mask | None, grain: Grain
    ) -> Picture:
        """Return the painted frame, of the frame's own size and type: uint8, unless it is Deep.

        If the engine is Looking, `frame` may be what its `look` made of it.
        `carried` is the last painted picture moved along the motion to where things are now, of the
        frame's size; `trust` says where it may be believed, of size `grid(frame, factor)`. Both are
        None on the first frame and after a cut. `grain` is what there is to paint from where the
        frame is smooth, of the grid's size too. None of the arguments is changed.
        """
        ...


@runtime_checkable
class Deep(Protocol):
    """An engine that takes and returns uint16 too. Others are shown such frames in 8 bits."""

    deep: bool


@runtime_checkable
class Looking(Protocol):
    """An engine for which something of a frame can be worked out before its turn."""

    def look(self, frame: Picture) -> Any:
        """Return what `paint` takes in the frame's place.

        It runs in another thread, while `paint` paints an earlier frame: they share no state.
        """
        ...


def seen_by(engine: Engine, frame: Picture) -> Any:
    """Return what an engine's `paint` is given of a frame: its look at it, or the frame itself."""
    return engine.look(frame) if isinstance(engine, Looking) else frame


@runtime_checkable
class Graded(Protocol):
    """An engine whose pictures are graded to its style's contrast, if it knows it, when shown."""

    contrast: Contrast | None


@runtime_checkable
class Noting(Protocol):
    """An engine that may find something while it paints that the user should know."""

    notes: tuple[str, ...]


class Identity:
    """Paints nothing: what goes in comes out. Makes every property of the frame path testable."""

    factor = 4
    precision = "uint8"
    deep = True

    def paint(
        self,
        frame: Picture,
        carried: Picture | None,  # noqa: ARG002
        trust: Mask | None,  # noqa: ARG002
        grain: Grain,  # noqa: ARG002
    ) -> Picture:
        """Return the frame itself."""
        return frame
