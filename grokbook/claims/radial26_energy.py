"""Claims of arXiv 2606.32000 {cite}`radial2026` on gradients, curvature and ranks."""

import numpy as np
import sympy as sp
import xarray as xr

from grokbook.claims.claim import Published, Verdict, by_parts
from grokbook.claims.proofs import proved
from grokbook.claims.radial26 import SITES
from grokbook.claims.radial26_arms import (
    decayed,
    measurement,
    paired,
    penalised,
    ratio_of_medians,
)
from grokbook.claims.radial26_criteria import PAPER
from grokbook.claims.radial26_curves import before_onset, correlations, ends_in_slingshot
from grokbook.measures.ranks import RANKS
from grokbook.statistics import bootstrap
from grokbook.theory import radial
from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality

THIRD_OF_PUBLISHED, CORRELATION = 10.0, 0.95
Steps = tuple[Identity | Inequality, ...]


def judge_anisotropic(runs: xr.Dataset, steps: Steps | None = None) -> Verdict:
    """Prove what the mean penalty is and tends to, and ask whether a network meets the premise."""
    count, failed = proved(radial.anisotropy.identities() if steps is None else steps)
    if failed:
        return failed
    runs = penalised(runs)
    if not runs.sizes["run"]:
        return Verdict("not yet run", note="Runs with the penalty are needed.")
    rho = radial.anisotropy.rho
    excess = sp.numer(sp.together(radial.anisotropy.relative_error() - sp.Rational(1, 10)))
    tenth = float(max(sp.Poly(excess, rho).nroots()))
    seen = runs["norm_ratio"].sel(site=list(SITES))
    largest = bootstrap(seen.max(("step", "site")).values, seed=0)
    note = (
        f"{count} steps hold: E L_norm = [Tr(WΣWᵀ) − 2√d E‖h‖ + d]/d, and the published form is "
        f"its limit for large ‖h‖/√d, within 10 % from {tenth:.1f} on. The largest that a "
        f"penalised network has is {largest.value:.1f}, and it starts with "
        f"{seen.isel(step=0).median():.1f}: below 1 the gradient of the published form points "
        "against that of the penalty."
    )
    verdict = "reproduced" if largest.low >= tenth else "reproduced in part"
    return Verdict.of(verdict, largest, note)


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
        f"sizes the ratio is {scaled}, of the largest eigenvalues {top}. "
        f"{ends_in_slingshot(penalty).sum()} of {penalty.sizes['run']} penalised runs end within "
        "a slingshot."
    )
    return Verdict.of(verdict, plain, note)


def judge_stable_rank(runs: xr.Dataset) -> Verdict:
    """What a batch of 256 allows, and the ranks that were measured."""
    _, failed = proved((radial.nulls.rank_inequality(),))
    if failed:
        return failed
    runs, bare = penalised(runs), decayed(runs)
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
        f"{size:,} samples: " + ", ".join(f"{n.replace('_', ' ')} {e.value:.1f}"
                                          for n, e in of.items())
        for size, of in seen.items()
    )  # fmt: skip
    batch = min(seen)
    bare = bare["stable_rank"].sel(layer=layer, rank_batch=batch).values
    without = float(np.median(bare)) if bare.size else np.nan
    own = seen[batch]["stable_rank"]
    note = (
        f"A batch of {batch} has a stable rank of {batch} at most. {layer}, {said}. Without the "
        f"penalty a batch of {batch} has {without:.1f}; published is 135."
    )
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


MAIN = ["radial26_longer", "radial26"]  # a run counts once, as the first that holds it has it
CLAIMS = (
    measurement(
        "anisotropic_regularisation",
        MAIN,
        kind="theorem",
        statement="The penalty is an anisotropic weight decay: E L_norm ≈ Tr(WΣWᵀ)/d.",
        published=Published("proposition 2, for ‖h‖ ≫ √d", PAPER),
        unit="largest ‖h‖/√d with the penalty",
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
