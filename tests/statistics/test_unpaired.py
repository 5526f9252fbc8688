"""The log-rank test against observed minus expected, summed by hand."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grokbook.statistics import LogRank, logrank

arm = st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=1, max_size=7)


def observed_minus_expected(a, b):
    """(O − E, V) over the distinct times of observed onsets, in exact fractions."""
    gap, variance = Fraction(0), Fraction(0)
    for step in sorted({t for t, seen in a + b if seen}):
        at_risk_a, at_risk = sum(t >= step for t, _ in a), sum(t >= step for t, _ in a + b)
        events = sum(seen and t == step for t, seen in a + b)
        gap += sum(seen and t == step for t, seen in a) - Fraction(events * at_risk_a, at_risk)
        if at_risk > 1:
            share = Fraction(at_risk_a, at_risk)
            variance += events * share * (1 - share) * Fraction(at_risk - events, at_risk - 1)
    return gap, variance


def arrays(rows):
    return np.array([float(t) for t, _ in rows]), np.array([seen for _, seen in rows])


@given(arm, arm)
def test_statistic_is_observed_minus_expected(a, b):
    test = logrank(*arrays(a), *arrays(b))
    gap, variance = observed_minus_expected(a, b)
    if variance == 0:
        assert test == LogRank(0.0, 1.0, len(a), len(b))
    else:
        assert test.statistic == pytest.approx(float(gap) / float(variance) ** 0.5, abs=1e-9)
        assert 0 <= test.p_value <= 1


def test_positive_means_that_arm_a_is_earlier():
    early, late, seen = (
        np.array([1.0, 2.0, 3.0, 4.0]),
        np.array([5.0, 6.0, 7.0, 8.0]),
        np.ones(4, bool),
    )
    forth, back = logrank(early, seen, late, seen), logrank(late, seen, early, seen)
    assert forth.statistic > 2
    assert back.statistic == pytest.approx(-forth.statistic)
    assert back.p_value == pytest.approx(forth.p_value)
    assert forth.p_value < 0.05


def test_nothing_to_compare():
    times, unseen = np.array([5.0, 5.0]), np.zeros(2, bool)
    assert logrank(times, unseen, times, unseen) == LogRank(0.0, 1.0, 2, 2)
    assert logrank(times, ~unseen, times, ~unseen) == LogRank(0.0, 1.0, 2, 2)


def test_refuses_what_is_no_time():
    with pytest.raises(ValueError, match=r"-1.0 is no time"):
        logrank(np.array([1.0]), np.array([True]), np.array([-1.0]), np.array([True]))
