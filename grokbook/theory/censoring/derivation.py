"""The derivation: an exponential onset, a fixed budget, and the mean of the successes."""

import sympy as sp

from grokbook.theory.identity import Identity

B, t, tau = sp.symbols("B t tau", positive=True)
# With a dead time: d, the mean mu = tau − d that follows it, the window w = B − d that is left.
d, mu, w = sp.symbols("d mu w", positive=True)


def density() -> sp.Expr:
    r"""Return $f(t) = e^{-t/\tau} / \tau$, the density of an exponential onset.

    >>> density()
    exp(-t/tau)/tau
    """
    return sp.exp(-t / tau) / tau


def mean_formula() -> sp.Expr:
    r"""Return $\tau - B / (e^{B/\tau} - 1)$, the mean of the successes.

    >>> mean_formula()
    -B/(exp(B/tau) - 1) + tau
    """
    return tau - B / (sp.exp(B / tau) - 1)


def bias_formula() -> sp.Expr:
    r"""Return $-(B/\tau) / (e^{B/\tau} - 1)$, the relative bias of the mean of the successes.

    >>> bias_formula()
    -B/(tau*(exp(B/tau) - 1))
    """
    return -B / tau / (sp.exp(B / tau) - 1)


def _mean_between(low: sp.Expr, high: sp.Expr, law: sp.Expr) -> sp.Expr:
    r"""Return $E[T \mid \mathrm{low} < T \le \mathrm{high}]$ as two integrals, not evaluated."""
    return sp.Integral(t * law, (t, low, high)) / sp.Integral(law, (t, low, high))


def probability_identity() -> Identity:
    """Return the probability of success within the budget.

    >>> probability_identity().check()
    P(T ≤ B) = 1 − e^{−B/τ}: True
    """
    return Identity(
        "P(T ≤ B) = 1 − e^{−B/τ}",
        sp.Integral(density(), (t, 0, B)),
        1 - sp.exp(-B / tau),
        wrong=sp.exp(-B / tau),
    )


def mean_identity() -> Identity:
    """Return the mean of the successes; the wrong variant adds what has to be subtracted."""
    return Identity(
        "mean of successes = τ − B/(e^{B/τ} − 1)",
        _mean_between(sp.S.Zero, B, density()),
        mean_formula(),
        wrong=tau + B / (sp.exp(B / tau) - 1),
    )


def bias_identity() -> Identity:
    """Return the relative bias; the wrong variant forgets the factor B/τ."""
    return Identity(
        "relative bias = −(B/τ)/(e^{B/τ} − 1)",
        _mean_between(sp.S.Zero, B, density()) / tau - 1,
        bias_formula(),
        wrong=-1 / (sp.exp(B / tau) - 1),
    )


def large_budget_identity() -> Identity:
    """Return the limit of no censoring."""
    bias = sp.Limit(bias_formula(), B, sp.oo)
    return Identity("relative bias → 0 as B → ∞", bias, 0, wrong=-1)


def small_budget_identity() -> Identity:
    """Return the opposite limit: a short budget shows half of itself, and nothing of τ."""
    share = sp.Limit(mean_formula() / B, B, 0)
    return Identity("mean of successes / B → 1/2 as B → 0", share, sp.S.Half, wrong=1)


def partition_identity() -> Identity:
    r"""Return the form that PyTorch differentiates, $Z(\lambda) = \int_0^B e^{-\lambda t} dt$."""
    rate = sp.symbols("lambda", positive=True)
    partition = sp.integrate(sp.exp(-rate * t), (t, 0, B))
    return Identity(
        "mean of successes = −∂ log Z/∂λ at λ = 1/τ",
        -sp.diff(sp.log(partition), rate).subs(rate, 1 / tau),
        mean_formula(),
        wrong=-mean_formula(),
    )


def likelihood_identity() -> Identity:
    r"""Return the maximum of the likelihood and its curvature there; the wrong one counts all runs.

    An observed onset contributes $\log f(t) = -\log \tau - t/\tau$, a censored run $\log P(T > t) =
    -t/\tau$: together $-k \log \tau - S/\tau$, with $k$ successes among $n$ runs and $S$ the total
    of all times, censored ones included.
    """
    k, n, total = sp.symbols("k n S", positive=True)
    likelihood = -k * sp.log(tau) - total / tau
    (best,) = sp.solve(sp.diff(likelihood, tau), tau)
    curvature = sp.diff(likelihood, tau, 2).subs(tau, best)
    return Identity(
        "likelihood is stationary at S/k only, and concave there, −k³/S²",
        sp.Matrix([best, curvature]),
        sp.Matrix([total / k, -(k**3) / total**2]),
        wrong=sp.Matrix([total / n, -(k**3) / total**2]),
    )


def total_time_identity() -> Identity:
    r"""Return why S/k is right: $E[\min(T, B)] = \tau P(T \le B)$ for every budget."""
    total = sp.Integral(t * density(), (t, 0, B)) + B * sp.Integral(density(), (t, B, sp.oo))
    return Identity(
        "E[min(T, B)] / P(T ≤ B) = τ",
        total / sp.Integral(density(), (t, 0, B)),
        tau,
        wrong=mean_formula(),
    )


def dead_time_identity() -> Identity:
    """Return the bias with no onset before d; the wrong variant counts the budget from step 0."""
    law = sp.exp(-(t - d) / mu) / mu
    return Identity(
        "relative bias after a dead time = −((B − d)/τ)/(e^{(B − d)/(τ − d)} − 1)",
        _mean_between(d, d + w, law) / (d + mu) - 1,
        -w / (d + mu) / (sp.exp(w / mu) - 1),
        wrong=-(d + w) / (d + mu) / (sp.exp((d + w) / mu) - 1),
    )


def any_law_identity() -> Identity:
    r"""Return why the bias is never positive, whatever the law.

    With $p = P(T \le B)$ and $E[T] = E[T; T \le B] + E[T; T > B]$. The right side is not negative,
    since $E[T \mid T > B] \ge B \ge E[T \mid T \le B]$, and 0 only if no run is censored.
    """
    p, early, late = sp.symbols("p E_early E_late", positive=True)
    gap = late / (1 - p) - early / p
    return Identity(
        "E[T] − E[T|T ≤ B] = P(T > B) (E[T|T > B] − E[T|T ≤ B])",
        early + late - early / p,
        (1 - p) * gap,
        wrong=p * gap,
    )


def any_law_exponential_identity() -> Identity:
    """Return the same for the exponential law; the wrong variant restarts the clock at B."""
    late = _mean_between(B, sp.oo, density())
    survival = sp.exp(-B / tau)
    return Identity(
        "−τ · relative bias = e^{−B/τ} (B + τ − mean of successes)",
        survival * (late - _mean_between(sp.S.Zero, B, density())),
        -tau * bias_formula(),
        wrong=survival * (tau - mean_formula()),
    )


def identities() -> tuple[Identity, ...]:
    """Return all steps of the derivation, in order.

    >>> len(identities())
    11
    """
    exponential = [probability_identity, mean_identity, bias_identity]
    limits = [large_budget_identity, small_budget_identity]
    estimator = [partition_identity, likelihood_identity, total_time_identity]
    beyond = [dead_time_identity, any_law_identity, any_law_exponential_identity]
    return tuple(step() for step in exponential + limits + estimator + beyond)
