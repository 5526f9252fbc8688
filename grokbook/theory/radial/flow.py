r"""The penalised flow of one activation that is free to move: $\dot h = -\nabla\ell - \nabla pen$.

With $g_r = -\langle\hat h, \nabla\ell\rangle$, the task's outward push, the radius obeys
$\dot r = g_r - \frac{2\lambda}d(r - \sqrt d)$. For constant $g_r$ it rests at an excess
$u^* = g_r d/(2\lambda)$ over $\sqrt d$ and gets there in a time $d/(2\lambda)$; the direction moves
by the task alone. Whatever $g_r$ does within ±G, the excess is drawn to within $Gd/(2\lambda)$: for
λ → ∞ and a bounded gradient that is the Riemannian gradient flow on the sphere. In a network h is
not free: `coupling`.
"""

import sympy as sp

from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality
from grokbook.theory.radial.split import (
    d,
    g,
    h,
    lam,
    norm,
    penalty_gradient,
    radius,
    reduced,
    tangential,
)

push = sp.symbols("g_r", real=True)
start, time, eta = sp.symbols("u_0 t eta", positive=True)


def excess() -> sp.Expr:
    r"""Return $u^* = g_r d/(2\lambda)$."""
    return push * d / (2 * lam)


def relaxation_time() -> sp.Expr:
    r"""Return $d/(2\lambda)$."""
    return d / (2 * lam)


def radial_speed(outward: sp.Expr) -> sp.Expr:
    r"""Return $\dot r = g_r - \frac{2\lambda}d(r - \sqrt d)$."""
    return outward - 2 * lam / d * (radius - sp.sqrt(d))


def radius_identity() -> Identity:
    """Return how the radius moves; the wrong variant takes the gradient for the push."""
    velocity = -g - penalty_gradient(h)
    outward = -h.dot(g) / norm(h)
    return Identity(
        "⟨ĥ, ḣ⟩ = g_r − (2λ/d)(r − √d), g_r = −⟨ĥ, ∇ℓ⟩",
        h.dot(velocity) / norm(h),
        radial_speed(outward).subs(radius, norm(h)),
        wrong=radial_speed(-outward).subs(radius, norm(h)),
        by=reduced,
    )


def parts_identity() -> Identity:
    """Return that the direction of a free h moves by the task alone; the wrong one keeps all."""
    velocity = -g - penalty_gradient(h)
    return Identity(
        "(I − P_r)ḣ = −(I − P_r)∇ℓ for a free h",
        tangential(h) * velocity,
        -tangential(h) * g,
        wrong=-g,
        by=reduced,
    )


def rest_identity() -> Identity:
    """Return where the radius rests; the wrong variant forgets the 2 of the square."""
    rest = {radius: sp.sqrt(d) + excess()}
    return Identity(
        "ṙ = 0 at r = √d + g_r d/(2λ)",
        radial_speed(push).subs(rest),
        sp.Integer(0),
        wrong=radial_speed(push).subs(radius, sp.sqrt(d) + 2 * excess()),
    )


def relaxation_identity() -> Identity:
    """Return how it gets there; the wrong variant takes twice the time."""

    def path(scale: sp.Expr) -> sp.Expr:
        return excess() + (start - excess()) * sp.exp(-time / scale)

    def speed(u: sp.Expr) -> sp.Expr:
        return radial_speed(push).subs(radius, sp.sqrt(d) + u)

    return Identity(
        "u = u* + (u_0 − u*)e^{−t/T} with T = d/(2λ) solves u̇ = g_r − (2λ/d)u",
        sp.diff(path(relaxation_time()), time),
        speed(path(relaxation_time())),
        wrong=speed(path(2 * relaxation_time())),
    )


def varying_identity() -> Identity:
    """Return the rate where the push depends on the radius; the wrong variant leaves that out."""
    outward = sp.Function("g_r")(radius)
    return Identity(
        "−∂ṙ/∂r = 2λ/d − ∂g_r/∂r",
        -sp.diff(radial_speed(outward), radius),
        2 * lam / d - sp.diff(outward, radius),
        wrong=2 * lam / d,
    )


def turning_identity() -> Identity:
    """Return the velocity of the direction h/r; the wrong variant is that of h.

    At $r = \\sqrt d$ it is Riemannian gradient descent on the sphere, to which λ → ∞ leads.
    """
    at = sp.symbols("epsilon", real=True)
    moved = h - at * g
    left = (moved / norm(moved)).diff(at).subs(at, 0)
    return Identity(
        "d(h/r)/dt = −(I − P_r)∇ℓ/r",
        left,
        -tangential(h) * g / norm(h),
        wrong=-tangential(h) * g,
        by=reduced,
    )


def limit_identity() -> Identity:
    """Return that λ → ∞ closes the excess, and that λ·excess stays; the wrong one keeps it."""
    both = sp.Matrix([excess(), lam * excess()])
    return Identity(
        "u* → 0 and λu* = g_r d/2 as λ → ∞",
        both.applyfunc(lambda entry: sp.limit(entry, lam, sp.oo)),
        sp.Matrix([0, push * d / 2]),
        wrong=sp.Matrix([push * d / 2, push * d / 2]),
    )


def bounded_inequality() -> Inequality:
    r"""Return that a push of at most G, constant or not, draws u to below $U = Gd/(2\lambda)$.

    So $(u - U)e^{2\lambda t/d}$ does not grow; by the same with both signs turned u is drawn to
    above −U.
    """
    u, most = sp.symbols("u G", real=True)
    edge = most * d / (2 * lam)
    return Inequality(
        "g_r ≤ G ⟹ d(u − U)/dt ≤ −(2λ/d)(u − U), U = Gd/(2λ)",
        push - 2 * lam / d * u <= -2 * lam / d * (u - edge),
        needs=push <= most,
    )


def stable_inequality() -> Inequality:
    """Return the steps with which descent on a free h settles: |1 − 2ηλ/d| < 1."""
    factor = 1 - 2 * eta * lam / d
    return Inequality("ηλ < d ⟹ |1 − 2ηλ/d| < 1", factor**2 < 1, needs=eta * lam < d)


def identities() -> tuple[Identity | Inequality, ...]:
    """Return the flow of a free activation.

    >>> len(identities())
    9
    """
    return (
        radius_identity(),
        parts_identity(),
        rest_identity(),
        relaxation_identity(),
        varying_identity(),
        turning_identity(),
        limit_identity(),
        bounded_inequality(),
        stable_inequality(),
    )
