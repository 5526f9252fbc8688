"""Claims of arXiv 2603.13331 {cite}`norm_separation2026` on the rate at which the norm falls."""

import numpy as np
import xarray as xr

from grokbook.claims.claim import Published, Verdict
from grokbook.claims.delays import (
    delayed,
    delays,
    exponential_fit,
    independent,
    squared_norm_at,
    squared_norm_curve,
)
from grokbook.claims.norm_separation26 import ADDITION
from grokbook.claims.norm_separation26_criteria import PAPER, measurement
from grokbook.statistics import Estimate, bootstrap

GOOD, FAIR, MOST = 0.999, 0.99, 0.95


def judge_gamma(runs: xr.Dataset) -> Verdict:
    """The smallest median rate of a cell, as a share of eta lambda."""
    cells = rates_by_cell(delayed(runs))
    if not cells:
        return Verdict("not yet run", note="No run with a delay is archived.")
    least = min(cells, key=lambda cell: cells[cell].value)
    smallest = cells[least]
    contracts = all(cell.value >= 1 for cell in cells.values())
    accelerates = all(cell.value >= 2 for cell in cells.values())
    if any(cell.high < 1 for cell in cells.values() if cell.n > 1):
        verdict = "refuted"
    elif contracts or accelerates:
        verdict = "reproduced" if contracts and accelerates else "reproduced in part"
    else:
        verdict = "not reproduced"
    below = sum(cell.value < 1 for cell in cells.values())
    slowed = sum(cell.value < 2 for cell in cells.values())
    p, rate, decay, tokens = least
    note = (
        f"{len(cells)} cells; γ is below ηλ in {below} and below 2ηλ, decay alone, in {slowed}. "
        f"The smallest is at p = {p:g}, η = {rate:g}, λ = {decay:g}, {tokens:g} tokens."
    )
    return Verdict.of(verdict, smallest, note)


def rates_by_cell(runs: xr.Dataset) -> dict[tuple[float, ...], Estimate]:
    r"""Median of $\log(V_{mem}/V(t_{grok}))/(T\eta\lambda)$ by (p, η, λ, tokens)."""
    if not runs.sizes["run"]:
        return {}
    names = ("p", "learning_rate", "weight_decay", "tokens")
    cells = np.stack([runs[name].values.astype(float) for name in names], axis=1)
    fall = np.log(squared_norm_at(runs, "t_mem") / squared_norm_at(runs, "t_grok"))
    gamma = fall / delays(runs)[0] / (cells[:, 1] * cells[:, 2])
    return {
        tuple(cell.tolist()): bootstrap(gamma[(cells == cell).all(1)], seed=0)
        for cell in np.unique(cells, axis=0)
    }


def judge_exponential_fit(runs: xr.Dataset) -> Verdict:
    """The smallest R² over all runs that grokked."""
    runs = delayed(runs)
    if not runs.sizes["run"]:
        return Verdict("not yet run", note="No run with a delay is archived.")
    found = fits(runs)[:, 1]
    if (found > GOOD).all():
        verdict = "reproduced"
    else:
        verdict = "reproduced in part" if (found > FAIR).mean() >= MOST else "not reproduced"
    note = (
        f"R² is above {GOOD:g} in {(found > GOOD).mean():.0%} of {len(found)} runs and above "
        f"{FAIR:g} in {(found > FAIR).mean():.0%}; median {np.median(found):.4f}."
    )
    return Verdict(verdict, float(found.min()), None, independent(runs), note)


def fits(runs: xr.Dataset) -> np.ndarray:
    """Rate and R² of V = A r^t + C from t_mem to the end, a row a run."""
    steps, curves = runs["step"].values, squared_norm_curve(runs)
    rows = []
    for t_mem, V in zip(runs["t_mem"].values, curves, strict=True):
        kept = np.isfinite(V) & (steps >= t_mem)
        rows.append(exponential_fit(steps[kept], V[kept]))
    return np.array(rows)


CLAIMS = (
    measurement(
        "gamma_at_least_eta_lambda",
        ADDITION,
        statement="AdamW contracts at least as fast as ηλ: its step can only accelerate.",
        published=Published("γ ≥ ηλ; measured .00141 at ηλ = .001", f"{PAPER}, remark 3.4"),
        unit="smallest median γ/(ηλ) of a cell",
        judge=judge_gamma,
    ),
    measurement(
        "exponential_fit",
        ADDITION,
        statement="After memorisation V_t = A rᵗ + C fits every run.",
        published=Published("R² > .999 in all 293 runs", PAPER),
        unit="smallest R²",
        judge=judge_exponential_fit,
    ),
)
