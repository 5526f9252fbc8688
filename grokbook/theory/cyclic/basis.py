r"""The real Fourier basis of functions on $\mathbb Z_n$, in which the book measures everything.

Rows: the constant, then $\cos \omega_k a$ and $\sin \omega_k a$ for $k = 1, 2, \dots < n/2$ with
$\omega_k = 2\pi k/n$, and for even n the unpaired wave $(-1)^a$; each of norm 1. A shift turns
every pair by $\omega_k$: block-diagonal here, diagonal in the complex basis only.
"""

import math
from dataclasses import dataclass

import numpy as np
import sympy as sp
from jaxtyping import Float64, Int64

from grokbook.theory.cyclic.characters import shift
from grokbook.theory.cyclic.cyclotomic import modulo_cyclotomic, root
from grokbook.theory.identity import Identity


@dataclass(frozen=True, eq=False)
class FourierBasis:
    r"""An orthonormal basis of real functions on $\mathbb Z_n$: one a row, with its frequency.

    >>> basis = fourier_basis(6)
    >>> basis.labels
    ('1', 'cos 1', 'sin 1', 'cos 2', 'sin 2', '(−1)^a')
    >>> basis.rows(2), basis.rows(3)
    (array([3, 4]), array([5]))
    """

    matrix: Float64[np.ndarray, "n n"]
    frequencies: Int64[np.ndarray, "n"]
    labels: tuple[str, ...]

    def rows(self, frequency: int) -> Int64[np.ndarray, "..."]:
        r"""Return the rows of a frequency $0 \le k \le n/2$: two, or one for k = 0 and k = n/2.

        Raises `ValueError` for another frequency.
        """
        found = np.flatnonzero(self.frequencies == frequency)
        if not found.size:
            raise ValueError(
                f"frequency {frequency} is not in the basis: give 0 to {self.frequencies.max()}"
            )
        return found


def fourier_basis(n: int) -> FourierBasis:
    r"""Return the basis in float64: $1/\sqrt n$, $\sqrt{2/n}\cos\omega_k a$, and so on.

    Raises `ValueError` unless n is at least 1.

    >>> fourier_basis(4).matrix.round(3) + 0.0
    array([[ 0.5  ,  0.5  ,  0.5  ,  0.5  ],
           [ 0.707,  0.   , -0.707,  0.   ],
           [ 0.   ,  0.707,  0.   , -0.707],
           [ 0.5  , -0.5  ,  0.5  , -0.5  ]])
    """
    kinds = _kinds(n)
    frequencies = np.array([k for _, k in kinds])
    # The product k·a is reduced modulo n in integers, so that no angle is large.
    angles = 2 * np.pi / n * (frequencies[:, None] * np.arange(n) % n)
    is_sine = np.array([kind == "sin" for kind, _ in kinds])
    matrix = np.where(is_sine[:, None], np.sin(angles), np.cos(angles))
    squares = np.where((frequencies == 0) | (2 * frequencies == n), n, n / 2)
    matrix /= np.sqrt(squares)[:, None]
    matrix.setflags(write=False)
    names = {"one": "1", "alternating": "(−1)^a"}
    return FourierBasis(matrix, frequencies, tuple(names.get(x, f"{x} {k}") for x, k in kinds))


def fourier_matrix(n: int) -> sp.Matrix:
    """Return the same basis in SymPy, exact.

    >>> fourier_matrix(3).row(1)
    Matrix([[sqrt(6)/3, -sqrt(6)/6, -sqrt(6)/6]])
    """
    functions = {"sin": sp.sin}
    rows = [
        [functions.get(kind, sp.cos)(2 * sp.pi * k * a / n) / sp.sqrt(square) for a in range(n)]
        for (kind, k), square in zip(_kinds(n), _squares(n), strict=True)
    ]
    return sp.Matrix(rows)


def waves(n: int) -> sp.Matrix:
    r"""Return the basis before its rows are normalised, in powers of $\omega$.

    $\cos \omega_k a = (\omega^{ka} + \omega^{-ka})/2$; the sines hold i, a power of $\omega$ only
    for a multiple of 4.
    """

    def wave(kind: str, k: int, a: int) -> sp.Expr:
        up, down = root(k * a, n), root(-k * a, n)
        return (up - down) / (2 * sp.I) if kind == "sin" else (up + down) / 2

    return sp.Matrix([[wave(kind, k, a) for a in range(n)] for kind, k in _kinds(n)])


def real_orthogonality_identity(n: int = 6) -> Identity:
    """Return the squared norms; the wrong one forgets that (−1)^a is no pair of waves."""
    table, squares = waves(n), _squares(n)
    forgotten = [squares[0], *[sp.Rational(n, 2)] * (n - 1)] if n % 2 == 0 else [n] * n
    return Identity(
        f"1, cos, sin, … are orthogonal with squares n, n/2, …, exactly for n = {n}",
        (table * table.T).applyfunc(sp.expand_mul),
        sp.diag(*squares),
        wrong=sp.diag(*forgotten),
        by=modulo_cyclotomic(math.lcm(n, 4)),
    )


def block_identity(n: int = 6) -> Identity:
    """Return the shift in the real basis: blocks that turn; the wrong one turns backwards."""
    table, blocks = waves(n), []
    for kind, k in _kinds(n):
        up, down = root(k, n), root(-k, n)
        cosine, sine = (up + down) / 2, (up - down) / (2 * sp.I)
        if kind == "cos":
            blocks.append(sp.Matrix([[cosine, sine], [-sine, cosine]]))
        elif kind != "sin":
            blocks.append(sp.Matrix([[cosine]]))
    squares, turns = sp.diag(*_squares(n)), sp.diag(*blocks)
    return Identity(
        f"⟨row i, S row j⟩: 1, turns by ω_k, and −1 for even n, exactly for n = {n}",
        (table * shift(n) * table.T).applyfunc(sp.expand_mul),
        squares * turns,
        wrong=squares * turns.T,
        by=modulo_cyclotomic(math.lcm(n, 4)),
    )


def identities() -> tuple[Identity, ...]:
    """Return what the real basis rests on.

    >>> len(identities())
    2
    """
    return real_orthogonality_identity(), block_identity()


def _kinds(n: int) -> list[tuple[str, int]]:
    """Return kind and frequency of every row, in order."""
    if n < 1:
        raise ValueError(f"n = {n} is not the order of a group: give an integer of at least 1")
    pairs = [(kind, k) for k in range(1, (n + 1) // 2) for kind in ("cos", "sin")]
    return [("one", 0), *pairs, *([("alternating", n // 2)] if n % 2 == 0 else [])]


def _squares(n: int) -> list[sp.Rational]:
    """Return the squared norm of every wave: n/2 for a pair, n for an unpaired wave."""
    return [sp.Rational(n, 2 if kind in ("cos", "sin") else 1) for kind, _ in _kinds(n)]
