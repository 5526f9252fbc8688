"""What claims ask of runs that were followed by frames: one number a seed, and its judgement."""

from collections.abc import Callable

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from grokbook.claims.claim import Verdict
from grokbook.statistics import bootstrap

Numbers = Float[np.ndarray, " run"]


def grokked(runs: xr.Dataset) -> xr.Dataset:
    """The runs that reached their onset; a circuit is asked of those alone."""
    return runs.isel(run=np.isfinite(runs["t_grok"].values))


def last_frame(runs: xr.Dataset, name: str) -> Numbers:
    """A quantity of each run at its last frame, which is its end."""
    rows = runs[name].values
    last = [np.flatnonzero(np.isfinite(row))[-1] for row in rows]
    return rows[np.arange(len(rows)), last].astype(float)


def frame_of(runs: xr.Dataset, held: Bool[np.ndarray, "run frame"]) -> Numbers:
    """The step of each run's first frame at which something holds, infinite if none."""
    steps = runs["frame"].values.astype(float)
    return np.where(held.any(axis=1), steps[held.argmax(axis=1)], np.inf)


def judged(
    runs: xr.Dataset,
    numbers: Callable[[xr.Dataset], Numbers],
    holds: Callable[[Numbers], Bool[np.ndarray, " run"]],
    words: str,
) -> Verdict:
    """Reproduced if a number holds in every seed that grokked, in part if in their median.

    `words` says what the number is, in the note. Without a seed that grokked there is nothing to
    judge.
    """
    found = grokked(runs)
    if not found.sizes["run"]:
        return Verdict("not yet run", note="No archived seed has grokked within its budget.")
    values = numbers(found)
    if not np.isfinite(values).all():
        note = f"{words} is not a number in {int((~np.isfinite(values)).sum())} seeds."
        return Verdict("not reproduced", n=len(values), note=note)
    estimate = bootstrap(values, seed=0)
    if holds(values).all():
        verdict = "reproduced"
    elif holds(np.array([estimate.value])).all():
        verdict = "reproduced in part"
    else:
        verdict = "not reproduced"
    seen = ", ".join(f"{value:.3g}" for value in values)
    left = runs.sizes["run"] - found.sizes["run"]
    note = f"{words} by seed: {seen}." + (f" {left} seeds had not grokked." if left else "")
    return Verdict.of(verdict, estimate, note)
