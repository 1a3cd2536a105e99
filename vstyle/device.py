"""Which device to compute on, and why."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vstyle.errors import DeviceError, UsageError

if TYPE_CHECKING:
    import torch


def choose(name: str) -> tuple[torch.device, str]:
    """Return the device called auto, cpu, cuda, cuda:N or mps, and the reason for it.

    `auto` takes a CUDA device if there is one, else the CPU. DeviceError, with what there is, if
    the device asked for is not here; UsageError if the name means nothing.
    """
    import torch

    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", name):
        raise UsageError(f"'{name}' is no device", "Choose one of auto, cpu, cuda, cuda:N, mps.")
    present = _present()
    if name == "auto":
        # MPS only by name: with PyTorch it is often slower than the CPU, and not always right.
        if "cuda:0" in present:
            return torch.device("cuda:0"), f"found {torch.cuda.get_device_name(0)}"
        return torch.device("cpu"), "no CUDA device was found"
    full_name = "cuda:0" if name == "cuda" else name
    if full_name not in present:
        raise DeviceError(f"the device {name} is not here", f"There is: {', '.join(present)}.")
    return torch.device(full_name), "asked for"


def _present() -> list[str]:
    """Return the names of the devices that this PyTorch can use, the CPU first."""
    import torch

    present = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        present.append("mps")
    return present
