"""Claims of arXiv 2606.32000 {cite}`radial2026` on gradients, curvature and ranks."""

import numpy as np
import sympy as sp
import xarray as xr
from jaxtyping import Float

from grokbook.claims.claim import Claim, Published, Verdict, by_parts
from grokbook.claims.proofs import proved
from grokbook.claims.radial26 import SITES
from grokbook.claims.radial26_arms import (
    decayed,
    measurement,
    paired,
    penalised,
    ratio_of_medians,
)
from grokbook.claims.radial26_criteria import CRITERIA, PAPER, SOURCE
from grokbook.measures.ranks import RANKS
from grokbook.statistics import bootstrap
from grokbook.theory import radial
from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality

THIRD_OF_PUBLISHED, CORRELATION = 10.0, 0.95
Steps = tuple[Identity | Inequality, ...]


def judge_anisotropic(runs: xr.Dataset | None = None, steps: Steps | None = None) -> Verdict:
    """Prove what the mean penalty is, and look for a layer that the published form turns round."""
    count, failed = proved(radial.anisotropy.identities() if steps is None else steps)
    if failed:
        return failed
    # One linear layer W = I of width 4, inputs at half the radius of the sphere.
    W, x = np.eye(4), np.eye(4)
    exact = np.mean([np.outer(radial.penalty_gradient(W @ v, 1.0), v) for v in x], axis=0)
    published = 2 / 4 * W @ (x.T @ x / len(x))
    cosine = float((exact * published).sum() / np.linalg.norm(exact) / np.linalg.norm(published))
    excess = sp.numer(sp.together(radial.anisotropy.relative_error() - sp.Rational(1, 10)))
    tenth = float(max(sp.Poly(excess, radial.anisotropy.rho).nroots()))
    note = (
        f"{count} steps hold: E L_norm = [Tr(WΣWᵀ) − 2√d E‖h‖ + d]/d. The published form is within "
        f"10 % from ‖h‖ = {tenth:.1f}√d on."
    )
    if cosine < 0:
        note += (
            " For W = I of width 4 and inputs of length 1, half of √d, its gradient has cosine "
            f"{cosine:.0f} with that of the penalty: it shrinks what the penalty makes grow. The "
            "authors' premise ‖h‖ ≫ √d leaves that layer out, and the sphere as well."
        )
        return Verdict("refuted", cosine, note=note)
    return Verdict("reproduced in part", cosine, note=note)


def judge_energy(runs: xr.Dataset) -> Verdict:
    """Mean radial share up to the onset against its null, layer by layer."""
    runs = penalised(runs)
    if not runs.sizes["run"]:
        return Verdict("not yet run", note="Runs with the penalty are needed.")
    below, said, found = 0, [], {}
    for site in SITES:
        energy, null, total = (
            before_onset(runs, name, site)
            for name in ("radial_energy", "radial_null", "radial_energy_total")
        )
        found[site] = bootstrap(energy - null, seed=0)
        below += found[site].high < 0
        said.append(
            f"{site}: Φ̃ {np.median(energy):.2f} of the task, null {np.median(null):.2f}, "
            f"difference {found[site]}; of the total gradient {np.median(total):.2f}"
        )
    verdict = by_parts(below)
    worst = max(found.values(), key=lambda estimate: estimate.value)
    return Verdict.of(verdict, worst, "; ".join(said) + ".")


def before_onset(runs: xr.Dataset, name: str, site: str) -> np.ndarray:
    """Mean of what was watched from step 0 to the onset, or to the end where there is none.

    Curves are stored the thinner the later: each point counts for the steps that it stands for.
    """
    steps = runs["step"].values.astype(float)
    rows = runs[name].sel(site=site).transpose("run", "step").values
    means = []
    for row, t_grok in zip(rows, runs["t_grok"].values, strict=True):
        seen = np.isfinite(row) & (steps <= (np.inf if np.isnan(t_grok) else t_grok))
        x, y = steps[seen], row[seen]
        means.append(np.trapezoid(y, x) / (x[-1] - x[0]) if len(x) > 1 else y.mean())
    return np.array(means)


