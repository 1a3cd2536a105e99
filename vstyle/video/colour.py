"""What the numbers in a video mean as colour: matrix, range, primaries, transfer."""

from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray

# Code points of ITU-T H.273, as containers store them.
UNKNOWN = 2
BT709, FCC, BT601, SMPTE170M, SMPTE240M, BT2020 = 1, 4, 5, 6, 7, 9

HD_LINES = 720
"""Untagged video of fewer lines is taken for BT.601, the rest for BT.709, as players do."""

# The same things in the words of ffmpeg's filters.
_MATRICES = {
    BT709: "bt709",
    FCC: "fcc",
    BT601: "bt601",
    SMPTE170M: "smpte170m",
    SMPTE240M: "smpte240m",
    BT2020: "bt2020",
}
# What red and blue have in brightness; H.273, table 4.
_RED_BLUE = {
    BT709: (0.2126, 0.0722),
    FCC: (0.30, 0.11),
    BT601: (0.299, 0.114),
    SMPTE170M: (0.299, 0.114),
    SMPTE240M: (0.212, 0.087),
    BT2020: (0.2627, 0.0593),
}
_MATRIX_TAGS = {**_MATRICES, BT601: "bt470bg", BT2020: "bt2020nc"}
_PRIMARIES = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "film",
    9: "bt2020",
    11: "smpte431",
    12: "smpte432",
}
_TRANSFERS = {
    1: "bt709",
    4: "bt470m",
    5: "bt470bg",
    6: "smpte170m",
    7: "smpte240m",
    8: "linear",
    11: "iec61966-2-4",
    13: "iec61966-2-1",
    14: "bt2020-10",
    15: "bt2020-12",
    16: "smpte2084",
    18: "arib-std-b67",
}


@dataclass(frozen=True)
class Colour:
    """How YUV becomes RGB, and what that RGB is, in code points of H.273."""

    matrix: int
    full: bool  # full range (0..255), or limited (16..235)
    primaries: int = UNKNOWN
    transfer: int = UNKNOWN


PQ, HLG = 16, 18
"""The transfers of HDR: BT.2100's two."""


def is_hdr(transfer: int) -> bool:
    """Tell whether a transfer is one for screens brighter than those of BT.709."""
    return transfer in {PQ, HLG}


def guessed(height: int) -> Colour:
    """Return the colour that players take a video for that does not say it."""
    return Colour(SMPTE170M if height < HD_LINES else BT709, full=False)


def alike(one: Colour, other: Colour) -> bool:
    """Tell whether two colours have the same numbers; BT.601 has two names."""
    same = {BT601: SMPTE170M}
    matrices = {same.get(colour.matrix, colour.matrix) for colour in (one, other)}
    return len(matrices) == 1 and one.full == other.full


def colour_of(frame: av.VideoFrame) -> Colour:
    """Return the colour of a decoded frame; what it does not say is guessed as players do."""
    matrix = int(frame.colorspace)
    if matrix not in _MATRICES:
        matrix = guessed(frame.height).matrix
    full = int(frame.color_range) == 2
    if int(frame.color_range) == 0:
        full = frame.format.name.startswith(("yuvj", "gray", "ya"))
    # RGB has no range to keep: what becomes YUV of it is limited, as everywhere.
    full = full and not frame.format.is_rgb
    return Colour(matrix, full, int(frame.color_primaries), int(frame.color_trc))


def words(colour: Colour) -> str:
    """Return what people call a colour: `bt709, limited range`."""
    curve = {PQ: " PQ", HLG: " HLG"}.get(colour.transfer, "")
    return f"{_MATRICES[colour.matrix]}{curve}, {'full' if colour.full else 'limited'} range"


def yuv_of(colour: Colour) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what makes YUV of RGB, in 8 bits: a matrix, (3, 3), and what is added, (3,); H.273."""
    red, blue = _RED_BLUE[colour.matrix]
    y = np.array([red, 1 - red - blue, blue])
    cb, cr = ((np.eye(3)[place] - y) / (2 - 2 * share) for place, share in ((2, blue), (0, red)))
    most = np.array([255, 255, 255] if colour.full else [219, 224, 224]) / 255
    return most[:, None] * [y, cb, cr], np.array([0 if colour.full else 16, 128, 128])


def to_yuv_filters(colour: Colour, zimg: str) -> list[str]:
    """Return the ffmpeg filters that turn RGB into YUV of this colour, and tag it.

    With `zimg`, the planar format that it is to be given, FFmpeg's filter `zscale` does it, at a
    third of swscale's cost. swscale also puts colour in the middle of its blocks where decoders
    look for it at their left, rounds the chroma of full range down, which makes everything half a
    level greener, and its white of 16 bits is not 65535.
    """
    limits = _limits(colour)
    if zimg:
        # By its code point: not every version has a name for every one.
        scale = f"format={zimg},zscale=matrix={colour.matrix}:rangein=pc:range={limits}"
    else:
        # Without accurate_rnd swscale takes shortcuts that are off by a grey level or two.
        scale = f"scale=flags=bilinear+accurate_rnd:out_color_matrix={_MATRICES[colour.matrix]}"
        scale += f":in_range=pc:out_range={limits}"
    return [scale, *yuv_filters(colour)]


def yuv_filters(colour: Colour) -> list[str]:
    """Return the ffmpeg filters that tag YUV with its colour.

    The tags go through `setparams`: as output options ffmpeg ignores the primaries and the transfer
    when the frames arrive without any.
    """
    tags = {"range": _limits(colour), "colorspace": _MATRIX_TAGS[colour.matrix]} | _curve(colour)
    return ["setparams=" + ":".join(f"{name}={word}" for name, word in tags.items())]


def _limits(colour: Colour) -> str:
    return "pc" if colour.full else "tv"


def rgb_filters(colour: Colour) -> list[str]:
    """Return the ffmpeg filters that tag RGB with its primaries and transfer."""
    tags = [f"{name}={word}" for name, word in _curve(colour).items()]
    return ["setparams=" + ":".join(tags)] if tags else []


def tag_options(colour: Colour, yuv: bool) -> list[str]:
    """Return ffmpeg's options that say the colour of a stream that is copied, YUV or RGB."""
    numbers = (_MATRIX_TAGS[colour.matrix], _limits(colour)) if yuv else ("rgb", "pc")
    tags = {"colorspace": numbers[0], "color_range": numbers[1]} | _curve(colour)
    return [word for name, tag in tags.items() for word in (f"-{name}:v:0", tag)]


def _curve(colour: Colour) -> dict[str, str]:
    """Return the primaries and the transfer in the words of FFmpeg, if they are known."""
    known = {
        "color_primaries": _PRIMARIES.get(colour.primaries),
        "color_trc": _TRANSFERS.get(colour.transfer),
    }
    return {name: word for name, word in known.items() if word}
