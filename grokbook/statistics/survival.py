"""Survival of right-censored onsets: the Kaplan–Meier curve and its median."""

from dataclasses import dataclass

import numpy as np
import scipy.stats
from jaxtyping import Bool, Float, Int, Real

from grokbook.statistics.estimate import Estimate

Times = Real[np.ndarray, "n"]
Observed = Bool[np.ndarray, "n"]


@dataclass(frozen=True)
class Survival:
    """The Kaplan–Meier curve: `survival[i]` holds from `times[i]` to just before the next time.

    `times` begins with 0 and then lists each time at which an onset was observed or a run
    censored. `at_risk` counts the runs that were neither just before it, `events` the onsets at
    it, `low` and `high` bound the band. `median` is a time, with its interval and the number of
    runs.
    """

    times: Float[np.ndarray, "k"]
    survival: Float[np.ndarray, "k"]
    low: Float[np.ndarray, "k"]
    high: Float[np.ndarray, "k"]
    at_risk: Int[np.ndarray, "k"]
    events: Int[np.ndarray, "k"]
    median: Estimate


def right_censored(
    onsets: Real[np.ndarray, "n"], budget: Real[np.ndarray, "n"]
) -> tuple[Float[np.ndarray, "n"], Bool[np.ndarray, "n"]]:
    """Return `times` and `observed` from onsets (NaN if not reached) and the steps trained.

    Raises `ValueError` for an onset later than its budget.

    >>> right_censored(np.array([6000.0, np.nan]), np.array([9000.0, 9000.0]))
    (array([6000., 9000.]), array([ True, False]))
    """
    observed = ~np.isnan(onsets)
    if (late := observed & (onsets > budget)).any():
        raise ValueError(f"onset {onsets[late][0]} is later than its budget {budget[late][0]}")
    return np.where(observed, onsets, budget).astype(float), observed


def censor(
    times: Times, observed: Observed, budget: float | int
) -> tuple[Float[np.ndarray, "n"], Bool[np.ndarray, "n"]]:
    """Return what a smaller budget would have seen of the same runs.

    >>> censor(np.array([600.0, 900.0]), np.array([True, True]), 700)
    (array([600., 700.]), array([ True, False]))
    """
    checked(times, observed)
    return np.minimum(times, budget).astype(float), observed & (times <= budget)


def checked(times: Times, observed: Observed) -> None:
    """Refuse no runs at all, and a time that is not a positive number of steps."""
    if times.size == 0:
        raise ValueError("there are no runs: survival needs at least one")
    if (bad := ~(np.isfinite(times) & (times > 0))).any():
        raise ValueError(
            f"{times[bad][0]} is no time: a run needs a finite positive step, its onset if "
            "observed and its budget if censored"
        )


def kaplan_meier(times: Times, observed: Observed, *, confidence: float = 0.95) -> Survival:
    r"""Return the share of runs whose onset is still to come, as a function of the step.

    $\hat S(t) = \prod_{t_i \le t} (1 - d_i / r_i)$ with $d_i$ onsets among $r_i$ runs at risk
    (Kaplan and Meier 1958). The pointwise band is log–log with Greenwood's variance,
    $\hat S^{\exp(\pm z s)}$, $s = \sqrt{\sum d_i / (r_i (r_i - d_i))} \,/\, |\log \hat S|$. It is
    undefined at $\hat S = 1$ and $\hat S = 0$; there stands an exact binomial bound, from
    $(\alpha/2)^{1/r}$ to 1 while all of the $r$ runs at risk are left, and from 0 to
    $1 - (\alpha/2)^{1/m}$, or to the band just before if that is lower, once the last $m$ runs,
    none of them censored, have had their onsets.

    The median is that of the onsets with $\infty$ for those beyond every budget: the middle of the
    interval on which $\hat S = 1/2$, if there is one. Its interval holds the times at which the
    band contains 1/2 (Brookmeyer and Crowley 1982): all of them for fewer than six runs.

    >>> curve = kaplan_meier(np.array([6.0, 6.0, 7.0, 10.0]), np.array([True, False, True, True]))
    >>> curve.times, curve.survival
    (array([ 0., 6., 7., 10.]), array([1. , 0.75 , 0.375, 0. ]))
    >>> curve.at_risk, curve.events, curve.median.value
    (array([4, 4, 2, 1]), array([0, 1, 1, 1]), 7.0)
    """
    checked(times, observed)
    curve = scipy.stats.ecdf(scipy.stats.CensoredData.right_censored(times, ~observed)).sf
    steps = np.concatenate([[0.0], curve.quantiles])
    survival = np.concatenate([[1.0], curve.probabilities])
    at_risk = times.size - np.searchsorted(np.sort(times), steps)
    events = np.array([np.sum(times[observed] == step) for step in steps])
    last = int(np.sum(times > times[~observed].max(initial=0)))
    low, high = _band(survival, at_risk, events, last, confidence)
    median = Estimate(
        _median(*_in_order(times, observed)),
        _first_at_half(steps, low),
        _first_at_half(steps, high),
        times.size,
    )
    return Survival(steps, survival, low, high, at_risk, events, median)


