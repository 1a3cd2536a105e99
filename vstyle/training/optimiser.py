"""Adam, as both the generator and its critic use it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


def adam(
    groups: list[dict[str, Any]], betas: tuple[float, float], device: torch.device
) -> torch.optim.Optimizer:
    """Return the optimiser of groups of parameters, to be told its rate by `set_rate`.

    On a GPU it can be recorded and replayed; then the rate must lie there, in a tensor.
    """
    on_gpu = device.type == "cuda"
    for group in groups:
        group["lr"] = torch.tensor(0.0, device=device) if on_gpu else 0.0
    return torch.optim.Adam(groups, betas=betas, fused=True, capturable=on_gpu)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set the learning rate, for each group times its own `pace` if it has one."""
    for group in optimiser.param_groups:
        own = rate * group.get("pace", 1.0)
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(own)
        else:
            group["lr"] = own
