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
    if image.mode == "P":
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    transform = _transform(profile, image.mode)
    return image if transform is None else transform.apply(image)


def pixels_in_srgb(picture: NDArray[np.uint8], profile: bytes) -> NDArray[np.uint8]:
    """Return RGB pixels, (H, W, 3), as a profile says, in sRGB; as they are if it is of others."""
    transform = _transform(profile, "RGB")
    if transform is None:
        return picture
    return np.array(transform.apply(Image.fromarray(picture)), np.uint8)


@lru_cache(maxsize=8)
def _transform(profile: bytes, mode: str) -> Transform | None:
    """Return the way from pixels of a profile to sRGB; None if there is none, or it is sRGB's."""
    try:
        source = ImageCms.ImageCmsProfile(BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return None  # the way would round
        target = ImageCms.createProfile("sRGB")
        return ImageCms.buildTransform(source, target, mode, "RGBA" if mode == "RGBA" else "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
