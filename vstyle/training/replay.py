"""Steps that a GPU is told of once, and then does again at a word.

A step is some eight thousand small kernels, and telling a GPU of each takes longer than it takes to
compute most of them. So the second step of a kind (equal sizes, equal terms) is recorded as a CUDA
graph, and all others replay it on tensors of their own: those of the batch are copied into the
recorded ones. What changes from step to step must therefore be in tensors: the batch, the learning
rate. The first step of a kind runs as usual: libraries choose their algorithms, constants are sent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, TypeVar, cast

import torch
from torch import Tensor

from vstyle.training.batches import Batch
from vstyle.training.objective import Painted
from vstyle.training.ranks import Ranks

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What came of a step: what was painted, and the names and values of what it cost."""

    painted: Painted
    names: tuple[str, ...]
    values: Tensor  # (len(names),)


@dataclass(frozen=True)
class _Recording:
    graph: torch.cuda.CUDAGraph
    batch: Batch
    outcome: Outcome


class Replayed:
    """A step of training that is recorded, where the device can."""

    def __init__(self, step: Callable[[Batch], Outcome], ranks: Ranks) -> None:
        self.step = step
        # All on one stream: where gradients were once added up, they must be when it is recorded.
        # Several processes wait for each other within a step, which is not recorded.
        alone = ranks.device.type == "cuda" and ranks.count == 1
        self.stream = torch.cuda.Stream(ranks.device) if alone else None  # type: ignore[no-untyped-call]
        self.seen: dict[object, _Recording | None] = {}
        self.pool: Any = None

    def __call__(self, kind: object, batch: Batch) -> Outcome:
        """Do a step of a kind; what it returns is overwritten by the next of that kind."""
        if self.stream is None:
            return self.step(batch)
        around = torch.cuda.current_stream(self.stream.device)
        self.stream.wait_stream(around)
        with torch.cuda.stream(self.stream):
            outcome = self._do(kind, batch)
        around.wait_stream(self.stream)
        return outcome

    def _do(self, kind: object, batch: Batch) -> Outcome:
        if kind not in self.seen:
            self.seen[kind] = None
            return self.step(batch)
        recording = self.seen[kind]
        if recording is None:
            recording = self.seen[kind] = self._record(batch)
        for kept, new in zip(tensors(recording.batch), tensors(batch), strict=True):
            kept.copy_(new)
        recording.graph.replay()
        return recording.outcome

    def _record(self, batch: Batch) -> _Recording:
        own = mapped(batch, torch.clone)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(
            graph, pool=self.pool, stream=self.stream, capture_error_mode="thread_local"
        ):
            outcome = self.step(own)
        self.pool = graph.pool()
        return _Recording(graph, own, outcome)


def mapped(value: T, change: Callable[[Tensor], Tensor]) -> T:
    """Return a record, or a list or tuple of such, with every tensor in it changed."""
    found: Any = value
    if isinstance(value, Tensor):
        found = change(value)
    elif isinstance(value, list | tuple):
        found = type(value)(mapped(item, change) for item in value)
    elif is_dataclass(value) and not isinstance(value, type):
        parts = {each.name: mapped(getattr(value, each.name), change) for each in fields(value)}
        found = replace(value, **parts)
    return cast(T, found)


def tensors(value: object) -> Iterator[Tensor]:
    """Yield the tensors of a record in their order."""
    found: list[Tensor] = []

    def keep(tensor: Tensor) -> Tensor:
        found.append(tensor)
        return tensor

    mapped(value, keep)
    yield from found
