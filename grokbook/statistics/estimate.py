"""A number with its interval, and the bootstrap over seeds."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import scipy.stats
from jaxtyping import Real


@dataclass(frozen=True)
class Estimate:
    """A number, the ends of its interval, and the number of independent seeds behind it.

    >>> print(Estimate(7100.0, 5200.0, float("inf"), 6))
    7100 (5200 to inf, n = 6)
    """

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.4g} ({self.low:.4g} to {self.high:.4g}, n = {self.n})"

    def inside(self, low: float, high: float) -> bool:
        r"""Say whether the whole interval lies between two margins.

        A claim of "no gain" needs this. With the interval of confidence $1 - 2\alpha$ it is the
        pair of one-sided tests of level $\alpha$ (Schuirmann 1987): the 90 % interval of a ratio
        inside $1/m$ to $m$ shows equivalence at level .05.

        >>> Estimate(1.02, 0.9, 1.1, 12).inside(1 / 1.25, 1.25)
        True
        """
        return bool(low <= self.low and self.high <= high)


def bootstrap(
    values: Real[np.ndarray, "n"],
    statistic: Callable = np.median,
    *,
    seed: int,
    confidence: float = 0.95,
    resamples: int = 9999,
) -> Estimate:
    r"""Return a statistic of the seeds' values with its percentile bootstrap interval.

    `resamples` draws of $n$ seeds with replacement; the interval runs from the $\alpha/2$ to the
    $1 - \alpha/2$ quantile of the statistic over them, $\alpha$ = 1 − `confidence`.

    The bootstrap knows the seeds that it was given and no others. One value has the interval
    $(-\infty, \infty)$. Equal values have an interval of width 0, which says that they were equal
    and nothing about a further seed. For the median of $n \le 5$ values it is the smallest to the
    largest, which covers the true median with probability $1 - 2^{1-n}$: .75 for three seeds, .94
    for five.

    `statistic` takes an array, and is called for all resamples at once if it takes an `axis`.
    Raises `ValueError` if there is no value, and for one that is not finite: an onset that was not
    reached is censored, which `median_onset` understands.

    >>> print(bootstrap(np.array([6.0, 7.0, 9.0]), seed=0))
    7 (6 to 9, n = 3)
    """
    if values.size == 0:
        raise ValueError("bootstrap got no values: it needs at least one seed")
    if not np.isfinite(values).all():
        raise ValueError(
            f"bootstrap got {values[~np.isfinite(values)][0]} among its values: use median_onset "
            "for onsets that were not reached"
        )
    value = float(statistic(values))
    if values.size == 1:
        return Estimate(value, -np.inf, np.inf, 1)
    interval = scipy.stats.bootstrap(
        (values,),
        statistic,
        n_resamples=resamples,
        confidence_level=confidence,
        method="percentile",
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Estimate(value, float(interval.low), float(interval.high), values.size)
