"""The one file format: safetensors with a header that says what the file is and where it is from.

The header's metadata has one entry, `vstyle`: a JSON object with the format number, the kind of
file, the configs that rebuild the networks, and the provenance. Nothing in a file is executable;
everything in it is checked before it is used. Tensors are NumPy arrays here, so that a program that
runs a model without torch need not import it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as parse_tensors
from safetensors.numpy import save as pack_tensors

from vstyle.errors import CheckpointError
from vstyle.folders import is_file
from vstyle.models.tensors import Tensors

FORMAT = 1
MAX_BYTES = 1 << 30  # no file of ours is near 1 GB
MAX_HEADER_BYTES = 1 << 20
KINDS = ("model", "style", "training")
WEIGHTS = Path(__file__).parent / "weights"


@dataclass(frozen=True)
class Header:
    """What a file says of itself."""

    kind: str  # one of KINDS
    config: dict[str, Any]  # what rebuilds the networks: {"generator": {...}, "style": {...}}
    provenance: dict[str, Any]  # data, steps, losses, licence note
    format: int = field(default=FORMAT)


@dataclass(frozen=True)
class Checkpoint:
    """A file, read and checked: its header, and its tensors by name, all finite."""

    header: Header
    tensors: Tensors


def shipped_models() -> dict[str, Path]:
    """Return the models that come with vstyle: name -> file."""
    return {path.stem: path for path in sorted(WEIGHTS.glob("*.safetensors"))}


def find_model(name: str) -> Path:
    """Return the file of a shipped model's name, or of a path; CheckpointError if none is."""
    known = shipped_models()
    if name in known:
        return known[name]
    path = Path(name)
    if is_file(path):
        return path
    raise CheckpointError(
        f"model {name!r} is neither a shipped name nor a file",
        f"Shipped models: {', '.join(known)}.",
    )


def save(path: Path, header: Header, tensors: Tensors) -> None:
    """Write a file; it appears under its name only when it is complete. Raises OSError."""
    metadata = {"vstyle": json.dumps(asdict(header), sort_keys=True)}
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            # safetensors writes memory as it lies: other strides would come back mixed up.
            plain = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
            file.write(pack_tensors(plain, metadata))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def describe(path: Path) -> Header:
    """Read only the header. Raises CheckpointError if the file is not one of ours."""
    with _opened(path) as file:
        return _header(path, file.read(8 + MAX_HEADER_BYTES))


def load(path: Path, kind: str) -> Checkpoint:
    """Read and check a whole file of one kind.

    Raises CheckpointError, with one clear line, for a file that is missing, foreign, truncated, of
    another kind, of a newer format, or has numbers that are not finite.
    """
    with _opened(path) as file:
        start = file.read(8 + MAX_HEADER_BYTES)
        header = _header(path, start)  # before the rest is read: it may be a gigabyte
        data = start + file.read()
    if header.kind != kind:
        raise CheckpointError(
            f"{path} is a {header.kind} file, not a {kind} file", f"Name a {kind} file."
        )
    try:
        tensors = parse_tensors(data)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path} is damaged or cut short: {error}", "Copy or train it again."
        ) from error
    for name, tensor in tensors.items():
        if tensor.dtype.kind == "f" and not np.isfinite(tensor).all():
            raise CheckpointError(
                f"{path} has numbers that are not finite, in {name}", "Train it again."
            )
    return Checkpoint(header, tensors)


def _opened(path: Path) -> Any:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CheckpointError(f"{path} is larger than any vstyle file", "Name another.")
        return path.open("rb")
    except OSError as error:
        raise CheckpointError(
            f"{path} cannot be read: {error.strerror}", "Check the path."
        ) from error


def _header(path: Path, start: bytes) -> Header:
    """Read the header from the first bytes of a file, trusting nothing."""
    foreign = CheckpointError(
        f"{path} is not a vstyle file", "Name a .safetensors file that vstyle wrote."
    )
    size = int.from_bytes(start[:8], "little")
    if len(start) < 8 or not 2 <= size <= MAX_HEADER_BYTES:
        raise foreign
    if len(start) < 8 + size:
        raise CheckpointError(f"{path} is cut short", "Copy or train it again.")
    try:
        entries = json.loads(start[8 : 8 + size], object_pairs_hook=_unique)
        about = json.loads(entries["__metadata__"]["vstyle"], object_pairs_hook=_unique)
        number, kind = about["format"], about["kind"]
        config, provenance = about["config"], about["provenance"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise foreign from error
    if not isinstance(number, int) or number < 1 or kind not in KINDS:
        raise foreign
    if number > FORMAT:
        raise CheckpointError(
            f"{path} has format {number}, newer than this vstyle reads ({FORMAT})", "Update vstyle."
        )
    if not isinstance(config, dict) or not isinstance(provenance, dict):
        raise foreign
    return Header(kind, config, provenance, number)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Build an object from its pairs; a repeated name would make two readers see two files."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name occurs twice")
    return found
