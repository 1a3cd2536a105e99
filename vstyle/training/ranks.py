"""Several processes, one run: torch.distributed's DDP, joined when torchrun has started us."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel


@dataclass(frozen=True)
class Ranks:
    """Which of how many processes this is, and where it computes."""

    device: torch.device
    rank: int = 0
    count: int = 1
    local: int = 0  # which of the processes on this machine

    def share(self, module: nn.Module) -> nn.Module:
        """Return the module as it is called, its gradients averaged over the processes."""
        if self.count == 1:
            return module
        devices = [self.device] if self.device.type == "cuda" else None
        return DistributedDataParallel(module, devices, gradient_as_bucket_view=True)

    def agree(self, value: float) -> float:
        """Return what the first process says."""
        if self.count == 1:
            return value
        said = torch.tensor([value], dtype=torch.float64, device=self.device)
        distributed.broadcast(said, 0)
        return said.item()

    def any(self, value: bool) -> bool:
        """Tell whether any process says yes."""
        if self.count == 1:
            return value
        said = torch.tensor([int(value)], device=self.device)
        distributed.all_reduce(said, distributed.ReduceOp.MAX)
        return bool(said.item())


@contextmanager
def joined(device: torch.device) -> Iterator[Ranks]:
    """Join the other processes if torchrun has started us, else be alone; leave at the end."""
    if "RANK" not in os.environ:
        yield Ranks(device)
        return
    local = int(os.environ.get("LOCAL_RANK", os.environ["RANK"]))
    if device.type == "cuda":
        device = torch.device("cuda", local)
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Ranks(device, distributed.get_rank(), distributed.get_world_size(), local)
        # A worker of gloo lets go of the last gradients just after we have them, and needs the
        # interpreter for it: a process that ended at once was aborted.
        distributed.barrier()
    finally:
        distributed.destroy_process_group()
