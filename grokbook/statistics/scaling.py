"""Scaling fits: the exponent of a power law between a hyper-parameter and censored times."""

from dataclasses import dataclass

import numpy as np
import scipy.special
from jaxtyping import Bool, Float, Float64, Real

from grokbook.statistics.estimate import Estimate

ROUNDS, CLOSE = 500, 1e-9  # of the expectation-maximisation


@dataclass(frozen=True)
class PowerLaw:
    r"""$T = a\,x^b$ times log-normal scatter: exponent b, factor a, and the scatter of log T."""

    exponent: Estimate
    factor: float
    scatter: float

    def at(self, x: Real[np.ndarray, "*shape"] | float | int) -> Float64[np.ndarray, "*shape"]:
        """The law's median time."""
        return np.asarray(self.factor * np.asarray(x, dtype=np.float64) ** self.exponent.value)


def power_law(
    x: Real[np.ndarray, "n"],
    times: Float[np.ndarray, "n"],
    observed: Bool[np.ndarray, "n"],
    *,
    seed: int,
    confidence: float = 0.95,
    resamples: int = 1999,
) -> PowerLaw:
    r"""Fit $\log T = \log a + b\log x + \sigma\epsilon$, $\epsilon \sim N(0, 1)$, by likelihood.

    A censored time is known to be larger; without one this is least squares. The interval is the
    percentile bootstrap over the runs at each x. Raises `ValueError` for fewer than two values of
    x with an observed time, for one of x or of the times that is not positive.

    >>> x = np.array([1.0, 1.0, 10.0, 10.0])
    >>> law = power_law(x, 100 / x, np.full(4, True), seed=0)
    >>> print(law.exponent, round(law.factor))
    -1 (-1 to -1, n = 4) 100
    """
    if not ((x > 0).all() and (times > 0).all()):
        raise ValueError("a power law is fitted to positive numbers: leave zeros out")
    if len(np.unique(x[observed])) < 2:
        raise ValueError("a power law needs observed times at two values or more")
    rng = np.random.default_rng(seed)
    rows = [np.flatnonzero(x == value) for value in np.unique(x)]
    drawn = np.concatenate(
        [rng.choice(places, size=(resamples, len(places))) for places in rows], axis=1
    )
    known = [len(np.unique(x[each][observed[each]])) > 1 for each in drawn]
    drawn = np.concatenate([np.concatenate(rows)[None], drawn[known]])
    slope, level, scatter = _fit(np.log(x)[drawn], np.log(times)[drawn], observed[drawn])
    tail = (1 - confidence) / 2
    low, high = np.quantile(slope[1:], [tail, 1 - tail])
    exponent = Estimate(float(slope[0]), float(low), float(high), len(x))
    return PowerLaw(exponent, float(np.exp(level[0])), float(scatter[0]))


def _fit(
    x: Float64[np.ndarray, "sets n"],
    y: Float64[np.ndarray, "sets n"],
    observed: Bool[np.ndarray, "sets n"],
) -> tuple[Float64[np.ndarray, "sets"], ...]:
    """Slope, level and scatter of each set: what is censored is replaced by its mean above."""
    centre = x.mean(1, keepdims=True)
    spread = ((x - centre) ** 2).sum(1)
    guess, extra = y.copy(), np.zeros_like(y)
    slope = np.full(len(x), np.nan)
    for _ in range(ROUNDS):
        before = slope
        slope = ((x - centre) * guess).sum(1) / spread
        level = guess.mean(1) - slope * centre[:, 0]
        mean = level[:, None] + slope[:, None] * x
        scatter = np.sqrt((((guess - mean) ** 2) + extra).mean(1))
        if observed.all() or (abs(slope - before) < CLOSE).all():
            break
        wide = np.maximum(scatter, 1e-12)[:, None]
        z = (y - mean) / wide
        hazard = np.exp(-z * z / 2 - scipy.special.log_ndtr(-z)) / np.sqrt(2 * np.pi)
        guess = np.where(observed, y, mean + wide * hazard)
        extra = np.where(observed, 0, wide**2 * (1 + z * hazard - hazard**2))
    return slope, level, scatter
