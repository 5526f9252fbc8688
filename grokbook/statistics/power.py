"""How many seeds tell two arms apart: power of the paired log-rank test, by simulation."""

import numpy as np
import scipy.integrate
import scipy.stats
from jaxtyping import Float

from grokbook.statistics.paired import logrank_scores, sign_flip_p_values


def expected_range(n: int) -> float:
    r"""Return the expected range of $n$ standard normal draws, $d_2(n)$ of Tippett 1925.

    $d_2(n) = \int_{-\infty}^\infty 1 - \Phi(x)^n - (1 - \Phi(x))^n \, dx$. Raises `ValueError` for
    fewer than two draws, which have no range.

    >>> round(expected_range(5), 6)
    2.325929
    """
    if n < 2:
        raise ValueError(f"n = {n} draws have no range: it takes at least 2")
    cdf = scipy.stats.norm.cdf
    integral, _ = scipy.integrate.quad(lambda x: 1 - cdf(x) ** n - cdf(-x) ** n, 0, np.inf)
    return 2 * float(integral)


def log_sd_from_range(low: float | int, high: float | int, n: int) -> float:
    r"""Return the standard deviation of log onset behind a published range over $n$ seeds.

    $\hat\sigma = \log(\mathrm{high} / \mathrm{low}) / d_2(n)$ in nats, unbiased for log-normal
    onsets. Raises `ValueError` unless 0 < low ≤ high and $n \ge 2$.

    >>> round(log_sd_from_range(5000, 10000, 5), 3)
    0.298
    """
    if not 0 < low <= high:
        raise ValueError(f"the range {low} to {high} is none of onsets: it needs 0 < low <= high")
    return float(np.log(high / low)) / expected_range(n)


def power_of_paired_logrank(
    n_seeds: int,
    ratio: float | int,
    log_sd: float | int,
    correlation: float | int,
    budget: float | int,
    *,
    level: float = 0.05,
    repetitions: int = 2000,
    seed: int,
) -> float:
    r"""Return the share of simulated experiments in which `paired_logrank` has p ≤ `level`.

    Onsets are log-normal: $\log a_i$ and $\log b_i - \log(\mathrm{ratio})$ are normal with mean 0,
    standard deviation `log_sd` and the given correlation within a pair, which shared seeds bring
    about. `budget` is in medians of arm a, the same for both arms; later onsets are censored.

    At `level` .05 the power for five seeds or fewer is exactly 0, whatever the ratio: the least
    p-value of five pairs is 2/32 = .0625, of six 2/64 = .031. The standard error of the result is
    at most $1/(2\sqrt{\mathrm{repetitions}})$, .011 at the default.

    Raises `ValueError` for a parameter outside its range.

    >>> power_of_paired_logrank(5, 100, 0.3, 0.5, 1000, seed=0)
    0.0
    >>> power_of_paired_logrank(6, 100, 0.3, 0.5, 1000, seed=0)
    1.0
    """
    _refuse_parameters(n_seeds, ratio, log_sd, correlation, budget, repetitions)
    rng = np.random.default_rng(seed)
    pairs = _lognormal_pairs(rng, repetitions, n_seeds, ratio, log_sd, correlation)
    onsets = np.concatenate(list(pairs), axis=-1)
    scores = logrank_scores(np.minimum(onsets, budget), onsets <= budget)
    differences = scores[:, :n_seeds] - scores[:, n_seeds:]
    flips = int(rng.integers(2**32))
    return float(np.mean(sign_flip_p_values(differences, seed=flips) <= level))


def _lognormal_pairs(
    rng: np.random.Generator,
    repetitions: int,
    n_seeds: int,
    ratio: float | int,
    log_sd: float | int,
    correlation: float | int,
) -> Float[np.ndarray, "2 repetitions n_seeds"]:
    """Draw onsets of arm a (median 1) and arm b (median `ratio`), correlated within a pair."""
    shared = rng.standard_normal((repetitions, n_seeds))
    own = rng.standard_normal((2, repetitions, n_seeds))
    logs = log_sd * (np.sqrt(correlation) * shared + np.sqrt(1 - correlation) * own)
    return np.exp(logs) * np.array([1.0, ratio])[:, None, None]


def _refuse_parameters(
    n_seeds: int,
    ratio: float | int,
    log_sd: float | int,
    correlation: float | int,
    budget: float | int,
    repetitions: int,
) -> None:
    """Refuse what describes no experiment."""
    if n_seeds < 1 or repetitions < 1:
        raise ValueError(f"n_seeds = {n_seeds} and repetitions = {repetitions} must be at least 1")
    if not (ratio > 0 and log_sd > 0 and budget > 0):
        raise ValueError(
            f"ratio = {ratio}, log_sd = {log_sd} and budget = {budget} must be positive"
        )
    if not 0 <= correlation < 1:
        raise ValueError(f"correlation = {correlation} must lie in [0, 1): seeds that are shared")
