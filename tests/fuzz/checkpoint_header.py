"""Fuzz target: any bytes as a model file. The only way out is a CheckpointError.

python tests/fuzz/checkpoint_header.py -runs=20000
"""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parent))

with atheris.instrument_imports(include=["vstyle"]):
    from vstyle import checkpoint
    from vstyle.engine.build import load_model
    from vstyle.errors import CheckpointError

import numpy as np
from common import fuzz
from safetensors.numpy import save as pack


def check(case: Path) -> None:
    """Read the header, then the whole as a model and as a style."""
    with suppress(CheckpointError):
        checkpoint.describe(case)
    with suppress(CheckpointError):
        load_model(case)
    with suppress(CheckpointError):
        checkpoint.load(case, "style")


def seeds() -> dict[str, bytes]:
    """Make small files that are nearly right, and the beginning of a right one."""
    config = checkpoint.describe(checkpoint.find_model("student")).config
    found = {}
    for kind in ("model", "style", "training"):
        about = {"kind": kind, "config": config, "provenance": {}, "format": 1}
        tensors = {"a": np.ones(2, np.float16), "b": np.zeros((1, 2), np.int8)}
        found[kind] = pack(tensors, {"vstyle": json.dumps(about)})
    found["student"] = checkpoint.find_model("student").read_bytes()[:4096]
    return found


if __name__ == "__main__":
    fuzz(check, seeds(), longest=8192)
