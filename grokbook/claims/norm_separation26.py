"""Claims of arXiv 2603.13331 {cite}`norm_separation2026` on how the delay scales."""

import numpy as np
import xarray as xr

from grokbook.claims.arms import arm, values
from grokbook.claims.claim import Published, Verdict, by_parts
from grokbook.claims.delays import (
    delayed,
    delays,
    independent,
    memorised,
    pure_decay,
    squared_norm_at,
    squared_norm_at_end,
)
from grokbook.claims.norm_separation26_criteria import NEAR_MINUS_ONE, PAPER, measurement
from grokbook.protocols.norm_separation26_sweeps import MODULI
from grokbook.statistics import Estimate, bootstrap, power_law

# Every cell of AdamW on addition with the paper's network and start.
ADDITION = (
    "norm_separation26",
    "norm_separation26_weight_decay",
    "norm_separation26_small_decay",
    "norm_separation26_large_decay",
    "norm_separation26_learning_rate",
    "norm_separation26_small_rate",
    "norm_separation26_joint",
    "norm_separation26_modulus",
    "norm_separation26_predictor",
)
PUBLISHED_DECAYS = (0.1, 0.3, 0.5, 1.0)
OUTSIDE, FACTOR = 0.03, 1.5
ACROSS, WITHIN = 0.8, 0.5  # Pearson's r


def judge_inverse_weight_decay(runs: xr.Dataset) -> Verdict:
    """The exponent over the published range, and what slope -1 says outside it."""
    runs = memorised(runs)
    absent = sorted(set(PUBLISHED_DECAYS) - set(values(runs, "weight_decay")))
    if absent:
        return Verdict("not yet run", note=f"No runs at weight decay {absent[0]:g}.")
    inner = runs.isel(run=np.isin(runs["weight_decay"].values, PUBLISHED_DECAYS))
    times, seen = delays(inner)
    law = power_law(inner["weight_decay"].values, times, seen, seed=0)
    straight = float(np.exp(np.log(times * inner["weight_decay"].values).mean()))
    outer = arm(runs, weight_decay=OUTSIDE)
    note = f"Exponent of the delay over {min(PUBLISHED_DECAYS):g} to 1."
    holds = _inside(law.exponent)
    predicted = None
    if outer.sizes["run"]:
        outer_times, outer_seen = delays(outer)
        middle = np.median(np.where(outer_seen, outer_times, np.inf))
        ratio = middle / (straight / OUTSIDE)
        predicted = bool(1 / FACTOR <= ratio <= FACTOR)
        note += (
            f" At {OUTSIDE:g}: median delay {middle:,.0f} steps, slope -1 says "
            f"{straight / OUTSIDE:,.0f}."
        )
    else:
        note += f" At {OUTSIDE:g} nothing is archived."
    if _misses(law.exponent) or not (holds or predicted is not False):
        verdict = "not reproduced"
    else:
        verdict = "reproduced" if holds and predicted else "reproduced in part"
    return _of(verdict, law.exponent, note, runs)


def judge_inverse_learning_rate(runs: xr.Dataset) -> Verdict:
    """The exponent over all archived learning rates."""
    runs = memorised(runs)
    rates = values(runs, "learning_rate")
    times, seen = delays(runs)
    if len({float(rate) for rate in runs["learning_rate"].values[seen]}) < 3:
        return Verdict("not yet run", note="Delays at three learning rates or more are needed.")
    law = power_law(runs["learning_rate"].values, times, seen, seed=0)
    medians = "; ".join(
        f"η = {rate:g}: {np.median(times[runs['learning_rate'].values == rate]):,.0f}"
        for rate in rates
    )
    if _inside(law.exponent):
        verdict = "reproduced"
    else:
        verdict = "not reproduced" if _misses(law.exponent) else "reproduced in part"
    censored = f" {int((~seen).sum())} delays are censored." if not seen.all() else ""
    note = f"Median delays: {medians} steps.{censored}"
    return _of(verdict, law.exponent, note, runs)


def judge_log_norm_ratio(runs: xr.Dataset) -> Verdict:
    """Pearson's r across all runs, and within a modulus."""
    runs = delayed(runs)
    if len(values(runs, "p")) < 3 or runs.sizes["run"] < 6:
        return Verdict("not yet run", note="Three moduli with two runs each are needed.")
    measured = delays(runs)[0]
    law = pure_decay(runs, squared_norm_at(runs, "t_mem"), squared_norm_at_end(runs))
    p = runs["p"].values
    across = _correlation(law, measured)
    within = _correlation(_centred(law, p), _centred(measured, p))
    complete = set(values(runs, "p")) >= set(MODULI)
    first = across.value >= ACROSS
    second = within.value >= WITHIN and within.low > 0
    verdict = by_parts(first + (first and second and complete))
    slope = np.polyfit(law, measured, 1)[0]
    at_onset = pure_decay(runs, squared_norm_at(runs, "t_mem"), squared_norm_at(runs, "t_grok"))
    note = (
        f"Across moduli r = {across.value:.2f}, slope {slope:.2f}; within a modulus "
        f"r = {within.value:.2f} ({within.low:.2f} to {within.high:.2f}). With V at t_grok in the "
        f"place of V at the end r = {_correlation(at_onset, measured).value:.2f}."
    )
    return _of(verdict, across, note, runs)


def _inside(exponent: Estimate) -> bool:
    return exponent.inside(*NEAR_MINUS_ONE)


def _misses(exponent: Estimate) -> bool:
    low, high = NEAR_MINUS_ONE
    return exponent.high < low or exponent.low > high


def _of(verdict: str, estimate: Estimate, note: str, runs: xr.Dataset) -> Verdict:
    ends = estimate.low, estimate.high
    return Verdict(verdict, estimate.value, ends, independent(runs), note)


def _correlation(x: np.ndarray, y: np.ndarray) -> Estimate:
    rows = np.arange(len(x))
    with np.errstate(invalid="ignore"):
        return bootstrap(
            rows, lambda chosen: float(np.corrcoef(x[chosen], y[chosen])[0, 1]),
            seed=0, resamples=1999,
        )  # fmt: skip


def _centred(x: np.ndarray, groups: np.ndarray) -> np.ndarray:
    return x - np.array([x[groups == group].mean() for group in groups])


CLAIMS = (
    measurement(
        "inverse_weight_decay",
        ["norm_separation26_weight_decay"],
        statement="The delay is proportional to 1/λ.",
        published=Published("R² = .97 of T_grok against 1/λ, λ from .1 to 1", PAPER),
        unit="exponent of the delay in λ",
        judge=judge_inverse_weight_decay,
    ),
    measurement(
        "inverse_learning_rate",
        ["norm_separation26_learning_rate", "norm_separation26_small_rate"],
        statement="The delay is proportional to 1/η.",
        published=Published("R² = .92 of T_grok against 1/η, η from 1e-4 to 2e-3", PAPER),
        unit="exponent of the delay in η",
        judge=judge_inverse_learning_rate,
    ),
    measurement(
        "log_norm_ratio",
        ["norm_separation26_modulus"],
        statement="The delay is proportional to log(‖θ_mem‖²/‖θ_post‖²).",
        published=Published("r = .91, slope 1.08, over seven moduli", f"{PAPER}, table 4"),
        unit="Pearson's r of delay and law",
        judge=judge_log_norm_ratio,
    ),
)
