"""Steps that are replayed compute what steps do."""

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from vstyle.training.ranks import Ranks
from vstyle.training.replay import Outcome, Replayed, mapped, tensors


@dataclass(frozen=True)
class Inner:
    values: list[Tensor]
    name: str


@dataclass(frozen=True)
class Outer:
    pairs: list[tuple[Tensor, Tensor]]
    inner: Inner
    nothing: None = None


def record() -> Outer:
    """Return a record of records, lists and tuples, with the numbers 0 to 3 in it."""
    zero, one, two, three = (torch.tensor(float(i)) for i in range(4))
    return Outer([(zero, one)], Inner([two, three], "name"))


def test_the_tensors_of_a_record_come_in_order() -> None:
    assert [tensor.item() for tensor in tensors(record())] == [0, 1, 2, 3]


def test_a_mapped_record_is_like_it_in_all_but_its_tensors() -> None:
    before = record()
    after = mapped(before, lambda tensor: tensor + 10)
    assert [tensor.item() for tensor in tensors(after)] == [10, 11, 12, 13]
    assert [tensor.item() for tensor in tensors(before)] == [0, 1, 2, 3]
    assert isinstance(after.pairs[0], tuple)
    assert (after.inner.name, after.nothing) == ("name", None)


@pytest.mark.parametrize("place", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_every_step_is_taken_once_with_its_own_batch(place: str) -> None:
    """Two kinds of step by turns: sums of what was given, and the state that they go on from."""
    if place == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    device = torch.device(place)
    state = torch.zeros(1, device=device)

    def step(batch: Tensor) -> Outcome:
        state.add_(batch.sum())
        return Outcome(batch * 2, ("sum", "state"), torch.stack([batch.sum(), state[0]]))

    replayed = Replayed(step, Ranks(device))
    total = 0.0
    for index in range(12):
        size = 3 + index % 2
        batch = torch.full((size,), float(index), device=device)
        total += size * index
        outcome = replayed(size, batch)
        assert outcome.values.tolist() == [size * index, total]
        assert outcome.painted.tolist() == [2.0 * index] * size
