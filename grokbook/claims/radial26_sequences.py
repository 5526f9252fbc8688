"""Claims of arXiv 2606.32000 {cite}`radial2026` on transformers, digits and text."""

import dataclasses

import numpy as np
import xarray as xr
from jaxtyping import Float

from grokbook.claims.arms import arm, median_in_words, onsets
from grokbook.claims.claim import Published, Verdict
from grokbook.claims.radial26_arms import measurement, paired, speed_up
from grokbook.claims.radial26_criteria import PAPER
from grokbook.protocols.radial26 import STEPS_AN_EPOCH
from grokbook.statistics import bootstrap

TRANSFORMER, NANOGPT = 1.54, 2.3  # published ratios
TRANSFORMER_LATER, NANOGPT_LATER = 8_000 * STEPS_AN_EPOCH, 22_500  # steps, published without it
MARGIN = 0.02


def judge_transformer(runs: xr.Dataset) -> Verdict:
    """Onset without the penalty over that with it."""
    return _speed_up(runs, TRANSFORMER, TRANSFORMER_LATER, epoch=STEPS_AN_EPOCH)


def judge_nanogpt(runs: xr.Dataset) -> Verdict:
    """The same on sums of three digits, with the largest network that was run."""
    largest = arm(runs, d_model=int(runs["d_model"].values.max()))
    verdict = _speed_up(largest, NANOGPT, NANOGPT_LATER)
    if not (pairs := _arms(largest)[0].sizes["run"]):
        return verdict
    layers, width = (int(largest[name].values[0]) for name in ("layers", "d_model"))
    millions = 12 * layers * width**2 / 1e6  # of the blocks' matrices, nearly all there are
    size = (
        f"{millions:.1f} million weights, where 10 are published; {pairs} "
        f"pair{'s' if pairs > 1 else ''} of runs."
    )
    return dataclasses.replace(verdict, note=f"{size} {verdict.note}")


def _speed_up(runs: xr.Dataset, published: float, later: int, epoch: int = 0) -> Verdict:
    with_penalty, without = _arms(runs)
    if not with_penalty.sizes["run"]:
        return Verdict("not yet run", note="The same seeds with and without penalty are needed.")
    if not any(onsets(each)[1].any() for each in (with_penalty, without)):
        budget = float(min(each["budget"].min() for each in (with_penalty, without)))
        epochs = f" (epoch {budget / epoch:,.0f})" if epoch else ""
        said = f"No run of either arm reaches its onset in {budget:,.0f} steps{epochs}"
        if budget < later:
            return Verdict("not yet run", note=f"{said}: a longer budget is needed.")
        return Verdict(
            "not reproduced", note=f"{said}, where the later one published is {later:,}."
        )
    ratio, bound, said = speed_up(without, with_penalty)
    faster = ratio.low > 1 if ratio.n > 1 else ratio.value > 1
    reaches = ratio.high >= published
    verdict = "not reproduced"
    if faster:
        verdict = "reproduced" if reaches and ratio.n > 1 else "reproduced in part"
    slow, fast = (
        f"{median_in_words(each)} steps"
        + (f" (epoch {median_in_words(each, epoch)})" if epoch else "")
        for each in (without, with_penalty)
    )
    model, layers, width = (without[name].values[0] for name in ("model", "layers", "d_model"))
    note = (
        f"{model} of {layers:g} layers, {width:g} wide: {slow} without and {fast} with the "
        f"penalty. {said}"
    )
    return Verdict.of(verdict, ratio, note.strip(), bound=bound)


def judge_text(runs: xr.Dataset) -> Verdict:
    """Validation loss with the penalty less without it, where the one without is at its best."""
    with_penalty, without = _arms(runs)
    if not with_penalty.sizes["run"]:
        return Verdict("not yet run", note="The same seeds with and without penalty are needed.")
    ours, theirs = (
        each["test_loss"].transpose("run", "step").values for each in (with_penalty, without)
    )
    best = np.nanargmin(theirs, axis=1)
    rows = np.arange(len(best))
    change = ours[rows, best] / theirs[rows, best] - 1
    own = np.median(np.nanmin(ours, axis=1) / theirs[rows, best] - 1)
    last = np.median(_last(ours) / _last(theirs) - 1)
    estimate = bootstrap(change, seed=0)
    if estimate.high < -MARGIN:
        verdict = "refuted"
    elif estimate.inside(-MARGIN, MARGIN):
        verdict = "reproduced"
    else:
        verdict = "not reproduced"
    note = (
        f"Least loss without the penalty {np.median(theirs[rows, best]):.3f} nats at step "
        f"{np.median(without['step'].values[best]):,.0f}, there {np.median(ours[rows, best]):.3f} "
        f"with it. Each at its own least loss, the change is {own:+.2%}; at the last step "
        f"{last:+.2%}."
    )
    return Verdict.of(verdict, estimate, note)


def _last(curves: Float[np.ndarray, "run step"]) -> Float[np.ndarray, " run"]:
    return np.array([row[np.isfinite(row)][-1] for row in curves])


def _arms(runs: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    strengths = runs["radial_penalty_strength"].values
    return paired(runs.isel(run=strengths > 0), arm(runs, radial_penalty_strength=0.0))


CLAIMS = (
    measurement(
        "speedup_transformer",
        ["radial26_transformer"],
        statement="The penalty makes a transformer of two layers generalise 1.5 times sooner.",
        published=Published("8,000 to 5,200 epochs", f"{PAPER}, table 3", TRANSFORMER, TRANSFORMER),
        unit="onset without / with the penalty",
        judge=judge_transformer,
    ),
    measurement(
        "nanogpt",
        ["radial26_digits", "radial26_nanogpt"],
        statement="The penalty makes nanoGPT learn 3-digit addition 2.3 times sooner.",
        published=Published("22,500 to 9,800 steps", f"{PAPER}, table 3", NANOGPT, NANOGPT),
        unit="onset without / with the penalty",
        judge=judge_nanogpt,
    ),
    measurement(
        "no_gain_on_text",
        ["radial26_text"],
        statement="Where there is no rule to find late, the penalty gains nothing.",
        published=Published("validation loss 1.585 to 1.608", f"{PAPER}, table 10", 0.0145, 0.0145),
        unit="relative change of the validation loss",
        judge=judge_text,
    ),
)
