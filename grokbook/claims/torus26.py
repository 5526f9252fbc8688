"""Claims of the notes on toroidal geometry of 2026, key `torus26` {cite}`torus2026`."""

import numpy as np
import xarray as xr
from jaxtyping import Float

from grokbook import protocols
from grokbook.claims.by_seed import Numbers, frame_of, grokked, judged
from grokbook.claims.claim import Claim, Published, Verdict
from grokbook.statistics import bootstrap

Curves = Float[np.ndarray, "run frame"]

NOTES = "luna.airsi.de, acr-vault, grokking-paper-synthesis"
ONE = 0.8  # share of the power that one circle would have
COMMAND = "python -m grokbook run nanda23_circuits"


def judge_embedding_is_circle(runs: xr.Dataset) -> Verdict:
    """Reproduced if one frequency holds 80 % of the embedding's power in every seed."""

    def strongest(found: xr.Dataset) -> Numbers:
        power = _last(found)
        return power.max(axis=1) / power.sum(axis=1)

    return judged(runs, strongest, lambda x: x >= ONE, "The share of the strongest frequency")


def judge_structure_before_accuracy(runs: xr.Dataset) -> Verdict:
    """Reproduced if the embedding is half-way to its spectrum before the accuracy is, everywhere.

    The lead is in steps, from the first frame at which the key frequencies' share of the
    embedding's power is half-way up to the first at which the test accuracy is.
    """
    found = grokked(runs)
    if not found.sizes["run"]:
        return Verdict("not yet run", note="No archived seed has grokked within its budget.")
    accuracy = found["frame_test_accuracy"].values
    lead = half_way(found, accuracy) - half_way(found, key_share(found))
    estimate = bootstrap(lead, seed=0)
    if (lead > 0).all():
        verdict = "reproduced"
    else:
        verdict = "reproduced in part" if estimate.value > 0 else "not reproduced"
    note = f"Lead by seed: {', '.join(f'{steps:.0f}' for steps in lead)} steps."
    return Verdict.of(verdict, estimate, note)


def spectrum(runs: xr.Dataset) -> Float[np.ndarray, "run frame K"]:
    """Power of the embedding by run, frame and frequency, the constant left out."""
    return runs["embedding_power"].values[:, :, 1:]


def key_share(runs: xr.Dataset) -> Curves:
    """Share of the embedding's power in the key frequencies, by run and frame."""
    power, key = spectrum(runs), runs["key"].values.astype(bool)[:, None, 1:]
    return (power * key).sum(axis=2) / power.sum(axis=2)


def half_way(runs: xr.Dataset, values: Curves) -> Numbers:
    """Step of the first frame at which a quantity is half-way from its first to its last value."""
    last = np.array([row[np.isfinite(row)][-1] for row in values])
    middle = (values[:, 0] + last) / 2
    return frame_of(runs, values >= middle[:, None])


def _last(found: xr.Dataset) -> Float[np.ndarray, "run K"]:
    """The spectrum of each run's last frame."""
    power = spectrum(found)
    frames = [np.flatnonzero(np.isfinite(run[:, 0]))[-1] for run in power]
    return power[np.arange(len(power)), frames]


CLAIMS = (
    Claim(
        id="torus26.embedding_is_circle",
        source="torus26",
        kind="measurement",
        statement="As the network groks, its embedding becomes a circle, since Z_p is cyclic.",
        published=Published("the embedding is a circle", NOTES),
        criterion="One circle is one frequency: reproduced if, at the end of every seed of nanda23 "
        "that grokked, the strongest frequency holds at least 80 % of the embedding's power (the "
        "constant left out), in part if the median of the seeds does, not reproduced below.",
        unit="of the power, median share of the strongest frequency",
        judge=judge_embedding_is_circle,
        experiment=protocols.nanda23_circuits,
        command=COMMAND,
    ),
    Claim(
        id="torus26.structure_before_accuracy",
        source="torus26",
        kind="measurement",
        statement="The structure of the embedding appears before the accuracy does.",
        published=Published("structure first, accuracy after it", NOTES),
        criterion="Lead: from the first frame at which the key frequencies' share of the "
        "embedding's power is half-way from its first to its last value, to the first frame at "
        "which the test accuracy is. Reproduced if it is positive in every seed of nanda23 that "
        "grokked, in part if its median is, not reproduced at 0 and below.",
        unit="steps, median lead of the structure",
        judge=judge_structure_before_accuracy,
        experiment=protocols.nanda23_circuits,
        command=COMMAND,
    ),
)
