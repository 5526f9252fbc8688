"""The delay law in float64: one step, the bounds and the corrected law, in steps."""

import numpy as np
from jaxtyping import Float, Real

Number = float | int | Float[np.ndarray, "*shape"] | Real[np.ndarray, "*shape"]


def next_squared_norm(V: Number, dot: Number, square: Number, eta: Number, lam: Number) -> Number:
    r"""Return $(1-\eta\lambda)^2 V - 2\eta(1-\eta\lambda)\langle\theta,u\rangle + \eta^2\|u\|^2$.

    >>> next_squared_norm(25, 3, 1, 0.5, 1)
    5.0
    """
    kept = 1 - eta * lam
    return kept * kept * V - 2 * eta * kept * dot + eta * eta * square


def noise_floor(sigma2: Number, eta: Number, lam: Number) -> Number:
    r"""Return $V_\infty = \eta\sigma^2/(\lambda(2-\eta\lambda))$.

    >>> noise_floor(1.5, 0.5, 1)
    0.5
    """
    return eta * sigma2 / (lam * (2 - eta * lam))


def delay(V_mem: Number, V_post: Number, eta: Number, lam: Number, kappa: Number = 1) -> Number:
    r"""Return $\log(V_{mem}/V_{post})\,/\,(-2\kappa\log(1-\eta\lambda))$, in steps.

    With κ = 1 it is the time of pure decay; above a noise floor give V less the floor. Negative
    where V_post is the larger.

    >>> round(delay(3900, 300, 1e-3, 1))
    1282
    """
    return np.log(np.divide(V_mem, V_post)) / (-2 * kappa * np.log1p(-eta * lam))


def kappa(V: Number, after: Number, steps: Number, eta: Number, lam: Number) -> Number:
    r"""Return $\kappa = \log(V/V')\,/\,(-2T\log(1-\eta\lambda))$ over T steps.

    >>> round(float(kappa(1, (1 - 1e-3) ** 2, 1, 1e-3, 1)), 12)
    1.0
    """
    return np.log(np.divide(V, after)) / (-2 * steps * np.log1p(-eta * lam))


def mean_hitting_time(
    V_0: Number, V_post: Number, V_inf: Number, eta: Number, lam: Number
) -> Number:
    r"""Return the drift bound $\frac{1+\log(V_0/V_{post})}{(1-\rho)(1-V_\infty/V_{post})}$.

    >>> round(mean_hitting_time(100, 10, 1, 0.01, 1))
    184
    """
    away = (1 - (1 - eta * lam) ** 2) * (1 - np.divide(V_inf, V_post))
    return (1 + np.log(np.divide(V_0, V_post))) / away


def largest_update(steps: Number, beta1: float, beta2: float) -> Number:
    r"""Return $C_t$, the largest component of Adam's update after t steps; t may be infinite.

    >>> [round(float(largest_update(t, 0.9, 0.999)), 3) for t in (1, 100, 1000, np.inf)]
    [1.0, 2.243, 5.781, 7.27]
    """
    steps = np.asarray(steps, dtype=np.float64)
    ratio = beta1**2 / beta2
    corrected = np.sqrt(1 - beta2**steps) / (1 - beta1**steps)
    front = (1 - beta1) / np.sqrt((1 - beta2) * (1 - ratio))
    return front * corrected * np.sqrt(1 - ratio**steps)


def shortest_delay(
    V_mem: Number, V_post: Number, largest: Number, eta: Number, lam: Number
) -> Number:
    r"""Return $\log\frac{s_{mem}+B/\lambda}{s_{post}+B/\lambda}\,/\,(-\log(1-\eta\lambda))$.

    B = `largest` bounds the radial component of every update, or its norm; it may be negative, as
    long as both shifted norms stay positive. NaN where one does not: the level is out of reach.

    >>> round(float(shortest_delay(3937, 1102, 7.27 * 223713**0.5, 1e-3, 1)), 1)
    8.5
    """
    shift = np.asarray(largest, dtype=np.float64) / lam
    start, end = np.sqrt(V_mem) + shift, np.sqrt(V_post) + shift
    reachable = (start > 0) & (end > 0)
    ratio = np.where(reachable, start, 1) / np.where(reachable, end, 1)
    return np.where(reachable, np.log(ratio) / -np.log1p(-eta * lam), np.nan)


def lambert(value: float | int) -> float:
    r"""Return W with $We^W$ = value ≥ 0, by Newton's method.

    >>> round(lambert(96 / np.e), 3)
    2.606
    """
    w = np.log1p(value)
    for _ in range(50):
        step = (w - value * np.exp(-w)) / (1 + w)
        w -= step
        if abs(step) < 1e-15 * (1 + w):
            break
    return float(w)


def largest_gap(classes: int) -> float:
    r"""Return $W((C-1)/e)$, the most that entropy can exceed cross-entropy, in nats.

    >>> round(largest_gap(113), 3)
    2.718
    """
    return lambert((classes - 1) / np.e)


def flow_bounds(
    time: Number, V_0: Number, lam: Number, degree: int, classes: int
) -> tuple[Number, Number]:
    r"""Return the two curves between which V of gradient flow lies, the lower while CE ≤ H.

    >>> [round(float(bound), 3) for bound in flow_bounds(0.5, 10, 1, degree=2, classes=97)]
    [3.679, 6.974]
    """
    decay = np.exp(-2 * lam * np.asarray(time, dtype=np.float64))
    return decay * V_0, decay * V_0 + degree * largest_gap(classes) / lam * (1 - decay)


def catapult(
    start: tuple[float, float], eta: float, lam: float, steps: int
) -> Float[np.ndarray, "step 2"]:
    r"""Return V and the loss $\frac12(uv)^2$ along gradient descent from (u, v).

    >>> path = catapult((10.0, 1e-3), 0.03, 0.0, 13)
    >>> round(float(path[0, 0]), 1), bool(path[0, 1] < 1e-4), bool(path[-1, 0] < 50)
    (100.0, True, True)
    """
    u, v = start
    path = [(u * u + v * v, (u * v) ** 2 / 2)]
    for _ in range(steps):
        u, v = (
            (1 - eta * lam) * u - eta * u * v * v,
            (1 - eta * lam) * v - eta * u * u * v,
        )
        path.append((u * u + v * v, (u * v) ** 2 / 2))
    return np.array(path)
