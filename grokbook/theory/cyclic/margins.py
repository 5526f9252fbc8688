r"""The margin of K random frequencies at a prime p: its law, its asymptotics, its bounds.

Equal amplitudes, K distinct frequencies out of $1, \dots, (p-1)/2$. A unit u maps the set K to uK
(with $k$ and $-k$ the same) and permutes the shifts $\delta \ne 0$, so the margin stays. The units
act transitively and freely on the frequencies; hence each pair of a set and one of its members is
the image, under exactly one unit, of a set that contains 1. So the sets with 1 have the same law of
margins as all sets, and are K/((p − 1)/2) as many.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
from jaxtyping import Float64, Int64

from grokbook.theory.cyclic.separation import cross_entropy, margin

CHUNK = 8192
Statistic = Callable[[Int64[np.ndarray, "sets K"]], Float64[np.ndarray, "sets"]]


@dataclass(frozen=True)
class Law:
    """What a sample, or a complete list, says about a random number."""

    count: int
    mean: float
    low: float
    median: float
    smallest: float
    largest: float

    @classmethod
    def of(cls, values: Float64[np.ndarray, "sets"], low: float = 0.05) -> "Law":
        """Summarise values; `low` is the order of the low quantile."""
        quantiles = np.quantile(values, [low, 0.5])
        numbers = (values.mean(), *quantiles, values.min(), values.max())
        return cls(len(values), *(float(x) for x in numbers))


def sets_with_one(p: int, size: int) -> Iterator[Int64[np.ndarray, "sets K"]]:
    r"""Yield all sets of `size` frequencies that contain 1, a chunk at a time.

    $\binom{(p-3)/2}{K-1}$ in all. Raises `ValueError` unless p is an odd prime with at least
    `size` frequencies.

    >>> [chunk.tolist() for chunk in sets_with_one(7, 2)]
    [[[1, 2], [1, 3]]]
    """
    _check(p, size)
    others = combinations(range(2, (p - 1) // 2 + 1), size - 1)
    while chunk := list(islice(others, CHUNK)):
        rest = np.array(chunk, dtype=np.int64).reshape(len(chunk), size - 1)
        yield np.concatenate([np.ones((len(chunk), 1), dtype=np.int64), rest], axis=1)


def random_sets(
    p: int, size: int, count: int, *, seed: int
) -> Iterator[Int64[np.ndarray, "sets K"]]:
    """Yield `count` random sets of distinct frequencies, a chunk at a time.

    >>> sum(len(chunk) for chunk in random_sets(113, 6, 20_000, seed=0))
    20000
    """
    _check(p, size)
    rng, half = np.random.default_rng(seed), (p - 1) // 2
    for start in range(0, count, CHUNK):
        keys = rng.random((min(CHUNK, count - start), half))
        yield 1 + np.argpartition(keys, size - 1, axis=1)[:, :size]


def all_margins(p: int, size: int) -> Float64[np.ndarray, "sets"]:
    """Return the margin of every set that contains 1: the exact law of m_K.

    >>> float(all_margins(113, 2).mean().round(4))
    0.0925
    """
    return _over(sets_with_one(p, size), lambda sets: margin(sets, 1, p))


def random_margins(p: int, size: int, count: int, *, seed: int) -> Float64[np.ndarray, "sets"]:
    """Return the margins of random sets, where the list of all sets is too long."""
    return _over(random_sets(p, size, count, seed=seed), lambda sets: margin(sets, 1, p))


def budget_losses(
    p: int, size: int, budget: float | int, count: int, *, seed: int
) -> Float64[np.ndarray, "sets"]:
    r"""Return the cross-entropies of random sets whose K equal amplitudes sum to the budget.

    >>> values = budget_losses(113, 56, 10, 1, seed=0)
    >>> abs(values[0] - np.log1p(112 * np.exp(-10 * 113 / 112))) < 1e-12
    np.True_
    """
    sets = random_sets(p, size, count, seed=seed)
    return _over(sets, lambda chunk: cross_entropy(chunk, budget / size, p))


def gap_tail(m: float | int, size: int) -> float:
    r"""Return $\Pr[\sum_k (1 - \cos\varphi_k) \le m] \approx (m/2\pi)^{K/2}/\Gamma(K/2 + 1)$.

    For K independent uniform phases and small m.

    >>> round(gap_tail(0.01, 2), 6)
    0.001592
    """
    return (m / (2 * math.pi)) ** (size / 2) / math.gamma(size / 2 + 1)


def asymptotic_margin(p: int, size: int) -> float:
    r"""Return $2\pi (\Gamma(K/2 + 1)/N)^{2/K}\,\Gamma(1 + 2/K)$, $N = (p - 1)/2$: $E[m_K]$ roughly.

    The least of N gaps with that tail, taken as independent.

    >>> round(asymptotic_margin(113, 5), 3)
    1.801
    """
    scale = math.gamma(size / 2 + 1) / ((p - 1) / 2)
    return 2 * math.pi * scale ** (2 / size) * math.gamma(1 + 2 / size)


def dirichlet_bound(p: int, size: int) -> float:
    r"""Return $2K\sin^2(\pi p^{-1/K})$, which no set of K frequencies with $A_k = 1$ exceeds.

    Some $\delta \ne 0$ has all $k\delta/p$ within $p^{-1/K}$ of integers (Dirichlet, in the form of
    Minkowski's lattice theorem), and the sine grows up to 1/2. Raises `ValueError` where
    $p^{-1/K} > 1/2$.

    >>> round(dirichlet_bound(113, 2), 4)
    0.3393
    """
    distance = p ** (-1 / size)
    if distance > 0.5:
        raise ValueError(f"p = {p} is below 2^{size}: the bound needs p of at least 2^K")
    return 2 * size * math.sin(math.pi * distance) ** 2


def mean_bound(p: int, size: int) -> float:
    r"""Return $K p/(p - 1)$, the mean gap over the wrong classes, which bounds the least.

    >>> round(mean_bound(113, 56), 6)
    56.5
    """
    return size * p / (p - 1)


def _over(chunks: Iterator[Int64[np.ndarray, "sets K"]], statistic: Statistic):
    """Return the statistic of every set, as one array."""
    return np.concatenate([statistic(sets) for sets in chunks])


def _check(p: int, size: int) -> None:
    """Refuse a modulus that is no odd prime, and more frequencies than it has."""
    if p < 3 or any(p % q == 0 for q in range(2, math.isqrt(p) + 1)):
        raise ValueError(f"p = {p} is no odd prime: only there are all frequencies alike")
    if not 1 <= size <= (p - 1) // 2:
        raise ValueError(f"{size} frequencies of {(p - 1) // 2} modulo {p}: give 1 to that many")
