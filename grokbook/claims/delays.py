"""What the claims on the delay law ask of runs: delays, squared norms, rates, each one a run."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float
from scipy.optimize import minimize_scalar

from grokbook.theory.contraction import delay as delay_of_decay

Numbers = Float[np.ndarray, " run"]


def memorised(runs: xr.Dataset) -> xr.Dataset:
    """The runs that memorised before they grokked, grokked or not: those that have a delay."""
    late = ~(runs["t_grok"].values <= runs["t_mem"].values)
    return runs.isel(run=np.isfinite(runs["t_mem"].values) & late)


def delayed(runs: xr.Dataset) -> xr.Dataset:
    """The runs whose delay was seen."""
    return runs.isel(run=runs["t_grok"].values > runs["t_mem"].values)


def independent(runs: xr.Dataset) -> int:
    """How many seeds there are: runs of one seed in several cells share split and start."""
    return len(set(runs["init_seed"].values.tolist()))


def delays(runs: xr.Dataset) -> tuple[Numbers, Bool[np.ndarray, " run"]]:
    """t_grok − t_mem in steps and whether it was seen; a censored one stands at the budget."""
    seen = np.isfinite(runs["t_grok"].values)
    end = np.where(seen, runs["t_grok"].values, runs["budget"].values)
    return end - runs["t_mem"].values, seen


def squared_norm_at(runs: xr.Dataset, onset: str) -> Numbers:
    """V over all parameters at `t_mem` or `t_grok`."""
    at = runs["squared_norm_at_onset"].sel(onset=onset)
    return at.sum("parameter", min_count=1).values


def squared_norm_curve(runs: xr.Dataset) -> Float[np.ndarray, "run step"]:
    """V over all parameters at every stored step, NaN beyond a run's end."""
    return (
        runs["squared_norm"]
        .transpose("run", "step", "parameter")
        .sum("parameter", min_count=1)
        .values
    )


def squared_norm_at_end(runs: xr.Dataset) -> Numbers:
    """V at the last step, 2,000 after the last onset where there was one."""
    curve = squared_norm_curve(runs)
    last = [np.flatnonzero(np.isfinite(row))[-1] for row in curve]
    return curve[np.arange(len(curve)), last]


def rate(runs: xr.Dataset, side: str) -> Numbers:
    """Rate at which log V falls over the 100 steps before or after t_mem, a step."""
    return runs["rate_at_onset"].sel(onset="t_mem", side=side).values


def pure_decay(runs: xr.Dataset, V_mem: Numbers, V_post: Numbers) -> Numbers:
    """The law's time with the rate of weight decay alone, in steps."""
    return delay_of_decay(V_mem, V_post, runs["learning_rate"].values, runs["weight_decay"].values)


def leave_one_out(values: Numbers, groups: Numbers, reduce: Callable[[Numbers], float]) -> Numbers:
    """For each run a statistic of the other runs of its group. NaN for one that is alone."""
    found = np.full(len(values), np.nan)
    for i, group in enumerate(groups):
        others = (groups == group) & (np.arange(len(values)) != i)
        if others.any():
            found[i] = reduce(values[others])
    return found


def exponential_fit(
    steps: Float[np.ndarray, " n"], V: Float[np.ndarray, " n"]
) -> tuple[float, float]:
    r"""Rate $-\log r$ and $R^2$ of the best $V_t = A r^t + C$ with $A, C \ge 0$.

    >>> t = np.arange(0.0, 3_000, 100)
    >>> rate, r2 = exponential_fit(t, 3_000 * np.exp(-0.0014 * t) + 200)
    >>> round(rate, 6), round(r2, 6)
    (0.0014, 1.0)
    """
    t = steps - steps[0]

    def residual(log_rate: float) -> float:
        wave = np.exp(-np.exp(log_rate) * t)
        design = np.stack([wave, np.ones_like(t)], axis=1)
        found, *_ = np.linalg.lstsq(design, V, rcond=None)
        if found[1] < 0:
            found = np.array([wave @ V / (wave @ wave), 0.0])
        elif found[0] < 0:
            found = np.array([0.0, V.mean()])
        return float(((V - design @ found) ** 2).sum())

    span = t[-1]
    ends = np.log(1e-2 / span), np.log(1e2 / span)
    grid = np.linspace(*ends, 60)
    near = int(np.argmin([residual(each) for each in grid]))
    inside = grid[max(near - 1, 0)], grid[min(near + 1, len(grid) - 1)]
    best = minimize_scalar(residual, bounds=inside, method="bounded", options={"xatol": 1e-9})
    return float(np.exp(best.x)), float(1 - best.fun / ((V - V.mean()) ** 2).sum())
