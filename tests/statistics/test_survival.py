"""Kaplan–Meier against exact fractions by hand, against SciPy's band, and against the ECDF."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from grokbook.statistics import Estimate, censor, kaplan_meier, median_onset, right_censored

# Weeks of remission of 21 children under 6-mercaptopurine (Freireich et al. 1963); + is censored.
REMISSION = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
TIMES = np.array([float(week.rstrip("+")) for week in REMISSION.split(" ")])
OBSERVED = np.array([not week.endswith("+") for week in REMISSION.split(" ")])

runs = st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=1, max_size=9)


def by_hand(times, observed):
    """The product over distinct times, in exact fractions."""
    survival, curve = Fraction(1), {}
    for step in sorted(set(times)):
        events = sum(t == step and seen for t, seen in zip(times, observed, strict=True))
        survival *= 1 - Fraction(events, sum(t >= step for t in times))
        curve[step] = survival
    return curve


def median_by_hand(times, observed):
    curve = by_hand(times, observed).items()
    at_half = min((step for step, share in curve if share <= Fraction(1, 2)), default=np.inf)
    below = min((step for step, share in curve if share < Fraction(1, 2)), default=np.inf)
    return (at_half + below) / 2


def test_classical_example():
    curve = kaplan_meier(TIMES, OBSERVED)
    factors = {
        6: (3, 21),
        7: (1, 17),
        10: (1, 15),
        13: (1, 12),
        16: (1, 11),
        22: (1, 7),
        23: (1, 6),
    }
    survival = 1.0
    for week, (events, at_risk) in factors.items():
        i = curve.times.tolist().index(week)
        survival *= 1 - events / at_risk
        assert curve.survival[i] == pytest.approx(survival)
        assert (curve.events[i], curve.at_risk[i]) == (events, at_risk)
    assert curve.survival[-1] == pytest.approx(0.4482, abs=5e-5)
    assert curve.median == Estimate(23.0, 13.0, np.inf, 21)


def test_log_log_band_is_scipys():
    curve = kaplan_meier(TIMES, OBSERVED)
    sf = scipy.stats.ecdf(scipy.stats.CensoredData.right_censored(TIMES, ~OBSERVED)).sf
    interval = sf.confidence_interval(method="log-log")
    np.testing.assert_allclose(curve.low[1:], interval.low.probabilities)
    np.testing.assert_allclose(curve.high[1:], interval.high.probabilities)


def test_band_is_exact_where_log_log_is_undefined():
    curve = kaplan_meier(np.array([5.0, 5.0, 5.0, 8.0]), np.array([True, True, True, False]))
    assert (curve.low[0], curve.high[0]) == (pytest.approx(0.025 ** (1 / 4)), 1.0)
    together = kaplan_meier(np.full(6, 5.0), np.ones(6, bool))
    exact = scipy.stats.binomtest(0, 6).proportion_ci()
    assert together.survival.tolist() == [1, 0]
    assert (together.low[1], together.high[1]) == pytest.approx((exact.low, exact.high))
    times = np.array([1.0, 5.0, 5.0, 5.0])
    after_a_censored_run = kaplan_meier(times, times > 1)
    assert after_a_censored_run.high.tolist() == [1, 1, pytest.approx(1 - 0.025 ** (1 / 3))]
    one_by_one = kaplan_meier(np.arange(1.0, 5.0), np.array([0, 1, 0, 1], bool))
    assert one_by_one.high[-1] == one_by_one.high[-2] < 0.975


@given(runs)
def test_curve_and_counts_are_those_by_hand(rows):
    times, observed = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows])
    curve = kaplan_meier(times, observed)
    expected = by_hand(times, observed)
    assert curve.times.tolist() == [0.0, *expected]
    np.testing.assert_allclose(
        curve.survival[1:], [float(s) for s in expected.values()], atol=1e-12
    )
    assert (curve.low <= curve.survival).all() and (curve.survival <= curve.high).all()
    assert (np.diff(curve.high) <= 0).all()
    assert curve.median.value == median_by_hand(times, observed)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=12))
def test_without_censoring_it_is_one_minus_the_ecdf(values):
    times = np.array(values)
    curve = kaplan_meier(times, np.ones(times.size, bool))
    ecdf = [np.mean(times <= step) for step in curve.times]
    np.testing.assert_allclose(curve.survival, 1 - np.array(ecdf), atol=1e-12)
    assert curve.median.value == np.median(times)


def test_median_interval_needs_six_runs():
    for n, low, high in ((5, 0.0, np.inf), (6, 1.0, 6.0)):
        median = kaplan_meier(np.arange(1.0, n + 1), np.ones(n, bool)).median
        assert (median.low, median.high) == (low, high)


def test_median_beyond_the_budget_is_infinite():
    observed = np.array([True, True, False, False])
    assert kaplan_meier(np.array([1.0, 2.0, 9.0, 9.0]), observed).median.value == np.inf


@pytest.mark.parametrize("observed", [[1, 0, 1, 1, 0], [1, 1, 1, 1, 1], [1, 0, 0, 1, 0]])
def test_bootstrapped_median_is_that_of_all_resamples(observed):
    times, observed = np.array([3.0, 4.0, 6.0, 7.0, 11.0]), np.array(observed, bool)
    draws = (list(draw) for draw in product(range(5), repeat=5))
    medians = np.sort([median_by_hand(times[draw], observed[draw]) for draw in draws])
    estimate = median_onset(times, observed, seed=0, confidence=0.6, resamples=20_000)
    assert estimate == Estimate(median_by_hand(times, observed), medians[624], medians[2499], 5)


def test_median_onset_of_degenerate_runs():
    seen, unseen = np.array([True]), np.zeros(4, bool)
    assert median_onset(np.array([5.0]), seen, seed=0) == Estimate(5.0, 0.0, np.inf, 1)
    never = median_onset(np.full(4, 9.0), unseen, seed=0)
    assert never == Estimate(np.inf, np.inf, np.inf, 4)


def test_right_censored_reads_nan_as_not_reached():
    times, observed = right_censored(np.array([3.0, np.nan]), np.array([5, 8]))
    assert times.tolist() == [3.0, 8.0]
    assert observed.tolist() == [True, False]
    with pytest.raises(ValueError, match=r"onset 9.0 is later than its budget 8.0"):
        right_censored(np.array([9.0]), np.array([8.0]))


def test_a_smaller_budget_sees_less():
    times, observed = censor(np.array([3, 5, 6, 9]), np.array([True, True, False, True]), 5)
    assert times.tolist() == [3, 5, 5, 5]
    assert observed.tolist() == [True, True, False, False]


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_refuses_what_is_no_time(bad):
    with pytest.raises(ValueError, match=f"{bad} is no time"):
        kaplan_meier(np.array([1.0, bad]), np.array([True, True]))


def test_refuses_no_runs():
    with pytest.raises(ValueError, match="at least one"):
        median_onset(np.array([]), np.array([], bool), seed=0)
