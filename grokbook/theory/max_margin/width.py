r"""Fewer than $3(p - 1)$ neurons never attain γ*: a frequency needs six phases.

Every neuron of a network with the margin γ* is one that the bound allows: a single frequency with
aligned phases. Its margins are all equal, so that of a frequency's waves only a + b − c may stay;
the others differ from it and from one another for every odd p, and their seven characters must
have the mean 0 under the weights $\lambda_i = \|\theta_i\|^3 > 0$. With $s = e^{i(\alpha+\beta)}$
and $d = e^{i(\beta-\alpha)}$ the functions $1, s, s^2, d, sd, s^2d$ on the phases then are six
orthogonal vectors, since their quotients are the seven characters; that takes six phases.
"""

import sympy as sp

from grokbook.theory.identity import Identity
from grokbook.theory.max_margin.phases import CHARACTERS

A, B = sp.symbols("A B", nonzero=True)  # e^{iα} and e^{iβ}


def monomials() -> list[sp.Expr]:
    """Return 1, s, s², d, sd and s²d in the exponentials A of α and B of β.

    >>> monomials()[3:]
    [B/A, B**2, A*B**3]
    """
    s, d = A * B, B / A
    return [s**i * d**j for j in (0, 1) for i in (0, 1, 2)]


def orthogonal_identity() -> Identity:
    r"""Return the quotients of the six: all are 1, one of the seven, or the conjugate of one.

    The wrong variant is the transpose, where each character is its conjugate.
    """
    functions = monomials()
    a, b, c, d, e, f, g = (A**k * B**l for k, l in CHARACTERS)  # noqa: E741
    # c = s, e = s², b = d, g = sd, d = s²d, f = s/d and a = s²/d
    upper = [
        [1, c, e, b, g, d],
        [0, 1, c, 1 / f, b, g],
        [0, 0, 1, 1 / a, 1 / f, b],
        [0, 0, 0, 1, c, e],
        [0, 0, 0, 0, 1, c],
        [0, 0, 0, 0, 0, 1],
    ]
    table = sp.Matrix(6, 6, lambda i, j: upper[i][j] if i <= j else 1 / upper[j][i])
    return Identity(
        "conj(f_i) f_j is 1 on the diagonal and one of 7 characters elsewhere, f = 1, …, s²d",
        sp.Matrix(6, 6, lambda i, j: functions[j] / functions[i]),
        table,
        wrong=table.T,
    )


def residual_identity() -> Identity:
    r"""Return how far n phases are from cancelling: $\|G - 1\|^2$ of the six's Gram matrix G.

    G has the trace 6 and at most n eigenvalues other than 0; all equal they are 6/n, where the sum
    of squares is least. The wrong variant forgets the 6 − n eigenvalues 0.
    """
    n = sp.symbols("n", positive=True)
    return Identity(
        "‖G − 1‖² ≥ n (6/n − 1)² + (6 − n) = 6 (6 − n)/n",
        n * (6 / n - 1) ** 2 + (6 - n),
        6 * (6 - n) / n,
        wrong=n * (6 / n - 1) ** 2,
    )


def least_residual(phases: int) -> float:
    r"""Return $\sqrt{(6 - n)/(5n)}$: one of the seven means is at least that large.

    $\|G - 1\|^2$ has 30 terms, each the square of one of the seven; for n below 6 it is not 0.
    Raises `ValueError` unless n is at least 1.

    >>> [round(least_residual(n), 3) for n in (4, 5, 6, 7)]
    [0.316, 0.2, 0.0, 0.0]
    """
    if phases < 1:
        raise ValueError(f"{phases} phases are no network: give at least 1")
    return max(0.0, (6 - phases) / (5 * phases)) ** 0.5


def identities() -> tuple[Identity, ...]:
    """Return why six phases are the fewest.

    >>> len(identities())
    2
    """
    return orthogonal_identity(), residual_identity()
