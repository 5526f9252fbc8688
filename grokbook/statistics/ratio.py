"""The ratio of onsets of two arms that share seeds, with censored pairs."""

import numpy as np
from jaxtyping import Bool, Float, Real

from grokbook.statistics.estimate import Estimate
from grokbook.statistics.paired import logrank_scores, sign_flip_p_values
from grokbook.statistics.survival import checked


def onset_ratio(
    times_a: Real[np.ndarray, "n"],
    observed_a: Bool[np.ndarray, "n"],
    times_b: Real[np.ndarray, "n"],
    observed_b: Bool[np.ndarray, "n"],
    *,
    budget: float | int,
    confidence: float = 0.95,
    seed: int | None = None,
) -> Estimate:
    r"""Return the typical ratio of onsets, arm a over arm b; below 1, arm a is earlier.

    The model: with arm b slowed down by the factor $\rho$ the arms of a pair are exchangeable.
    Then $\rho$ is the ratio of geometric means, of medians and of every other quantile. The
    estimate is the $\rho$ at which the paired log-rank statistic of $(a, \rho b)$ passes zero
    (Hodges and Lehmann 1963), and the interval holds every $\rho$ that the exact test leaves
    standing. So it excludes 1 exactly when `paired_logrank` rejects at level 1 − `confidence` (but
    for a kept set with a gap), needs no normal law, and is $(0, \infty)$ where no rejection is
    possible: for fewer than six pairs at 95 %.

    Censored pairs: slowing arm b down moves its budget from $B$ to $\rho B$, so both arms are
    compared up to the smaller of the two, and whatever is later in either arm counts as censored.
    A pair with one censored run gives a direction and a bound; a pair with two counts as a tie.
    If arm b is never observed, the estimate and the lower end are 0; if neither arm is, the
    estimate is NaN. (A normal likelihood of log ratios with censored ones among them would be
    biased: their censoring point $\log B - \log b$ depends on the log ratio through $b$.)

    Raises `ValueError` for a run that is censored before the budget, or observed after it.

    >>> b = np.array([4.0, 5.0, 6.0, 7.0, 9.0, 12.0])
    >>> seen = np.ones(6, bool)
    >>> print(onset_ratio(b / 2, seen, b, seen, budget=20))
    0.5 (0.5 to 0.5, n = 6)
    """
    for times, observed in ((times_a, observed_a), (times_b, observed_b)):
        checked(times, observed)
        _refuse_other_budgets(times, observed, budget)
    edges, numerator, denominator = _probes(times_a[observed_a], times_b[observed_b], budget)
    a, b = times_a * denominator[:, None], times_b * numerator[:, None]
    end = budget * np.minimum(numerator, denominator)[:, None]
    scores = logrank_scores(
        np.minimum(np.concatenate([a, b], axis=-1), end),
        np.concatenate([observed_a & (a <= end), observed_b & (b <= end)], axis=-1),
    )
    differences = scores[:, : times_a.size] - scores[:, times_a.size :]
    low, high = _hull(edges, sign_flip_p_values(differences, seed=seed) > 1 - confidence)
    sums = np.round(differences.sum(axis=-1), 9)  # sums that are 0 on paper
    first, last = _hull(edges, sums >= 0)[0], _hull(edges, sums <= 0)[1]
    nothing = first == 0 and last == np.inf
    value = np.nan if nothing else float(np.sqrt(first) * np.sqrt(last))
    return Estimate(value, low, high, times_a.size)


def _probes(
    onsets_a: Real[np.ndarray, "a"], onsets_b: Real[np.ndarray, "b"], budget: float | int
) -> tuple[Float[np.ndarray, "edges"], Float[np.ndarray, "probes"], Float[np.ndarray, "probes"]]:
    """Return the edges, and a ratio in each cell between edges and at each edge, in order.

    The ranks change only at an edge, where an onset of one arm passes an onset or the budget of
    the other. A ratio is kept as numerator and denominator, so that whole steps tie exactly there.
    """
    tops, bottoms = np.append(onsets_a, budget).astype(float), np.append(onsets_b, budget)
    top, bottom = np.repeat(tops, bottoms.size), np.tile(bottoms, tops.size)
    edges, index = np.unique(top / bottom, return_index=True)
    cells = np.concatenate([edges[:1] / 2, (edges[1:] + edges[:-1]) / 2, edges[-1:] * 2])
    numerator, denominator = np.empty(2 * edges.size + 1), np.ones(2 * edges.size + 1)
    numerator[0::2] = cells
    numerator[1::2], denominator[1::2] = top[index], bottom[index]
    return edges, numerator, denominator


def _hull(
    edges: Float[np.ndarray, "edges"], kept: Bool[np.ndarray, "probes"]
) -> tuple[float, float]:
    """Return the ends of the smallest interval with every kept edge and cell."""
    left = np.concatenate([[0.0], np.repeat(edges, 2)])
    right = np.concatenate([np.repeat(edges, 2), [np.inf]])
    return float(left[kept][0]), float(right[kept][-1])


def _refuse_other_budgets(
    times: Real[np.ndarray, "n"], observed: Bool[np.ndarray, "n"], budget: float | int
) -> None:
    """Refuse a run that was given less than the budget, or more."""
    wrong = np.where(observed, times > budget, times != budget)
    if wrong.any():
        i = int(np.flatnonzero(wrong)[0])
        state = "observed" if observed[i] else "censored"
        raise ValueError(
            f"run {i} is {state} at {times[i]} with a budget of {budget}: bring all runs to one "
            "budget with censor(times, observed, budget)"
        )
