r"""What is measured of a trained network, by the definitions: slow, and plain to read.

Tables of logits $L_{abc}$ are $n \times n \times n$, for the label $a + b$; a projection is taken
on waves of the whole grid, and a sum is written out. The PyTorch forms in `grokbook.measures` are
for p = 113; these are for small n, to hold them against. Keys are frequencies, 0 not among them.
"""

import cmath
import math
from collections.abc import Collection
from itertools import product

import numpy as np
import sympy as sp
from jaxtyping import Bool, Float64

from grokbook.theory.cyclic.directions import frequency_waves, sum_directions
from grokbook.theory.identity import Identity


def power(x: Float64[np.ndarray, "n d"]) -> Float64[np.ndarray, "K"]:
    r"""Return $\sum_j (|\hat x_{kj}|^2 + |\hat x_{-k,j}|^2)/n$ for k = 0, …, n/2, each −k ≠ k once.

    >>> power(np.array([[1.0], [-1.0], [1.0], [-1.0]])).round(9)
    array([0., 0., 4.])
    """
    n = len(x)
    found = np.zeros(n // 2 + 1)
    for k, column in product(range(n), range(x.shape[1])):
        transform = sum(x[a, column] * cmath.exp(-2j * cmath.pi * k * a / n) for a in range(n))
        found[min(k, n - k)] += abs(transform) ** 2 / n
    return found


def gini(values: Float64[np.ndarray, "N"]) -> float:
    r"""Return $\sum_{ij} |x_i - x_j| / (2N\sum_i x_i)$.

    >>> gini(np.array([0.0, 3.0, 0.0, 0.0]))
    0.75
    """
    gaps = sum(abs(x - y) for x, y in product(values, values))
    return float(gaps / (2 * len(values) * values.sum()))


def key_frequencies(powers: Float64[np.ndarray, "K"], share: float = 0.95) -> list[int]:
    """Return the fewest frequencies that hold `share` of the power outside the constant.

    Strongest first, of equal ones the smaller.

    >>> key_frequencies(np.array([99.0, 1.0, 50.0, 1.0, 48.0]))
    [2, 4]
    """
    keys: list[int] = []
    for k in sorted(range(1, len(powers)), key=lambda k: (-powers[k], k)):
        if powers[keys].sum() >= (share - 1e-12) * powers[1:].sum():
            break
        keys.append(k)
    return keys


def phase_locking(embedding: Float64[np.ndarray, "n d"], frequency: int) -> float:
    r"""Return $|\mathrm{mean}_a\,e^{i(\varphi_a - \omega_k a)}|$, the angles in the measured plane.

    >>> angles = 2 * np.pi / 7 * 3 * np.arange(7)
    >>> round(phase_locking(np.stack([np.cos(angles), np.sin(angles)], axis=1), 3), 9)
    1.0
    """
    n = len(embedding)
    angles = [2 * math.pi * frequency * a / n for a in range(n)]
    cosine = sum(math.cos(angle) * row for angle, row in zip(angles, embedding, strict=True))
    sine = sum(math.sin(angle) * row for angle, row in zip(angles, embedding, strict=True))
    total = 0j
    for angle, row in zip(angles, embedding, strict=True):
        total += cmath.exp(1j * (math.atan2(row @ sine, row @ cosine) - angle))
    return abs(total) / n


def component(L: Float64[np.ndarray, "n n n"], frequency: int) -> Float64[np.ndarray, "n n n"]:
    r"""Return $(u_k u_k^\top + v_k v_k^\top) L$, by the $n^2 \times n^2$ matrix in front.

    >>> L = np.cos(2 * np.pi / 3 * np.add.outer(np.arange(3), np.arange(3)))[..., None] * np.ones(3)
    >>> bool(abs(component(L, 1) - L).max() < 1e-12)
    True
    """
    waves = sum_directions(len(L), frequency)
    return (waves.T @ waves @ L.reshape(-1, L.shape[2])).reshape(L.shape)


def restricted(
    L: Float64[np.ndarray, "n n n"], keys: Collection[int]
) -> Float64[np.ndarray, "n n n"]:
    """Return the components of the keys, and the mean over the pairs of what they leave out."""
    kept = sum((component(L, k) for k in keys), np.zeros(L.shape))
    return kept + (L - kept).mean(axis=(0, 1))


def excluded(
    L: Float64[np.ndarray, "n n n"], keys: Collection[int]
) -> Float64[np.ndarray, "n n n"]:
    """Return the logits less the components of the keys."""
    return L - sum((component(L, k) for k in keys), np.zeros(L.shape))


def loss(L: Float64[np.ndarray, "n n n"], pairs: Bool[np.ndarray, "n n"]) -> float:
    r"""Return the mean of $\log\sum_c e^{z_c} - z_{a+b}$ over a set of pairs.

    >>> round(loss(np.zeros((3, 3, 3)), np.ones((3, 3), dtype=bool)), 6)
    1.098612
    """
    values = []
    for a, b in np.argwhere(pairs):
        z = L[a, b] - L[a, b, (a + b) % len(L)]
        values.append(z.max() + math.log(sum(math.exp(x - z.max()) for x in z)))
    return float(np.mean(values))


def table_margins(L: Float64[np.ndarray, "n n n"]) -> tuple[float, float, float]:
    """Return the smallest gap, the mean of each pair's smallest, and the mean of all gaps.

    >>> table_margins(np.array([[[2.0, 1.0], [0.0, 0.0]], [[0.0, 4.0], [3.0, 0.0]]]))
    (0.0, 2.0, 2.0)
    """
    n = len(L)
    gaps = np.array(
        [
            [L[a, b, (a + b) % n] - L[a, b, c] for c in range(n) if c != (a + b) % n]
            for a, b in product(range(n), repeat=2)
        ]
    )
    return float(gaps.min()), float(gaps.min(axis=1).mean()), float(gaps.mean())


def neuron_shares(activations: Float64[np.ndarray, "n n m"]) -> Float64[np.ndarray, "K m"]:
    """Return the share of each neuron's variance in the waves that hold one frequency alone."""
    n = len(activations)
    flat = (activations - activations.mean(axis=(0, 1))).reshape(n * n, -1)
    held = [((frequency_waves(n, k) @ flat) ** 2).sum(axis=0) for k in range(n // 2 + 1)]
    return np.array(held) / (flat**2).sum(axis=0)


def gini_identity() -> Identity:
    """Return the Gini coefficient by ranks, x ≤ x + y ≤ x + y + z; the wrong one drops the 1."""
    steps = sp.symbols("x y z", positive=True)
    values = [sum(steps[: i + 1]) for i in range(3)]
    gaps = sum(sp.Abs(p - q) for p, q in product(values, values))

    def by_rank(one: int) -> sp.Expr:
        ranked = sum((2 * i - 3 - one) * value for i, value in enumerate(values, start=1))
        return ranked / (3 * sum(values))

    return Identity(
        "Σ_ij |x_i − x_j|/(2NΣx) = Σ_i (2i − N − 1) x_(i)/(NΣx), N = 3",
        gaps / (6 * sum(values)),
        by_rank(1),
        wrong=by_rank(0),
    )


def identities() -> tuple[Identity, ...]:
    """Return what a sorted form rests on.

    >>> len(identities())
    1
    """
    return (gini_identity(),)
