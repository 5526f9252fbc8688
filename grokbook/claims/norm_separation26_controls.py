"""Claims of arXiv 2603.13331 {cite}`norm_separation2026` on SGD, other tasks and necessity."""

import numpy as np
import xarray as xr

from grokbook.claims.arms import arm, values
from grokbook.claims.claim import Published, Verdict
from grokbook.claims.delays import (
    delayed,
    delays,
    independent,
    memorised,
    pure_decay,
    squared_norm_at,
    squared_norm_at_end,
)
from grokbook.claims.norm_separation26 import ADDITION
from grokbook.claims.norm_separation26_criteria import PAPER, measurement
from grokbook.protocols.norm_separation26_controls import BITS, PRODUCT_MODULI
from grokbook.statistics import bootstrap

PREDICTOR_ERROR = 0.346
SHORT, MANY = 200.0, 0.5  # steps; share of the published words that are for training
CONTROL_RUNS = 10
# All runs with weight decay at work, on any task.
EVERYTHING = (
    *ADDITION,
    "norm_separation26_multiplication",
    "norm_separation26_parity",
    "norm_separation26_necessity",
    "norm_separation26_sgd",
    "norm_separation26_sgd_tuned",
)


def judge_sgd(runs: xr.Dataset) -> Verdict:
    """The largest training accuracy of any run, and whether one groks."""
    best = runs["train_accuracy"].max("step").values
    grokked = np.isfinite(runs["t_grok"].values)
    learned = np.isfinite(runs["t_mem"].values)
    if grokked.any():
        verdict = "refuted"
    else:
        verdict = "reproduced in part" if learned.any() else "reproduced"
    arms = {}
    for i in range(runs.sizes["run"]):
        one = runs.isel(run=i)
        key = tuple(float(one[k]) for k in ("learning_rate", "momentum", "weight_decay"))
        arms.setdefault(key, []).append(i)
    named = _named(runs.isel(run=grokked))
    seen = "; ".join(
        f"η = {rate:g}, μ = {momentum:g}, λ = {decay:.2g}: {_outcome(runs.isel(run=rows))}"
        for (rate, momentum, decay), rows in arms.items()
    )
    note = f"Largest training accuracy, and onsets: {seen}."
    note += f" Against it{named}." if named else ""
    return Verdict(verdict, float(best.max()), None, independent(runs), note)


def _outcome(runs: xr.Dataset) -> str:
    best = runs["train_accuracy"].max("step").values
    onset = ["–" if np.isnan(t) else f"{t:,.0f}" for t in runs["t_grok"].values]
    pairs = zip(best, onset, strict=True)
    return ", ".join(f"{share:.3f} (t_grok {when})" for share, when in pairs)


def judge_multiplication(runs: xr.Dataset) -> Verdict:
    """The law's error at each modulus."""
    grokked = delayed(runs)
    moduli = values(runs, "p")
    missing = [p for p in moduli if not arm(grokked, p=p).sizes["run"]]
    if not grokked.sizes["run"]:
        note = f"No run at p = {missing[0]:g} grokked late within its budget."
        return Verdict("not reproduced", n=independent(runs), note=note)
    measured = delays(grokked)[0]
    law = pure_decay(grokked, squared_norm_at(grokked, "t_mem"), squared_norm_at_end(grokked))
    error = abs(law / measured - 1)
    seen_at = [p for p in moduli if p not in missing]  # the others do not hold
    medians = {p: float(np.median(error[grokked["p"].values == p])) for p in seen_at}
    held = sum(median <= PREDICTOR_ERROR for median in medians.values())
    if held == len(PRODUCT_MODULI):
        verdict = "reproduced"
    else:
        verdict = "reproduced in part" if held else "not reproduced"
    ratio = bootstrap(measured / law, seed=0)
    seen = ", ".join(f"{median:.0%} at p = {p:g}" for p, median in medians.items())
    none = "".join(f" No run at p = {p:g} grokked late within its budget." for p in missing)
    note = f"Median absolute error {seen}. Delay over law: {ratio}.{none}"
    return Verdict.of(verdict, ratio, note, n=independent(grokked))


def judge_parity(runs: xr.Dataset) -> Verdict:
    """Delay and norm at the published number of words; what fewer words do is said beside."""
    many = arm(runs, train_fraction=MANY)
    sizes = values(many, "p") if many.sizes["run"] else []
    if not sizes:
        return Verdict("not yet run", note="No runs with 25,000 words.")
    held, seen = 0, []
    for size in sizes:
        of_size = arm(many, p=size)
        delay = _delay_or_never(of_size)
        grew = squared_norm_at_end(of_size) / squared_norm_at(of_size, "t_mem")
        fits = np.median(delay) <= SHORT and bool((grew > 1).all())  # NaN is no
        held += fits
        seen.append(f"n = {size:g}: delay {np.median(delay):.0f}, V grows {np.median(grew):.2f}×")
    if held == len(BITS):
        verdict = "reproduced"
    else:
        verdict = "reproduced in part" if held else "not reproduced"
    few = runs.isel(run=runs["train_fraction"].values != MANY)
    late = delayed(few)
    note = "; ".join(seen) + "."
    if few.sizes["run"]:
        note += (
            f" From 1,000 words {int(np.isfinite(few['t_mem'].values).sum())} of "
            f"{few.sizes['run']} memorise and {late.sizes['run']} grok later."
        )
    delay = _delay_or_never(many)
    if not np.isfinite(delay).all():
        return Verdict(verdict, None, None, independent(many), note)
    middle = bootstrap(delay, seed=0)
    return Verdict.of(verdict, middle, note, n=independent(many))


