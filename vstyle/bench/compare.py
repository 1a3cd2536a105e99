"""Two documents side by side: what changed, and whether that is more than chance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, product
from math import comb

import numpy as np
from numpy.typing import NDArray

from vstyle.bench.document import Document
from vstyle.bench.records import Quality, Speed

CHANCE = 0.05
"""A change is significant where chance alone would bring as much in at most this share of cases."""

MOST = 20_000  # rearrangements that are tried one by one; of more, a sample of so many

HIGHER = frozenset({"fps", "ssim"})  # is better; of all else, lower is
JUDGED = ("style", "gram", "content", "ssim", "e_warp", "trmse", "trmse_long")


@dataclass(frozen=True)
class Change:
    """One measure of one row, then and now."""

    row: str
    measure: str
    old: float
    new: float
    p: float | None  # how often chance brings as large a change in this direction; None: one value
    regression: bool  # worse by more than the tolerance, and significant

    @property
    def share(self) -> float:
        """The change as a share of the old value."""
        return self.new / self.old - 1

    @property
    def worse(self) -> bool:
        """Whether it changed for the worse."""
        return (self.new < self.old) == (self.measure in HIGHER) and self.new != self.old


def compare(old: Document, new: Document, tolerance: float) -> list[Change]:
    """Compare all rows that both documents have; `tolerance` is a share, 0.05 for 5 %."""
    changes: list[Change] = []
    before = {_key(row): row for row in old.speed}
    for row in new.speed:
        if same := before.get(_key(row)):
            changes += _speed(same, row, tolerance)
    judged = {_quality_key(row): row for row in old.quality}
    for each in new.quality:
        if found := judged.get(_quality_key(each)):
            changes += _quality(found, each, tolerance)
    return changes


def remarks(old: Document, new: Document) -> Iterator[str]:
    """Say what makes the comparison less than it seems: other machines, few runs, missing rows."""
    for name in ("cpu", "gpus", "threads"):
        if old.environment.get(name) != new.environment.get(name):
            yield f"the two were not measured alike: {name} differs"
    before = {_key(row): row for row in old.speed}
    both = [(before[_key(row)].fps.runs, row.fps.runs) for row in new.speed if _key(row) in before]
    if any(comb(len(then) + len(now), len(now)) * CHANCE < 1 for then, now in both):
        yield "runs are too few to tell a change of speed from chance: 3 on each side are the least"
    here = {_key(row) for row in new.speed} | {_quality_key(row) for row in new.quality}
    for key in [_key(row) for row in old.speed] + [_quality_key(row) for row in old.quality]:
        if key not in here:
            yield f"not measured now: {' '.join(key)}"


def p_of_two(old: Sequence[float], new: Sequence[float]) -> float:
    """Return how often chance alone moves the mean at least as far, in the same direction.

    The exact permutation test of two samples (Fisher 1935, Pitman 1937): all ways to deal the
    values out anew.
    """
    values = np.array([*old, *new])
    size, seen = len(new), float(np.mean(new)) - float(np.mean(old))
    if comb(len(values), size) <= MOST:
        chosen = np.array(list(combinations(range(len(values)), size)))
    else:
        random = np.random.default_rng(0)
        chosen = random.permuted(np.tile(np.arange(len(values)), (MOST, 1)), axis=1)[:, :size]
    sums = values[chosen].sum(1)
    gaps = sums / size - (values.sum() - sums) / len(old)
    return _as_far(gaps, seen)


def p_of_pairs(gaps: Sequence[float]) -> float:
    """Return how often chance alone moves the mean of paired differences at least as far.

    The exact sign-flip test: every difference could as well have been the other way round.
    """
    values = np.asarray(gaps)
    if 2 ** len(values) <= MOST:
        signs = np.array(list(product((1, -1), repeat=len(values))))
    else:
        signs = np.random.default_rng(0).choice((1, -1), (MOST, len(values)))
    return _as_far((signs * values).mean(1), float(values.mean()))


def _as_far(gaps: NDArray[np.float64], seen: float) -> float:
    """Return the share of `gaps` that are as large as the one seen, on its side of zero."""
    side = 1 if seen >= 0 else -1
    # A little grace, or rounding would set the very arrangement that was seen aside.
    return float((gaps * side >= abs(seen) * (1 - 1e-9)).mean())


def _speed(old: Speed, new: Speed, tolerance: float) -> Iterator[Change]:
    row = " ".join(_key(new))
    for name in ("fps", "network_ms"):
        then, now = getattr(old, name), getattr(new, name)
        p = p_of_two(then.runs, now.runs)
        yield _judged(Change(row, name, then.median, now.median, p, False), tolerance)
    for name in ("cpu_ms", "first_frame_ms", "startup_s", "peak_rss_mb"):
        then, now = getattr(old, name), getattr(new, name)
        if then and now is not None:
            yield Change(row, name, then, now, None, False)


def _quality(old: Quality, new: Quality, tolerance: float) -> Iterator[Change]:
    row = " ".join(_quality_key(new))
    before = {(pair.clip, pair.style): pair.measures for pair in old.pairs}
    for name in JUDGED:
        values = [
            (getattr(before[key], name), getattr(pair.measures, name))
            for pair in new.pairs
            if (key := (pair.clip, pair.style)) in before
        ]
        both = [(then, now) for then, now in values if then is not None and now is not None]
        if not both or not all(then for then, _ in both):
            continue
        then, now = (float(np.mean(side)) for side in zip(*both, strict=True))
        p = p_of_pairs([b - a for a, b in both])
        yield _judged(Change(row, name, then, now, p, False), tolerance)


def _judged(change: Change, tolerance: float) -> Change:
    """Return the change with the verdict whether it is a regression."""
    certain = change.p is not None and change.p <= CHANCE
    return replace(change, regression=certain and change.worse and abs(change.share) > tolerance)


def _key(row: Speed) -> tuple[str, ...]:
    return row.model, row.device, row.precision, row.size, row.clip, row.style


def _quality_key(row: Quality) -> tuple[str, ...]:
    return "quality of", row.model, row.device, row.precision
