"""Claims of Gromov 2023, *Grokking modular arithmetic* {cite}`gromov2023grokking`."""

import numpy as np
import xarray as xr

from grokbook import protocols
from grokbook.claims.arms import curve_at
from grokbook.claims.by_seed import grokked
from grokbook.claims.claim import Claim, Published, Verdict
from grokbook.claims.proofs import proved
from grokbook.statistics import bootstrap
from grokbook.theory import random_phases
from grokbook.theory.identity import Identity

PAPER = "arXiv 2301.02679"
P, WIDE, NETWORKS = 97, 500, 20
WIDTHS = (48, 96)  # one neuron a frequency, and two
AGREEMENT = 4.0  # standard errors at which prediction and networks would contradict each other
RISE = 5.0  # times the ratio of random weights


def judge_analytic_accuracy(
    runs: xr.Dataset | None = None, identities: tuple[Identity, ...] | None = None
) -> Verdict:
    """Check the derivation, the accuracy of wide networks, and the predicted one of narrow ones."""
    count, failed = proved(random_phases.identities() if identities is None else identities)
    if failed:
        return failed
    wide = [random_phases.analytic_accuracy(P, WIDE, seed=seed) for seed in range(NETWORKS)]
    apart = max(_standard_errors(width) for width in WIDTHS)
    note = (
        f"{count} identities hold; {NETWORKS} built networks of {WIDE} neurons have an accuracy of "
        f"at least {min(wide):.4f}; at {' and '.join(map(str, WIDTHS))} neurons the predicted "
        f"accuracy is within {apart:.1f} standard errors of the built ones."
    )
    held = min(wide) == 1.0 and apart < AGREEMENT
    return Verdict("reproduced" if held else "refuted", float(np.mean(wide)), note=note)


def _standard_errors(width: int) -> float:
    """How far the predicted accuracy lies from the mean of built networks."""
    built = np.array(
        [random_phases.analytic_accuracy(P, width, seed=seed) for seed in range(NETWORKS)]
    )
    predicted = random_phases.sampled_accuracy(P, width, 20_000, seed=0)
    error = np.hypot(built.std(ddof=1) / np.sqrt(NETWORKS), predicted.standard_error)
    return float(abs(built.mean() - predicted.value) / error)


def judge_ipr_rises(runs: xr.Dataset) -> Verdict:
    """Reproduced if in every seed the ratio rises fivefold, and mostly between the two onsets."""
    found = grokked(runs)
    if not found.sizes["run"]:
        return Verdict("not yet run", note="No archived seed has grokked within its budget.")
    ratio = found["participation"].mean("part").values
    steps = found["step"].values
    t_mem, t_grok = found["t_mem"].values, found["t_grok"].values
    moments = np.stack([np.zeros_like(t_mem), t_mem, t_grok], axis=1)
    at = [curve_at(steps, row, times) for row, times in zip(ratio, moments, strict=True)]
    start, memorised, onset = np.array(at).T
    end = np.array([row[np.isfinite(row)][-1] for row in ratio])
    rises = end / start
    meanwhile = (onset - memorised) / (end - start)
    estimate = bootstrap(rises, seed=0)
    held = (rises >= RISE) & (meanwhile >= 0.5)
    if held.all():
        verdict = "reproduced"
    elif estimate.value >= RISE:
        verdict = "reproduced in part"
    else:
        verdict = "not reproduced"
    note = (
        f"From {start.mean():.3f} to {end.mean():.3f}; between t_mem and t_grok "
        f"{', '.join(f'{share:.0%}' for share in meanwhile)} of the rise."
    )
    return Verdict.of(verdict, estimate, note)


CLAIMS = (
    Claim(
        id="gromov23.analytic_accuracy",
        source="gromov23",
        kind="theorem",
        statement="A quadratic network whose weights are cosines with random phases adds modulo p "
        "without error once it is wide enough.",
        published=Published("accuracy 100 % for wide networks, p = 97, N = 500", PAPER, 1.0, 1.0),
        criterion="Every identity of the derivation is proved and rejects its wrong variant; "
        f"{NETWORKS} networks of {WIDE} neurons built at p = {P} have accuracy 1; at 48 and 96 "
        "neurons the accuracy predicted from two random phases a neuron is within 4 standard "
        "errors of the mean of built networks. Refuted otherwise.",
        unit=f"accuracy, mean of {NETWORKS} built networks of {WIDE} neurons",
        judge=judge_analytic_accuracy,
    ),
    Claim(
        id="gromov23.ipr_rises",
        source="gromov23",
        kind="measurement",
        statement="As the network groks, its weights become periodic: the inverse participation "
        "ratio of its neurons rises.",
        published=Published("figure: the ratio rises together with the test accuracy", PAPER),
        criterion="Mean over the three parts of the weights of the ratio with r = 2, which is 1/2 "
        "for a cosine and 2/p for noise. Reproduced if in every seed that grokked it rises at "
        "least fivefold from the first step to the last, and half of the rise or more comes "
        "between t_mem and t_grok; in part if the median rises fivefold; not reproduced otherwise.",
        unit="end / start, median over the seeds",
        judge=judge_ipr_rises,
        experiment=protocols.gromov23,
        command="python -m grokbook run gromov23",
    ),
)
