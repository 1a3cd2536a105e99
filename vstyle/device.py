"""Which device to compute on, and why."""

from __future__ import annotations

import ctypes
import re
import sys

from vstyle.errors import DeviceError, UsageError


def choose(name: str) -> tuple[str, str]:
    """Return the device meant by auto, cpu, cuda, cuda:N or mps (as torch names it), and why.

    `auto` takes a CUDA device if there is one, else the CPU. DeviceError, with what there is, if
    the device asked for is not here; UsageError if the name means nothing. Where only the CPU is in
    question torch is not imported: that would cost a start of two seconds.
    """
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name):
        raise UsageError(f"'{name}' is no device", "Choose one of auto, cpu, cuda, cuda:N, mps.")
    if name == "cpu":
        return name, "asked for"
    # MPS only by name: with PyTorch it is often slower than the CPU, and not always right.
    if name == "auto" and not _has_driver():
        return "cpu", "no CUDA device was found"
    present = _present()
    if name == "auto":
        if "cuda:0" not in present:
            return "cpu", "no CUDA device was found"
        import torch

        return "cuda:0", f"found {torch.cuda.get_device_name(0)}"
    full_name = "cuda:0" if name == "cuda" else name
    if full_name not in present:
        raise DeviceError(f"the device {name} is not here", f"There is: {', '.join(present)}.")
    return full_name, "asked for"


def _has_driver() -> bool:
    """Tell whether NVIDIA's driver is installed; without it no CUDA device can be used."""
    try:
        ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return False
    return True


def _present() -> list[str]:
    """Return the names of the devices that this PyTorch can use, the CPU first."""
    import torch

    present = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        present.append("mps")
    return present
