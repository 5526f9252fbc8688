"""The log-rank test of two arms that share no seeds."""

from dataclasses import dataclass

import numpy as np
import scipy.stats
from jaxtyping import Bool, Real

from grokbook.statistics.survival import checked


@dataclass(frozen=True)
class LogRank:
    """Log-rank $z$ (positive: arm a has its onsets earlier), its p-value, and the arms' sizes."""

    statistic: float
    p_value: float
    n_a: int
    n_b: int


def logrank(
    times_a: Real[np.ndarray, "a"],
    observed_a: Bool[np.ndarray, "a"],
    times_b: Real[np.ndarray, "b"],
    observed_b: Bool[np.ndarray, "b"],
) -> LogRank:
    r"""Compare the onsets of two arms that share no seeds.

    $z = (O_a - E_a) / \sqrt V$: onsets observed in arm a against those expected if both arms had
    one law, summed over the observed onsets, with hypergeometric variance (Mantel 1966). The
    two-sided p-value is the normal one. Where no onset tells the arms apart (none observed, never
    both arms at risk, or all runs at one step) $z = 0$ and $p = 1$. For arms that share seeds see
    `paired_logrank`.

    >>> early, late, seen = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0]), np.ones(3, bool)
    >>> test = logrank(early, seen, late, seen)
    >>> round(test.statistic, 3), round(test.p_value, 3)
    (2.248, 0.025)
    """
    checked(times_a, observed_a)
    checked(times_b, observed_b)
    n_a, n_b = times_a.size, times_b.size
    onsets, events = np.unique(
        np.concatenate([times_a[observed_a], times_b[observed_b]]), return_counts=True
    )
    at_risk_a = np.sum(times_a >= onsets[:, None], axis=-1)
    at_risk_b = np.sum(times_b >= onsets[:, None], axis=-1)
    if not np.any(at_risk_a * at_risk_b * (at_risk_a + at_risk_b - events)):
        return LogRank(0.0, 1.0, n_a, n_b)
    a = scipy.stats.CensoredData.right_censored(times_a, ~observed_a)
    b = scipy.stats.CensoredData.right_censored(times_b, ~observed_b)
    test = scipy.stats.logrank(a, b)
    return LogRank(float(test.statistic), float(test.pvalue), n_a, n_b)
