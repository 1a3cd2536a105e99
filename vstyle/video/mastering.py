"""What an HDR video says of its light: the screen it was made on, and how bright it gets."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

import av
from av.sidedata.sidedata import SideData

from vstyle.video.colour import is_hdr

# FFmpeg's AVMasteringDisplayMetadata: ten fractions (x and y of red, green, blue and white, the
# least and the greatest luminance) and which of them are known. AVContentLightMetadata: two counts.
_DISPLAY = struct.Struct("=20i2i")
_LIGHT = struct.Struct("=2I")

# ffmpeg wants SMPTE ST 2086 as HEVC writes it, in steps of 0.00002, and of 0.0001 cd/m2.
_PLACE, _LUMINANCE = 50000, 10000


@dataclass(frozen=True)
class Mastering:
    """The two facts in the words of ffmpeg's options; empty ones are not said."""

    display: str = ""  # SMPTE ST 2086
    light: str = ""  # CTA-861.3: the brightest pixel and the brightest frame, in cd/m2
    dynamic: bool = False  # is there more, scene by scene, that a painted picture can't be said of?

    @property
    def options(self) -> list[str]:
        """Return ffmpeg's options for the input that is without them."""
        options = ["-mastering_display:v:0", self.display] if self.display else []
        return [*options, "-content_light:v:0", self.light] if self.light else options


UNSAID = Mastering()

# HDR10+, Dolby Vision, HDR Vivid: how to show every single scene, made for the unpainted one.
_DYNAMIC = ("DYNAMIC_HDR_PLUS", "DOVI_RPU_BUFFER", "DOVI_METADATA", "DYNAMIC_HDR_VIVID")


def mastering_of(frame: av.VideoFrame) -> Mastering:
    """Return what a decoded frame of HDR says; nothing of another."""
    if not is_hdr(int(frame.color_trc)):
        return UNSAID
    display = frame.side_data.get("MASTERING_DISPLAY_METADATA")
    light = frame.side_data.get("CONTENT_LIGHT_LEVEL")
    return Mastering(
        _display(bytes(display)) if isinstance(display, SideData) else "",
        "{},{}".format(*_LIGHT.unpack_from(bytes(light))) if isinstance(light, SideData) else "",
        any(frame.side_data.get(name) is not None for name in _DYNAMIC),
    )


def _display(data: bytes) -> str:
    """Return the words for a screen; none if only a part of it is known."""
    *numbers, places, luminance = _DISPLAY.unpack_from(data)
    if not (places and luminance and all(numbers[1::2])):
        return ""
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    *around, darkest, brightest = (Fraction(top, bottom) for top, bottom in pairs)
    red, green, blue, white = (
        "({},{})".format(*(round(place * _PLACE) for place in around[index : index + 2]))
        for index in range(0, 8, 2)
    )
    span = f"({round(brightest * _LUMINANCE)},{round(darkest * _LUMINANCE)})"
    return f"G{green}B{blue}R{red}WP{white}L{span}"
