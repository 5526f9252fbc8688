"""Claims of this book, key `grokbook`: statements that the chapters derive themselves."""

import numpy as np
import xarray as xr

from grokbook.claims.claim import Claim, Published, Verdict
from grokbook.claims.proofs import proved
from grokbook.theory import censoring
from grokbook.theory.identity import Identity

BUDGETS = (0.25, 0.5, 1.0, 2.0, 4.0)  # in units of the mean onset
FEWEST_ERRORS = 4.0  # standard errors at which simulation and formula would contradict each other


def judge_mean_of_successes(
    runs: xr.Dataset | None = None, identities: tuple[Identity, ...] | None = None
) -> Verdict:
    """Check every step of the derivation, and the formula against simulated onsets."""
    steps = censoring.identities() if identities is None else identities
    count, failed = proved(steps)
    if failed:
        return failed
    errors = []
    for seed, budget in enumerate(BUDGETS):
        times, observed = censoring.simulate_onsets(1.0, budget, 100_000, seed=seed)
        successes = times[observed]
        error = successes.std() / np.sqrt(len(successes))
        errors.append(abs(successes.mean() - censoring.truncated_mean(1.0, budget)) / error)
    worst = float(np.max(errors))
    note = f"{count} identities hold; simulation within {worst:.1f} standard errors."
    verdict = "reproduced" if worst < FEWEST_ERRORS else "refuted"
    return Verdict(verdict, float(censoring.relative_bias(1.0, 1.0)), note=note)


CLAIMS = (
    Claim(
        id="grokbook.mean_of_successes_is_biased",
        source="grokbook",
        kind="theorem",
        statement="A mean over the seeds that grokked within a budget B is too small: for "
        "exponential onsets of mean τ its relative bias is −(B/τ)/(e^{B/τ} − 1), −58 % at B = τ; "
        "for any law it is never positive.",
        published=Published("derived here", "chapter 01"),
        criterion="Every identity of the derivation is proved and rejects its wrong variant, and "
        "100,000 simulated onsets at each of five budgets agree with the formula; refuted by a "
        "failing identity, or by a simulated mean more than 4 standard errors away.",
        unit="relative bias at B = τ",
        judge=judge_mean_of_successes,
    ),
)
