r"""What a fixed budget does to a mean onset: derivation and prediction of chapter 01.

An onset $T$ is the step at which a network groks; a run that has not grokked is stopped at its
budget $B$. The mean over the successes is $E[T \mid T \le B]$, and it is below $E[T]$ for any law.
The worked law is exponential with mean $\tau$, if wanted after a dead time $d$ before which no
network groks. First the steps of the derivation, then their predictions in float64, in steps.
"""

import numpy as np
import sympy as sp
from jaxtyping import Bool, Float, Real

from grokbook.theory.identity import Identity

B, t, tau = sp.symbols("B t tau", positive=True)
# With a dead time: d, the mean mu = tau − d that follows it, the window w = B − d that is left.
d, mu, w = sp.symbols("d mu w", positive=True)

Numbers = Real[np.ndarray, "*#grid"] | float | int


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


def success_probability(tau: Numbers, budget: Numbers, dead_time: float | int = 0) -> Numbers:
    r"""Return $P(T \le B) = 1 - e^{-(B - d)/(\tau - d)}$.

    >>> round(float(success_probability(8000, 8000)), 4)
    0.6321
    """
    _, x = _window(tau, budget, dead_time)
    return -np.expm1(-x)


def truncated_mean(tau: Numbers, budget: Numbers, dead_time: float | int = 0) -> Numbers:
    r"""Return the mean onset of the successes, in steps.

    $E[T \mid T \le B] = \tau - (B - d) / (e^x - 1)$, $x = (B - d)/(\tau - d)$; for $x < .1$ its
    series, since there the difference cancels. `tau` is the mean onset $E[T]$, dead time included.
    Raises `ValueError` unless 0 ≤ d < τ and d < B.

    >>> float(truncated_mean(8000, 8000).round(1))
    3344.2
    """
    mean, x = _window(tau, budget, dead_time)
    series = x * (1 / 2 - x / 12 + x**3 / 720 - x**5 / 30240 + x**7 / 1209600)
    return dead_time + mean * np.where(x < 0.1, series, 1 - x / np.expm1(x))


def relative_bias(tau: Numbers, budget: Numbers, dead_time: float | int = 0) -> Numbers:
    r"""Return $(E[T \mid T \le B] - \tau)/\tau = -\frac{B - d}{\tau} / (e^{(B-d)/(\tau-d)} - 1)$.

    From −1 (a budget that shows nothing, without dead time) to 0 (no censoring).

    >>> float(relative_bias(8000, 8000).round(4))
    -0.582
    """
    mean, x = _window(tau, budget, dead_time)
    return -mean / tau * x / np.expm1(x)


def censored_mle(
    times: Real[np.ndarray, "n"], observed: Bool[np.ndarray, "n"], dead_time: float | int = 0
) -> float:
    r"""Return $d + \sum_i (t_i - d) / k$, the likeliest mean onset, infinite without a success.

    Censored runs count in the sum, at the time at which they were stopped, and not in $k$. Raises
    `ValueError` for a time before the dead time.

    >>> censored_mle(np.array([2000.0, 6000.0, 8000.0]), np.array([True, True, False]))
    8000.0
    """
    if (times < dead_time).any():
        raise ValueError(f"time {times.min()} is before the dead time {dead_time}")
    successes = int(observed.sum())
    return float(dead_time + (times - dead_time).sum() / successes) if successes else np.inf


def simulate_onsets(
    tau: float | int, budget: float | int, n: int, *, dead_time: float | int = 0, seed: int
) -> tuple[Float[np.ndarray, "n"], Bool[np.ndarray, "n"]]:
    """Return `times` and `observed` of n runs with exponential onsets after the dead time.

    >>> times, observed = simulate_onsets(8000, 8000, 100_000, seed=1)
    >>> float(times[observed].mean().round()), round(censored_mle(times, observed))
    (3343.0, 8001)
    """
    _window(tau, budget, dead_time)
    onsets = dead_time + np.random.default_rng(seed).exponential(tau - dead_time, n)
    return np.minimum(onsets, budget), onsets <= budget


def _window(tau: Numbers, budget: Numbers, dead_time: float | int) -> tuple[Numbers, Numbers]:
    """Return the mean after the dead time and the window in units of it, at most 700.

    There the bias is below 1e-300, and its exponential does not overflow yet.
    """
    if not (0 <= dead_time < np.min(tau) and dead_time < np.min(budget)):
        raise ValueError(
            f"dead time {dead_time} must be at least 0 and below the mean onset {np.min(tau)} and "
            f"the budget {np.min(budget)}"
        )
    mean = tau - dead_time
    return mean, np.minimum((budget - dead_time) / mean, 700.0)
