r"""The waves on the grid of pairs (a, b): those of a frequency, and those that the circuit uses.

Products of the real basis with itself are an orthonormal basis of functions on the grid, with
$n^2$ waves. A frequency k has eight that hold no other: $\cos\omega_k a$, $\sin\omega_k a$,
the same of b, and four products. Two combinations of the products matter for addition,
$u_k = \tfrac{\sqrt2}{n}\cos\omega_k(a + b)$ and $v_k = \tfrac{\sqrt2}{n}\sin\omega_k(a + b)$.
Functions on the grid are flattened, b fastest.
"""

from itertools import product

import numpy as np
import sympy as sp
from jaxtyping import Float64

from grokbook.theory.cyclic.basis import fourier_basis
from grokbook.theory.identity import Identity

a, b, omega = sp.symbols("a b omega", real=True)
n = sp.symbols("n", integer=True, positive=True)


def grid_basis(order: int) -> Float64[np.ndarray, "pairs pairs"]:
    r"""Return all $n^2$ waves, one a row: row $in + j$ is wave i in a times wave j in b.

    >>> grid_basis(2)
    array([[ 0.5,  0.5,  0.5,  0.5],
           [ 0.5, -0.5,  0.5, -0.5],
           [ 0.5,  0.5, -0.5, -0.5],
           [ 0.5, -0.5, -0.5,  0.5]])
    """
    matrix = fourier_basis(order).matrix
    return np.kron(matrix, matrix)


def frequency_waves(order: int, frequency: int) -> Float64[np.ndarray, "waves pairs"]:
    r"""Return the waves that hold one frequency and no other: eight, or three for k = n/2.

    Raises `ValueError` for a frequency that is not in 0, …, n/2.

    >>> [len(frequency_waves(6, k)) for k in range(4)]
    [1, 8, 8, 3]
    """
    basis = fourier_basis(order)
    own = {0, *basis.rows(frequency).tolist()}
    rows = [i * order + j for i, j in product(own, own) if (i or j) or not frequency]
    return grid_basis(order)[rows]


def sum_directions(order: int, frequency: int) -> Float64[np.ndarray, "waves pairs"]:
    r"""Return $u_k$ and $v_k$ as rows, from the products; for k = 0 and n/2 there is u alone.

    >>> a = np.arange(5)
    >>> angles = 2 * np.pi / 5 * 2 * np.add.outer(a, a).ravel()
    >>> waves = np.stack([np.cos(angles), np.sin(angles)]) * 2**0.5 / 5
    >>> bool(abs(sum_directions(5, 2) - waves).max() < 1e-15)
    True
    """
    rows, waves = fourier_basis(order).rows(frequency), grid_basis(order)
    if len(rows) == 1:
        return waves[rows * order + rows]
    cosine, sine = rows * order
    even = waves[cosine + rows[0]] - waves[sine + rows[1]]
    odd = waves[sine + rows[0]] + waves[cosine + rows[1]]
    return np.stack([even, odd]) / 2**0.5


def direction_identity() -> Identity:
    """Return u and v from products of unit waves; the wrong one forgets the √2 of the sum."""
    left = [
        sp.cos(omega * a) * sp.cos(omega * b) - sp.sin(omega * a) * sp.sin(omega * b),
        sp.sin(omega * a) * sp.cos(omega * b) + sp.cos(omega * a) * sp.sin(omega * b),
    ]
    right = sp.Matrix([sp.cos(omega * (a + b)), sp.sin(omega * (a + b))])
    return Identity(
        "(2/n)(cos cos − sin sin, sin cos + cos sin)/√2 = (√2/n)(cos, sin) ω(a + b)",
        2 / n * sp.Matrix(left) / sp.sqrt(2),
        sp.sqrt(2) / n * right,
        wrong=2 / n * right,
    )


def diagonal_identity(order: int = 3) -> Identity:
    """Return what a function of the sum sees of a table; the wrong one sums over differences."""
    table, f = sp.Matrix(order, order, sp.symbols(f"L:{order**2}")), sp.symbols(f"f:{order}")

    def along(sign: int) -> sp.Expr:
        pairs = product(range(order), repeat=2)
        return sum(f[t] * table[x, (t - sign * x) % order] for t, x in pairs)

    pairs = product(range(order), repeat=2)
    return Identity(
        f"Σ_ab f(a + b) L(a, b) = Σ_s f(s) Σ_a L(a, s − a), any table for n = {order}",
        sum(f[(x + y) % order] * table[x, y] for x, y in pairs),
        along(1),
        wrong=along(-1),
    )


