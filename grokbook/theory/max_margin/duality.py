r"""From the margin of a network to the Fourier form of one neuron: weak duality.

A minimum over (a, b, c′) is at most the mean with uniform weights. The mean is additive over
neurons and homogeneous of degree 3, so that for $\sum_i \|\theta_i\|^3 = 1$ it is at most that of
the best neuron of norm 1. In the mean of one neuron the squares drop out, and the cross term is
$\frac{2}{(p-1)p^2} \sum_{j \ne 0} \hat u_j \hat v_j \bar{\hat w}_j$ with
$\hat u_j = \sum_a u(a)\,\omega^{-ja}$. For odd p the frequencies j and −j are equal pairs, and by
Parseval they share the budget $p\,\|u\|^2$.
"""

from collections.abc import Sequence

import sympy as sp

from grokbook.theory.cyclic.cyclotomic import modulo_cyclotomic, root
from grokbook.theory.identity import Identity

p = sp.symbols("p", positive=True)
Values = Sequence[sp.Expr | int]


def neuron(order: int, name: str = "") -> list[tuple[sp.Symbol, ...]]:
    """Return the weights u, v and w of a neuron as symbols; the name tells neurons apart."""
    return [sp.symbols(f"{letter}{name}:{order}", real=True) for letter in "uvw"]


def mean_margin(u: Values, v: Values, w: Values) -> sp.Expr:
    r"""Return the mean of $f_{a+b} - f_{c'}$ over all a, b and $c' \ne a + b$, by definition.

    >>> mean_margin([1, -1], [1, -1], [1, -1])
    4
    """
    n = len(u)
    gaps = [
        (u[a] + v[b]) ** 2 * (w[(a + b) % n] - w[(a + b + shift) % n])
        for a in range(n)
        for b in range(n)
        for shift in range(1, n)
    ]
    return sum(gaps) / sp.Integer(len(gaps))


def cross_sum(u: Values, v: Values, w: Values) -> sp.Expr:
    r"""Return $\sum_{a,b} u(a)\,v(b)\,(w(a + b) - \bar w)$."""
    n = len(u)
    mean = sum(w) / sp.Integer(n)
    return sum(u[a] * v[b] * (w[(a + b) % n] - mean) for a in range(n) for b in range(n))


def transform(values: Values) -> list[sp.Expr]:
    r"""Return $\hat f_j = \sum_a f(a)\,\omega^{-ja}$ for $j = 0, \dots, n - 1$.

    >>> transform([1, 0, 0])
    [1, 1, 1]
    """
    n = len(values)
    return [sum(value * root(-j * a, n) for a, value in enumerate(values)) for j in range(n)]


def additive_identity(order: int = 3) -> Identity:
    """Return that neurons add up; the wrong one adds their weights first."""
    first, second = neuron(order, "1_"), neuron(order, "2_")
    joined = [
        [x + y for x, y in zip(*pair, strict=True)] for pair in zip(first, second, strict=True)
    ]

    def margin(a: int, b: int, other: int) -> sp.Expr:
        return sum(
            (u[a] + v[b]) ** 2 * (w[(a + b) % order] - w[other]) for u, v, w in (first, second)
        )

    cells = [
        (a, b, c)
        for a in range(order)
        for b in range(order)
        for c in range(order)
        if c != (a + b) % order
    ]
    return Identity(
        f"mean margin of two neurons = sum of their mean margins, exactly for p = {order}",
        sum(margin(*cell) for cell in cells) / sp.Integer(len(cells)),
        mean_margin(*first) + mean_margin(*second),
        wrong=mean_margin(*joined),
    )


def homogeneous_identity(order: int = 3) -> Identity:
    """Return the degree in the weights of a neuron; the wrong one forgets the output weights."""
    r = sp.symbols("r", positive=True)
    weights = neuron(order)
    value = mean_margin(*weights)
    return Identity(
        f"mean margin of r·(u, v, w) = r³ · mean margin, exactly for p = {order}",
        mean_margin(*[[r * x for x in part] for part in weights]),
        r**3 * value,
        wrong=r**2 * value,
    )


def class_mean_identity() -> Identity:
    r"""Return the gap to the mean wrong class, S the sum of w over all classes.

    The wrong variant takes the mean over all classes for that over the wrong ones.
    """
    w, total = sp.symbols("w S", real=True)
    return Identity(
        "w − (S − w)/(p − 1) = p/(p − 1) · (w − S/p)",
        w - (total - w) / (p - 1),
        p / (p - 1) * (w - total / p),
        wrong=w - total / p,
    )


def squares_identity(order: int = 3) -> Identity:
    r"""Return that only the cross term stays, since $E_b[w(a + b) - \bar w] = 0$ for every a.

    The wrong variant forgets that it stands there twice.
    """
    u, v, w = neuron(order)
    factor = sp.Rational(1, (order - 1) * order)
    return Identity(
        f"mean margin = p/(p − 1) E[2 u(a) v(b) (w(a + b) − w̄)], exactly for p = {order}",
        mean_margin(u, v, w),
        2 * factor * cross_sum(u, v, w),
        wrong=factor * cross_sum(u, v, w),
    )


def fourier_identity(order: int = 3) -> Identity:
    """Return the cross term by frequency; the wrong one forgets to conjugate ŵ."""
    u, v, w = neuron(order)
    parts = list(zip(transform(u), transform(v), transform(w), strict=True))[1:]
    return Identity(
        f"Σ u(a) v(b) (w(a + b) − w̄) = (1/p) Σ_{{j≠0}} û_j v̂_j conj(ŵ_j), exactly for p = {order}",
        cross_sum(u, v, w),
        sum(x * y * sp.conjugate(z) for x, y, z in parts) / order,
        wrong=sum(x * y * z for x, y, z in parts) / order,
        by=modulo_cyclotomic(order),
    )


def conjugate_identity(order: int = 5) -> Identity:
    """Return why the frequencies come in equal pairs, for odd p; the wrong one has û_j twice."""
    u = transform(neuron(order)[0])
    return Identity(
        f"û_{{p−j}} = conj(û_j) for j ≠ 0, exactly for p = {order}",
        sp.Matrix([u[order - j] for j in range(1, order)]),
        sp.Matrix([sp.conjugate(u[j]) for j in range(1, order)]),
        wrong=sp.Matrix(u[1:]),
        by=modulo_cyclotomic(order),
    )


def parseval_identity(order: int = 5) -> Identity:
    """Return the budget that the frequencies share; the wrong one forgets the constant."""
    values = neuron(order)[0]
    u = transform(values)
    whole = order * sum(x**2 for x in values)
    return Identity(
        f"2 Σ_{{j≤(p−1)/2}} |û_j|² = p ‖u‖² − (Σ_a u(a))², exactly for p = {order}",
        2 * sum(u[j] * sp.conjugate(u[j]) for j in range(1, order // 2 + 1)),
        whole - sum(values) ** 2,
        wrong=whole,
        by=modulo_cyclotomic(order),
    )


def identities() -> tuple[Identity, ...]:
    """Return the way from the margin of a network to the Fourier form of one neuron, in order.

    >>> len(identities())
    7
    """
    network = [additive_identity, homogeneous_identity, class_mean_identity]
    fourier = [squares_identity, fourier_identity, conjugate_identity, parseval_identity]
    return tuple(step() for step in network + fourier)
