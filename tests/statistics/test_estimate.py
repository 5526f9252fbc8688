"""The bootstrap against full enumeration of resamples, and at its degenerate ends."""

from itertools import product

import numpy as np
import pytest

from grokbook.statistics import Estimate, bootstrap


def enumerated(values, statistic, confidence=0.95):
    """The percentile interval over all n^n resamples."""
    draws = np.sort([statistic(np.array(draw)) for draw in product(values, repeat=len(values))])
    tail = (1 - confidence) / 2
    return np.quantile(draws, [tail, 1 - tail])


@pytest.mark.parametrize("statistic", [np.median, np.mean, lambda values: values.max()])
def test_interval_is_that_of_all_resamples(statistic):
    values = np.array([2.0, 3.0, 7.0, 11.0, 20.0])
    estimate = bootstrap(values, statistic, seed=0, resamples=20_000)
    assert estimate.value == statistic(values)
    assert estimate.n == 5
    assert [estimate.low, estimate.high] == pytest.approx(enumerated(values, statistic), rel=0.03)


def test_confidence_narrows_the_interval():
    values = np.arange(10.0)
    wide, narrow = (bootstrap(values, seed=0, confidence=c) for c in (0.95, 0.5))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_the_seed_decides():
    values = np.random.default_rng(0).normal(size=12)
    assert bootstrap(values, np.mean, seed=1) == bootstrap(values, np.mean, seed=1)
    assert bootstrap(values, np.mean, seed=1) != bootstrap(values, np.mean, seed=2)


def test_median_of_five_spans_the_range():
    estimate = bootstrap(np.array([5.0, 6.0, 7.0, 8.0, 10.0]), seed=0)
    assert (estimate.low, estimate.high) == (5.0, 10.0)


def test_one_value_says_nothing_about_the_spread():
    assert bootstrap(np.array([7.0]), seed=0) == Estimate(7.0, -np.inf, np.inf, 1)


def test_equal_values_have_no_width():
    assert bootstrap(np.full(4, 7.0), seed=0) == Estimate(7.0, 7.0, 7.0, 4)


def test_integers_are_values():
    assert bootstrap(np.array([1, 2, 3]), seed=0).value == 2.0


def test_refuses_no_values():
    with pytest.raises(ValueError, match="at least one seed"):
        bootstrap(np.array([]), seed=0)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_sends_unreached_onsets_to_the_median_onset(bad):
    with pytest.raises(ValueError, match=f"{bad}.*median_onset"):
        bootstrap(np.array([1.0, bad]), seed=0)


def test_inside_needs_both_ends():
    estimate = Estimate(1.0, 0.9, 1.2, 10)
    assert estimate.inside(0.9, 1.2)
    assert not estimate.inside(0.91, 1.3)
    assert not estimate.inside(0.8, 1.19)
