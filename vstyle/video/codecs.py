"""What each video encoder of ffmpeg wants: its pixels, and the options it knows."""

import difflib
import subprocess
from dataclasses import dataclass

from vstyle.errors import UsageError
from vstyle.video.ffmpeg import executable

CRF = 18
"""The default quality: hard to tell from the original, at a few Mbit/s for HD."""

_X26X = ("ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower")
_X26X_PRESETS = (*_X26X, "veryslow", "placebo")
_SVT_PRESETS = tuple(str(number) for number in range(-1, 14))


@dataclass(frozen=True)
class Codec:
    """One encoder: its pixel format, and the presets it knows, the default one first."""

    pixels: str = "yuv420p"
    crf: bool = False  # knows -crf
    presets: tuple[str, ...] = ()
    options: tuple[str, ...] = ()  # always given

    @property
    def yuv(self) -> bool:
        """Whether it stores YUV: then there is a matrix to choose, and colour in 2x2 blocks."""
        return self.pixels.startswith("yuv")


_KNOWN = {
    "libx264": Codec(crf=True, presets=("veryfast", *_X26X_PRESETS)),
    "libx265": Codec(
        crf=True,
        presets=("veryfast", *_X26X_PRESETS),
        options=("-x265-params", "log-level=error", "-tag:v", "hvc1"),
    ),
    "libsvtav1": Codec(crf=True, presets=("10", *_SVT_PRESETS)),
    # -b:v 0 makes -crf mean constant quality; the others keep VP9 from taking all day.
    "libvpx-vp9": Codec(crf=True, options=("-b:v", "0", "-row-mt", "1", "-cpu-used", "4")),
    # RGB kept as it is, every frame for itself, with checksums.
    "ffv1": Codec("bgr0", options=("-level", "3", "-g", "1")),
    "prores_ks": Codec("yuv422p10le"),
    # Without a quality, ffmpeg gives these 200 kbit/s.
    "mpeg4": Codec(options=("-q:v", "2")),
    "mpeg2video": Codec(options=("-q:v", "2")),
    "png": Codec("rgb24"),
    "gif": Codec("rgb8"),
    "rawvideo": Codec(),
    # JPEG knows one colour: BT.601, full range.
    "mjpeg": Codec("yuvj444p", options=("-q:v", "2")),
    "libwebp": Codec("bgra", options=("-quality", "95")),
    "bmp": Codec("bgr24"),
    "tiff": Codec("rgb24"),
}


def codec_named(name: str) -> Codec:
    """Return what is known of an encoder; UsageError if ffmpeg has no such video encoder."""
    if name in _KNOWN:
        return _KNOWN[name]
    present = _encoders()
    if name in present:
        return Codec()
    near = difflib.get_close_matches(name, present, n=3, cutoff=0.4) or sorted(_KNOWN)
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
        options += ["-crf", str(CRF if crf is None else crf)]
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


def _encoders() -> list[str]:
    """Ask ffmpeg for the names of its video encoders."""
    command = [executable(), "-hide_banner", "-nostdin", "-encoders"]
    listing = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    rows = (line.split() for line in listing.splitlines())
    return [row[1] for row in rows if len(row) > 1 and len(row[0]) == 6 and row[0][0] == "V"]
