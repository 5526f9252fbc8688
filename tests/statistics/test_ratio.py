"""The ratio of onsets against a scan with the paired test itself, and against known ratios."""

import numpy as np
import pytest

from grokbook.statistics import censor, onset_ratio, paired_logrank

BUDGET = 2.0


def pairs(n, ratio, *, seed, budget=1e6, correlation=0.5):
    """Log-normal onsets of arm a, and of arm b slower by 1/ratio, in one budget."""
    rng = np.random.default_rng(seed)
    shared, own = rng.normal(size=n), rng.normal(size=(2, n))
    logs = 0.3 * (np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)
    onsets = np.exp(logs) / np.array([[1.0], [ratio]])
    seen = np.ones(n, bool)
    return *censor(onsets[0], seen, budget), *censor(onsets[1], seen, budget)


def slowed(a, seen_a, b, seen_b, ratio, budget):
    """The paired test after slowing arm b down, both arms up to the smaller budget."""
    end = min(budget, ratio * budget)
    return paired_logrank(*censor(a, seen_a, end), *censor(ratio * b, seen_b, end))


@pytest.mark.parametrize("seed", range(6))
def test_interval_holds_what_the_test_does_not_reject(seed):
    arms = pairs(7, 0.6, seed=seed, budget=BUDGET)
    estimate = onset_ratio(*arms, budget=BUDGET)
    ratios = np.geomspace(0.05, 20, 300)
    kept = [ratio for ratio in ratios if slowed(*arms, ratio, BUDGET).p_value > 0.05]
    step = ratios[1] / ratios[0]
    low, high = max(estimate.low, ratios[0]), min(estimate.high, ratios[-1])
    assert low <= kept[0] <= low * step
    assert high / step <= kept[-1] <= high


@pytest.mark.parametrize("seed", range(6))
def test_statistic_changes_sign_at_the_estimate(seed):
    arms = pairs(9, 0.6, seed=seed, budget=BUDGET)
    value = onset_ratio(*arms, budget=BUDGET).value
    below, above = (slowed(*arms, value * f, BUDGET).statistic for f in (0.8, 1.25))
    assert below < 0 < above


def test_swapped_arms_have_the_inverse_ratio():
    a, seen_a, b, seen_b = pairs(8, 0.5, seed=3, budget=1.5)
    forth = onset_ratio(a, seen_a, b, seen_b, budget=1.5)
    back = onset_ratio(b, seen_b, a, seen_a, budget=1.5)
    inverse = (1 / forth.value, 1 / forth.high, np.inf if forth.low == 0 else 1 / forth.low)
    assert (back.value, back.low, back.high) == pytest.approx(inverse)


def test_slowing_an_arm_down_moves_the_whole_estimate():
    a, seen, b, _ = pairs(8, 0.5, seed=4)
    once = onset_ratio(a, seen, b, seen, budget=1e9)
    tripled = onset_ratio(3 * a, seen, b, seen, budget=1e9)
    tripled = np.array([tripled.value, tripled.low, tripled.high])
    np.testing.assert_allclose(tripled, 3 * np.array([once.value, once.low, once.high]))


def test_a_constant_ratio_is_found_exactly_in_whole_steps():
    b = np.array([700, 900, 1100, 1300, 2300, 3100])
    seen = np.ones(6, bool)
    estimate = onset_ratio(3 * b, seen, 7 * b, seen, budget=30_000)
    assert (estimate.low, estimate.high) == (3 / 7, 3 / 7)
    assert estimate.value == pytest.approx(3 / 7)


def test_heavy_censoring_does_not_bias_the_estimate():
    logs = []
    for seed in range(80):
        arms = pairs(10, 1 / 1.5, seed=seed, budget=1.6, correlation=0.0)
        logs.append(np.log(onset_ratio(*arms, budget=1.6).value))
    # 40 % of arm b are censored; a normal likelihood of log ratios gives −.48 here.
    assert np.median(logs) == pytest.approx(np.log(1 / 1.5), abs=0.05)


@pytest.mark.parametrize("budget", [1e6, 1.5])
def test_coverage(budget):
    covered = []
    for seed in range(150):
        estimate = onset_ratio(*pairs(7, 0.7, seed=seed, budget=budget), budget=budget)
        covered.append(estimate.low <= 0.7 <= estimate.high)
    # Exact: at least 61 of 64 patterns, with a standard error of .018.
    assert np.mean(covered) > 0.9


def test_five_pairs_have_no_interval_at_95_percent():
    arms = pairs(5, 0.01, seed=0)
    estimate = onset_ratio(*arms, budget=1e6)
    assert (estimate.low, estimate.high) == (0.0, np.inf)
    assert estimate.value == pytest.approx(0.01, rel=0.7)
    assert onset_ratio(*arms, budget=1e6, confidence=0.9).high < 0.05


def test_an_arm_never_observed_bounds_the_ratio_on_one_side():
    a, seen_a, _, _ = pairs(7, 1.0, seed=0, budget=2.0)
    b, unseen = np.full(7, 2.0), np.zeros(7, bool)
    estimate = onset_ratio(a, seen_a, b, unseen, budget=2.0)
    assert (estimate.value, estimate.low) == (0.0, 0.0)
    assert a[seen_a].min() / 2 < estimate.high < 1
    inverse = onset_ratio(b, unseen, a, seen_a, budget=2.0)
    assert (inverse.value, inverse.high) == (np.inf, np.inf)
    nothing = onset_ratio(b, unseen, b, unseen, budget=2.0)
    assert np.isnan(nothing.value)
    assert (nothing.low, nothing.high) == (0.0, np.inf)


def test_equal_arms_are_equivalent():
    a, seen, _, _ = pairs(10, 1.0, seed=0)
    assert onset_ratio(a, seen, a, seen, budget=1e6, confidence=0.9).inside(1 / 1.1, 1.1)


def test_more_than_sixteen_pairs_take_a_seed():
    arms = pairs(18, 0.5, seed=0)
    estimate = onset_ratio(*arms, budget=1e6, seed=0)
    assert estimate.low < estimate.value < estimate.high
    assert estimate.value == pytest.approx(0.5, rel=0.3)


def test_refuses_other_budgets():
    times, seen = np.array([3.0, 5.0]), np.array([True, False])
    with pytest.raises(ValueError, match=r"run 1 is censored at 5.0 with a budget of 6"):
        onset_ratio(times, seen, times, seen, budget=6)
    with pytest.raises(ValueError, match=r"run 0 is observed at 3.0 with a budget of 2"):
        onset_ratio(times[:1], seen[:1], times[:1], seen[:1], budget=2)