def part_identity(order: int = 4) -> Identity:
    r"""Return what u and v hold of a table: a wave of its means $M_t$, at every pair.

    The wrong variant turns the wave the other way.
    """
    table, pairs = _table(order), list(product(range(order), repeat=2))
    even, odd = _u(order), _v(order)
    part = even * (even.T * table) + odd * (odd.T * table)
    means = [sum(table[x * order + (t - x) % order] for x in range(order)) for t in range(order)]

    def wave(sign: int) -> sp.Matrix:
        return sp.Matrix(
            [sum(_cos(x + y - sign * t, order) * means[t] for t in range(order)) for x, y in pairs]
        )

    return Identity(
        f"(uuᵀ + vvᵀ)L = (2/n) Σ_t cos ω(a + b − t) M_t, M_t = Σ_a L(a, t − a)/n, n = {order}",
        part,
        2 * wave(1) / order**2,
        wrong=2 * wave(-1) / order**2,
    )


def bias_identity(order: int = 4) -> Identity:
    """Return the mean of what u and v leave out; the wrong one divides by n, not n²."""
    table, even, odd = _table(order), _u(order), _v(order)
    rest = table - even * (even.T * table) - odd * (odd.T * table)
    return Identity(
        f"mean of L − (uuᵀ + vvᵀ)L = mean of L: the waves have mean 0, n = {order}",
        sum(rest) / order**2,
        sum(table) / order**2,
        wrong=sum(table) / order,
    )


def products_identity() -> Identity:
    """Return the four products by waves in a + b and a − b; the wrong one turns the signs."""
    down, up = omega * (a - b), omega * (a + b)
    even, odd = sp.cos(down) + sp.cos(up), sp.cos(down) - sp.cos(up)
    left, right = sp.sin(up) + sp.sin(down), sp.sin(up) - sp.sin(down)
    waves = [sp.cos(omega * a) * sp.cos(omega * b), sp.sin(omega * a) * sp.sin(omega * b)]
    waves += [sp.sin(omega * a) * sp.cos(omega * b), sp.cos(omega * a) * sp.sin(omega * b)]
    return Identity(
        "cos cos, sin sin, sin cos, cos sin = halves of waves in a − b and a + b",
        sp.Matrix(waves),
        sp.Matrix([even, odd, left, right]) / 2,
        wrong=sp.Matrix([odd, even, right, left]) / 2,
    )


def counting_identity() -> Identity:
    """Return how many waves hold one frequency and how many two; the wrong one halves the latter.

    So a neuron of noise has the share 8/(n² − 1) in each frequency, on average.
    """
    h = sp.symbols("h", integer=True, positive=True)
    return Identity(
        "n² − 1 = 8h + 4h(h − 1) for n = 2h + 1: one frequency, two frequencies",
        (2 * h + 1) ** 2 - 1,
        8 * h + 4 * h * (h - 1),
        wrong=8 * h + 2 * h * (h - 1),
    )


def identities() -> tuple[Identity, ...]:
    """Return what the directions of the circuit, and of its neurons, rest on, in order.

    >>> len(identities())
    6
    """
    circuit = [direction_identity, diagonal_identity, part_identity, bias_identity]
    return tuple(step() for step in [*circuit, products_identity, counting_identity])


def _cos(multiple: int, order: int) -> sp.Expr:
    return sp.cos(2 * sp.pi * multiple / order)


def _u(order: int) -> sp.Matrix:
    pairs = product(range(order), repeat=2)
    return sp.Matrix([sp.sqrt(2) / order * _cos(x + y, order) for x, y in pairs])


def _v(order: int) -> sp.Matrix:
    pairs = product(range(order), repeat=2)
    return sp.Matrix([sp.sqrt(2) / order * sp.sin(2 * sp.pi * (x + y) / order) for x, y in pairs])


def _table(order: int) -> sp.Matrix:
    return sp.Matrix(sp.symbols(f"L:{order**2}"))
