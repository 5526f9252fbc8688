"""The paired log-rank test: two arms that share seeds, compared seed by seed."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Real

from grokbook.statistics.survival import checked

MOST_ENUMERATED = 16
SAMPLED_FLIPS = 9999


@dataclass(frozen=True)
class PairedLogRank:
    """Sum of score differences (positive: arm a has its onsets earlier), p-value, pairs."""

    statistic: float
    p_value: float
    n: int


def logrank_scores(
    times: Real[np.ndarray, "*batch n"], observed: Bool[np.ndarray, "*batch n"]
) -> Float[np.ndarray, "*batch n"]:
    r"""Return the log-rank score of each run: high for an early onset, and the sum is 0.

    $c_i = \delta_i - \hat\Lambda(t_i)$, with $\delta_i = 1$ for an observed onset and the
    Nelson–Aalen estimator $\hat\Lambda(t) = \sum_{t_j \le t} \delta_j / r_j$ of all runs of the
    row, $r_j$ of them at risk (Savage 1956; Peto and Peto 1972).

    >>> logrank_scores(np.array([1.0, 2.0, 4.0, 4.0]), np.array([True, True, False, False]))
    array([ 0.75      ,  0.41666667, -0.58333333, -0.58333333])
    """
    at_risk = np.sum(times[..., None, :] >= times[..., :, None], axis=-1)
    earlier = times[..., None, :] <= times[..., :, None]
    return observed - np.sum(earlier * (observed / at_risk)[..., None, :], axis=-1)


def sign_flip_p_values(
    differences: Float[np.ndarray, "rows n"], *, seed: int | None = None
) -> Float[np.ndarray, "rows"]:
    r"""Return the two-sided p-value of each row's sum if every sign were a fair coin.

    The share of the $2^n$ sign patterns whose sum is at least as far from 0, enumerated up to
    $n = 16$. Beyond, 9999 patterns are drawn with the seed, and the data's own pattern counts as
    one more, so that the level still holds. No p-value is below $2^{1-n}$.

    Raises `ValueError` for more than 16 differences without a seed.

    >>> sign_flip_p_values(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, -3.0]]))
    array([0.25, 1.  ])
    """
    rows, n = differences.shape
    if n <= MOST_ENUMERATED:
        # The last sign stays +: flipping all signs leaves the distance from 0 alone.
        signs = 1.0 - 2.0 * (np.arange(2 ** (n - 1))[:, None] >> np.arange(n) & 1)
    elif seed is None:
        raise ValueError(
            f"{n} pairs are too many to enumerate, {MOST_ENUMERATED} are not: give a seed"
        )
    else:
        signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(SAMPLED_FLIPS, n))
        signs = np.concatenate([np.ones((1, n)), signs])
    # Sums that are equal on paper must count as equal.
    reached = np.abs(differences.sum(axis=-1)) - 1e-9 * np.abs(differences).sum(axis=-1)
    share = np.empty(rows)
    block = max(1, 2**21 // len(signs))  # bounds the memory to 16 MB
    for start in range(0, rows, block):
        part = slice(start, start + block)
        sums = np.abs(differences[part] @ signs.T)
        share[part] = np.mean(sums >= reached[part, None], axis=-1)
    return share


def paired_logrank(
    times_a: Real[np.ndarray, "n"],
    observed_a: Bool[np.ndarray, "n"],
    times_b: Real[np.ndarray, "n"],
    observed_b: Bool[np.ndarray, "n"],
    *,
    seed: int | None = None,
) -> PairedLogRank:
    r"""Compare the onsets of two arms of which run $i$ shares its seeds.

    $T = \sum_i (c_i^a - c_i^b)$, with the log-rank scores $c$ of all $2n$ runs together, against
    its sign-flip distribution (O'Brien and Fleming 1987 do so with the scores of Prentice and
    Wilcoxon). Under the hypothesis that the arms of a pair are exchangeable the test is exact: no
    normal approximation, no proportional hazards, no independent arms. A pair of which both are
    censored contributes a difference of 0; a pair of which one is contributes its sign and a score.

    The least two-sided p-value is $2 / 2^n$: **five pairs can never reach p < .05** (2/32), six
    can (2/64). For more than 16 pairs the flips are drawn with the seed.

    Raises `ValueError` where a pair shows two budgets, since its arms are then not exchangeable.

    >>> a, b = np.array([1.0, 2.0, 3.0, 4.0, 5.0]), np.array([2.0, 4.0, 6.0, 8.0, 9.0])
    >>> seen = np.ones(5, bool)
    >>> paired_logrank(a, seen, b, seen).p_value
    0.0625
    """
    checked(times_a, observed_a)
    checked(times_b, observed_b)
    _refuse_two_budgets(times_a, observed_a, times_b, observed_b)
    n = times_a.size
    scores = logrank_scores(
        np.concatenate([times_a, times_b]), np.concatenate([observed_a, observed_b])
    )
    differences = scores[:n] - scores[n:]
    p_value = sign_flip_p_values(differences[None], seed=seed)[0]
    return PairedLogRank(float(differences.sum()), float(p_value), n)


def _refuse_two_budgets(
    times_a: Real[np.ndarray, "n"],
    observed_a: Bool[np.ndarray, "n"],
    times_b: Real[np.ndarray, "n"],
    observed_b: Bool[np.ndarray, "n"],
) -> None:
    """Refuse a pair of which one run is censored before the last that is known of the other."""
    short = (~observed_a & (times_a < times_b)) | (~observed_b & (times_b < times_a))
    if short.any():
        i = int(np.flatnonzero(short)[0])
        least = min(times_a[i], times_b[i])
        raise ValueError(
            f"pair {i} has two budgets, {times_a[i]} and {times_b[i]}: bring both arms to one with "
            f"censor(times, observed, {least})"
        )