def _delay_or_never(runs: xr.Dataset) -> np.ndarray:
    """t_grok - t_mem of each run, infinite where one of them was not reached."""
    delay = runs["t_grok"].values - runs["t_mem"].values
    return np.where(np.isnan(delay), np.inf, delay)


def judge_necessity(runs: xr.Dataset) -> Verdict:
    """Count the runs that generalise late at a norm that has not fallen, and name them."""
    against, late = counter_examples(runs), _late(runs)
    clamped = late["interventions"].values == "norm_clamp"
    held = arm(_decaying(runs), interventions="norm_clamp").sizes["run"]
    majority = held > 0 and 2 * int(clamped.sum()) > held
    verdict = "refuted" if against.sizes["run"] or majority else "reproduced"
    if verdict == "reproduced" and late.sizes["run"] < CONTROL_RUNS:
        note = f"{late.sizes['run']} runs have a delay: at least {CONTROL_RUNS} are needed."
        return Verdict("not yet run", note=note)
    note = (
        f"{against.sizes['run']} of {int((~clamped).sum())} runs grok late and end at no smaller a "
        f"norm than they memorised at{_named(against)}. With the norm held from t_mem on "
        f"{int(clamped.sum())} of {held} grok{_named(late.isel(run=clamped))}."
    )
    found = against.sizes["run"] + (int(clamped.sum()) if majority else 0)
    return Verdict(verdict, float(found), None, independent(late), note)


def counter_examples(runs: xr.Dataset) -> xr.Dataset:
    """The runs that grok late, their V at t_grok and at the end no smaller than that at t_mem.

    Weight decay is at work in them, and no norm is held.
    """
    late = _late(runs)
    V_mem = squared_norm_at(late, "t_mem")
    higher = (squared_norm_at(late, "t_grok") >= V_mem) & (squared_norm_at_end(late) >= V_mem)
    return late.isel(run=higher & (late["interventions"].values != "norm_clamp"))


def _late(runs: xr.Dataset) -> xr.Dataset:
    decaying = _decaying(runs)
    return delayed(decaying.isel(run=~(decaying["t_mem"].values <= 0)))


def _decaying(runs: xr.Dataset) -> xr.Dataset:
    """Without decay the theorem says nothing; those runs are shown beside it."""
    return runs.isel(run=np.isnan(runs["decay_until"].values.astype(float)))


def _named(runs: xr.Dataset) -> str:
    shown = [
        f"{name} (η = {float(rate):g}, λ = {float(decay):g}, seed {seed})"
        for name, rate, decay, seed in zip(
            *(runs[k].values for k in ("name", "learning_rate", "weight_decay", "init_seed")),
            strict=True,
        )
    ]
    return ": " + ", ".join(shown[:3]) + (" and others" if len(shown) > 3 else "") if shown else ""


def without_decay(runs: xr.Dataset) -> xr.Dataset:
    """The runs whose weight decay ended after memorisation."""
    late = memorised(runs)
    return late.isel(run=np.isfinite(late["decay_until"].values.astype(float)))


CLAIMS = (
    measurement(
        "sgd_fails",
        ["norm_separation26_sgd", "norm_separation26_sgd_tuned"],
        statement="SGD does not memorise this task, and so does not grok.",
        published=Published("0 of 5 in 50,000 steps at η = 1e-3", f"{PAPER}, table 7"),
        unit="largest training accuracy",
        judge=judge_sgd,
    ),
    measurement(
        "necessity",
        EVERYTHING,
        statement="With weight decay, late generalisation needs ‖θ_mem‖² > ‖θ_post‖².",
        published=Published("theorem 3.8", PAPER),
        unit="counter-examples",
        judge=judge_necessity,
    ),
    measurement(
        "multiplication",
        ["norm_separation26_multiplication"],
        statement="The law holds for multiplication as for addition.",
        published=Published("20 runs, p from 53 to 97", f"{PAPER}, section 4.8"),
        unit="delay over law",
        judge=judge_multiplication,
    ),
    measurement(
        "parity",
        ["norm_separation26_parity"],
        statement="Sparse parity has no norm separation, and no delay.",
        published=Published("delays 0, 0, −120; V grows 1.6 to 2.0×", f"{PAPER}, table 9"),
        unit="median delay (steps)",
        judge=judge_parity,
    ),
)
