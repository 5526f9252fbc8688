"""Claims of Power et al. 2022, *Grokking* {cite}`power2022grokking`."""

import functools
import itertools

import numpy as np
import xarray as xr
from jaxtyping import Float

from grokbook import protocols
from grokbook.claims.arms import arm, listed, mostly_grok, onsets, or_never, values
from grokbook.claims.claim import Claim, Published, Verdict
from grokbook.claims.nanda23 import judge_memorises_first
from grokbook.statistics import median_onset

PAPER = "arXiv 2201.02177"
SLOPE = (0.40, 0.50)  # growth of the median onset for each 1 % of data removed
SLOPE_AT = (0.25, 0.30)
SAVED = 0.5  # "more than halving"
MEMORISED, LATE, HALF_LATE = 1_000.0, 1e5, 1e4  # steps


def judge_figure_1(runs: xr.Dataset) -> Verdict:
    """Reproduced if all memorise by step 1,000 and the median onset lies in 10^5 to 10^6."""
    times, observed = onsets(runs)
    median = median_onset(times, observed, seed=0)
    memorised = bool((runs["t_mem"].values <= MEMORISED).all())  # NaN, never, is no
    if not memorised or not np.isfinite(median.value) or median.value < HALF_LATE:
        verdict = "not reproduced"
    else:
        verdict = "reproduced" if median.value >= LATE else "reproduced in part"
    note = f"t_mem {', '.join(f'{t:.0f}' for t in runs['t_mem'].values)}; t_grok {listed(runs)}."
    return Verdict.of(verdict, median, note)


def judge_weight_decay_saves_data(runs: xr.Dataset) -> Verdict:
    """Compare the smallest share of the data on which half of the seeds grok, λ = 1 against 0."""
    brackets = {}
    for decay in (1.0, 0.0):
        of_decay = arm(runs, weight_decay=decay)
        if not of_decay.sizes["run"]:
            return Verdict("not yet run", note=f"No runs at weight decay {decay:g}.")
        brackets[decay] = bracket(of_decay)
    (low, high), (low_without, high_without) = brackets[1.0], brackets[0.0]
    # Each limit lies above the largest share that failed, at most at the smallest that did not.
    ratio = (low / high_without, high / low_without if low_without else np.inf)
    if ratio[1] <= SAVED:
        verdict = "reproduced"
    elif ratio[0] >= 1 or high >= high_without:
        verdict = "not reproduced"
    else:
        verdict = "reproduced in part"
    seeds = min(
        arm(runs, weight_decay=decay, train_fraction=fraction).sizes["run"]
        for decay in brackets
        for fraction in values(arm(runs, weight_decay=decay), "train_fraction")
    )
    budget = runs["budget"].values.max()
    note = (
        f"Smallest share that groks: in ({low:.0%}, {high:.0%}] with λ = 1, in "
        f"({low_without:.0%}, {high_without:.0%}] without; budget {budget:,.0f} steps. "
        "nanda23's network and addition mod 113 stand in for theirs and the product of S_5; "
        "the interval is that of the grid, not of the seeds."
    )
    return Verdict(verdict, high / high_without, ratio, seeds, note)


def bracket(runs: xr.Dataset) -> tuple[float, float]:
    """Largest share of the data that fails below the smallest one from which on half grok.

    (0, f) if every share groks, and (f, 1) if none does.
    """
    grok = [
        (fraction, mostly_grok(arm(runs, train_fraction=fraction)))
        for fraction in values(runs, "train_fraction")
    ]
    from_above = list(itertools.takewhile(lambda each: each[1], reversed(grok)))
    failing = [fraction for fraction, _ in grok[: len(grok) - len(from_above)]]
    return max(failing, default=0.0), min((f for f, _ in from_above), default=1.0)


def judge_data_fraction_slope(runs: xr.Dataset) -> Verdict:
    """Growth of the median onset for each 1 % of data removed, between 30 % and 25 %."""
    few, more = (arm(runs, train_fraction=fraction) for fraction in SLOPE_AT)
    for fraction, each in zip(SLOPE_AT, (few, more), strict=True):
        if not each.sizes["run"]:
            return Verdict("not yet run", note=f"No runs on {fraction:.0%} of the table.")
    n = min(few.sizes["run"], more.sizes["run"])
    seen = "; ".join(
        f"{fraction:.0%}: {listed(arm(runs, train_fraction=fraction))}"
        for fraction in values(runs, "train_fraction")
    )
    note = f"Onsets: {seen} steps. Division mod 97 stands in for the product of S_5."
    if not np.isfinite(np.median(or_never(more))):
        note = f"On {SLOPE_AT[1]:.0%} most seeds are censored: the budget is too short. {note}"
        return Verdict("not testable as stated", n=n, note=note)
    points = 100 * (SLOPE_AT[1] - SLOPE_AT[0])
    slope, low, high = growth(or_never(few), or_never(more), points)
    if not np.isfinite(slope):
        least, *_ = growth(onsets(few)[0], or_never(more), points)
        note = f"On {SLOPE_AT[0]:.0%} most seeds are censored: at least {least:.0%}. {note}"
        verdict = "not reproduced" if least > SLOPE[1] else "reproduced in part"
        return Verdict(verdict, slope, (low, high), n, note)
    if SLOPE[0] <= slope <= SLOPE[1]:
        verdict = "reproduced"
    else:
        verdict = "reproduced in part" if low <= SLOPE[1] and high >= SLOPE[0] else "not reproduced"
    return Verdict(verdict, slope, (low, high), n, note)


