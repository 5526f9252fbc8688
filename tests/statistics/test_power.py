"""Power against the test itself, one experiment at a time, and against what must hold."""

import numpy as np
import pytest
import scipy.stats

from grokbook.statistics import (
    expected_range,
    log_sd_from_range,
    paired_logrank,
    power_of_paired_logrank,
)
from grokbook.statistics.power import _lognormal_pairs


@pytest.mark.parametrize("n", [2, 5, 20])
def test_expected_range_is_that_of_simulated_draws(n):
    draws = np.random.default_rng(n).standard_normal((200_000, n))
    assert expected_range(n) == pytest.approx(np.ptp(draws, axis=1).mean(), rel=0.005)


def test_expected_range_of_two_and_three_is_known():
    assert expected_range(2) == pytest.approx(2 / np.sqrt(np.pi), abs=1e-9)
    assert expected_range(3) == pytest.approx(3 / np.sqrt(np.pi), abs=1e-9)


def test_log_sd_gives_back_the_range():
    log_sd = log_sd_from_range(5000, 10_000, 5)
    onsets = np.random.default_rng(0).lognormal(sigma=log_sd, size=(100_000, 5))
    log_range = np.log(onsets.max(axis=1) / onsets.min(axis=1)).mean()
    assert log_range == pytest.approx(np.log(2), rel=0.01)


def test_simulated_onsets_have_the_moments_asked_for():
    rng = np.random.default_rng(0)
    logs = np.log(_lognormal_pairs(rng, 20_000, 10, 1.5, 0.3, 0.6)).reshape(2, -1)
    np.testing.assert_allclose(logs.mean(axis=1), [0, np.log(1.5)], atol=0.005)
    np.testing.assert_allclose(np.cov(logs), 0.3**2 * np.array([[1, 0.6], [0.6, 1]]), rtol=0.03)


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_power_is_that_of_a_loop_over_experiments(correlation):
    n, budget, rng = 7, 1.2, np.random.default_rng(5)
    covariance = 0.3**2 * np.array([[1, correlation], [correlation, 1]])
    rejected = []
    for _ in range(500):
        a, b = np.exp(rng.multivariate_normal([0, np.log(1.5)], covariance, n)).T
        arms = (np.minimum(a, budget), a <= budget, np.minimum(b, budget), b <= budget)
        rejected.append(paired_logrank(*arms).p_value <= 0.05)
    power = power_of_paired_logrank(7, 1.5, 0.3, correlation, budget, seed=0)
    assert power == pytest.approx(np.mean(rejected), abs=0.08)


@pytest.mark.parametrize("n", [3, 5])
def test_five_seeds_never_reach_five_percent(n):
    assert power_of_paired_logrank(n, 1e6, 0.3, 0.9, 1e9, seed=0) == 0.0
    assert power_of_paired_logrank(n, 1e6, 0.3, 0.9, 1e9, level=0.25, seed=0) == 1.0


@pytest.mark.parametrize("budget", [np.inf, 1.0])
@pytest.mark.parametrize("n", [6, 10, 20])
def test_level_at_ratio_one(n, budget):
    rate = power_of_paired_logrank(n, 1, 0.3, 0.5, budget, seed=3)
    attainable = np.floor(0.05 * 2 ** (n - 1)) / 2 ** (n - 1)
    error = np.sqrt(attainable * (1 - attainable) / 2000)
    assert rate <= attainable + 3 * error
    if budget == np.inf:
        assert rate >= attainable - 3 * error


def test_power_grows_with_seeds_ratio_correlation_and_budget():
    def power(n=8, ratio=1.5, correlation=0.3, budget=1.5):
        return power_of_paired_logrank(n, ratio, 0.3, correlation, budget, seed=0, repetitions=1000)

    for grid in (
        [power(n=n) for n in (5, 6, 8, 12, 20)],
        [power(ratio=ratio) for ratio in (1, 1.25, 1.5, 2)],
        [power(correlation=correlation) for correlation in (0, 0.4, 0.8)],
        [power(budget=budget) for budget in (0.7, 1, 3)],
    ):
        assert np.all(np.diff(grid) > 0.02), grid


def test_slower_and_faster_arms_are_found_alike():
    slower, faster = (power_of_paired_logrank(8, r, 0.3, 0.5, 1e9, seed=0) for r in (1.4, 1 / 1.4))
    assert slower == pytest.approx(faster, abs=0.05)


def test_power_is_near_that_of_the_paired_t_test():
    n, log_sd, log_ratio = 10, 0.3, np.log(1.5)
    shift = log_ratio / (log_sd * np.sqrt(2)) * np.sqrt(n)
    quantile = scipy.stats.t.isf(0.025, n - 1)
    t_test = scipy.stats.nct.sf(quantile, n - 1, shift)
    power = power_of_paired_logrank(n, 1.5, log_sd, 0.0, np.inf, seed=0)
    assert t_test - 0.2 < power < t_test + 0.03


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_seeds": 0}, "n_seeds = 0"),
        ({"ratio": 0}, "ratio = 0"),
        ({"correlation": 1}, "correlation = 1"),
        ({"correlation": -0.1}, "correlation = -0.1"),
    ],
)
def test_refuses_what_describes_no_experiment(change, message):
    design = {"n_seeds": 6, "ratio": 2, "log_sd": 0.3, "correlation": 0, "budget": 2} | change
    with pytest.raises(ValueError, match=message):
        power_of_paired_logrank(**design, seed=0)


def test_refuses_what_has_no_range():
    with pytest.raises(ValueError, match="n = 1 draws have no range"):
        log_sd_from_range(1, 2, 1)
    with pytest.raises(ValueError, match="the range 2 to 1"):
        log_sd_from_range(2, 1, 5)
