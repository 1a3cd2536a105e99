"""The pictures and the clips in a folder, found alike by every command."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from vstyle.errors import InputError

PICTURES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff"})
CLIPS = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".gif", ".nut"})


def exists(path: Path) -> bool:
    """Tell whether there is something at a path; also, unlike pathlib, where one may not look."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises there before Python 3.14


def is_file(path: Path) -> bool:
    """Tell whether there is a file at a path, in the same way."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: Path) -> bool:
    """Tell whether there is a folder at a path, in the same way."""
    return os.path.isdir(path)  # noqa: PTH112


def below(folder: Path, suffixes: frozenset[str]) -> list[Path]:
    """Return the files below a folder that end like this, in the order of their names."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes)


def names_of(paths: Sequence[Path]) -> list[str]:
    """Return what to call files: by their stems, those that share one by their whole ways."""
    times = Counter(path.stem for path in paths)
    return [path.stem if times[path.stem] == 1 else str(path) for path in paths]


def pictures_in(folder: Path) -> list[Path]:
    """Return the pictures below a folder; InputError if there is none."""
    return _some(folder, PICTURES, "picture", "jpg, png or webp files")


def clips_in(folder: Path) -> list[Path]:
    """Return the clips below a folder; InputError if there is none."""
    return _some(folder, CLIPS, "clip", "short videos, mp4 or the like")


def _some(folder: Path, suffixes: frozenset[str], what: str, kinds: str) -> list[Path]:
    if not is_folder(folder):
        raise InputError(f"{folder} is no folder", f"Give a folder of {kinds}.")
    found = below(folder, suffixes)
    if not found:
        raise InputError(f"no {what} in {folder}", f"Give a folder of {kinds}.")
    return found
