"""Pictures for training: decoded once, kept as uint8; squares of them, cut without end."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from vstyle.errors import InputError, OutputError
from vstyle.folders import PICTURES, below
from vstyle.pictures import FORMATS, read_picture
from vstyle.training.vgg import cache_folder

TINY = 64  # pixels; pictures with a shorter side teach nothing
CHUNK = 64 << 20  # bytes of a mapped file

Picture = NDArray[np.uint8]


class Memory:
    """Keeps arrays: in memory up to a limit, beyond it in mapped files that nobody else sees."""

    def __init__(self, limit: float) -> None:
        """`limit` is in bytes."""
        self.left = limit
        self.chunk: NDArray[np.uint8] = np.empty(0, np.uint8)
        self.lock = Lock()

    def keep(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the array, or its copy in a mapped file. Raises OutputError on a full disk."""
        with self.lock:
            if array.nbytes <= self.left:
                self.left -= array.nbytes
                return array
            if len(self.chunk) < array.nbytes:
                self.chunk = _mapped(max(CHUNK, array.nbytes))
            place, self.chunk = np.split(self.chunk, [array.nbytes])
            # What begins at a multiple of 16 can be seen as any kind of number.
            self.chunk = self.chunk[-array.nbytes % 16 :]
        kept = place.view(array.dtype).reshape(array.shape)
        kept[...] = array
        return kept


def _mapped(size: int) -> NDArray[np.uint8]:
    """Make a mapped file of `size` bytes that vanishes with the last array that uses it."""
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache_folder()) as file:
            # Written, not just lengthened: a full disk must be an error here, not a crash later.
            file.write(bytes(size))
            file.flush()
            return np.memmap(file, np.uint8, "r+", shape=(size,))
    except OSError as error:
        raise OutputError(
            f"no room for pictures beyond `memory` in {cache_folder()}: {error.strerror}",
            "Free some, raise the recipe's memory, or name another place in VSTYLE_CACHE_DIR.",
        ) from error


@dataclass(frozen=True)
class Folder:
    """All pictures of a folder, and how many had to be left out."""

    pictures: list[Picture]  # each (H, W, 3)
    unreadable: int = 0
    tiny: int = 0

    def note(self, name: str) -> str:
        """Say in a line what was left out; nothing if nothing was."""
        if not self.unreadable + self.tiny:
            return ""
        return (
            f"{name}: left out {self.unreadable} unreadable and {self.tiny} tiny pictures "
            f"(below {TINY} pixels), kept {len(self.pictures)}"
        )


def read_folder(folder: Path, short_side: int, memory: Memory) -> Folder:
    """Read all pictures below a folder, scaled to a short side, in the order of their names.

    Raises InputError if there is none that can be used.
    """
    paths = below(folder, PICTURES)
    pictures, faults = [], {"unreadable": 0, "tiny": 0}
    for found in _read_all(paths, short_side):
        if isinstance(found, str):
            faults[found] += 1
        else:
            pictures.append(memory.keep(found))
    if not pictures:
        left_out = ", ".join(f"{count} {fault}" for fault, count in faults.items() if count)
        raise InputError(
            f"no readable picture in {folder}" + (f" ({left_out})" if left_out else ""),
            f"Give a folder of jpg, png or webp files of {TINY} pixels or more.",
        )
    return Folder(pictures, **faults)


def _read_all(paths: list[Path], short_side: int) -> Iterator[Picture | str]:
    """Read pictures in several threads, in order; what is wrong with one comes in its place."""

    def read(path: Path) -> Picture | str:
        try:
            with Image.open(path, formats=FORMATS) as image:
                if min(image.size) < TINY:
                    return "tiny"
            return read_picture(path, short_side)
        except (InputError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            return "unreadable"

    with ThreadPoolExecutor(min(os.cpu_count() or 1, 16)) as readers:
        yield from readers.map(read, paths)


def cut(
    picture: Picture, size: int, rng: np.random.Generator, scale: tuple[float, float] = (0.8, 1.3)
) -> Picture:
    """Cut a random square, mirrored half of the time, and bring it to (size, size, 3).

    It is `scale` times as large as `size`, as far as the picture goes. Much smaller ones, enlarged,
    have no detail as fine as that of film: there the relief looks useless, and is unlearned.
    """
    side = min(round(size * rng.uniform(*scale)), *picture.shape[:2])
    y = int(rng.integers(picture.shape[0] - side + 1))
    x = int(rng.integers(picture.shape[1] - side + 1))
    square = scaled(picture[y : y + side, x : x + side], size)
    return square[:, ::-1] if rng.random() < 0.5 else square


def scaled(square: Picture, size: int) -> Picture:
    """Bring a square (side, side, 3) to (size, size, 3)."""
    way = cv2.INTER_AREA if len(square) > size else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (size, size), interpolation=way), np.uint8)


def on_device(pictures: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Bring pictures (..., H, W, 3) to the device that trains: (..., 3, H, W), values 0..1."""
    return upload(pictures, device).movedim(-1, -3).float() / 255


def upload(array: NDArray[Any], device: torch.device) -> Tensor:
    """Copy an array to a device; to a GPU without waiting for it."""
    tensor = torch.from_numpy(np.ascontiguousarray(array))
    if device.type == "cuda":
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def recolour(picture: Picture, rng: np.random.Generator) -> Picture:
    """Turn an (H, W, 3) picture's hues about the grey axis; change saturation, contrast, gamma."""
    angle, saturation = rng.uniform(0.15, 0.85) * 2 * np.pi, rng.uniform(0.4, 1.4)
    axis = np.full(3, 3**-0.5)
    across = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    grey = np.outer(axis, axis)
    turn = grey + saturation * (np.cos(angle) * (np.eye(3) - grey) + np.sin(angle) * across)
    shift, gain = rng.uniform(-0.15, 0.15), rng.uniform(0.6, 1.2)
    level = np.full((3, 1), 255 * (shift + 0.5 * (1 - gain)))
    turned = cv2.transform(picture, np.hstack([gain * turn, level]))
    brighter = 255 * np.linspace(0, 1, 256) ** rng.uniform(0.75, 1.35)
    return np.asarray(cv2.LUT(turned, brighter.round().astype(np.uint8)), np.uint8)


def variant(picture: Picture, rng: np.random.Generator) -> Picture:
    """Enlarge a random square of a painting (H, W, 3) to its short side; mostly recolour it.

    A few hundred paintings become a thousand styles.
    """
    side = min(picture.shape[:2])
    cut = int(side * rng.uniform(0.6, 0.9))
    y = rng.integers(picture.shape[0] - cut + 1)
    x = rng.integers(picture.shape[1] - cut + 1)
    part = cv2.resize(
        picture[y : y + cut, x : x + cut], (side, side), interpolation=cv2.INTER_CUBIC
    )
    enlarged = part.astype(np.uint8, copy=False)
    return recolour(enlarged, rng) if rng.random() < 0.75 else enlarged
