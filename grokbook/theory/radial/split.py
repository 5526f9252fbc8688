r"""The radial part of a gradient, and a penalty that has no other.

$P_r = hh^\top/\|h\|^2$ projects on an activation h. The penalty
$\frac\lambda d(\|h\| - \sqrt d)^2$ has the gradient $\frac{2\lambda}d(\|h\| - \sqrt d)\hat h$ and
the Hessian $\frac{2\lambda}d[(1 - \frac{\sqrt d}r)I + \frac{\sqrt d}r\hat h\hat h^\top]$,
$r = \|h\|$: inside the sphere of radius $\sqrt d$ it pushes outwards, and its tangential curvature
is negative. Both change sign at the same radius; the push comes from the gradient, not from the
curvature.
"""

import sympy as sp

from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality

WIDTH = 3  # of the vectors that are written out; no identity depends on it
d, lam, radius, target = sp.symbols("d lambda r R", positive=True)  # target: R = √d
h = sp.Matrix(sp.symbols("h:3", positive=True))
g = sp.Matrix(sp.symbols("g:3", real=True))


def norm(vector: sp.Matrix) -> sp.Expr:
    r"""Return $\|h\|$."""
    return sp.sqrt(vector.dot(vector))


def reduced(rest: sp.Expr) -> sp.Expr:
    r"""Return the numerator of a rest modulo $\|h\|^2 = h_0^2 + h_1^2 + h_2^2$.

    What is rational in h and its norm is 0 if and only if this is, and `simplify` takes longer.
    """
    numerator = sp.numer(sp.together(rest.subs(norm(h), radius)))
    return sp.rem(sp.expand(numerator), h.dot(h) - radius**2, h[-1])


def projection(vector: sp.Matrix) -> sp.Matrix:
    r"""Return $P_r = hh^\top/\|h\|^2$."""
    return vector * vector.T / vector.dot(vector)


def tangential(vector: sp.Matrix) -> sp.Matrix:
    r"""Return $I - P_r$."""
    return sp.eye(len(vector)) - projection(vector)


def penalty(vector: sp.Matrix) -> sp.Expr:
    r"""Return $\frac\lambda d(\|h\| - \sqrt d)^2$."""
    return lam / d * (norm(vector) - sp.sqrt(d)) ** 2


def penalty_gradient(vector: sp.Matrix) -> sp.Matrix:
    r"""Return $\frac{2\lambda}d(\|h\| - \sqrt d)\,h/\|h\|$."""
    return 2 * lam / d * (norm(vector) - sp.sqrt(d)) * vector / norm(vector)


def penalty_hessian(vector: sp.Matrix) -> sp.Matrix:
    r"""Return $\frac{2\lambda}d[(1 - \frac{\sqrt d}r)I + \frac{\sqrt d}r P_r]$."""
    short = sp.sqrt(d) / norm(vector)
    return 2 * lam / d * ((1 - short) * sp.eye(len(vector)) + short * projection(vector))


def projection_identity() -> Identity:
    r"""Return that $P_r$ projects; the wrong variant divides by the norm, not by its square."""
    P = projection(h)
    return Identity("P_r² = P_r for P_r = hhᵀ/‖h‖²", P * P, P, wrong=P * norm(h), by=reduced)


def pythagoras_identity() -> Identity:
    """Return that a gradient's two parts are orthogonal; the wrong variant subtracts."""
    radial, rest = projection(h) * g, tangential(h) * g
    return Identity(
        "‖g‖² = ‖P_r g‖² + ‖(I − P_r)g‖²",
        g.dot(g),
        radial.dot(radial) + rest.dot(rest),
        wrong=radial.dot(radial) - rest.dot(rest),
        by=reduced,
    )


def gradient_identity() -> Identity:
    """Return the penalty's gradient; the wrong variant forgets to divide h by its norm."""
    return Identity(
        "∇(λ/d)(‖h‖ − √d)² = (2λ/d)(‖h‖ − √d)ĥ",
        sp.Matrix([sp.diff(penalty(h), each) for each in h]),
        penalty_gradient(h),
        wrong=penalty_gradient(h) * norm(h),
        by=reduced,
    )


def no_tangent_identity() -> Identity:
    """Return that it has no tangential part; a penalty on each component has one."""
    componentwise = 2 * lam / d * (h - sp.ones(WIDTH, 1))
    return Identity(
        "(I − P_r)∇(λ/d)(‖h‖ − √d)² = 0",
        tangential(h) * penalty_gradient(h),
        sp.zeros(WIDTH, 1),
        wrong=tangential(h) * componentwise,
        by=reduced,
    )


def hessian_identity() -> Identity:
    """Return the penalty's Hessian; the wrong variant exchanges its two parts."""
    short = sp.sqrt(d) / norm(h)
    swapped = short * sp.eye(WIDTH) + (1 - short) * projection(h)
    return Identity(
        "∇²(λ/d)(‖h‖ − √d)² = (2λ/d)[(1 − √d/r)I + (√d/r)ĥĥᵀ]",
        sp.hessian(penalty(h), list(h)),
        penalty_hessian(h),
        wrong=2 * lam / d * swapped,
        by=reduced,
    )


def curvature_identity() -> Identity:
    """Return its curvature along h and across; the wrong variant has the same in both."""
    along, across = h, sp.Matrix([h[1], -h[0], 0])
    H = penalty_hessian(h)
    both = (H * along).row_join(H * across)
    value = 1 - sp.sqrt(d) / norm(h)
    return Identity(
        "∇² has 2λ/d along h and (2λ/d)(1 − √d/r) across",
        both,
        2 * lam / d * along.row_join(value * across),
        wrong=2 * lam / d * along.row_join(across),
        by=reduced,
    )


def outward_inequality() -> Inequality:
    """Return that inside the sphere the penalty lengthens h: −⟨h, ∇⟩ > 0."""
    inward = 2 * lam / target**2 * (radius - target) * radius
    return Inequality("r < √d ⟹ −⟨h, ∇⟩ > 0: it inflates", -inward > 0, needs=radius < target)


def saddle_inequality() -> Inequality:
    """Return that there its tangential curvature is negative."""
    across = 2 * lam / target**2 * (1 - target / radius)
    return Inequality("r < √d ⟹ the tangential curvature is < 0", across < 0, needs=radius < target)


def identities() -> tuple[Identity | Inequality, ...]:
    """Return the split of a gradient, and what the penalty does to h.

    >>> len(identities())
    8
    """
    return (
        projection_identity(),
        pythagoras_identity(),
        gradient_identity(),
        no_tangent_identity(),
        hessian_identity(),
        curvature_identity(),
        outward_inequality(),
        saddle_inequality(),
    )
