r"""The waves on the cube of triples (a, b, c): amplitudes, and how much of the logits they explain.

$\cos\omega_k(a + b - c)$ for k = 0, …, n/2 are orthogonal, so that a fit finds each alone. What
softmax ignores, $f(a, b)$, and what a bias holds, $g(c)$, is orthogonal to all but k = 0.
"""

from collections.abc import Collection
from itertools import product

import numpy as np
import sympy as sp
from jaxtyping import Float64

from grokbook.theory.cyclic.characters import past_the_pole, r, s
from grokbook.theory.cyclic.circuit import delta
from grokbook.theory.cyclic.cyclotomic import root
from grokbook.theory.identity import Identity


def cube_wave(order: int, frequency: int) -> Float64[np.ndarray, "n n n"]:
    r"""Return $\cos\omega_k(a + b - c)$ at every triple.

    >>> cube_wave(4, 1)[1].round(9) + 0.0
    array([[ 0.,  1.,  0., -1.],
           [-1.,  0.,  1.,  0.],
           [ 0., -1.,  0.,  1.],
           [ 1.,  0., -1.,  0.]])
    """
    a, b, c = np.ogrid[:order, :order, :order]
    return np.cos(2 * np.pi / order * (frequency * (a + b - c) % order))


def amplitudes(L: Float64[np.ndarray, "n n n"]) -> Float64[np.ndarray, "K"]:
    r"""Return the coefficients of the waves k = 0, …, n/2 in the logits, fitted all at once.

    >>> amplitudes(1 + 2 * cube_wave(5, 2)).round(9) + 0.0
    array([1., 0., 2.])
    """
    return _fit(L, range(len(L) // 2 + 1))[0]


def variance_explained(
    L: Float64[np.ndarray, "n n n"], keys: Collection[int], centred: str = "both"
) -> float:
    r"""Return $1 - \mathrm{RSS}/\mathrm{TSS}$ of the waves of the keys, fitted to centred logits.

    Centred over the classes and the pairs (`both`), over the `classes`, or by the `mean` of all.

    >>> a = np.arange(5.0)
    >>> L = cube_wave(5, 2) + 10 * a[:, None, None] + a
    >>> [round(variance_explained(L, [2], how), 3) for how in ("both", "classes", "mean")]
    [1.0, 0.2, 0.002]
    """
    n = len(L)
    rest = L - L.mean()
    if centred in ("both", "classes"):
        rest = rest - np.array([[[rest[a, b].mean()] for b in range(n)] for a in range(n)])
    if centred == "both":
        rest = rest - np.array([rest[:, :, c].mean() for c in range(n)])
    unexplained = _fit(rest, keys)[1]
    return float(1 - (unexplained**2).sum() / (rest**2).sum())


def amplitude_identity(order: int = 6) -> Identity:
    """Return the amplitudes by projection; the wrong one takes (−1)^δ and 1 for pairs of waves."""
    half = order // 2
    A = sp.symbols(f"A:{half + 1}", real=True)
    F = [sum(A[k] * _cos(k * x, order) for k in range(half + 1)) for x in range(order)]
    projected = [sum(F[x] * _cos(k * x, order) for x in range(order)) for k in range(half + 1)]
    weights = [1 if 2 * k % order == 0 else 2 for k in range(half + 1)]
    doubled = [2 * x / w for x, w in zip(A, weights, strict=True)]
    return Identity(
        f"(2/n) Σ_δ F(δ) cos ω_k δ = A_k, with 1/n for k = 0 and n/2, n = {order}",
        sp.Matrix([w * x / order for w, x in zip(weights, projected, strict=True)]),
        sp.Matrix(A),
        wrong=sp.Matrix(doubled),
    )


def cube_identity() -> Identity:
    r"""Return the squared norm of $\cos\omega_k(a + b - c)$ on all triples, $r = 2k \bmod n$.

    Each shift has $n^2$ triples. The wrong variant forgets that a squared cosine is 1/2 on average.
    """
    squares = (1 + (root(r * delta, r + s) + root(-r * delta, r + s)) / 2) / 2
    return Identity(
        "n² Σ_δ cos² ω_k δ = n³/2 unless n divides 2k",
        (r + s) ** 2 * sp.Sum(squares, (delta, 0, r + s - 1)).expand(),
        (r + s) ** 3 / 2,
        wrong=(r + s) ** 3,
        by=past_the_pole,
    )


def centring_identity(order: int = 3) -> Identity:
    """Return what centring twice leaves; the wrong one forgets to add the mean of all."""
    A = sp.symbols("A")
    f, g = sp.symbols(f"f:{order**2}"), sp.symbols(f"g:{order}")
    sums = [x + y for x, y in product(range(order), repeat=2)]
    wave = sp.Matrix([[A * _cos(x - c, order) for c in range(order)] for x in sums])
    table = sp.Matrix(order**2, order, lambda i, c: f[i] + g[c] + wave[i, c])
    per_class, per_pair = sp.ones(order**2) / order**2, sp.ones(order) / order
    mean = per_class * table * per_pair
    return Identity(
        f"f(a, b) + g(c) + A cos ω(a + b − c), centred over c and over (a, b), n = {order}",
        table - per_class * table - table * per_pair + mean,
        wave,
        wrong=wave - mean,
    )


def identities() -> tuple[Identity, ...]:
    """Return what the fit rests on, in order.

    >>> len(identities())
    3
    """
    return amplitude_identity(), cube_identity(), centring_identity()


def _fit(
    L: Float64[np.ndarray, "n n n"], keys: Collection[int]
) -> tuple[Float64[np.ndarray, "K"], Float64[np.ndarray, "triples"]]:
    """Return the coefficients of a least-squares fit, and what it leaves."""
    design = np.stack([cube_wave(len(L), k).ravel() for k in keys], axis=1)
    coefficients = np.linalg.lstsq(design, L.ravel(), rcond=None)[0]
    return coefficients, L.ravel() - design @ coefficients


def _cos(multiple: int, order: int) -> sp.Expr:
    return sp.cos(2 * sp.pi * multiple / order)
