r"""The upper bound as it can be proved, and the premise that it needs.

If $\langle\theta,\nabla L\rangle \ge \eta\|\nabla L\|^2/2(1-\eta\lambda)$ at every step, then
$E V' \le \rho V + \eta^2\sigma^2$ with $\rho = (1-\eta\lambda)^2$, and unrolled
$E V_t \le \rho^t (V_0 - V_\infty) + V_\infty$. That is about the mean of V at a fixed time. For the
time at which V itself first passes a level, multiplicative drift gives
$\Pr[\tau > t] \le \tilde\rho^{\,t}\,V_0/V_{post}$.
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
    noise,
    square,
    x,
)
from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality

t = sp.symbols("t", integer=True, nonnegative=True)
V_0, V_inf = sp.symbols("V_0 V_inf", positive=True)
rho = (1 - eta * lam) ** 2


def noise_floor() -> sp.Expr:
    r"""Return $V_\infty = \eta\sigma^2/(\lambda(2-\eta\lambda))$, half the published one."""
    return eta * noise / (lam * (2 - eta * lam))


def escape_time() -> sp.Expr:
    r"""Return $\log\frac{V_{mem}-V_\infty}{V_{post}-V_\infty}\,/\,(-2\log(1-\eta\lambda))$."""
    return sp.log((V_mem - V_inf) / (V_post - V_inf)) / (-2 * sp.log(1 - eta * lam))


def premise_inequality() -> Inequality:
    """Return when one step contracts by ρ at least; without the premise it need not."""
    return Inequality(
        "⟨θ,u⟩ ≥ η‖u‖²/(2(1 − ηλ)) ⟹ V′ ≤ (1 − ηλ)²V",
        next_squared_norm() <= rho * V,
        needs=2 * (1 - eta * lam) * dot >= eta * square,
        given=(eta * lam < 1, square >= 0),
    )


def slack_inequality() -> Inequality:
    """Return where the published rate comes from: a factor 2 is given away."""
    return Inequality("ηλ ≤ 1 ⟹ (1 − ηλ)² ≤ 1 − ηλ", (1 - x) ** 2 <= 1 - x, needs=x <= 1)


def floor_identity() -> Identity:
    """Return the fixed point of the mean; the wrong variant is the published floor."""
    return Identity(
        "ρV∞ + η²σ² = V∞ at V∞ = ησ²/(λ(2 − ηλ))",
        rho * noise_floor() + eta**2 * noise - noise_floor(),
        sp.Integer(0),
        wrong=rho * eta * noise / lam + eta**2 * noise - eta * noise / lam,
    )


def unrolled_identity() -> Identity:
    """Return that the closed form obeys the recursion; the wrong one has the floor once."""
    r = sp.symbols("r", positive=True)

    def closed(n: sp.Expr) -> sp.Expr:
        return r**n * (V_0 - V_inf) + V_inf

    return Identity(
        "V_t = ρᵗ(V_0 − V∞) + V∞ solves V_{t+1} = ρV_t + (1 − ρ)V∞",
        closed(t + 1),
        r * closed(t) + (1 - r) * V_inf,
        wrong=r * closed(t) + V_inf,
    )


def escape_identity() -> Identity:
    """Return the time at which the bound reaches V_post; the wrong one has the rate of θ."""
    a, b = sp.symbols("a b", positive=True)  # V_mem − V∞ and V_post − V∞
    rate = -2 * sp.log(1 - eta * lam)
    time = escape_time().subs({V_mem: a + V_inf, V_post: b + V_inf})
    return Identity(
        "e^{−rT}(V_mem − V∞) + V∞ = V_post at T = log(…)/r, r = −2 log(1 − ηλ)",
        sp.exp(-rate * time) * a + V_inf,
        b + V_inf,
        wrong=sp.exp(-rate * time / 2) * a + V_inf,
        by=lambda rest: sp.simplify(sp.expand_log(rest, force=True)),
    )


def expansion_identity() -> Identity:
    """Return the time for small ηλ, times 2ηλ; the wrong variant has the next term's sign."""
    series = sp.series(x / -sp.log(1 - x), x, 0, 3).removeO()
    return Identity(
        "2x/(−2 log(1 − x)) = 1 − x/2 − x²/12 + O(x³), x = ηλ",
        series,
        1 - x / 2 - x**2 / 12,
        wrong=1 + x / 2 + x**2 / 12,
    )


def drift_inequality() -> Inequality:
    r"""Return the drift above the level: $\rho V + (1-\rho)V_\infty \le \tilde\rho V$.

    $\tilde\rho = 1 - (1-\rho)(1 - V_\infty/V_{post})$; below the level it fails.
    """
    r = sp.symbols("r", positive=True)
    drift = 1 - (1 - r) * (1 - V_inf / V_post)
    return Inequality(
        "V ≥ V_post ⟹ ρV + (1 − ρ)V∞ ≤ ρ̃V, ρ̃ = 1 − (1 − ρ)(1 − V∞/V_post)",
        r * V + (1 - r) * V_inf <= drift * V,
        needs=V >= V_post,
        given=(r < 1, V_inf < V_post),
    )


def tail_identity(terms: int = 4) -> Identity:
    r"""Return the mean hitting time's tail: $\sum_{k \ge 0} \tilde\rho^k = 1/(1-\tilde\rho)$.

    $E\tau = \sum_t \Pr[\tau > t]$, and no probability exceeds 1: up to
    $\log(V_0/V_{post})/(-\log\tilde\rho)$ steps and then this tail. With
    $1-\tilde\rho \le -\log\tilde\rho$ it is at most
    $(1+\log(V_0/V_{post}))/(1-\tilde\rho)$. The wrong variant begins at k = 1.
    """
    r = sp.symbols("r", positive=True)
    return Identity(
        f"Σ_{{k<n}} ρ̃ᵏ = (1 − ρ̃ⁿ)/(1 − ρ̃), here n = {terms}",
        sum(r**k for k in range(terms)),
        (1 - r**terms) / (1 - r),
        wrong=r * (1 - r**terms) / (1 - r),
    )


def identities() -> tuple[Identity | Inequality, ...]:
    """Return the upper bound, in order.

    >>> len(identities())
    8
    """
    return (
        premise_inequality(),
        slack_inequality(),
        floor_identity(),
        unrolled_identity(),
        escape_identity(),
        expansion_identity(),
        drift_inequality(),
        tail_identity(),
    )
