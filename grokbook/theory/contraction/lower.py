r"""Lower bounds on the delay that can be proved, and why the published one is none.

Its premise is a bound on the contraction itself, which is the conclusion. For any update direction
the norm $s = \|\theta\|$ obeys $s' \ge (1-\eta\lambda)s - \eta\varrho$ with the radial component
$\varrho = \langle\theta,u\rangle/\|\theta\|$, and $\varrho \le \|u\| \le B$. Unrolled, with
$a = B/\lambda$, $T \ge \log\frac{s_{mem}+a}{s_{post}+a}\,/\,(-\log(1-\eta\lambda))$.
"""

import sympy as sp

from grokbook.theory.contraction.one_step import (
    V,
    dot,
    eta,
    lam,
    next_squared_norm,
    of,
    square,
    vector,
)
from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality

s, after = sp.symbols("s s1", positive=True)
radial = sp.symbols("varrho", real=True)
s_mem, s_post, B = sp.symbols("s_mem s_post B", positive=True)
t = sp.symbols("t", integer=True, nonnegative=True)


def shortest_delay() -> sp.Expr:
    r"""Return $\log\frac{s_{mem}+B/\lambda}{s_{post}+B/\lambda}\,/\,(-\log(1-\eta\lambda))$."""
    a = B / lam
    return sp.log((s_mem + a) / (s_post + a)) / -sp.log(1 - eta * lam)


def tangential_identity() -> Identity:
    r"""Return what the norm gains beyond its radial part: $\eta^2$ times the tangential square.

    Times V, so that it stays a polynomial: $V V' - ((1-\eta\lambda)V - \eta d)^2 =
    \eta^2(\|u\|^2 V - d^2)$, which Lagrange's identity makes a sum of squares. The wrong variant
    has the sign turned.
    """
    theta, u = vector("theta", 2), vector("u", 2)
    squared, inner = theta.dot(theta), theta.dot(u)
    left = squared * of(theta, u) - ((1 - eta * lam) * squared - eta * inner) ** 2
    cross = (theta[0] * u[1] - theta[1] * u[0]) ** 2
    return Identity(
        "VV′ − ((1 − ηλ)V − η⟨θ,u⟩)² = η²(θ₀u₁ − θ₁u₀)²",
        left,
        eta**2 * cross,
        wrong=-(eta**2) * cross,
    )


def radial_inequality() -> Inequality:
    """Return the bound by the radial component, from |u|² ≥ ϱ²."""
    value = next_squared_norm().subs({V: s**2, dot: radial * s})
    return Inequality(
        "‖u‖² ≥ ϱ² ⟹ s′ ≥ (1 − ηλ)s − ηϱ",
        after >= (1 - eta * lam) * s - eta * radial,
        needs=square >= radial**2,
        given=(sp.Eq(after**2, value), eta * lam < 1),
    )


def decay_inequality() -> Inequality:
    """Return the time of pure decay as a bound; with ϱ > 0, the dropped term, it is none."""
    return Inequality(
        "⟨θ,u⟩ ≤ 0 ⟹ V′ ≥ (1 − ηλ)²V for any direction u",
        next_squared_norm() >= (1 - eta * lam) ** 2 * V,
        needs=dot <= 0,
        given=(eta * lam < 1, square * V >= dot**2),
    )


def unrolled_identity() -> Identity:
    """Return the recursion in closed form; the wrong one has the shift on one side only."""
    a = B / lam

    def closed(n: sp.Expr) -> sp.Expr:
        return (1 - eta * lam) ** n * (s_mem + a) - a

    return Identity(
        "s_t = (1 − ηλ)ᵗ(s_mem + B/λ) − B/λ solves s′ = (1 − ηλ)s − ηB",
        closed(t + 1),
        (1 - eta * lam) * closed(t) - eta * B,
        wrong=(1 - eta * lam) * closed(t) + eta * B,
    )


def content_identity() -> Identity:
    """Return what the bound says where B/λ is large: a time without λ; the wrong one has it."""
    return Identity(
        "T ≥ … → (s_mem − s_post)/(ηB) as λ → 0",
        sp.limit(shortest_delay(), lam, 0),
        (s_mem - s_post) / (eta * B),
        wrong=2 * (s_mem - s_post) / (eta * B),
    )


def catapult_identity() -> Identity:
    r"""Return one step of descent on $\frac12(uv)^2$, whose interpolants are uv = 0.

    $V' = (1-\eta\lambda)^2V - 4\eta(1-\eta\lambda)(uv)^2 + \eta^2(uv)^2V$: the premise of the
    published bound fails as soon as the loss is not small against ληV. The wrong variant leaves the
    cross term out, as the published proof does.
    """
    a, b = sp.symbols("u v", real=True)
    theta = sp.Matrix([a, b])
    g = sp.Matrix([a * b**2, a**2 * b])
    squared, loss = a**2 + b**2, (a * b) ** 2
    kept = 1 - eta * lam
    right = kept**2 * squared - 4 * eta * kept * loss + eta**2 * loss * squared
    return Identity(
        "on ½(uv)²: V′ = (1 − ηλ)²V − 4η(1 − ηλ)(uv)² + η²(uv)²V",
        of(theta, g),
        right,
        wrong=right + 4 * eta * kept * loss,
    )


def identities() -> tuple[Identity | Inequality, ...]:
    """Return the lower bounds, in order.

    >>> len(identities())
    6
    """
    return (
        tangential_identity(),
        radial_inequality(),
        decay_inequality(),
        unrolled_identity(),
        content_identity(),
        catapult_identity(),
    )
