"""What each video encoder of ffmpeg wants: its pixels, and the options it knows."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from av.video.format import VideoFormat

from vstyle.errors import UsageError
from vstyle.video.colour import BT601, SMPTE170M, Colour
from vstyle.video.convert import bits_of
from vstyle.video.ffmpeg import executable, listing

CRF = 18
"""The default quality: hard to tell from the original, at a few Mbit/s for HD."""

_X26X = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower")
_X26X_PRESETS = (*_X26X, "veryslow", "placebo")
_SVT_PRESETS = tuple(str(number) for number in range(-1, 14))


@dataclass(frozen=True)
class Codec:
    """One encoder: its pixel formats, and the presets it knows, the default one first."""

    pixels: str = "yuv420p"
    alpha: str = ""  # the format for pictures with alpha; none: it cannot hold any
    deep: str = ""  # the format to recommend for more than 8 bits
    odd: bool = False  # takes odd sizes where colour lies in blocks of two
    crf: bool = False  # knows -crf
    presets: tuple[str, ...] = ()
    options: tuple[str, ...] = ()  # always given
    filters: tuple[str, ...] = ()  # ffmpeg's, before it
    colour: Colour | None = None  # the only one it knows
    counted: bool = False  # tells times by counting frames, at one of the usual rates
    ticks: int = 0  # the most to a second that it can count; 0: any number
    best: int = 0  # the lowest -crf that it takes for what it says
    light: bool = False  # writes between the pictures what HDR says of its light


_10_BITS = "yuv420p10le"
# Colours of its own for every frame: the fixed 256 of ffmpeg are far from most pictures.
_PALETTE = (
    "split[one][two]",
    "[one]palettegen=stats_mode=single[palette]",
    "[two][palette]paletteuse=new=1:diff_mode=none",
)
_KNOWN = {
    "libx264": Codec(deep=_10_BITS, crf=True, presets=("veryfast", *_X26X_PRESETS), light=True),
    "libx265": Codec(
        deep=_10_BITS,
        crf=True,
        presets=("veryfast", *_X26X_PRESETS),
        options=("-x265-params", "log-level=error", "-tag:v:0", "hvc1"),
        light=True,
    ),
    # To it a -crf of 0 is none.
    "libsvtav1": Codec(deep=_10_BITS, odd=True, crf=True, presets=("10", *_SVT_PRESETS), best=1),
    # -b:v 0 makes -crf mean constant quality; the others keep VP9 from taking all day.
    "libvpx-vp9": Codec(
        alpha="yuva420p",
        deep=_10_BITS,
        odd=True,
        crf=True,
        options=("-b:v:0", "0", "-row-mt", "1", "-cpu-used", "4"),
    ),
    "libaom-av1": Codec(
        deep=_10_BITS,
        odd=True,
        crf=True,
        options=("-b:v:0", "0", "-row-mt", "1", "-cpu-used", "6"),
    ),
    # VP8 has no way to say that its matrix is another; without a rate, 200 kbit/s is its limit.
    "libvpx": Codec(
        alpha="yuva420p",
        odd=True,
        crf=True,
        options=("-b:v:0", "50M", "-cpu-used", "4"),
        colour=Colour(BT601, full=False),
        best=4,
    ),
    # RGB kept as it is, every frame for itself, with checksums.
    "ffv1": Codec("bgr0", alpha="bgra", deep="gbrp16le", options=("-level", "3", "-g", "1")),
    "prores_ks": Codec("yuv422p10le", alpha="yuva444p10le", odd=True),
    # Without a quality, ffmpeg gives these 200 kbit/s.
    "mpeg4": Codec(odd=True, options=("-q:v:0", "2"), ticks=65535),
    "mpeg1video": Codec(options=("-q:v:0", "2"), counted=True),
    "mpeg2video": Codec(options=("-q:v:0", "2"), counted=True),
    "libxvid": Codec(odd=True, options=("-q:v:0", "2"), ticks=65535),
    "libtheora": Codec(odd=True, options=("-q:v:0", "9"), counted=True),
    "png": Codec("rgb24", alpha="rgba", deep="rgb48be"),
    "gif": Codec("pal8", alpha="pal8", filters=(";".join(_PALETTE),)),
    "rawvideo": Codec(deep=_10_BITS, odd=True),
    # JPEG knows one colour: BT.601, full range.
    "mjpeg": Codec(
        "yuvj444p", odd=True, options=("-q:v:0", "2"), colour=Colour(SMPTE170M, full=True)
    ),
    "libwebp": Codec("bgra", alpha="bgra", options=("-quality", "95")),
    "bmp": Codec("bgr24"),
    "tiff": Codec("rgb24", alpha="rgba", deep="rgb48le"),
}


# What people call them, which is how decoders are called, or their makers.
_MEANT = {
    "h264": "libx264", "x264": "libx264", "avc": "libx264", "h265": "libx265", "x265": "libx265",
    "hevc": "libx265", "av1": "libsvtav1", "vp8": "libvpx", "vp9": "libvpx-vp9",
}  # fmt: skip


def codec_named(name: str) -> Codec:
    """Return what is known of an encoder; UsageError if ffmpeg has no such video encoder."""
    if name in _KNOWN:
        return _KNOWN[name]
    present = _encoders(executable())
    if name in present:
        return Codec(_usual(_pixels_of(executable(), name)))
    alike = difflib.get_close_matches(name, present, n=3, cutoff=0.4)
    near = [_MEANT[name]] if name in _MEANT else alike or sorted(_KNOWN)
    raise UsageError(f"ffmpeg has no video encoder '{name}'", f"Did you mean {', '.join(near)}?")


def quality_options(
    name: str, crf: int | None, preset: str | None
) -> tuple[list[str], tuple[str, ...]]:
    """Return the ffmpeg options for a quality and a preset, and what must be said about them.

    None means the default. UsageError if the encoder does not know the preset.
    """
    codec = codec_named(name)
    options, notes = list(codec.options), []
    if codec.crf:
        wanted = CRF if crf is None else crf
        if wanted < codec.best:
            notes.append(f"{name} knows no --crf below {codec.best}, so {codec.best} is taken")
        options += ["-crf", str(max(wanted, codec.best))]
    elif crf is not None:
        notes.append(f"{name} has no --crf: ignored")
    if codec.presets:
        if preset is not None and preset not in codec.presets:
            choice = ", ".join(codec.presets[1:])
            raise UsageError(f"{name} has no preset '{preset}'", f"Choose one of {choice}.")
        options += ["-preset", preset or codec.presets[0]]
    elif preset is not None:
        notes.append(f"{name} has no --preset: ignored")
    return options, tuple(notes)


RAW = frozenset({"yuv420p", "yuv422p", "yuv444p", *(f"yuv4{n}p10le" for n in (20, 22, 44))})


_PIXELS = ["Supported", "pixel", "formats:"]  # begins the line of ffmpeg's help that lists them


def check_pixels(name: str, pixels: str) -> None:
    """Raise UsageError unless an encoder knows a pixel format; `rawvideo` knows all that we do."""
    if name == "rawvideo" and pixels in RAW:
        return
    known = _pixels_of(executable(), name)
    if pixels not in known:
        near = difflib.get_close_matches(pixels, known, n=4, cutoff=0.4) or known
        raise UsageError(
            f"{name} has no pixel format '{pixels}'", f"Did you mean {', '.join(near)}?"
        )


def _usual(known: Sequence[str]) -> str:
    """Return which of the pixel formats of an encoder to take: of three colours, and 8 bits."""
    usual = Codec().pixels
    forms = [VideoFormat(name) for name in known if _is_format(name)]
    coloured = [form for form in forms if len(form.components) == 3 and not form.has_palette]
    best = [form.name for form in coloured if bits_of(form) == 8] or [f.name for f in coloured]
    # Without any that we can make, ffmpeg is to choose.
    return usual if usual in known or not best else best[0]


def _is_format(name: str) -> bool:
    """Tell whether PyAV's FFmpeg knows a pixel format; another ffmpeg may know more."""
    try:
        VideoFormat(name)
    except ValueError:
        return False
    return True


@cache
def _pixels_of(program: str, name: str) -> tuple[str, ...]:
    """Return the pixel formats that an encoder knows, as far as an ffmpeg says so."""
    rows = listing(program, "-h", f"encoder={name}")
    return next((tuple(row[3:]) for row in rows if row[:3] == _PIXELS), ())


@cache
def _encoders(program: str) -> tuple[str, ...]:
    """Return the names of the video encoders that an ffmpeg has."""
    rows = listing(program, "-encoders")
    return tuple(row[1] for row in rows if len(row) > 1 and len(row[0]) == 6 and row[0][0] == "V")
