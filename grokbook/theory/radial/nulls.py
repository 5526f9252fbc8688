r"""Suppression, proposition 1: how much of a random gradient is radial, $d\,\|P_r g\|^2/\|g\|^2$.

For an isotropic g in d dimensions the share is Beta(½, (d−1)/2): d times it has the mean 1, the
variance $2(d-1)/(d+2)$, and a median near .455, so that a median looks suppressed where nothing
is. A gradient behind a ReLU lives on the active units S alone; isotropic there, its mean is
$\frac d{|S|}\|h_S\|^2/\|h\|^2$, given h. That is 1 only where active and silent units are alike.
"""

import sympy as sp

from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality

n = sp.symbols("d", integer=True, positive=True)  # the width
angle = sp.symbols("phi", real=True)


def share_moment(power: int) -> sp.Expr:
    r"""Return $E[\cos^{2k}]$ of a random direction, the k-th moment of Beta(½, (d−1)/2)."""
    half, rest = sp.Rational(1, 2), (n - 1) / 2

    def beta(a: sp.Expr, b: sp.Expr) -> sp.Expr:
        return sp.gamma(a) * sp.gamma(b) / sp.gamma(a + b)

    return beta(half + power, rest) / beta(half, rest)


def variance() -> sp.Expr:
    r"""Return the variance of d cos², $2(d-1)/(d+2)$."""
    return 2 * (n - 1) / (n + 2)


def mean_identity() -> Identity:
    """Return that the mean is 1; the wrong variant averages over the d − 1 tangents."""
    return Identity(
        "d E cos² = 1 for Beta(½, (d − 1)/2)",
        n * share_moment(1),
        sp.Integer(1),
        wrong=n / (n + 1),
        by=sp.gammasimp,
    )


def variance_identity() -> Identity:
    """Return the variance; the wrong variant is that of a squared normal, 2."""
    return Identity(
        "Var d cos² = 2(d − 1)/(d + 2)",
        n**2 * (share_moment(2) - share_moment(1) ** 2),
        variance(),
        wrong=sp.Integer(2),
        by=lambda rest: sp.simplify(sp.gammasimp(rest)),
    )


def circle_identity() -> Identity:
    """Return the law of cos² for d = 2, an angle uniform on the circle; the wrong one is flat.

    Its moments are those of Beta(½, ½).
    """
    moments = [sp.integrate(sp.cos(angle) ** (2 * k), (angle, 0, 2 * sp.pi)) / (2 * sp.pi)
               for k in (1, 2, 3)]  # fmt: skip
    return Identity(
        "E cos²ᵏ of a uniform angle = the moments of Beta(½, ½), k = 1, 2, 3",
        sp.Matrix(moments),
        sp.Matrix([share_moment(k).subs(n, 2) for k in (1, 2, 3)]),
        wrong=sp.Matrix([sp.Rational(1, k + 1) for k in (1, 2, 3)]),
    )


def masked_identity() -> Identity:
    """Return the mean behind a ReLU, two units of three active; the wrong variant is 1."""
    h = sp.Matrix(sp.symbols("h:3", real=True))
    active = sp.Matrix([sp.cos(angle), sp.sin(angle), 0])
    energy = sp.integrate(sp.expand(h.dot(active) ** 2), (angle, 0, 2 * sp.pi)) / (2 * sp.pi)
    seen = h[0] ** 2 + h[1] ** 2
    return Identity(
        "d E⟨ĥ, ĝ⟩² = (d/|S|)‖h_S‖²/‖h‖² for g isotropic on S, here 2 of 3",
        3 * energy / h.dot(h),
        sp.Rational(3, 2) * seen / h.dot(h),
        wrong=sp.Integer(1),
    )


def rank_inequality() -> Inequality:
    r"""Return that the stable rank is at most the number of samples, here two.

    A matrix of n samples has n singular values; 256 samples cannot have a stable rank of 443.
    """
    first, second = sp.symbols("s_1 s_2", positive=True)
    return Inequality(
        "σ_2 ≤ σ_1 ⟹ ‖A‖²_F/‖A‖² ≤ 2, the number of samples",
        (first**2 + second**2) / first**2 <= 2,
        needs=second <= first,
    )


def identities() -> tuple[Identity | Inequality, ...]:
    """Return the null of the radial share, and the largest stable rank.

    >>> len(identities())
    5
    """
    return (
        mean_identity(),
        variance_identity(),
        circle_identity(),
        masked_identity(),
        rank_inequality(),
    )
