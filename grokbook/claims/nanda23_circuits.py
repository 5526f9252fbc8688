"""Claims of Nanda et al. 2023 {cite}`nanda2023progress` on the circuit that a network learns."""

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from grokbook import protocols
from grokbook.claims.by_seed import Numbers, frame_of, grokked, judged, last_frame
from grokbook.claims.claim import Claim, Published, Verdict
from grokbook.statistics import bootstrap

PAPER = "arXiv 2301.05217"
FEW = (3, 7)  # frequencies; the paper's main network has 5
NEURONS = (0.75, 0.95)  # share; 84.6 % in the paper
VARIANCE = 0.9  # share; 95 % in the paper
HALF, RISE, CLEANED = 0.5, 2.0, 0.25
COMMAND = "python -m grokbook run nanda23_circuits"
END = "at a run's end, 3,000 steps after its last onset"


def judge_key_frequencies(runs: xr.Dataset) -> Verdict:
    """Reproduced if every seed has 3 to 7 key frequencies."""

    def count(found: xr.Dataset) -> Numbers:
        return found["key"].values.sum(axis=1).astype(float)

    return judged(
        runs, count, lambda n: (n >= FEW[0]) & (n <= FEW[1]), "The number of key frequencies"
    )


def judge_single_frequency_neurons(runs: xr.Dataset) -> Verdict:
    """Reproduced if in every seed 75 to 95 % of the neurons are above .85."""

    def share(found: xr.Dataset) -> Numbers:
        return found["single_frequency_neurons"].values.astype(float)

    return judged(
        runs, share, lambda x: (x >= NEURONS[0]) & (x <= NEURONS[1]), "The share of neurons"
    )


def judge_logit_variance(runs: xr.Dataset) -> Verdict:
    """Reproduced if the cosines explain at least 90 % of the logits' variance in every seed."""

    def share(found: xr.Dataset) -> Numbers:
        return last_frame(found, "variance_explained")

    return judged(runs, share, lambda x: x >= VARIANCE, "The share of the variance")


def judge_ablating_helps(runs: xr.Dataset) -> Verdict:
    """Reproduced if the restricted test loss is below the test loss in every seed."""

    def ratio(found: xr.Dataset) -> Numbers:
        restricted = last_frame(found, "restricted_test_loss")
        return restricted / last_frame(found, "frame_test_loss")

    return judged(runs, ratio, lambda x: x < 1, "Restricted over full test loss")


def judge_three_phases(runs: xr.Dataset) -> Verdict:
    """Reproduced if memorisation, circuit formation and clean-up come in order in every seed."""
    found = grokked(runs)
    if not found.sizes["run"]:
        return Verdict("not yet run", note="No archived seed has grokked within its budget.")
    parts = phases(found)
    held = np.stack([each for each in parts.values() if each.dtype == bool])
    n = found.sizes["run"]
    lead = parts["lead"]
    verdict = {n: "reproduced"}.get(int(held.all(axis=0).sum()), "reproduced in part")
    if not (held.mean(axis=1) > HALF).all():
        verdict = "not reproduced"
    seen = "; ".join(
        f"{name}: {int(each.sum())} of {n} seeds"
        for name, each in parts.items()
        if each.dtype == bool
    )
    if not np.isfinite(lead).all():
        return Verdict(verdict, n=n, note=f"{seen}.")
    estimate = bootstrap(lead, seed=0)
    return Verdict.of(verdict, estimate, f"{seen}.", n=n)


def phases(found: xr.Dataset) -> dict[str, np.ndarray]:
    """Of each seed: whether each phase is there, and the lead of the circuit in steps."""
    steps = found["frame"].values
    before = steps <= found["t_grok"].values[:, None]
    excluded = found["excluded_loss"].values
    at_grok = np.array(
        [row[b & np.isfinite(row)][-1] for row, b in zip(excluded, before, strict=True)]
    )
    least = np.nanmin(np.where(before, excluded, np.nan), axis=1)
    formed = frame_of(found, _fallen(found["restricted_loss"].values))
    generalised = frame_of(found, _fallen(found["frame_test_loss"].values))
    norm = found["frame_squared_norm"].values
    at_formed = np.array(
        [row[steps >= step][0] if np.isfinite(step) else np.nan
         for row, step in zip(norm, formed, strict=True)]
    )  # fmt: skip
    return {
        "the excluded loss falls, then rises twofold before the onset": at_grok >= RISE * least,
        "the restricted loss halves before the test loss does": formed < generalised,
        "the squared norm then falls by a quarter": last_frame(found, "frame_squared_norm")
        <= (1 - CLEANED) * at_formed,
        "lead": np.where(np.isfinite(formed) & np.isfinite(generalised), 1.0, np.nan)
        * (np.nan_to_num(generalised, posinf=0) - np.nan_to_num(formed, posinf=0)),
    }


