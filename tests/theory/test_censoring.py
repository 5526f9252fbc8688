"""The bias of a mean of successes: identities, three forms of the formula, and simulation."""

import mpmath
import numpy as np
import pytest
import sympy as sp
import torch

from grokbook.measures.onset import truncated_mean as by_gradient
from grokbook.theory.censoring import (
    B,
    bias_formula,
    censored_mle,
    d,
    identities,
    mean_formula,
    mu,
    relative_bias,
    simulate_onsets,
    success_probability,
    tau,
    truncated_mean,
    w,
)

STEPS = {identity.name: identity for identity in identities()}
TAU, BUDGETS = 8000.0, np.geomspace(100, 80_000, 12)


@pytest.mark.parametrize(
    ("formula", "prediction"), [(mean_formula, truncated_mean), (bias_formula, relative_bias)]
)
def test_numpy_agrees_with_sympy(formula, prediction):
    exact = [float(formula().subs({tau: 8000, B: sp.Rational(b)}).evalf(40)) for b in BUDGETS]
    np.testing.assert_allclose(prediction(TAU, BUDGETS), exact, rtol=1e-13)


def test_numpy_agrees_with_sympy_after_a_dead_time():
    dead = STEPS["relative bias after a dead time = −((B − d)/τ)/(e^{(B − d)/(τ − d)} − 1)"]
    for budget in (3000, 9000, 40_000):
        exact = float(dead.right.subs({d: 2000, mu: 6000, w: budget - 2000}))
        assert relative_bias(8000, budget, 2000) == pytest.approx(exact, rel=1e-13)
        assert truncated_mean(8000, budget, 2000) == pytest.approx(8000 * (1 + exact), rel=1e-13)


def test_pytorch_agrees_with_numpy_and_sympy():
    taus, budgets = np.meshgrid([500.0, 8000.0], BUDGETS)
    measured = by_gradient(torch.as_tensor(taus), torch.as_tensor(budgets)).numpy()
    np.testing.assert_allclose(measured, truncated_mean(taus, budgets), rtol=1e-9)
    exact = mean_formula().subs({tau: 8000, B: sp.Rational(BUDGETS[5])})
    assert measured[5, 1] == pytest.approx(float(exact), rel=1e-9)


@pytest.mark.parametrize(
    "x", [1e-12, 1e-6, 2e-4, 0.0013, 0.01, 0.0999, 0.1, 0.2, 1.0, 30.0, 699.0, 701.0, 1e6]
)
def test_mean_is_accurate_for_short_and_long_budgets(x):
    with mpmath.workdps(60):
        exact = 1 - mpmath.mpf(x) / mpmath.expm1(mpmath.mpf(x))
        bias = -mpmath.mpf(x) / mpmath.expm1(mpmath.mpf(x))
    assert truncated_mean(1.0, x) == pytest.approx(float(exact), rel=5e-15, abs=0)
    assert relative_bias(1.0, x) == pytest.approx(float(bias), rel=1e-14, abs=1e-300)


def test_the_limits():
    assert truncated_mean(TAU, np.inf) == TAU
    assert relative_bias(TAU, np.inf) == pytest.approx(0, abs=1e-300)
    assert success_probability(TAU, np.inf) == 1
    assert truncated_mean(TAU, 1e-3) == pytest.approx(0.5e-3, rel=1e-6)
    assert relative_bias(TAU, 1e-3) == pytest.approx(-1, rel=1e-6)
    assert truncated_mean(TAU, 2001, 2000) == pytest.approx(2000.5, abs=1e-3)


def test_a_planted_sign_error_is_caught():
    """The prediction with + for − in the mean of the successes must miss the simulation by far."""
    times, observed = simulate_onsets(8000, 8000, 200_000, seed=0)
    planted = 8000 + 8000 / np.expm1(1.0)
    error = times[observed].std() / np.sqrt(observed.sum())
    assert abs(times[observed].mean() - truncated_mean(8000, 8000)) < 4 * error
    assert abs(times[observed].mean() - planted) > 400 * error


@pytest.mark.parametrize("budget", [3000, 8000, 30_000])
@pytest.mark.parametrize("dead_time", [0, 2000])
def test_simulation_follows_the_predictions(budget, dead_time):
    times, observed = simulate_onsets(8000, budget, 400_000, dead_time=dead_time, seed=budget)
    assert observed.mean() == pytest.approx(success_probability(8000, budget, dead_time), abs=0.004)
    successes = times[observed].mean()
    assert successes == pytest.approx(truncated_mean(8000, budget, dead_time), rel=0.01)
    assert successes / 8000 - 1 == pytest.approx(relative_bias(8000, budget, dead_time), abs=0.01)
    assert censored_mle(times, observed, dead_time) == pytest.approx(8000, rel=0.02)
    assert times.max() == budget
    assert times.min() >= dead_time


def test_estimate_has_the_largest_likelihood():
    times, observed = simulate_onsets(8000, 6000, 30, dead_time=1000, seed=1)

    def log_likelihood(mean):
        log_density = -np.log(mean - 1000) - (times - 1000) / (mean - 1000)
        log_survival = -(times - 1000) / (mean - 1000)
        return np.where(observed, log_density, log_survival).sum()

    grid = np.geomspace(2000, 50_000, 4001)
    best = grid[np.argmax([log_likelihood(mean) for mean in grid])]
    assert censored_mle(times, observed, 1000) == pytest.approx(best, rel=1e-3)


def test_estimate_without_a_success_is_infinite():
    assert censored_mle(np.array([9.0, 9.0]), np.array([False, False])) == np.inf


def test_bias_is_never_positive_for_other_laws():
    rng = np.random.default_rng(0)
    for onsets in (rng.lognormal(size=1000), rng.weibull(3, 1000), rng.pareto(1.5, 1000)):
        for budget in np.quantile(onsets, [0.1, 0.5, 0.9]):
            early, late = onsets[onsets <= budget], onsets[onsets > budget]
            gap = late.size / onsets.size * (late.mean() - early.mean())
            assert onsets.mean() - early.mean() == pytest.approx(gap)
            assert gap > 0


def test_refuses_a_dead_time_that_leaves_nothing():
    for tau_, budget, dead_time in ((8000, 2000, 2000), (2000, 9000, 2000), (8000, 9000, -1)):
        with pytest.raises(ValueError, match=f"dead time {dead_time} must be at least 0"):
            truncated_mean(tau_, budget, dead_time)
    with pytest.raises(ValueError, match=r"time 5.0 is before the dead time 10"):
        censored_mle(np.array([5.0]), np.array([True]), 10)
