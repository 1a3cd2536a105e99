"""Reading still pictures: style pictures and photos for training, from any file a user may have."""

from __future__ import annotations

import warnings
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from vstyle.errors import InputError
from vstyle.folders import exists, is_file, is_folder
from vstyle.profiles import in_srgb

MAX_PIXELS = 8192 * 8192  # a larger picture is refused before it is decoded
MAX_SQUARES = 9
# Pillow reads more, and not all of it itself: for PostScript it starts another program.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000", "PPM")


def read_picture(path: Path, short_side: int | None = None) -> NDArray[np.uint8]:
    """Read a picture as upright RGB, (H, W, 3) uint8, scaled to a short side of `short_side`.

    Turns it as its EXIF data says and brings the colours of its profile to sRGB, shows the first
    frame of an animation, lays transparency over white, and brings 16 bits to 8. Raises InputError
    if the file is no picture, is damaged, or is larger than MAX_PIXELS, as it is or scaled.
    """
    if not is_file(path):
        what = "is no file" if exists(path) else "does not exist"
        what = "is a directory" if is_folder(path) else what
        raise InputError(f"picture {path} {what}", "Name a jpg, png, webp or gif file.")
    try:
        with warnings.catch_warnings():
            # Pillow warns of large pictures; our own limit decides, and says so.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise InputError(
                        f"picture {path} is too large: {image.width}x{image.height} pixels",
                        "Scale it below 8192x8192; a style is read at 256 pixels anyway.",
                    )
                if short_side and image.format == "JPEG":
                    image.draft("RGB", (2 * short_side, 2 * short_side))  # decodes a fraction
                picture = _rgb(in_srgb(ImageOps.exif_transpose(image)))
    except UnidentifiedImageError as error:
        raise InputError(
            f"{path} is not a picture that can be read", "Name a jpg, png, webp or gif file."
        ) from error
    except (
        # What Pillow's readers raise at damaged files, each in its own way.
        OSError, ValueError, SyntaxError, RuntimeError, MemoryError, Image.DecompressionBombError,
    ) as error:  # fmt: skip
        raise InputError(
            f"picture {path} cannot be read: {error}", "Is the file damaged or cut off?"
        ) from error
    if short_side:
        scale = short_side / min(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        if size[0] * size[1] > MAX_PIXELS:
            raise InputError(f"picture {path} is too long and narrow", "Cut a part out of it.")
        picture = picture.resize(
            size, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC
        )
    return np.array(picture, np.uint8)  # a copy: what Pillow shows of itself is read-only


def squares(picture: NDArray[np.uint8], size: int) -> list[NDArray[np.uint8]]:
    """Cut an (H, W, 3) picture into squares of its short side that cover it; bring them to `size`.

    They are spaced evenly, overlap by half or more, and are reduced by averaging over areas. Of a
    very long picture there are MAX_SQUARES.
    """
    height, width = picture.shape[:2]
    side = min(height, width)
    count = min(-(-2 * (max(height, width) - side) // side) + 1, MAX_SQUARES)
    found = []
    for share in np.linspace(0, 1, count) if count > 1 else [0.0]:
        y, x = round((height - side) * share), round((width - side) * share)
        square = picture[y : y + side, x : x + side]
        reduced = cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA)
        found.append(np.asarray(reduced, np.uint8))
    return found


def _rgb(image: Image.Image) -> Image.Image:
    """Return the picture as 8 bit RGB, transparency laid over white."""
    if image.mode.startswith("I") or image.mode == "F":
        # Pillow would clip 16 bit grey at 255 instead of scaling it. Others do not say how large
        # white is.
        values = np.nan_to_num(np.asarray(image, np.float32))
        sizes = (1.0, 255.0) if image.mode == "F" else (255.0,) if image.mode == "I" else ()
        top = next((size for size in sizes if values.max() <= size), 65535.0)
        return Image.fromarray((values / top * 255).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(paper, layer).convert("RGB")
    return image.convert("RGB")
