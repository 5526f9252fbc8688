r"""The circuit in float64: logits, margin and loss of many sets of frequencies at once.

Frequencies are the last axis, $K$ of them a set; amplitudes broadcast against them. The margin is
exact in its zeros: $k\delta$ is reduced modulo n in integers, and $1 - \cos 0$ is exactly 0.
"""

import numpy as np
from jaxtyping import Float64, Int, Real

Amplitudes = Real[np.ndarray, "*#sets K"] | float | int


def logits(
    frequencies: Int[np.ndarray, "*sets K"], amplitudes: Amplitudes, n: int
) -> Float64[np.ndarray, "*sets n"]:
    r"""Return $F(\delta) = \sum_k A_k \cos(2\pi k\delta/n)$ for $\delta = 0, \dots, n - 1$.

    >>> logits(np.array([2, 3]), 1, 6).round(3)
    array([ 2. , -1.5,  0.5,  0. ,  0.5, -1.5])
    """
    return _waves(frequencies, amplitudes, np.cos(2 * np.pi / n * np.arange(n)), np.arange(n))


def gaps(
    frequencies: Int[np.ndarray, "*sets K"], amplitudes: Amplitudes, n: int
) -> Float64[np.ndarray, "*sets half"]:
    r"""Return $F(0) - F(\delta) = 2 \sum_k A_k \sin^2(\pi k\delta/n)$ for $1 \le \delta \le n/2$.

    The others follow from $F(-\delta) = F(\delta)$. Raises `ValueError` unless n is at least 2.

    >>> gaps(np.array([2, 3]), 1, 6).round(3)
    array([3.5, 1.5, 2. ])
    """
    if n < 2:
        raise ValueError(f"n = {n} leaves no wrong class: give an order of at least 2")
    table = 2 * np.sin(np.pi / n * np.arange(n)) ** 2
    return _waves(frequencies, amplitudes, table, np.arange(1, n // 2 + 1))


def margin(
    frequencies: Int[np.ndarray, "*sets K"], amplitudes: Amplitudes, n: int
) -> Float64[np.ndarray, "*sets"]:
    r"""Return $m = \min_{\delta \ne 0} F(0) - F(\delta)$ for every set.

    Not positive where the largest logit is not at $\delta = 0$ alone.

    >>> margin(np.array([[1, 2], [2, 4]]), 1, 6).round(3)
    array([2., 0.])
    >>> round(float(margin(np.array([1, 2]), np.array([1, -1]), 5)), 3)
    -1.118
    """
    return np.asarray(gaps(frequencies, amplitudes, n).min(axis=-1))


def cross_entropy(
    frequencies: Int[np.ndarray, "*sets K"], amplitudes: Amplitudes, n: int
) -> Float64[np.ndarray, "*sets"]:
    r"""Return $\log \sum_\delta e^{F(\delta) - F(0)}$, the loss on every pair (a, b), in nats.

    >>> cross_entropy(np.array([[1], [2]]), 0, 5).round(3)
    array([1.609, 1.609])
    """
    below = np.exp(-gaps(frequencies, amplitudes, n))
    twice = 2 * below.sum(axis=-1) - (below[..., -1] if n % 2 == 0 else 0)  # n/2 is its own −δ
    return np.asarray(np.log1p(twice))


def _waves(
    frequencies: Int[np.ndarray, "*sets K"],
    amplitudes: Amplitudes,
    table: Float64[np.ndarray, "n"],
    shifts: Int[np.ndarray, "shifts"],
) -> Float64[np.ndarray, "*sets shifts"]:
    r"""Return $\sum_k A_k\,\mathrm{table}[k\delta \bmod n]$, one frequency at a time."""
    by_frequency = table[np.arange(len(table))[:, None] * shifts % len(table)]
    weights = np.broadcast_to(amplitudes, frequencies.shape)
    total = np.zeros((*frequencies.shape[:-1], len(shifts)))
    for column in range(frequencies.shape[-1]):
        total += weights[..., column, None] * by_frequency[frequencies[..., column] % len(table)]
    return total
