"""From a decoded frame, whatever its format, to an upright RGB picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import av
import cv2
import numpy as np
from av.video.format import VideoFormat
from av.video.reformatter import Interpolation, VideoReformatter

from vstyle.engine.base import Picture
from vstyle.profiles import pixels_in_srgb
from vstyle.video.colour import Colour
from vstyle.video.upright import Orientation, turn

# Left to itself, swscale rounds down: every conversion makes the picture a grey level darker.
_EXACT = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


def bits_of(pixels: VideoFormat) -> int:
    """Return the most bits that a pixel format has for one component."""
    return max((component.bits for component in pixels.components), default=8)


def has_alpha(pixels: VideoFormat) -> bool:
    """Tell whether a pixel format can say how transparent a place is."""
    return pixels.has_palette or any(component.is_alpha for component in pixels.components)


def is_transparent(frame: av.VideoFrame) -> bool:
    """Tell whether one can look through a frame anywhere."""
    return has_alpha(frame.format) and bool((frame.to_ndarray(format="rgba")[..., 3] < 255).any())


@dataclass(frozen=True)
class Converter:
    """Makes pictures of one size and kind of all frames of a clip.

    A frame of another size than the first is brought to that size.
    """

    width: int  # of the stored picture, before it is turned
    height: int
    colour: Colour
    orientation: Orientation
    deep: bool  # 16 bits per colour
    alpha: bool
    profile: bytes | None = None  # of the colours of a photo; not for deep ones

    @cached_property
    def _reformatter(self) -> VideoReformatter:
        """One for all frames: a new one costs megabytes of tables each time."""
        return VideoReformatter()

    def __call__(self, frame: av.VideoFrame) -> tuple[Picture, Picture | None]:
        """Return the colours, (H, W, 3), and the alpha, (H, W), if it is wanted."""
        planar = self.deep or not (frame.format.is_rgb or frame.format.has_palette)
        converted = self._reformatter.reformat(
            frame,
            width=self.width,
            height=self.height,
            format=(PLANAR if planar else FORMATS)[self.deep, self.alpha],
            src_colorspace=self.colour.matrix,
            src_color_range=2 if self.colour.full else 1,
            interpolation=_EXACT,
        )
        kind = np.dtype(np.uint16 if self.deep else np.uint8)
        values: Picture = np.asarray(
            _interleaved(converted, kind) if planar else converted.to_ndarray(), kind
        )
        if self.deep and not frame.format.is_rgb:
            # swscale's white is that of 8 bits moved up by 8: 65280, where ours is 65535.
            values = np.minimum(values * np.uint32(257) >> 8, 65535).astype(np.uint16)
        picture = turn(values, self.orientation)
        alpha = np.ascontiguousarray(picture[..., 3]) if self.alpha else None
        colours = np.ascontiguousarray(picture[..., :3])
        if self.profile:
            colours = pixels_in_srgb(np.asarray(colours, np.uint8), self.profile)
        return colours, alpha


def _interleaved(frame: av.VideoFrame, kind: np.dtype[Any]) -> Picture:
    """Return a picture of planes, green, blue, red and perhaps alpha, as (H, W, 3 or 4)."""
    rows = (
        np.frombuffer(memoryview(plane), kind).reshape(-1, plane.line_size // kind.itemsize)
        for plane in frame.planes
    )
    green, blue, red, *alpha = (np.asarray(row[:, : frame.width], kind) for row in rows)
    return np.asarray(cv2.merge([red, green, blue, *alpha]), kind)


FORMATS: Final = {
    (False, False): "rgb24",
    (False, True): "rgba",
    (True, False): "rgb48le",
    (True, True): "rgba64le",
}
"""The pixel format of pictures: by whether they are deep, and whether they have alpha."""

PLANAR: Final = {
    (False, False): "gbrp",
    (False, True): "gbrap",
    (True, False): "gbrp16le",
    (True, True): "gbrap16le",
}
"""The same, colour by colour: what swscale makes of YUV, at a third of the other's cost. When it
makes the other of 16 bits from 4:2:0 of 10, its numbers overflow."""
