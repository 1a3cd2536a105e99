"""Styles by name or by picture: `starry-night`, `path/to/any.jpg`.

A shipped style is a small file of its contrast and of codes, one for each shipped model that takes
codes, marked with the fingerprint of the encoder it was made by: a code means nothing to any other.
"""

from __future__ import annotations

import difflib
import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from vstyle import checkpoint
from vstyle.checkpoint import Checkpoint, Header
from vstyle.errors import CheckpointError, InputError, UsageError
from vstyle.folders import exists, is_file, is_folder
from vstyle.models.config import READ_SIDE
from vstyle.models.contrast import SIZES, Contrast, contrast
from vstyle.models.tensors import Tensors
from vstyle.pictures import read_picture

PACKAGED = Path(__file__).parent / "styles"  # in an installed wheel
IN_TREE = Path(__file__).parent.parent / "styles"  # in a checkout
SUFFIX = ".safetensors"  # of a shipped style's file
FOLDER = PACKAGED if PACKAGED.is_dir() else IN_TREE

Code = NDArray[np.float32]
"""A style code, (code,)."""


class Style(NamedTuple):
    """A style that was read."""

    name: str
    contrast: Contrast
    source: NDArray[np.uint8] | Checkpoint  # a picture, (H, W, 3); or a shipped style's file


def names() -> dict[str, Path]:
    """Return the shipped styles: name -> file."""
    return {path.stem: path for path in sorted(FOLDER.glob(f"*{SUFFIX}"))}


def fingerprint(tensors: Tensors) -> str:
    """Return a short hash of a model's style encoder; equal encoders, equal codes.

    The generator is left out: a model that was pruned shares its codes with the whole one. One in
    int8 has codes of its own, since its encoder is rounded too.
    """
    digest = hashlib.sha256()
    for name in sorted(name for name in tensors if name.startswith("style.")):
        digest.update(name.encode())
        digest.update(np.ascontiguousarray(tensors[name]).tobytes())
    return digest.hexdigest()[:16]


def find(style: str) -> Path:
    """Return the file behind `--style`: a shipped style's, or a picture's.

    Raises UsageError for a word that is neither, with the nearest names; InputError for a path that
    is not there.
    """
    known = names()
    if style in known:
        return known[style]
    path = Path(style)
    if is_file(path):
        return path
    if is_folder(path):
        raise InputError(f"style picture {style} is a directory", "Name one picture.")
    if path.suffix or len(path.parts) > 1:
        what = "is no file" if exists(path) else "does not exist"
        raise InputError(f"style picture {style} {what}", "Check the path.")
    near = difflib.get_close_matches(style.lower(), known, n=3, cutoff=0.4) or list(known)[:3]
    raise UsageError(
        f"no style is named {style!r}", f"Did you mean {' or '.join(near)}? Any picture works too."
    )


def save_style(
    path: Path, codes: dict[str, tuple[str, Code]], known: Contrast, provenance: dict[str, str]
) -> None:
    """Write a style file: model name -> (fingerprint of the model, code); and the contrast."""
    config = {"models": {name: mark for name, (mark, _) in codes.items()}}
    checkpoint.save(
        path,
        Header("style", config, dict(provenance)),
        {name: code for name, (_, code) in codes.items()} | {"contrast": known},
    )


def read(path: Path) -> Style:
    """Read a shipped style's file or a picture.

    Raises InputError for a picture, CheckpointError for a file without the style's contrast.
    """
    if path.suffix != SUFFIX:
        picture = read_picture(path, READ_SIDE)
        return Style(path.name, contrast(picture), picture)
    file = checkpoint.load(path, "style")
    found = np.asarray(file.tensors.get("contrast", 0), np.float32)
    if found.shape != (len(SIZES), 3, 3):
        raise CheckpointError(f"{path} does not hold a style's contrast", "Make it again.")
    return Style(path.stem, found, file)


def code_for(file: Checkpoint, mark: str, model: str, style: str) -> Code:
    """Return the code that a style's file holds for the model with this fingerprint.

    Raises UsageError if it holds none: then the style's picture is needed.
    """
    models = file.header.config.get("models", {})
    for name, other in models.items() if isinstance(models, dict) else ():
        if other == mark and name in file.tensors:
            return np.asarray(file.tensors[name], np.float32)
    raise UsageError(
        f"style {style!r} has no code for model {model}",
        "Give pictures in place of names: --style PICTURE.jpg, or --styles FOLDER.",
    )
