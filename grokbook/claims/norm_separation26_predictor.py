"""The predictor of arXiv 2603.13331 {cite}`norm_separation2026`, the corrected law, a constant."""

import dataclasses
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float

from grokbook.claims.claim import Published, Verdict
from grokbook.claims.delays import (
    delayed,
    delays,
    leave_one_out,
    pure_decay,
    rate,
    squared_norm_at,
    squared_norm_at_end,
)
from grokbook.claims.norm_separation26_criteria import ERROR, PAPER, measurement
from grokbook.statistics import Estimate, bootstrap

FEWEST = 5  # runs that read the same tokens
Numbers = Float[np.ndarray, " run"]


class Predictions(NamedTuple):
    """Delays in steps: as measured, and as each rule says when the network memorises."""

    measured: Numbers
    published: Numbers
    nominal: Numbers
    corrected: Numbers
    constant: Numbers


def predictions(runs: xr.Dataset) -> Predictions:
    """Every rule on every run whose delay was seen; what a rule needs of others leaves it out.

    Published: rate of log V over 100 steps after t_mem, V at the end of the others. Nominal: the
    same with 2ηλ. Corrected: the rate over 100 steps before t_mem, V at t_grok of the others.
    """
    runs = delayed(runs)
    tokens, V_mem = runs["tokens"].values.astype(float), squared_norm_at(runs, "t_mem")
    measured = delays(runs)[0]
    V_end = leave_one_out(squared_norm_at_end(runs), tokens, np.median)
    V_grok = leave_one_out(squared_norm_at(runs, "t_grok"), tokens, np.median)
    return Predictions(
        measured,
        np.log(V_mem / V_end) / rate(runs, "after"),
        pure_decay(runs, V_mem, V_end),
        np.log(V_mem / V_grok) / rate(runs, "before"),
        # Of the runs that read alike, as V_post is: one that knew less would be easier to beat.
        leave_one_out(measured, tokens, np.mean),
    )


def judge_predictor(runs: xr.Dataset) -> Verdict:
    """The published rule's mean absolute error, against a constant's."""
    found, refused = _enough(runs)
    if found is None:
        return refused
    error, against = _error(found, "published"), _difference(found, "published", "constant")
    if error.value > ERROR[1]:
        verdict = "not reproduced"
    else:
        verdict = "reproduced" if against.high < 0 else "reproduced in part"
    signed = (found.published / found.measured - 1).mean()
    note = (
        f"Mean absolute error {error.value:.1%}, signed {signed:+.1%}; with 2ηλ in the place of "
        f"the measured rate {_error(found, 'nominal').value:.1%}; a constant "
        f"{_error(found, 'constant').value:.1%}. Difference to the constant {_percent(against)}."
    )
    return Verdict.of(verdict, error, note)


def judge_corrected(runs: xr.Dataset) -> Verdict:
    """The corrected law's error, against the published rule's and a constant's."""
    found, refused = _enough(runs)
    if found is None:
        return refused
    error = _error(found, "corrected")
    rule, constant = (_difference(found, "corrected", of) for of in ("published", "constant"))
    if rule.high >= 0:
        verdict = "not reproduced"
    else:
        verdict = "reproduced" if constant.high < 0 else "reproduced in part"
    note = (
        f"Mean absolute error {error.value:.1%}; difference to the published rule "
        f"{_percent(rule)}, to a constant {_percent(constant)}."
    )
    return Verdict.of(verdict, error, note)


def absolute_errors(found: Predictions, rule: str) -> Numbers:
    """|T̂/T − 1| of each run."""
    return abs(getattr(found, rule) / found.measured - 1)


def _enough(runs: xr.Dataset) -> tuple[Predictions | None, Verdict]:
    tokens = delayed(runs)["tokens"].values
    few = [kind for kind in np.unique(tokens) if (tokens == kind).sum() < FEWEST]
    if few or not tokens.size:
        note = f"Fewer than {FEWEST} runs with a delay that read the same tokens."
        return None, Verdict("not yet run", note=note)
    return predictions(runs), Verdict("not yet run")


def _error(found: Predictions, rule: str) -> Estimate:
    return bootstrap(absolute_errors(found, rule), np.mean, seed=0)


def _difference(found: Predictions, rule: str, other: str) -> Estimate:
    gap = absolute_errors(found, rule) - absolute_errors(found, other)
    return bootstrap(gap, np.mean, seed=0)


def _percent(estimate: Estimate) -> str:
    return f"{estimate.value:+.1%} ({estimate.low:+.1%} to {estimate.high:+.1%})"


EXPERIMENT = ("norm_separation26_predictor",)
PUBLISHED = measurement(
    "predictor",
    EXPERIMENT,
    statement="Measured as a network memorises, the law predicts its delay.",
    published=Published(
        "mean absolute error 34.6 % (30.0 to 39.4), 60 seeds",
        f"{PAPER}, algorithm 1",
        low=ERROR[0],
        high=ERROR[1],
    ),
    unit="mean absolute error",
    judge=judge_predictor,
)
OURS = measurement(
    "corrected_delay_law",
    EXPERIMENT,
    statement="With the dropped term put back as κ, both frozen at memorisation, the law "
    "predicts better than the published rule, and than a constant.",
    published=Published("ours", "chapter 03"),
    unit="mean absolute error",
    judge=judge_corrected,
)
CLAIMS = (
    PUBLISHED,
    dataclasses.replace(OURS, id="grokbook.corrected_delay_law", source="grokbook"),
)
