r"""The two circuits of `clock_pizza` in float64: logits, strengths, margin, and a rectified pizza.

Frequencies are an axis K, amplitudes broadcast against them. Products $kd$ are reduced modulo n in
integers, so that no angle is large and the pizza's blind distance is exactly 0.
"""

import numpy as np
from jaxtyping import Float64, Int

from grokbook.theory.cyclic.separation import Amplitudes, logits, margin


def clock_logits(
    frequencies: Int[np.ndarray, "K"], amplitudes: Amplitudes, n: int
) -> Float64[np.ndarray, "n n n"]:
    r"""Return $\sum_k A_k \cos\omega_k(a + b - c)$ for all a, b, c.

    >>> clock_logits(np.array([1]), 1, 4).round(3)[1, 2] + 0.0
    array([ 0., -1.,  0.,  1.])
    """
    tokens = np.arange(n)
    shifts = tokens[:, None, None] + tokens[:, None] - tokens
    return logits(frequencies, amplitudes, n)[shifts % n]


def pizza_strengths(
    frequencies: Int[np.ndarray, "K"], amplitudes: Amplitudes, n: int
) -> Float64[np.ndarray, "n K"]:
    r"""Return $A_k|\cos(\pi kd/n)|$ for every distance $d = a - b$, one frequency a column.

    >>> pizza_strengths(np.array([1, 2]), 1, 4).round(3)
    array([[1.   , 1.   ],
           [0.707, 0.   ],
           [0.   , 1.   ],
           [0.707, 0.   ]])
    """
    turns = frequencies * np.arange(n)[:, None] % n
    # sin(π(n − 2j)/(2n)) is cos(πj/n), and exactly 0 at j = n/2.
    return amplitudes * np.abs(np.sin(np.pi / (2 * n) * (n - 2 * turns)))


def pizza_logits(
    frequencies: Int[np.ndarray, "K"], amplitudes: Amplitudes, n: int
) -> Float64[np.ndarray, "n n n"]:
    r"""Return $\sum_k A_k |\cos\frac{\omega_k(a - b)}2| \cos\omega_k(a + b - c)$ for all a, b, c.

    >>> pizza_logits(np.array([1]), 1, 4).round(3)[1, [1, 2, 3], [2, 3, 0]]
    array([1.   , 0.707, 0.   ])
    """
    tokens = np.arange(n)
    shifts = (tokens[:, None, None] + tokens[:, None] - tokens) % n
    by_distance = pizza_strengths(frequencies, amplitudes, n)[(tokens[:, None] - tokens) % n]
    waves = np.cos(2 * np.pi / n * (frequencies[:, None] * tokens % n))
    total = np.zeros((n, n, n))
    for column, wave in enumerate(waves):
        total += by_distance[:, :, column, None] * wave[shifts]
    return total


def pizza_margin(frequencies: Int[np.ndarray, "K"], amplitudes: Amplitudes, n: int) -> float:
    r"""Return the least gap over all pairs: $\min_d$ of the clock's margin at these strengths.

    One frequency prime to an odd n loses the factor $\sin(\pi/2n)$ to the clock; with several, each
    answers where another is weak.

    >>> pizza_margin(np.array([1]), 1, 6), round(pizza_margin(np.array([1, 2]), 1, 7), 3)
    (0.0, 0.507)
    """
    strengths = pizza_strengths(frequencies, amplitudes, n)
    return float(margin(np.broadcast_to(frequencies, strengths.shape), strengths, n).min())


def pizza_network(
    frequencies: Int[np.ndarray, "K"], amplitudes: Amplitudes, n: int, *, phases: int
) -> Float64[np.ndarray, "n n n"]:
    r"""Return the logits of rectified neurons that see $z_a + z_b$ alone, M phases a frequency.

    $|x| = \mathrm{ReLU}(x) + \mathrm{ReLU}(-x)$; the read-out weights are
    $\frac{3\pi}{2M} A_k \cos(2\theta_j - \omega_k c)$. The logits are the pizza's up to about
    $(\pi/2M)^2$ of each amplitude. Raises `ValueError` below 3 phases, where the wanted harmonic
    meets its alias.

    >>> frequencies = np.array([1, 3])
    >>> off = pizza_network(frequencies, 1, 7, phases=20) - pizza_logits(frequencies, 1, 7)
    >>> round(float(np.abs(off).max()), 3)
    0.012
    """
    if phases < 3:
        raise ValueError(f"{phases} phases cannot tell 2θ from its alias: give at least 3")
    angles = 2 * np.pi / n * (frequencies[:, None] * np.arange(n) % n)
    thetas = np.pi * np.arange(phases) / phases
    total = np.zeros((n, n, n))
    for weight, at in zip(np.broadcast_to(amplitudes, frequencies.shape), angles, strict=True):
        mean = (np.exp(1j * at)[:, None] + np.exp(1j * at)) / 2
        seen = (np.exp(-1j * thetas) * mean[:, :, None]).real
        hidden = np.maximum(seen, 0) + np.maximum(-seen, 0)
        read = np.cos(2 * thetas[:, None] - at)
        total += 3 * np.pi * weight / (2 * phases) * (hidden @ read)
    return total
