r"""How large a component of Adam's update can be: 7.27 for β = (.9, .999), not 3.16.

With bias corrections
$|\hat m_t/\sqrt{\hat v_t}| \le C_t = \frac{1-\beta_1}{\sqrt{1-\beta_2}}\,
\frac{\sqrt{1-\beta_2^t}}{1-\beta_1^t}\sqrt{\frac{1-(\beta_1^2/\beta_2)^t}{1-\beta_1^2/\beta_2}}$,
by Cauchy–Schwarz, attained by gradients that grow like $g_i \propto (\beta_1/\beta_2)^{t-i}$. It
needs $\beta_1^2 < \beta_2$ to stay bounded, and rises to $C_\infty$.
"""

import sympy as sp

from grokbook.theory.identity import Identity

beta1, beta2 = sp.symbols("beta1 beta2", positive=True)
STEPS = 3  # in the identities that are written out


def largest_update(steps: sp.Expr | int) -> sp.Expr:
    r"""Return $C_t$ as above."""
    ratio = beta1**2 / beta2
    return (
        (1 - beta1) / sp.sqrt(1 - beta2) * sp.sqrt(1 - beta2**steps) / (1 - beta1**steps)
        * sp.sqrt((1 - ratio**steps) / (1 - ratio))
    )  # fmt: skip


def limit_of_largest() -> sp.Expr:
    r"""Return $C_\infty = (1-\beta_1)/\sqrt{(1-\beta_2)(1-\beta_1^2/\beta_2)}$.

    >>> limit_of_largest().subs({beta1: sp.Rational(9, 10), beta2: sp.Rational(999, 1000)}).evalf(4)
    7.270
    """
    return (1 - beta1) / sp.sqrt((1 - beta2) * (1 - beta1**2 / beta2))


def moments(gradients: list[sp.Expr]) -> tuple[sp.Expr, sp.Expr]:
    """Return both bias-corrected moments after these gradients, oldest first."""
    m, v, steps = sp.Integer(0), sp.Integer(0), len(gradients)
    for g in gradients:
        m, v = beta1 * m + (1 - beta1) * g, beta2 * v + (1 - beta2) * g**2
    return m / (1 - beta1**steps), v / (1 - beta2**steps)


def cauchy_schwarz_identity() -> Identity:
    """Return the slack of Cauchy–Schwarz for two gradients, a square; the wrong one adds.

    With weights a of the first moment and b of the second.
    """
    a0, a1, b0, b1 = sp.symbols("a0 a1 b0 b1", positive=True)
    g0, g1 = sp.symbols("g0 g1", real=True)
    bound = (a0**2 / b0 + a1**2 / b1) * (b0 * g0**2 + b1 * g1**2)
    slack = (a0 * b1 * g1 - a1 * b0 * g0) ** 2 / (b0 * b1)
    return Identity(
        "(Σ a²/b)(Σ bg²) − (Σ ag)² = (a₀b₁g₁ − a₁b₀g₀)²/(b₀b₁)",
        bound - (a0 * g0 + a1 * g1) ** 2,
        slack,
        wrong=(a0 * b1 * g1 + a1 * b0 * g0) ** 2 / (b0 * b1),
    )


def attained_identity(steps: int = STEPS) -> Identity:
    """Return that the bound is tight; the wrong variant is the constant that is usually quoted."""
    gradients = [(beta1 / beta2) ** (steps - i) for i in range(1, steps + 1)]
    first, second = moments(gradients)
    return Identity(
        f"m̂²/v̂ = C_t² for g_i = (β₁/β₂)^(t − i), t = {steps}",
        first**2 / second,
        largest_update(steps) ** 2,
        wrong=(1 - beta1) ** 2 / (1 - beta2),
    )


def limit_identity() -> Identity:
    """Return the limit, as the powers die out; the wrong variant forgets β₁²/β₂."""
    a, b, c = sp.symbols("a b c", positive=True)  # β₁ᵗ, β₂ᵗ and their ratio's power
    ratio = beta1**2 / beta2
    front = (1 - beta1) ** 2 / (1 - beta2)
    square = front * (1 - b) / (1 - a) ** 2 * (1 - c) / (1 - ratio)
    return Identity(
        "C_t² → (1 − β₁)²/((1 − β₂)(1 − β₁²/β₂))",
        square.subs({a: 0, b: 0, c: 0}),
        limit_of_largest() ** 2,
        wrong=front,
    )


def identities() -> tuple[Identity, ...]:
    """Return the bound on a component of the update.

    >>> len(identities())
    3
    """
    return (cauchy_schwarz_identity(), attained_identity(), limit_identity())
