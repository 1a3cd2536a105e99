"""Colour profiles: what the numbers of a photo mean, where it is not what screens expect, sRGB."""

from __future__ import annotations

from functools import lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

Transform = ImageCms.ImageCmsTransform


def profile_of(path: Path) -> bytes | None:
    """Return the ICC profile in a picture's file; None without one, or if it cannot be read."""
    try:
        with Image.open(path) as image:
            found = image.info.get("icc_profile")
    except (OSError, ValueError, SyntaxError, RuntimeError, Image.DecompressionBombError):
        return None
    return found or None


def in_srgb(image: Image.Image) -> Image.Image:
    """Return a picture as its own profile says, in sRGB; as it is, if it has none that fits it."""
    profile = image.info.get("icc_profile")
    if not profile:
        return image
    clear = image.has_transparency_data
    if clear:
        image = image.convert("LA" if image.mode in {"L", "LA"} else "RGBA")
    elif image.mode == "P":
        image = image.convert("RGB")
    colours = image.convert(image.mode.removesuffix("A")) if clear else image
    transform = _transform(profile, colours.mode)
    if transform is None:
        return image
    shown = transform.apply(colours)
    if clear:
        shown.putalpha(image.getchannel("A"))
    return shown


def pixels_in_srgb(picture: NDArray[np.uint8], profile: bytes) -> NDArray[np.uint8]:
    """Return RGB pixels, (H, W, 3), as a profile says, in sRGB; as they are if it is of others.

    A profile of greys fits a picture that has nothing else.
    """
    transform, values = _transform(profile, "RGB"), picture
    if transform is None and (picture == picture[..., :1]).all():
        transform, values = _transform(profile, "L"), picture[..., 0]
    if transform is None:
        return picture
    return np.array(transform.apply(Image.fromarray(values)), np.uint8)


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> Transform | None:
    """Return the way from pixels of a profile to sRGB; None if there is none, or nothing to do."""
    if mode not in _SAMPLES:
        return None
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        transform = ImageCms.buildTransform(source, target, mode, "RGB")
        sample = Image.frombytes(mode, _SAMPLES[mode].shape[1::-1], _SAMPLES[mode].tobytes())
        before, after = (
            np.asarray(each, np.int16) for each in (sample.convert("RGB"), transform.apply(sample))
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    # To go from sRGB to sRGB would only round.
    return transform if mode == "CMYK" or np.abs(after - before).max() > 1 else None


# Some of all colours of each kind of pixels that profiles are made for.
_LEVELS = np.arange(0, 256, 51, dtype=np.uint8)
_SAMPLES = {
    "L": np.arange(256, dtype=np.uint8)[None],
    "RGB": np.stack(np.meshgrid(_LEVELS, _LEVELS, _LEVELS), -1).reshape(1, -1, 3),
    "CMYK": np.stack(np.meshgrid(*[_LEVELS] * 4), -1).reshape(1, -1, 4),
}
