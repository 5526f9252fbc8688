"""Power laws against those that made the data, least squares, and a censored likelihood."""

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

from grokbook.statistics import power_law

FEW = 19  # resamples, where only the fit is looked at


def drawn(exponent=-1.0, factor=50.0, scatter=0.3, n=10, seed=0, at=(0.1, 0.3, 1.0, 3.0)):
    """Values of x, n each, and the times of a law."""
    x = np.repeat(at, n)
    noise = scatter * np.random.default_rng(seed).normal(size=len(x))
    return x, factor * x**exponent * np.exp(noise)


def censored(times, budget):
    """Times up to a budget, and whether they were seen."""
    return np.minimum(times, budget), times <= budget


def seen(times):
    return np.full(len(times), True)


@pytest.mark.parametrize("exponent", [-1.0, -0.6, 0.4])
def test_the_law_is_recovered(exponent):
    x, times = drawn(exponent, n=400)
    law = power_law(x, times, seen(times), seed=0, resamples=FEW)
    assert law.exponent.value == pytest.approx(exponent, abs=0.02)
    assert law.factor == pytest.approx(50, rel=0.03)
    assert law.scatter == pytest.approx(0.3, rel=0.05)
    assert law.exponent.n == len(x)


def test_without_censoring_it_is_least_squares():
    x, times = drawn()
    law = power_law(x, times, seen(times), seed=0)
    slope, level = np.polyfit(np.log(x), np.log(times), 1)
    assert law.exponent.value == pytest.approx(slope)
    assert law.factor == pytest.approx(np.exp(level))
    rest = np.log(times) - slope * np.log(x) - level
    assert law.scatter == pytest.approx(np.sqrt((rest**2).mean()))


def test_whole_numbers_are_values_too():
    x, times = drawn(at=(1.0, 3.0, 10.0))
    whole = power_law(x.astype(int), times, seen(times), seed=0, resamples=FEW)
    assert whole == power_law(x, times, seen(times), seed=0, resamples=FEW)


def likeliest(x, times, observed):
    """Level, slope and log scatter by direct search."""

    def minus_log_likelihood(parameters):
        level, slope, log_scatter = parameters
        z = (np.log(times) - level - slope * np.log(x)) / np.exp(log_scatter)
        density = scipy.stats.norm.logpdf(z) - log_scatter
        return -np.where(observed, density, scipy.stats.norm.logsf(z)).sum()

    start = [np.log(times).mean(), 0.0, 0.0]
    found = scipy.optimize.minimize(
        minus_log_likelihood, start, method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 5_000, "maxfev": 5_000},
    )  # fmt: skip
    assert found.success
    return found.x


@pytest.mark.parametrize("budget", [400.0, 120.0, 60.0])
def test_with_censoring_it_is_the_likeliest_law(budget):
    x, times = drawn()
    times, observed = censored(times, budget)
    assert not observed.all()
    law = power_law(x, times, observed, seed=0, resamples=FEW)
    level, slope, log_scatter = likeliest(x, times, observed)
    assert law.exponent.value == pytest.approx(slope, abs=1e-5)
    assert law.factor == pytest.approx(np.exp(level), rel=1e-5)
    assert law.scatter == pytest.approx(np.exp(log_scatter), rel=1e-5)


