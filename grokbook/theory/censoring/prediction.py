"""The predictions of the derivation in float64, written by hand, and onsets to test them on."""

import numpy as np
from jaxtyping import Bool, Float, Real

Numbers = Real[np.ndarray, "*#grid"] | float | int


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
