r"""κ, the share of pure decay that is left: measured, averaged, and what is then only an identity.

$\kappa_t = \log(V_t/V_{t+1})\,/\,(-2\log(1-\eta\lambda))$. Averaged over the delay itself the
corrected law $T = \log(V_{mem}/V_{post})\,/\,(-2\bar\kappa\log(1-\eta\lambda))$ holds whatever
causes grokking; it predicts only with κ and $V_{post}$ frozen when the network memorises.
"""

import sympy as sp

from grokbook.theory.contraction.one_step import (
    V,
    V_mem,
    V_post,
    dot,
    eta,
    lam,
    next_squared_norm,
    square,
)
from grokbook.theory.identity import Identity

kappa = sp.symbols("kappa", positive=True)


def kappa_of_one_step() -> sp.Expr:
    r"""Return $\log(V/V')\,/\,(-2\log(1-\eta\lambda))$ with V′ from the one-step identity."""
    return sp.log(V / next_squared_norm()) / (-2 * sp.log(1 - eta * lam))


def corrected_delay() -> sp.Expr:
    r"""Return $\log(V_{mem}/V_{post})\,/\,(-2\kappa\log(1-\eta\lambda))$, in steps."""
    return sp.log(V_mem / V_post) / (-2 * kappa * sp.log(1 - eta * lam))


def small_step_identity() -> Identity:
    r"""Return κ for small steps, η to first order; the wrong variant has the sign turned.

    The second entry is the term of order η: $\|u\|^2$ takes half of itself off, and the rest is of
    the order of $\eta\lambda$.
    """
    value = kappa_of_one_step()
    first = 1 + dot / (lam * V)
    rest = sp.limit(sp.diff(value, square) / eta, eta, 0)
    return Identity(
        "κ → 1 + (⟨θ,u⟩ − η‖u‖²/2)/(λV) as η → 0",
        sp.Matrix([sp.limit(value, eta, 0), rest]),
        sp.Matrix([first, -1 / (2 * lam * V)]),
        wrong=sp.Matrix([2 - first, 1 / (2 * lam * V)]),
    )


def telescoping_identity() -> Identity:
    """Return that the mean over the delay makes the law an identity; the wrong one takes T − 1."""
    steps = 3
    values = sp.symbols(f"V_:{steps + 1}", positive=True)
    decay = -2 * sp.log(1 - eta * lam)
    each = [sp.log(values[i] / values[i + 1]) / decay for i in range(steps)]
    time = corrected_delay().subs({V_mem: values[0], V_post: values[-1]})
    return Identity(
        "log(V_0/V_T)/(−2κ̄ log(1 − ηλ)) = T with κ̄ the mean of κ_t, here T = 3",
        time.subs(kappa, sum(each) / steps),
        sp.Integer(steps),
        wrong=sp.Integer(steps - 1),
        by=lambda rest: sp.simplify(sp.expand_log(rest, force=True)),
    )


def identities() -> tuple[Identity, ...]:
    """Return what κ is and what its mean is not.

    >>> len(identities())
    2
    """
    return (small_step_identity(), telescoping_identity())