def growth(
    few: Float[np.ndarray, " few"], more: Float[np.ndarray, " more"], points: float
) -> tuple[float, float, float]:
    r"""Growth of the median for each 1 % of data, with its 95 % bootstrap interval over seeds.

    $(\tilde t_\mathrm{few} / \tilde t_\mathrm{more})^{1/m} - 1$ where the shares are m = `points`
    per cent apart, after section 3.1 of {cite:t}`power2022grokking`; an onset that was not reached
    is infinite (steps).

    >>> round(growth(np.array([3200.0]), np.array([100.0]), 5.0)[0], 3)
    1.0
    """
    rng = np.random.default_rng(0)
    drawn = [np.median(rng.choice(each, (9_999, each.size)), axis=-1) for each in (few, more)]
    low, high = np.quantile(drawn[0] / drawn[1], (0.025, 0.975), method="inverted_cdf")
    slope, low, high = (
        float(ratio ** (1 / points) - 1) for ratio in (np.median(few) / np.median(more), low, high)
    )
    return slope, low, high


DATA = "python -m grokbook run nanda23_data"
CLAIMS = (
    Claim(
        id="power22.delay",
        source="power22",
        kind="measurement",
        statement="Long after it knows half of the division table by heart, the network suddenly "
        "generalises to the other half (AdamW, weight decay 1).",
        published=Published(
            "generalisation well past the point of overfitting", f"{PAPER}, fig. 4"
        ),
        criterion="First evaluation, every 50 steps, with 99 % of training accuracy (t_mem) and of "
        "test accuracy (t_grok). Reproduced if the 95 % interval of the median of t_grok / t_mem "
        "lies above 2 and test accuracy at t_mem is below one half in every seed; not reproduced "
        "with a median ratio of 2 or less, or a seed that never memorises; in part otherwise.",
        unit="median t_grok / t_mem",
        judge=judge_memorises_first,
        experiment=protocols.power22,
        command="python -m grokbook run power22",
    ),
    Claim(
        id="power22.figure_1",
        source="power22",
        kind="measurement",
        statement="Without weight decay (Adam, half of the division table) training accuracy is "
        "complete before 1,000 steps and test accuracy only near 1,000,000.",
        published=Published("10^3 and nearly 10^6 steps", f"{PAPER}, fig. 1 left", LATE, 1e6),
        criterion="Reproduced if every seed has 99 % of training accuracy by step 1,000 and the "
        "median t_grok lies in [10^5, 10^6]; in part if it lies in [10^4, 10^5); not reproduced "
        "with a median below 10^4, or beyond the budget of 10^6, or a seed that memorises later.",
        unit="steps, median t_grok",
        judge=judge_figure_1,
        experiment=functools.partial(protocols.power22, arm="figure_1"),
        command="python -m grokbook run power22 --set arm=figure_1",
    ),
    Claim(
        id="power22.weight_decay_saves_data",
        source="power22",
        kind="measurement",
        statement="Weight decay more than halves the data that are needed to generalise.",
        published=Published("more than halving the samples needed", f"{PAPER}, section 3.3"),
        criterion="The smallest share of the data from which on at least half of the seeds grok "
        "within 15,000 steps, with λ = 1 and without decay, each known as a bracket of the grid. "
        "Reproduced if the largest ratio that the brackets allow is at most 1/2; not reproduced if "
        "the share with decay is not the smaller one; in part otherwise.",
        unit="share with decay / share without",
        judge=judge_weight_decay_saves_data,
        experiment=protocols.nanda23_data,
        command=DATA,
    ),
    Claim(
        id="power22.data_fraction_slope",
        source="power22",
        kind="measurement",
        statement="Near 25 to 30 % of the data, each 1 % that is taken away makes the median time "
        "to generalise 40 to 50 % longer.",
        published=Published("40–50 % for each 1 %", f"{PAPER}, section 3.1, on S_5", *SLOPE),
        criterion="(median t_grok at 25 % / at 30 %)^(1/5) − 1 on division mod 97 within 20,000 "
        "steps. Reproduced if it lies in [.40, .50], in part if its 95 % interval meets that, "
        "not reproduced otherwise. With most seeds censored at 25 % it is a lower bound: not "
        "reproduced above .50, in part below; with most censored at 30 %, not testable.",
        unit="growth for each 1 %",
        judge=judge_data_fraction_slope,
        experiment=protocols.power22_data,
        command="python -m grokbook run power22_data",
    ),
)
