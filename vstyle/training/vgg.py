"""Where VGG-19 comes from: a file of the user's, or torchvision's, fetched once."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from vstyle.errors import CheckpointError

URL = "https://download.pytorch.org/models/vgg19-dcbb9e9d.pth"
SHA256 = "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44"
DEEPEST_NEEDED = 16  # number of the convolution before relu3_4, the deepest layer that is looked at


def find_vgg(given: Path | None) -> Path:
    """Return the file to read: `given`, else VSTYLE_VGG, else the cached one, fetched if need be.

    Raises CheckpointError if there is none and it cannot be fetched; with VSTYLE_OFFLINE set
    nothing is fetched.
    """
    named = given or (Path(os.environ["VSTYLE_VGG"]) if os.environ.get("VSTYLE_VGG") else None)
    if named:
        return named
    cached = cache_folder() / URL.rpartition("/")[2]
    if not cached.is_file():
        if os.environ.get("VSTYLE_OFFLINE", "") not in {"", "0"}:
            raise CheckpointError(
                "VGG-19 is not here, and VSTYLE_OFFLINE forbids to fetch it",
                f"Give it with --vgg or VSTYLE_VGG, or put torchvision's file at {cached}.",
            )
        fetch(URL, SHA256, cached)
    return cached


def fetch(url: str, sha256: str, target: Path) -> None:
    """Fetch a file; it appears under its name only when it is whole and the right one.

    Raises CheckpointError if it cannot be fetched, kept, or is another file.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(url, str(target), hash_prefix=sha256, progress=False)
    except (OSError, RuntimeError) as error:  # URLError is an OSError
        raise CheckpointError(
            f"VGG-19 cannot be fetched from {url}: {error}",
            "Fetch it by other means and give it with --vgg or VSTYLE_VGG.",
        ) from error


def cache_folder() -> Path:
    """Return the folder for what is fetched once: VSTYLE_CACHE_DIR, or a part of XDG's."""
    if named := os.environ.get("VSTYLE_CACHE_DIR"):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "vstyle"


def read_vgg(path: Path) -> dict[str, Tensor]:
    """Read VGG-19's convolutions by torchvision's key names, at least to relu3_4, as float32.

    Safetensors, or torchvision's own .pth. Raises CheckpointError if the file is not that.
    """
    try:
        if path.suffix in {".pth", ".pt"}:
            # Memory-mapped: of the 575 MB, most belongs to layers that are never looked at.
            weights = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        else:
            weights = load_file(path)
    except (OSError, SafetensorError, RuntimeError, pickle.UnpicklingError, EOFError) as error:
        reason = str(error).split("\n")[0]
        raise CheckpointError(
            f"VGG file {path} cannot be read: {reason}", "Give safetensors or torchvision's .pth."
        ) from error
    if f"features.{DEEPEST_NEEDED}.weight" not in weights:
        raise CheckpointError(
            f"{path} is not VGG-19", "Give safetensors with torchvision's names, features.N.weight."
        )
    return {
        name: weight.float() for name, weight in weights.items() if name.startswith("features.")
    }
