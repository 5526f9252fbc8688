"""Claims of Nanda et al. 2023, *Progress measures for grokking* {cite}`nanda2023progress`."""

import numpy as np
import xarray as xr
from jaxtyping import Float

from grokbook import protocols
from grokbook.claims.arms import curve_at
from grokbook.claims.claim import Claim, Published, Verdict
from grokbook.statistics import bootstrap, median_onset, right_censored

RANGE = (5_000.0, 10_000.0)  # steps
LONG = 2.0  # "long before" begins at twice the steps
COMMAND = "python -m grokbook run nanda23"
PAPER = "arXiv 2301.05217"


def judge_onset_range(runs: xr.Dataset) -> Verdict:
    """Reproduced if every onset lies in the range, in part if their median does."""
    times, observed = right_censored(runs["t_grok"].values, runs["budget"].values)
    median = median_onset(times, observed, seed=0)
    inside = observed & (times >= RANGE[0]) & (times <= RANGE[1])
    if inside.all():
        verdict = "reproduced"
    elif RANGE[0] <= median.value <= RANGE[1]:
        verdict = "reproduced in part"
    else:
        verdict = "not reproduced"
    seen = ", ".join(f"{t:.0f}" if o else f">{t:.0f}" for t, o in zip(times, observed, strict=True))
    note = f"{inside.sum()} of {len(times)} seeds inside; onsets {seen} steps."
    return Verdict.of(verdict, median, note, n=len(times))


def judge_memorises_first(runs: xr.Dataset) -> Verdict:
    """Reproduced if the delay ratio's interval lies above 2 and no seed generalised by t_mem."""
    times, observed = right_censored(runs["t_grok"].values, runs["budget"].values)
    memorised = runs["t_mem"].values
    if np.isnan(memorised).any():
        missed = int(np.isnan(memorised).sum())
        note = f"{missed} of {len(memorised)} seeds never reached 99 % on the training set."
        return Verdict("not reproduced", n=len(memorised), note=note)
    # A censored onset counts at its budget, which can only make the ratio smaller.
    ratio = bootstrap(times / memorised, seed=0)
    at_memory = test_accuracy_at(runs, memorised)
    if ratio.value <= LONG:
        verdict = "not reproduced"
    elif ratio.low > LONG and (at_memory < 0.5).all():
        verdict = "reproduced"
    else:
        verdict = "reproduced in part"
    note = (
        f"t_mem {memorised.min():.0f} to {memorised.max():.0f} steps; test accuracy there at most "
        f"{at_memory.max():.2f}; {int((~observed).sum())} onsets censored."
    )
    return Verdict.of(verdict, ratio, note)


def test_accuracy_at(
    runs: xr.Dataset, steps: Float[np.ndarray, " run"]
) -> Float[np.ndarray, " run"]:
    """Test accuracy of each run at its own step, the last stored point up to there."""
    curves = zip(runs["test_accuracy"].values, steps, strict=True)
    return np.array([curve_at(runs["step"].values, curve, step) for curve, step in curves])


CLAIMS = (
    Claim(
        id="nanda23.onset_range",
        source="nanda23",
        kind="measurement",
        statement="With 30 % of the pairs mod 113 and weight decay 1, networks grok between 5,000 "
        "and 10,000 epochs (one epoch is one step).",
        published=Published("5k to 10k epochs", f"{PAPER}, weight decay 1", *RANGE),
        criterion="t_grok: test accuracy of 99 % at three evaluations in a row, every 10 steps "
        "(the paper gives no rule). Reproduced if every seed's t_grok lies in [5000, 10000]; in "
        "part if the median does; not reproduced with a median below 5000 or above 10000, a "
        "censored seed counting as later than its budget.",
        unit="steps, median t_grok",
        judge=judge_onset_range,
        experiment=protocols.nanda23,
        command=COMMAND,
    ),
    Claim(
        id="nanda23.memorises_first",
        source="nanda23",
        kind="measurement",
        statement="The network first memorises the training set and generalises long after.",
        published=Published(
            "memorisation by 1.4k epochs, generalisation between 9.4k and 14k",
            f"{PAPER}, the phases of the main run",
        ),
        criterion="Training accuracy of 99 % at three evaluations in a row (t_mem) long before the "
        "same on the test set. Reproduced if the 95 % interval of the median of t_grok / t_mem "
        "lies above 2 and test accuracy at t_mem is below one half in every seed; not reproduced "
        "with a median ratio of 2 or less, or a seed that never memorises; in part otherwise.",
        unit="median t_grok / t_mem",
        judge=judge_memorises_first,
        experiment=protocols.nanda23,
        command=COMMAND,
    ),
)