def test_budgets_may_differ_between_runs():
    x, times = drawn()
    budgets = np.tile([90.0, 300.0], len(x) // 2)
    times, observed = censored(times, budgets)
    law = power_law(x, times, observed, seed=0, resamples=FEW)
    assert law.exponent.value == pytest.approx(likeliest(x, times, observed)[1], abs=1e-5)


def test_censored_times_bias_less_than_times_taken_as_seen():
    proper, naive = [], []
    for seed in range(10):
        x, times = drawn(seed=seed)
        times, observed = censored(times, 150.0)
        proper.append(power_law(x, times, observed, seed=0, resamples=FEW).exponent.value)
        naive.append(power_law(x, times, seen(times), seed=0, resamples=FEW).exponent.value)
    assert np.mean(proper) == pytest.approx(-1, abs=0.05)
    assert np.mean(naive) > -0.8


def test_a_value_at_which_nothing_was_seen_still_counts():
    x, times = drawn(at=(0.1, 0.3, 1.0))
    times, observed = censored(times, 250.0)
    observed &= x > 0.1
    kept = x > 0.1
    law = power_law(x, times, observed, seed=0, resamples=FEW)
    assert law.exponent.value == pytest.approx(likeliest(x, times, observed)[1], abs=1e-5)
    without = power_law(x[kept], times[kept], observed[kept], seed=0, resamples=FEW)
    assert law.exponent.value != pytest.approx(without.exponent.value, abs=1e-3)


def test_the_seed_decides():
    x, times = drawn()
    times, observed = censored(times, 200.0)
    once, again, other = (power_law(x, times, observed, seed=s, resamples=199) for s in (1, 1, 2))
    assert once == again
    assert once.exponent.value == pytest.approx(other.exponent.value)
    assert once.exponent.low != pytest.approx(other.exponent.low, rel=1e-6)


def test_confidence_narrows_the_interval():
    x, times = drawn()
    laws = (power_law(x, times, seen(times), seed=0, confidence=c) for c in (0.95, 0.5))
    wide, narrow = (law.exponent for law in laws)
    assert wide.low < narrow.low < wide.value < narrow.high < wide.high


def test_runs_are_resampled_within_their_value_of_x():
    x, times = np.array([1.0, 1.0, 10.0]), np.array([100.0, 200.0, 10.0])
    law = power_law(x, times, seen(times), seed=0).exponent
    # The last run is in every draw; of the others it is the one, the other or both.
    assert (law.low, law.high) == pytest.approx((np.log10(10 / 200), np.log10(10 / 100)))
    bent = power_law(np.array([1.0, 10.0, 100.0]), times, seen(times), seed=0).exponent
    assert bent.low == bent.high == pytest.approx(bent.value)  # one run each: one draw


def test_the_interval_covers_the_exponent():
    covered = []
    for seed in range(100):
        x, times = drawn(n=8, seed=seed)
        law = power_law(x, times, seen(times), seed=0, resamples=299)
        covered.append(law.exponent.low <= -1 <= law.exponent.high)
    assert 0.85 <= np.mean(covered) <= 0.99


def test_the_law_gives_its_median_time():
    x, times = drawn(n=200)
    law = power_law(x, times, seen(times), seed=0, resamples=FEW)
    assert law.at(0.3) == pytest.approx(law.factor * 0.3**law.exponent.value)
    assert law.at(np.array([1, 3])) == pytest.approx(
        [np.median(times[x == each]) for each in (1, 3)], rel=0.06
    )
    assert law.at(1) == pytest.approx(law.factor)


@pytest.mark.parametrize(
    ("x", "times", "observed", "message"),
    [
        ([0.0, 1.0, 2.0], [5.0, 5.0, 5.0], [True] * 3, "positive numbers"),
        ([-1.0, 1.0, 2.0], [5.0, 5.0, 5.0], [True] * 3, "positive numbers"),
        ([1.0, 2.0, 3.0], [5.0, 0.0, 5.0], [True] * 3, "positive numbers"),
        ([1.0, 2.0, 3.0], [5.0, -5.0, 5.0], [True] * 3, "positive numbers"),
        ([1.0, 1.0, 1.0], [5.0, 6.0, 7.0], [True] * 3, "two values or more"),
        ([1.0, 2.0, 3.0], [5.0, 6.0, 7.0], [True, False, False], "two values or more"),
    ],
)
def test_refuses_what_no_power_law_goes_through(x, times, observed, message):
    with pytest.raises(ValueError, match=message):
        power_law(np.array(x), np.array(times), np.array(observed), seed=0)
