"""What several claims ask of a sweep: its arms, and the onsets of each."""

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float, Real

from grokbook.statistics import right_censored

Onsets = tuple[Float[np.ndarray, " run"], Bool[np.ndarray, " run"]]


def arm(runs: xr.Dataset, **values: float | int | str) -> xr.Dataset:
    """The runs of a sweep with these hyper-parameters; there may be none."""
    chosen = np.full(runs.sizes["run"], True)
    for name, value in values.items():
        chosen &= runs[name].values == value
    return runs.isel(run=chosen)


def values(runs: xr.Dataset, name: str) -> list[float]:
    """The values of a hyper-parameter that a sweep has, in order."""
    return sorted({float(value) for value in runs[name].values})


def onsets(runs: xr.Dataset) -> Onsets:
    """Times and whether they were seen; a censored run stands at its budget."""
    return right_censored(runs["t_grok"].values, runs["budget"].values)


def or_never(runs: xr.Dataset) -> Float[np.ndarray, " run"]:
    """Onsets, infinite where they were not reached: all runs of a sweep have one budget."""
    times, seen = onsets(runs)
    return np.where(seen, times, np.inf)


def curve_at(
    steps: Real[np.ndarray, " step"],
    curve: Float[np.ndarray, " step"],
    moments: float | Float[np.ndarray, " n"],
) -> float | Float[np.ndarray, " n"]:
    """Values of a curve at given steps, the last stored point up to there."""
    stored = np.isfinite(curve)
    return curve[stored][np.searchsorted(steps[stored], moments, side="right") - 1]


def listed(runs: xr.Dataset) -> str:
    """The onsets in words, such as "5710, >15000"."""
    return ", ".join(
        f"{time:.0f}" if seen else f">{time:.0f}" for time, seen in zip(*onsets(runs), strict=True)
    )


def median_is_seen(runs: xr.Dataset) -> bool:
    """Whether more than half of the runs reach their onset, so that its median is no budget."""
    return bool(2 * onsets(runs)[1].sum() > runs.sizes["run"])


def median_in_words(runs: xr.Dataset, per: int = 1) -> str:
    """The median onset in units of `per` steps, such as "5,720"; ">5,000" where it is a budget."""
    bound = "" if median_is_seen(runs) else ">"
    return f"{bound}{np.median(onsets(runs)[0]) / per:,.0f}"


def mostly_grok(runs: xr.Dataset) -> bool:
    """Whether at least half of the runs reached their onset within the budget."""
    return bool(2 * onsets(runs)[1].sum() >= runs.sizes["run"])
