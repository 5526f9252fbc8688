r"""Where AdamW becomes unstable, and how a penalty takes it there: the slingshots of chapter 04.

Along a direction of curvature κ whose second moment v hardly moves, Adam is descent with momentum
on $s = \kappa/(\sqrt v + \epsilon)$, the preconditioned sharpness, and unstable from
$\eta s = \frac{2(1+\beta_1)}{1-\beta_1}$ on (Cohen et al., arXiv 2207.14484): 38 for
$\beta_1 = .9$. Where the gradient vanishes but κ stays, as that of a norm's penalty does, v is
forgotten by a factor of $\beta_2$ a step, s grows by $\beta_2^{-1/2}$, and gets there from $s_0$ in
$T = 2\ln\bigl(\frac{2(1+\beta_1)}{(1-\beta_1)\eta s_0}\bigr)/\ln\frac1{\beta_2}$ steps, as long as
$\epsilon$ is out of sight. It caps s at $\kappa/\epsilon$: a curvature below
$\frac{2(1+\beta_1)}{1-\beta_1}\frac\epsilon\eta$ does not get there, whatever is forgotten.
"""

import sympy as sp

from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality

beta_1, beta_2 = sp.symbols("beta_1 beta_2", positive=True)
eta, sharpness, root, m, x, z = sp.symbols("eta s D m x z", positive=True)
kappa, epsilon = sp.symbols("kappa epsilon", positive=True)


def edge() -> sp.Expr:
    r"""Return $\frac{2(1+\beta_1)}{1-\beta_1}$, the largest ηs of a stable step."""
    return 2 * (1 + beta_1) / (1 - beta_1)


def characteristic() -> sp.Expr:
    r"""Return $z^2 - (1 + \beta_1 - (1-\beta_1)\eta s)z + \beta_1$."""
    return z**2 - (1 + beta_1 - (1 - beta_1) * eta * sharpness) * z + beta_1


def steps_to_edge(start: sp.Expr) -> sp.Expr:
    r"""Return T, the steps in which a sharpness `start` that is left alone reaches the edge."""
    return 2 * sp.log(edge() / (eta * start)) / sp.log(1 / beta_2)


def safe_curvature() -> sp.Expr:
    r"""Return $\frac{2(1+\beta_1)}{1-\beta_1}\frac\epsilon\eta$: below it no s gets to the edge."""
    return edge() * epsilon / eta


def step_identity() -> Identity:
    """Return the polynomial of a step of Adam; the wrong variant is the heavy ball's, without 1−β₁.

    The gradient is κx with κ = sD, the first moment and then x move, D = √v + ε stays.
    """

    def polynomial(share: sp.Expr) -> sp.Expr:
        moved = beta_1 * m + share * sharpness * root * x
        after = sp.Matrix([moved, x - eta * moved / root])
        return (z * sp.eye(2) - after.jacobian([m, x])).det()

    return Identity(
        "a step of Adam on κx²/2 has z² − (1 + β₁ − (1 − β₁)ηs)z + β₁",
        polynomial(1 - beta_1),
        characteristic(),
        wrong=polynomial(sp.Integer(1)),
    )


def edge_identity() -> Identity:
    """Return that −1 is a root at the edge; the wrong variant takes that of plain descent, 2."""
    at = characteristic().subs(z, -1)
    return Identity(
        "−1 is one of its roots at ηs = 2(1 + β₁)/(1 − β₁)",
        at.subs(sharpness, edge() / eta),
        sp.Integer(0),
        wrong=at.subs(sharpness, 2 / eta),
    )


def stable_inequality() -> Inequality:
    """Return that below it both roots are inside the circle, by Jury's criterion: 0 < β₁ < 1.

    Both are inside if and only if the polynomial is positive at ±1 and β₁ < 1; at 1 it is
    (1 − β₁)ηs.
    """
    return Inequality(
        "ηs(1 − β₁) < 2(1 + β₁) ⟹ the polynomial is positive at −1",
        characteristic().subs(z, -1) > 0,
        needs=eta * sharpness * (1 - beta_1) < 2 * (1 + beta_1),
        given=(beta_1 < 1,),
    )


def forgetting_identity() -> Identity:
    """Return that s_0 β₂^(−T/2) is the edge after T; the wrong variant forgets v for its root."""
    start = sp.symbols("s_0", positive=True)
    time = steps_to_edge(start)

    def grown(steps: sp.Expr) -> sp.Expr:
        return eta * start * sp.exp(steps * sp.log(1 / beta_2) / 2)

    return Identity(
        "ηs_0 β₂^(−T/2) = 2(1 + β₁)/(1 − β₁)", grown(time), edge(), wrong=grown(time / 2)
    )


def tenfold_identity() -> Identity:
    """Return how much sooner ten times the curvature gets there; the wrong variant drops the 2."""
    sooner = steps_to_edge(sharpness) - steps_to_edge(10 * sharpness)
    return Identity(
        "10κ gets there 2 ln 10/ln(1/β₂) steps sooner",
        sp.expand_log(sooner, force=True),
        2 * sp.log(10) / sp.log(1 / beta_2),
        wrong=sp.log(10) / sp.log(1 / beta_2),
        by=_logarithms,
    )


def safe_inequality() -> Inequality:
    r"""Return that ε keeps a small curvature below the edge, whatever $\sqrt v \ge 0$ there is."""
    second = sp.symbols("q", nonnegative=True)  # √v
    return Inequality(
        "κ < safe curvature ⟹ ηκ/(√v + ε) < 2(1 + β₁)/(1 − β₁)",
        eta * kappa / (second + epsilon) < edge(),
        needs=kappa < safe_curvature(),
        given=(beta_1 < 1,),
    )


def _logarithms(rest: sp.Expr) -> sp.Expr:
    return sp.simplify(sp.expand_log(rest, force=True))


def identities() -> tuple[Identity | Inequality, ...]:
    """Return the edge, and the way to it.

    >>> len(identities())
    6
    """
    return (
        step_identity(),
        edge_identity(),
        stable_inequality(),
        forgetting_identity(),
        tenfold_identity(),
        safe_inequality(),
    )
