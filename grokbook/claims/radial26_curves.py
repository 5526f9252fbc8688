"""What was watched along runs of the radial penalty: at a step, late, and up to the onset."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from grokbook.measures.slingshots import FACTOR, RECENT

LATE = 0.75  # of a run's steps: the last quarter holds more than one period of slingshots


def at_step(runs: xr.Dataset, name: str, site: str, step: float | int) -> Float[np.ndarray, " run"]:
    """What was watched at a site at the last evaluation up to a step."""
    steps = runs["step"].values
    rows = runs[name].sel(site=site).transpose("run", "step").values
    found = []
    for row in rows:
        seen = np.flatnonzero(np.isfinite(row) & (steps <= step))
        found.append(row[seen[-1]] if seen.size else np.nan)
    return np.array(found)


def late(
    runs: xr.Dataset, name: str, site: str, of: Callable[[np.ndarray], float] = np.median
) -> Float[np.ndarray, " run"]:
    """The median of what was watched at a site in the last quarter of each run's steps.

    A single look may fall within a slingshot, in which nothing rests. `of` is what is taken of a
    run's looks in place of their median, such as `np.max`.
    """
    steps = runs["step"].values
    rows = runs[name].sel(site=site).transpose("run", "step").values
    found = []
    for row in rows:
        seen = np.flatnonzero(np.isfinite(row))
        last = seen[steps[seen] >= LATE * steps[seen[-1]]] if seen.size else seen
        found.append(of(row[last]) if last.size else np.nan)
    return np.array(found)


def before_onset(runs: xr.Dataset, name: str, site: str) -> Float[np.ndarray, " run"]:
    """Mean of what was watched from step 0 to the onset, or to the end where there is none.

    Curves are stored the thinner the later: each point counts for the steps that it stands for.
    """
    steps = runs["step"].values.astype(float)
    rows = runs[name].sel(site=site).transpose("run", "step").values
    means = []
    for row, t_grok in zip(rows, runs["t_grok"].values, strict=True):
        seen = np.isfinite(row) & (steps <= (np.inf if np.isnan(t_grok) else t_grok))
        x, y = steps[seen], row[seen]
        means.append(np.trapezoid(y, x) / (x[-1] - x[0]) if len(x) > 1 else y.mean())
    return np.array(means)


def correlations(runs: xr.Dataset, site: str) -> Float[np.ndarray, " run"]:
    """Pearson's r along each run, of the mean radial product at a site and the calibration gap."""
    product = runs["radial_product"].sel(site=site).transpose("run", "step").values
    gap = runs["calibration_gap"].transpose("run", "step").values
    found = []
    for x, y in zip(product, gap, strict=True):
        seen = np.isfinite(x) & np.isfinite(y)
        found.append(np.corrcoef(x[seen], y[seen])[0, 1])
    return np.array(found)


def ends_in_slingshot(runs: xr.Dataset) -> Bool[np.ndarray, " run"]:
    """Whether a run's last loss is ten times the median of the ten looks before it, or more."""
    found = []
    for row in runs["train_loss"].transpose("run", "step").values:
        loss = row[np.isfinite(row)]
        found.append(len(loss) > RECENT and loss[-1] >= FACTOR * np.median(loss[-1 - RECENT : -1]))
    return np.array(found, bool)


def steps_an_epoch(runs: xr.Dataset) -> int:
    """1 on the full batch, else how many batches the training set makes."""
    size = str(runs["batch_size"].values[0])
    pairs = int(runs["p"].values[0]) ** 2
    train = int(float(runs["train_fraction"].values[0]) * pairs)
    return 1 if size == "full" else -(-train // int(size))
