r"""Characters of $\mathbb Z_n$: why a shift, and with it the group, is diagonal in Fourier's basis.

The characters are $\chi_k(a) = \omega^{ka}$ with $\omega = e^{2\pi i/n}$ and $k = 0, \dots, n - 1$:
the maps with $\chi(a + b) = \chi(a) \chi(b)$. For a symbolic n the sums are geometric series; for
a concrete n they are exact in the cyclotomic field.
"""

import sympy as sp

from grokbook.theory.cyclic.cyclotomic import modulo_cyclotomic, root
from grokbook.theory.identity import Identity

n = sp.symbols("n", integer=True, positive=True)
a, b, k = sp.symbols("a b k", integer=True)
omega = sp.symbols("omega", real=True)  # the angle 2πk/n of a frequency, in the real form
# An exponent that n does not divide: 0 < r < n, in the form n = r + s.
r, s = sp.symbols("r s", integer=True, positive=True)


def character_table(order: int) -> sp.Matrix:
    r"""Return the table of characters, row k and column a: $\omega^{ka}$, exact.

    >>> character_table(4).row(1)
    Matrix([[1, I, -1, -I]])
    """
    return sp.Matrix(order, order, lambda row, column: root(row * column, order))


def shift(order: int) -> sp.Matrix:
    """Return the matrix S with (S f)(a) = f(a + 1), indices modulo the order.

    >>> shift(3)
    Matrix([
    [0, 1, 0],
    [0, 0, 1],
    [1, 0, 0]])
    """
    return sp.Matrix(order, order, lambda row, column: int(column == (row + 1) % order))


def past_the_pole(entry: sp.Expr) -> sp.Expr:
    r"""Take the branch $z \ne 1$ of every geometric series, and simplify.

    SymPy cannot tell that $\omega^r \ne 1$ for $0 < r < n$, which is what this rewriting assumes.
    """
    return sp.simplify(entry.replace(sp.Piecewise, lambda *branches: branches[-1][0]))


def character_identity() -> Identity:
    """Return what makes χ_k a character, and a function of residues."""
    chi_a, chi_b = root(k * a, n), root(k * b, n)
    return Identity(
        "χ_k(a + b) = χ_k(a) χ_k(b) and χ_k(a + n) = χ_k(a)",
        sp.Matrix([root(k * (a + b), n), root(k * (a + n), n)]),
        sp.Matrix([chi_a * chi_b, chi_a]),
        wrong=sp.Matrix([chi_a + chi_b, chi_a]),
    )


def geometric_identity() -> Identity:
    """Return the finite geometric series, for z = 1 + u with u ≠ 0; the wrong one ends early."""
    u = sp.symbols("u", real=True, nonzero=True)
    z = 1 + u
    return Identity(
        "Σ_{a<n} z^a = (1 − z^n)/(1 − z) for z ≠ 1",
        sp.Sum(z**a, (a, 0, n - 1)),
        (1 - z**n) / (1 - z),
        wrong=(1 - z ** (n - 1)) / (1 - z),
    )


def orthogonality_identity() -> Identity:
    r"""Return the orthogonality of two characters, $r = j - k$; the wrong one forgets $a = 0$.

    The series has $z = \omega^r \ne 1$, since n does not divide r, and $z^n = 1$.
    """
    return Identity(
        "Σ_{a<n} ω^{ra} = 0 for 0 < r < n",
        sp.Sum(root(r * a, r + s), (a, 0, r + s - 1)),
        0,
        wrong=-1,
        by=past_the_pole,
    )


def exact_orthogonality_identity(order: int = 6) -> Identity:
    r"""Return all inner products of characters modulo $\Phi_n$; the wrong one forgets the norm."""
    table = character_table(order)
    return Identity(
        f"Σ_a ω^{{(j−k)a}} = n 1[j = k], exactly for n = {order}",
        table * table.H,
        order * sp.eye(order),
        wrong=sp.eye(order),
        by=modulo_cyclotomic(order),
    )


def shift_identity(order: int = 6) -> Identity:
    """Return the shift in the basis of characters; the wrong one shifts the other way."""
    table = character_table(order)
    turns = [root(row, order) for row in range(order)]
    return Identity(
        f"(S χ_k)(a) = χ_k(a + 1) = ω^k χ_k(a), exactly for n = {order}",
        shift(order) * table.T,
        table.T * sp.diag(*turns),
        wrong=table.T * sp.diag(*[1 / turn for turn in turns]),
        by=modulo_cyclotomic(order),
    )


def real_shift_identity() -> Identity:
    """Return the shift of a pair of waves, a rotation; the wrong one turns backwards."""
    pair = sp.Matrix([sp.cos(omega * a), sp.sin(omega * a)])
    turn = sp.Matrix([[sp.cos(omega), -sp.sin(omega)], [sp.sin(omega), sp.cos(omega)]])
    return Identity(
        "S (cos ωa, sin ωa) = R(ω) (cos ωa, sin ωa)",
        pair.subs(a, a + 1),
        turn * pair,
        wrong=turn.T * pair,
    )


def convolution_identity(order: int = 3) -> Identity:
    r"""Return the transform of a convolution, $\hat f_k = \sum_a f_a \omega^{-ka}$.

    $(f * g)(c) = \sum_{a + b \equiv c} f(a) g(b)$; the wrong variant takes $\hat g$ at −k, which is
    the transform of a correlation.
    """
    f, g = sp.symbols(f"f:{order}"), sp.symbols(f"g:{order}")
    both = [sum(f[c] * g[(total - c) % order] for c in range(order)) for total in range(order)]
    transform = character_table(order).conjugate()
    f_hat, g_hat = transform * sp.Matrix(f), transform * sp.Matrix(g)
    turned = sp.Matrix([g_hat[-row % order] for row in range(order)])
    return Identity(
        f"transform of f ∗ g = f̂_k ĝ_k, exactly for n = {order}",
        transform * sp.Matrix(both),
        f_hat.multiply_elementwise(g_hat),
        wrong=f_hat.multiply_elementwise(turned),
        by=modulo_cyclotomic(order),
    )


def identities() -> tuple[Identity, ...]:
    """Return the derivation of the characters, in order.

    >>> len(identities())
    7
    """
    series = [character_identity, geometric_identity, orthogonality_identity]
    exact = [exact_orthogonality_identity, shift_identity, real_shift_identity]
    return tuple(step() for step in [*series, *exact, convolution_identity])
