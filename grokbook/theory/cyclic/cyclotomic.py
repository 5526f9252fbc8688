r"""Exact sums of roots of unity: polynomials in $\omega$ modulo the $n$-th cyclotomic polynomial.

$\mathbb Q(\omega) = \mathbb Q[x]/\Phi_n(x)$ with $\omega = e^{2\pi i/n}$, since $\Phi_n$ is the
minimal polynomial of $\omega$. A sum of powers of $\omega$ is 0 if and only if $\Phi_n$ divides the
polynomial with the same coefficients: a remainder over the rationals decides it, without floats.
"""

from collections.abc import Callable

import sympy as sp

x = sp.symbols("x")


def root(exponent: sp.Expr | int, n: sp.Expr | int) -> sp.Expr:
    r"""Return $\omega^j = e^{2\pi i j/n}$, a root of unity to the power j.

    >>> root(3, 12)
    I
    """
    return sp.exp(2 * sp.pi * sp.I * sp.sympify(exponent) / n)


def polynomial(value: sp.Expr, n: int) -> sp.Expr:
    r"""Return the polynomial in x of lowest degree that is `value` at $x = \omega$.

    `value` is a rational combination of powers of $\omega$, and may hold other symbols; $i$ counts
    as $\omega^{n/4}$ where 4 divides n. Raises `ValueError` for what is no power of $\omega$.

    >>> polynomial(root(2, 6) + root(1, 6), 6), polynomial(root(1, 5) + root(4, 5), 5)
    (2*x - 1, -x**3 - x**2 - 1)
    """
    powers = sp.expand_mul(value).replace(sp.exp, lambda argument: x ** _power(argument, n))
    if n % 4 == 0:
        powers = powers.subs(sp.I, x ** (n // 4))
    if powers.has(sp.I):
        raise ValueError(f"{value} holds i, which no power of ω for n = {n} is: take a multiple")
    remainder = sp.Poly(powers, x).rem(sp.Poly(sp.cyclotomic_poly(n, x), x))
    return sp.expand(remainder.as_expr())


def modulo_cyclotomic(n: int) -> Callable[[sp.Expr], sp.Expr]:
    r"""Return the rewriting that takes a sum of powers of $\omega$ to its remainder by $\Phi_n$.

    It is the `by` of an `Identity` for a concrete n.
    """
    return lambda entry: polynomial(entry, n)


def _power(argument: sp.Expr, n: int) -> int:
    r"""Return j in 0 … n − 1 for the exponent $2\pi i j/n$ of a root of unity."""
    turn = n * argument / (2 * sp.pi * sp.I)
    if not turn.is_integer:
        raise ValueError(f"exp({argument}) is no power of ω for n = {n}: take a multiple of n")
    return int(turn) % n