def _fallen(losses: Float[np.ndarray, "run frame"]) -> Bool[np.ndarray, "run frame"]:
    """Where a loss is at most half of its largest value so far reached in the run."""
    largest = np.nanmax(losses, axis=1, keepdims=True)
    peak = np.nanargmax(losses, axis=1)[:, None]
    return (losses <= HALF * largest) & (np.arange(losses.shape[1]) > peak)


CLAIMS = (
    Claim(
        id="nanda23.key_frequencies",
        source="nanda23",
        kind="measurement",
        statement="A network that has grokked addition modulo 113 uses about five of the 56 "
        "frequencies.",
        published=Published("5 key frequencies (14, 35, 41, 42, 52) in the main network", PAPER),
        criterion="Key frequencies are the fewest that carry 95 % of the power of W_out W_U over "
        f"the residues, the constant left out, {END}. Reproduced if every seed that grokked has 3 "
        "to 7, in part if the median of the seeds does; not reproduced otherwise (a network "
        "without structure needs more than 50).",
        unit="frequencies, median over the seeds",
        judge=judge_key_frequencies,
        experiment=protocols.nanda23_circuits,
        command=COMMAND,
    ),
    Claim(
        id="nanda23.single_frequency_neurons",
        source="nanda23",
        kind="measurement",
        statement="Most neurons are functions of one frequency: 84.6 % of them have more than 85 % "
        "of their variance explained by it.",
        published=Published("433 of 512 neurons, 84.6 %", PAPER, 0.846, 0.846),
        criterion="Explained by a frequency: the share of a neuron's variance over all pairs that "
        "lies in the eight non-constant products of 1, cosine and sine of a with those of b; a "
        f"neuron that is constant counts as not explained; {END}. Reproduced if in every seed that "
        "grokked 75 to 95 % of the neurons are above .85, in part if the median of the seeds is, "
        "not reproduced otherwise.",
        unit="of the neurons, median over the seeds",
        judge=judge_single_frequency_neurons,
        experiment=protocols.nanda23_circuits,
        command=COMMAND,
    ),
    Claim(
        id="nanda23.logit_variance",
        source="nanda23",
        kind="measurement",
        statement="A sum of cosines of the key frequencies, cos ω(a + b − c), explains 95 % of the "
        "variance of the logits.",
        published=Published("95 % of the variance", PAPER, 0.95, 0.95),
        criterion="Variance over all pairs and classes, the mean over the classes taken from every "
        f"pair and the mean over the pairs from every class; {END}. Reproduced if every seed that "
        "grokked has at least 90 %, in part if the median of the seeds has, not reproduced below.",
        unit="of the variance, median over the seeds",
        judge=judge_logit_variance,
        experiment=protocols.nanda23_circuits,
        command=COMMAND,
    ),
    Claim(
        id="nanda23.ablating_other_frequencies_helps",
        source="nanda23",
        kind="measurement",
        statement="Without what is not of a key frequency the network is better on the test set: "
        "its loss falls by 70 %.",
        published=Published("test loss lower by 70 %", PAPER, 0.3, 0.3),
        criterion="Restricted test loss (the two directions of each key frequency, and the mean "
        f"logits) over test loss, {END}. Reproduced if it is below 1 in every seed that grokked, "
        "in part if the median of the seeds is, not reproduced at 1 and above.",
        unit="restricted / full test loss, median over the seeds",
        judge=judge_ablating_helps,
        experiment=protocols.nanda23_circuits,
        command=COMMAND,
    ),
    Claim(
        id="nanda23.three_phases",
        source="nanda23",
        kind="measurement",
        statement="Training has three phases: memorisation, then a circuit forms while nothing "
        "shows in the test loss, then what was memorised is cleaned up and the network groks.",
        published=Published("0–1.4k, 1.4k–9.4k and 9.4k–14k epochs in the main network", PAPER),
        criterion="Three parts in each seed that grokked, at its frames. Memorisation and "
        "formation: the excluded loss on the training pairs is, at the last frame before t_grok, "
        "at least 2 times its least value before. Formation first: the restricted loss is at most "
        "50 % of its peak at an earlier frame than the test loss of its own. Clean-up: from there "
        "to the end the squared norm of all weights falls by 25 % or more. Reproduced if every "
        "seed has all three, not reproduced if one of the three is missing in 50 % of the seeds "
        "or more, in part otherwise.",
        unit="steps, median lead of the restricted loss over the test loss",
        judge=judge_three_phases,
        experiment=protocols.nanda23_circuits,
        command=COMMAND,
    ),
)
