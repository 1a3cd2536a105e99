"""What changed is told from chance as the textbook tests do; what got worse is a regression."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from vstyle.bench.compare import compare, p_of_pairs, p_of_two, remarks
from vstyle.bench.document import Document
from vstyle.bench.records import Measures, Pair, Quality, Speed, repeated

ROW = Speed(
    "student", "cpu", "fp32", "canvas", "bay", "64x48", 20, repeated([30.0, 31, 32]), None, 9.0, {},
    (1.0,) * 101, repeated([7.0, 7.1, 7.2]), 2.0, 50.0, 300.0, None, None, None,
)  # fmt: skip
PLAIN = Measures(0.5, 0.5, 0.7, 0.8, 1.2, 0.002, 0.04, 0.06, 0.001, 0.02, 0.03, 2.0)


def document(*speed: Speed, quality: tuple[Quality, ...] = (), **environment: object) -> Document:
    return Document(1, "now", (), dict(environment), speed=speed, quality=quality)


def judged(*measures: Measures) -> Quality:
    pairs = tuple(Pair(f"clip {n}", "style", True, each) for n, each in enumerate(measures))
    return Quality("student", "cpu", "fp32", True, measures[0], pairs, ())


@pytest.mark.parametrize("shift", [-2.0, -0.3, 0.0, 0.4, 3.0])
@pytest.mark.parametrize("size", [3, 5, 7])
def test_two_samples_as_scipy_does(shift: float, size: int) -> None:
    """The exact permutation test of the difference of means."""
    random = np.random.default_rng(size)
    old, new = random.normal(10, 1, 5), random.normal(10 + shift, 1, size)
    gap = lambda a, b: a.mean() - b.mean()  # noqa: E731
    side = "greater" if new.mean() >= old.mean() else "less"
    expected = stats.permutation_test((new, old), gap, alternative=side).pvalue
    assert p_of_two(old, new) == pytest.approx(expected)


@pytest.mark.parametrize("shift", [-1.0, 0.2, 2.0])
def test_pairs_as_scipy_does(shift: float) -> None:
    """The exact sign-flip test of paired differences."""
    gaps = np.random.default_rng(1).normal(shift, 1, 8)
    side = "greater" if gaps.mean() >= 0 else "less"
    test = stats.permutation_test(
        (gaps,), np.mean, permutation_type="samples", alternative=side, n_resamples=np.inf
    )
    assert p_of_pairs(gaps.tolist()) == pytest.approx(test.pvalue)


def test_many_runs_are_sampled() -> None:
    """Near what all arrangements would give, and the same every time."""
    random = np.random.default_rng(2)
    old, new = random.normal(10, 1, 15), random.normal(10.7, 1, 15)
    expected = stats.ttest_ind(new, old, alternative="greater").pvalue
    assert p_of_two(old, new) == pytest.approx(expected, abs=0.01)
    assert p_of_two(old, new) == p_of_two(old, new)


def test_nothing_has_changed_against_itself() -> None:
    changes = compare(document(ROW), document(ROW), 0.0)
    assert {change.measure for change in changes} >= {"fps", "network_ms", "peak_rss_mb"}
    assert all(change.share == 0 and not change.regression for change in changes)


@pytest.mark.parametrize(
    ("runs", "tolerance", "regression"),
    [
        ([27.0, 28, 29], 0.05, True),  # slower by 10 %, and no old run was as slow
        ([27.0, 28, 29], 0.20, False),  # within the tolerance
        ([33.0, 34, 35], 0.05, False),  # faster
        ([15.0, 31, 27], 0.05, False),  # slower, but chance might do that
    ],
)
def test_a_regression_is_worse_certain_and_beyond_the_tolerance(
    runs: list[float], tolerance: float, regression: bool
) -> None:
    new = replace(ROW, fps=repeated(runs))
    (change,) = (c for c in compare(document(ROW), document(new), tolerance) if c.measure == "fps")
    assert change.regression == regression


def test_quality_is_compared_pair_by_pair() -> None:
    """A little worse on every pair is certain; the same loss on one of six pairs is not."""
    old = document(quality=(judged(*[PLAIN] * 6),))
    worse = replace(PLAIN, trmse=0.05, ssim=0.7)
    all_worse = compare(old, document(quality=(judged(*[worse] * 6),)), 0.05)
    assert {change.measure for change in all_worse if change.regression} == {"trmse", "ssim"}
    once = compare(old, document(quality=(judged(replace(PLAIN, trmse=0.1), *[PLAIN] * 5),)), 0.05)
    assert not any(change.regression for change in once)


def test_other_machines_and_missing_rows_are_said() -> None:
    old = document(ROW, replace(ROW, size="32x32"), threads=2)
    said = list(remarks(old, document(ROW, threads=4)))
    assert "threads differs" in said[0]
    assert "not measured now: student cpu fp32 32x32" in said[1]
    assert len(said) == 2
    few = replace(ROW, fps=repeated([30.0, 31.0]))
    assert any("runs are too few" in line for line in remarks(document(few), document(few)))
