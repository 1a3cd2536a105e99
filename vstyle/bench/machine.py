"""What the figures were measured on: a figure without its machine says nothing.

Nothing here names the machine, its user or a path.
"""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

import cv2

from vstyle import __version__
from vstyle.video.ffmpeg import executable

LIBRARIES = (
    "av", "imageio-ffmpeg", "numpy", "opencv-python-headless", "openvino", "pillow", "safetensors",
    "torch",
)  # fmt: skip
ROOT = Path(__file__).parents[2]


def environment() -> dict[str, Any]:
    """Return versions, CPU, memory, GPUs, threads, load and commit, fit for JSON."""
    return {
        "vstyle": __version__,
        "commit": commit(ROOT),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "libraries": {name: version for name in LIBRARIES if (version := _version(name))},
        "ffmpeg": _ffmpeg(),
        "cpu": _cpu(),
        "memory_gb": _memory(),
        "gpus": _gpus(),
        "threads": _threads(),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
    }


def commit(root: Path) -> str | None:
    """Return the commit of a checkout, marked `-dirty` if it was changed; None if it is none."""
    if not (root / ".git").exists():  # else git would find a repository around site-packages
        return None
    words = "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"
    return _said(["git", "-C", str(root), *words]) or None


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _ffmpeg() -> str | None:
    """Return the version of the ffmpeg that encodes."""
    words = _said([executable(), "-version"]).split()
    return words[2] if len(words) > 2 else None


def _cpu() -> dict[str, Any]:
    """Return the CPU's name, what it knows, and how many cores there are and may be used."""
    lines = _lines(Path("/proc/cpuinfo"))
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "name": lines.get("model name") or platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "usable_cores": usable,
        "flags": sorted((lines.get("flags") or lines.get("Features") or "").split()),
    }


def _memory() -> float | None:
    """Return the machine's memory, in 1e9 bytes."""
    words = _lines(Path("/proc/meminfo")).get("MemTotal", "").split()
    return round(int(words[0]) * 1024 / 1e9, 1) if words else None


def _gpus() -> list[dict[str, Any]]:
    """Return the CUDA devices, their memory and their driver."""
    import torch

    query = "nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"
    drivers = _said(list(query)).splitlines() if torch.cuda.is_available() else []
    found = []
    for index in range(torch.cuda.device_count()):
        about = torch.cuda.get_device_properties(index)
        found.append(
            {
                "name": about.name,
                "memory_gb": round(about.total_memory / 1e9, 1),
                "capability": f"{about.major}.{about.minor}",
                "cuda": torch.version.cuda,
                "driver": drivers[0] if drivers else None,
            }
        )
    return found


def _threads() -> dict[str, Any]:
    import torch

    return {
        "torch": torch.get_num_threads(),
        "opencv": cv2.getNumThreads(),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
    }


def _lines(path: Path) -> dict[str, str]:
    """Return the first of each `name: value` line of a file, nothing if there is no such file."""
    found: dict[str, str] = {}
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return found
    for line in text.splitlines():
        name, _, value = line.partition(":")
        found.setdefault(name.strip(), value.strip())
    return found


def _said(command: list[str]) -> str:
    """Return what a program says on stdout; nothing if it is not here or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()
