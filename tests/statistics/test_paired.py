"""The paired log-rank test against enumerated sign flips, SciPy's permutations and exact scores."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from grokbook.statistics import (
    PairedLogRank,
    censor,
    logrank_scores,
    paired_logrank,
    sign_flip_p_values,
)

runs = st.lists(st.tuples(st.integers(1, 6), st.booleans()), min_size=1, max_size=9)
BUDGET = 6


def scores_by_hand(times, observed):
    """Observed minus cumulative hazard, one distinct time after the other."""
    hazard, at = Fraction(0), {}
    for step in sorted(set(times)):
        events = sum(t == step and seen for t, seen in zip(times, observed, strict=True))
        hazard += Fraction(events, sum(t >= step for t in times))
        at[step] = hazard
    return [float(seen - at[t]) for t, seen in zip(times, observed, strict=True)]


def flips_by_hand(differences):
    """The share of all sign patterns with a sum at least as far from 0."""
    reached = abs(sum(differences))
    sums = [
        abs(sum(s * x for s, x in zip(signs, differences, strict=True)))
        for signs in product([1, -1], repeat=len(differences))
    ]
    return np.mean([total >= reached - 1e-9 for total in sums])


def pairs(n, ratio, *, seed, budget=np.inf):
    rng = np.random.default_rng(seed)
    shared, own = rng.normal(size=n), rng.normal(size=(2, n))
    onsets = np.exp(0.3 * (shared + own)) * np.array([[1.0], [ratio]])
    return *censor(onsets[0], np.ones(n, bool), budget), *censor(
        onsets[1], np.ones(n, bool), budget
    )


@given(runs)
def test_scores_are_those_by_hand_and_sum_to_zero(rows):
    times, observed = np.array([r[0] for r in rows], float), np.array([r[1] for r in rows])
    scores = logrank_scores(times, observed)
    assert scores == pytest.approx(scores_by_hand(times, observed), abs=1e-12)
    assert scores.sum() == pytest.approx(0, abs=1e-9)


def test_scores_of_rows_are_scores_of_each():
    rng = np.random.default_rng(0)
    times, observed = rng.integers(1, 5, (4, 7)), rng.random((4, 7)) < 0.7
    each = [logrank_scores(t, o) for t, o in zip(times, observed, strict=True)]
    np.testing.assert_allclose(logrank_scores(times, observed), each)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=8))
def test_p_value_is_the_share_of_all_sign_flips(differences):
    (p_value,) = sign_flip_p_values(np.array([differences], float))
    assert p_value == pytest.approx(flips_by_hand(differences))
    assert p_value >= 2 / 2 ** len(differences)


def test_p_value_is_scipys():
    a, b = np.random.default_rng(1).normal(size=(2, 9)) + np.array([[0.6], [0.0]])
    reference = scipy.stats.permutation_test(
        (a, b),
        lambda a, b, axis: np.sum(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
    )
    assert sign_flip_p_values((a - b)[None])[0] == pytest.approx(reference.pvalue)


def test_sums_that_are_equal_on_paper_count():
    assert sign_flip_p_values(np.array([[0.1, 0.2, -0.3]]))[0] == 1.0
    assert sign_flip_p_values(np.array([[0.1, 0.2, 0.3, 0.3, 0.2, 0.1]]) * 3)[0] == 2 / 2**6


def test_rows_beyond_one_block_are_all_filled():
    differences = np.random.default_rng(0).normal(size=(200, 15))
    each = [sign_flip_p_values(row[None])[0] for row in differences[[0, 127, 128, 199]]]
    assert sign_flip_p_values(differences)[[0, 127, 128, 199]] == pytest.approx(each)


def test_sampled_flips_agree_with_enumerated_ones():
    rng = np.random.default_rng(0)
    differences = np.concatenate([rng.normal(0.4, 1, (6, 16)), np.zeros((6, 1))], axis=1)
    exact = sign_flip_p_values(differences[:, :16])
    sampled = sign_flip_p_values(differences, seed=0)
    np.testing.assert_allclose(sampled, exact, atol=0.02)
    assert (sampled >= 1 / 10_000).all()


def test_the_data_count_among_sampled_flips():
    assert sign_flip_p_values(np.ones((1, 40)), seed=0)[0] == 1 / 10_000


def test_many_pairs_need_a_seed():
    with pytest.raises(ValueError, match=r"17 pairs are too many to enumerate.*give a seed"):
        sign_flip_p_values(np.ones((1, 17)))


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=7))
def test_statistic_and_p_value_by_hand(rows):
    a, seen_a = censor(np.array([r[0] for r in rows]), np.ones(len(rows), bool), BUDGET)
    b, seen_b = censor(np.array([r[1] for r in rows]), np.ones(len(rows), bool), BUDGET)
    test = paired_logrank(a, seen_a, b, seen_b)
    scores = scores_by_hand([*a, *b], [*seen_a, *seen_b])
    differences = [scores[i] - scores[i + len(rows)] for i in range(len(rows))]
    assert test.statistic == pytest.approx(sum(differences), abs=1e-9)
    assert test.p_value == pytest.approx(flips_by_hand(differences))
    assert test.n == len(rows)


@pytest.mark.parametrize(("n", "least"), [(3, 0.25), (5, 0.0625), (6, 0.03125)])
def test_least_p_value(n, least):
    a, seen = np.arange(1.0, n + 1), np.ones(n, bool)
    assert paired_logrank(a, seen, 100 * a, seen).p_value == least


def test_positive_means_that_arm_a_is_earlier():
    a, seen_a, b, seen_b = pairs(8, 3.0, seed=0, budget=4.0)
    forth, back = paired_logrank(a, seen_a, b, seen_b), paired_logrank(b, seen_b, a, seen_a)
    assert forth.statistic > 0
    assert back == PairedLogRank(-forth.statistic, forth.p_value, 8)


def test_pairing_tells_apart_what_shared_seeds_hide():
    seeds = np.array([1.0, 4.0, 16.0, 64.0, 256.0, 1024.0])
    seen = np.ones(6, bool)
    paired = paired_logrank(seeds, seen, 1.5 * seeds, seen)
    unpaired = scipy.stats.logrank(seeds, 1.5 * seeds)
    assert paired.p_value == 2 / 2**6
    assert unpaired.pvalue > 0.5


def test_level_holds_under_censoring():
    p_values = [paired_logrank(*pairs(7, 1.0, seed=s, budget=1.8)).p_value for s in range(400)]
    rejected = np.mean(np.array(p_values) <= 0.05)
    # Without ties 3 of 64 patterns are at most .05; the standard error is .011.
    assert 0.01 < rejected < 0.08


def test_pairs_of_censored_runs_tie():
    times, unseen = np.full(4, 9.0), np.zeros(4, bool)
    assert paired_logrank(times, unseen, times, unseen) == PairedLogRank(0.0, 1.0, 4)


def test_refuses_two_budgets_in_a_pair():
    a, b = np.array([3.0, 5.0]), np.array([4.0, 9.0])
    seen = np.array([True, True])
    with pytest.raises(ValueError, match=r"pair 1 has two budgets, 5.0 and 9.0.*censor\(.*5.0\)"):
        paired_logrank(a, np.array([True, False]), b, seen)
    with pytest.raises(ValueError, match="pair 1 has two budgets"):
        paired_logrank(b, seen, a, np.array([True, False]))
    paired_logrank(a, seen, b, np.array([True, False]))
