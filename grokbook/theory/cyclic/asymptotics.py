r"""Where the asymptotic margin of K random frequencies comes from.

Small gaps are $\sum_k (1 - \cos\varphi_k) \approx \sum_k \varphi_k^2/2$, so that $\{$gap $\le m\}$
is a ball of radius $\sqrt{2m}$ in the cube $(-\pi, \pi)^K$ of phases. The margin is the least of
$N = (p - 1)/2$ gaps, since δ and −δ have the same, and they are taken as independent.
"""

import sympy as sp

from grokbook.theory.identity import Identity

K, N, m, c = sp.symbols("K N m c", positive=True)
phi, radius = sp.symbols("varphi r", positive=True)


def ball() -> sp.Expr:
    r"""Return $\pi^{K/2}/\Gamma(K/2 + 1)$, the volume of the unit ball in K dimensions.

    >>> ball().subs(K, 3)
    4*pi/3
    """
    return sp.pi ** (K / 2) / sp.gamma(K / 2 + 1)


def small_angle_identity() -> Identity:
    """Return the gap of a small phase; the wrong one forgets the half."""
    return Identity(
        "(1 − cos φ)/φ² → 1/2 as φ → 0",
        sp.Limit((1 - sp.cos(phi)) / phi**2, phi, 0),
        sp.S.Half,
        wrong=1,
    )


def ball_identity() -> Identity:
    r"""Return the volume v of the unit ball: $\int e^{-|x|^2}$ in polar form is $\pi^{K/2}$.

    The wrong variant has $\Gamma(K/2)$, an index too small.
    """
    shells = sp.Integral(K * radius ** (K - 1) * sp.exp(-(radius**2)), (radius, 0, sp.oo))
    return Identity(
        "∫ K v r^{K−1} e^{−r²} dr = π^{K/2} for v = π^{K/2}/Γ(K/2 + 1)",
        sp.pi ** (K / 2) / shells,
        ball(),
        wrong=sp.pi ** (K / 2) / sp.gamma(K / 2),
    )


def tail_identity() -> Identity:
    """Return the share of phases with a gap of at most m; the wrong one has radius √m."""
    share = ball() * sp.sqrt(2 * m) ** K / (2 * sp.pi) ** K
    right = (m / (2 * sp.pi)) ** (K / 2) / sp.gamma(K / 2 + 1)
    return Identity(
        "v √(2m)^K/(2π)^K = (m/2π)^{K/2}/Γ(K/2 + 1)",
        share,
        right,
        wrong=right / 2 ** (K / 2),
    )


def least_identity() -> Identity:
    r"""Return the mean of the least of many, $\Pr[\min > m] = e^{-c m^{K/2}}$, N inside c."""
    survival = sp.Integral(sp.exp(-c * m ** (K / 2)), (m, 0, sp.oo))
    return Identity(
        "∫ e^{−c m^{K/2}} dm = Γ(1 + 2/K) c^{−2/K}",
        survival,
        sp.gamma(1 + 2 / K) * c ** (-2 / K),
        wrong=sp.gamma(2 / K) * c ** (-2 / K),
    )


def asymptotic_identity() -> Identity:
    """Return the asymptotic margin; the wrong one turns the power of N round."""
    rate = N * (2 * sp.pi) ** (-K / 2) / sp.gamma(K / 2 + 1)
    shape = 2 * sp.pi * sp.gamma(1 + 2 / K)
    return Identity(
        "E m_K ≈ 2π (Γ(K/2 + 1)/N)^{2/K} Γ(1 + 2/K)",
        sp.gamma(1 + 2 / K) * rate ** (-2 / K),
        shape * (sp.gamma(K / 2 + 1) / N) ** (2 / K),
        wrong=shape * (sp.gamma(K / 2 + 1) * N) ** (2 / K),
    )


def identities() -> tuple[Identity, ...]:
    """Return the derivation of the asymptotic margin, in order.

    >>> len(identities())
    5
    """
    steps = [small_angle_identity, ball_identity, tail_identity]
    return tuple(step() for step in [*steps, least_identity, asymptotic_identity])