def judge_flatter(runs: xr.Dataset) -> Verdict:
    """The trace without penalty over that with it, plain and in the weights' own sizes."""
    baseline, penalty = paired(decayed(runs), penalised(runs))
    if not penalty.sizes["run"]:
        return Verdict("not yet run", note="The same seeds with and without penalty are needed.")
    plain, scaled, top = (
        ratio_of_medians(baseline[name].values, penalty[name].values)
        for name in ("hessian_trace", "scaled_trace", "hessian_eigenvalue")
    )
    first, second = plain.value >= THIRD_OF_PUBLISHED, scaled.low > 1
    verdict = by_parts(first + second)
    traces = [np.median(each["hessian_trace"].values) for each in (baseline, penalty)]
    note = (
        f"Tr H {traces[0]:.3g} without and {traces[1]:.3g} with the penalty. In the weights' own "
        f"sizes the ratio is {scaled}, of the largest eigenvalues {top}."
    )
    return Verdict.of(verdict, plain, note)


def judge_stable_rank(runs: xr.Dataset) -> Verdict:
    """What a batch of 256 allows, and the ranks that were measured."""
    _, failed = proved((radial.nulls.rank_inequality(),))
    if failed:
        return failed
    runs = penalised(runs)
    if not runs.sizes["run"]:
        return Verdict("not yet run", note="Runs with the penalty are needed.")
    layer = runs["layer"].values[-1]
    seen = {
        size: {
            name: bootstrap(runs[name].sel(layer=layer, rank_batch=size).values, seed=0)
            for name in RANKS
        }
        for size in runs["rank_batch"].values.tolist()
    }
    said = "; ".join(
        f"{size:,} samples: " + ", ".join(f"{n.replace('_', ' ')} {e.value:.0f}"
                                          for n, e in of.items())
        for size, of in seen.items()
    )  # fmt: skip
    batch = min(seen)
    own = seen[batch]["stable_rank"]
    note = f"A batch of {batch} has a stable rank of {batch} at most. {layer}, {said}."
    return Verdict.of("not testable as stated", own, note)


def judge_calibration(runs: xr.Dataset) -> Verdict:
    """Correlation of the radial product and the calibration gap along each run."""
    medians = {site: bootstrap(correlations(runs, site), seed=0) for site in SITES}
    held = sum(estimate.value >= CORRELATION for estimate in medians.values())
    verdict = by_parts(held)
    note = "; ".join(f"{site}: median r {estimate}" for site, estimate in medians.items())
    worst = min(medians.values(), key=lambda estimate: estimate.value)
    n = len(set(runs["init_seed"].values))
    note = f"{note}; {runs.sizes['run']} runs."
    return Verdict.of(verdict, worst, note, n=n)


def correlations(runs: xr.Dataset, site: str) -> Float[np.ndarray, " run"]:
    """Pearson's r along each run, of the mean radial product at a site and the calibration gap."""
    product = runs["radial_product"].sel(site=site).transpose("run", "step").values
    gap = runs["calibration_gap"].transpose("run", "step").values
    found = []
    for x, y in zip(product, gap, strict=True):
        seen = np.isfinite(x) & np.isfinite(y)
        found.append(np.corrcoef(x[seen], y[seen])[0, 1])
    return np.array(found)


MAIN = ["radial26"]
CLAIMS = (
    Claim(
        id=f"{SOURCE}.anisotropic_regularisation",
        source=SOURCE,
        kind="theorem",
        statement="The penalty is an anisotropic weight decay: E L_norm ≈ Tr(WΣWᵀ)/d.",
        published=Published("proposition 2, for ‖h‖ ≫ √d", PAPER),
        criterion=CRITERIA["anisotropic_regularisation"],
        unit="cosine of the two gradients at ‖h‖ = √d/2",
        judge=judge_anisotropic,
    ),
    measurement(
        "radial_energy_below_null",
        MAIN,
        statement="Under the penalty the gradient's radial share lies below that of chance.",
        published=Published("Φ̃ about .15, chance 1", f"{PAPER}, figure 3"),
        unit="Φ̃ of the task less its null",
        judge=judge_energy,
    ),
    measurement(
        "flatter_minima",
        MAIN,
        statement="The penalty ends in flatter minima.",
        published=Published("Tr H 1.4 against 42.5", f"{PAPER}, table 1", 30.4, 30.4),
        unit="Tr H without / with the penalty",
        judge=judge_flatter,
    ),
    measurement(
        "stable_rank",
        MAIN,
        statement="The penalty keeps a stable rank of 443 of 512 directions in a batch of 256.",
        published=Published("443 against 135", f"{PAPER}, table 1", 443.0, 443.0),
        unit="stable rank of 256 samples",
        judge=judge_stable_rank,
    ),
    measurement(
        "grokbook.radial_gradient_is_calibration",
        MAIN,
        statement="The radial part of the task gradient is the calibration gap CE − H.",
        published=Published("ours", "chapter 04"),
        unit="median r along a run",
        judge=judge_calibration,
    ),
)