def median_onset(
    times: Times,
    observed: Observed,
    *,
    seed: int,
    confidence: float = 0.95,
    resamples: int = 9999,
) -> Estimate:
    """Return the Kaplan–Meier median with its percentile bootstrap interval over seeds.

    A seed is drawn together with its censoring. An infinite median or end means "beyond the
    budgets". See `bootstrap` for what an interval from few or from equal seeds means; one seed has
    the interval from 0 to infinity.

    >>> times, observed = np.array([5.0, 6.0, 8.0, 9.0]), np.array([True, True, True, False])
    >>> print(median_onset(times, observed, seed=0))
    7 (5 to inf, n = 4)
    """
    checked(times, observed)
    n = times.size
    times, observed = _in_order(times, observed)
    value = _median(times, observed)
    if n == 1:
        return Estimate(value, 0.0, np.inf, 1)
    # Sorted indices into sorted runs are runs in order, so no resample has to be sorted again.
    drawn = np.sort(np.random.default_rng(seed).integers(n, size=(resamples, n)), axis=-1)
    medians = np.sort(_medians(times[drawn], observed[drawn]))
    # Order statistics: interpolating between infinite medians would give NaN.
    tail = (1 - confidence) / 2
    low, high = np.ceil(np.array([tail, 1 - tail]) * resamples).astype(int) - 1
    return Estimate(value, float(medians[low]), float(medians[high]), n)


def _band(
    survival: Float[np.ndarray, "k"],
    at_risk: Int[np.ndarray, "k"],
    events: Int[np.ndarray, "k"],
    last: int,
    confidence: float,
) -> tuple[Float[np.ndarray, "k"], Float[np.ndarray, "k"]]:
    """Return the ends of the log–log band, exact binomial where the curve is 1 or 0."""
    tail = (1 - confidence) / 2
    low = np.where(survival == 1, tail ** (1 / at_risk), 0.0)
    high = np.where(survival == 1, 1.0, 1 - tail ** (1 / max(last, 1)))
    inner = (survival > 0) & (survival < 1)
    left = np.where(inner, at_risk - events, 1)
    greenwood = np.cumsum(events / (at_risk * left))
    log_survival = np.log(survival[inner])
    width = scipy.stats.norm.isf(tail) * np.sqrt(greenwood[inner]) / np.abs(log_survival)
    low[inner] = np.exp(log_survival * np.exp(width))
    high[inner] = np.exp(log_survival * np.exp(-width))
    # The curve never rises, so a bound at one time is a bound at every later one.
    return low, np.minimum.accumulate(high)


def _first_at_half(steps: Float[np.ndarray, "k"], bound: Float[np.ndarray, "k"]) -> float:
    """Return the first time at which a bound is 1/2 or less, infinity if there is none."""
    reached = np.flatnonzero(bound <= 0.5)
    return float(steps[reached[0]]) if reached.size else np.inf


def _in_order(
    times: Times, observed: Observed
) -> tuple[Float[np.ndarray, "n"], Bool[np.ndarray, "n"]]:
    """Sort runs by time; at one time onsets come first, since a censored run was still at risk."""
    order = np.lexsort((~observed, times))
    return times[order].astype(float), observed[order]


def _median(times: Float[np.ndarray, "n"], observed: Bool[np.ndarray, "n"]) -> float:
    """Return the Kaplan–Meier median of runs in order."""
    return float(_medians(times[None], observed[None])[0])


def _medians(
    times: Float[np.ndarray, "rows n"], observed: Bool[np.ndarray, "rows n"]
) -> Float[np.ndarray, "rows"]:
    """Return the Kaplan–Meier median of each row of runs in order."""
    rows, n = times.shape
    survival = np.cumprod(1 - observed / np.arange(n, 0, -1), axis=-1)
    times = np.concatenate([times, np.full((rows, 1), np.inf)], axis=-1)
    # Counting the steps above 1/2 finds the first one that is not; products of fractions round.
    first = np.sum(survival > 0.5 + 1e-9, axis=-1)
    last = np.sum(survival >= 0.5 - 1e-9, axis=-1)
    row = np.arange(rows)
    return (times[row, first] + times[row, last]) / 2
