r"""Gromov's analytic network, built: $f(x) = \frac{1}{DN} W_2 (W_1 x)^2$ with $D = 2p$.

Row k of $W_1$ is $\cos(2\pi\sigma_k a/p + \varphi_1)$ beside
$\cos(2\pi\sigma_k b/p + \varphi_2)$, and $W_{2,ck} = \cos(-2\pi\sigma_k c/p - \varphi_1 -
\varphi_2)$, the phases of each neuron uniform and independent. So f needs no training; the argument
of its largest output is $a + b$ modulo p, as far as N is large enough.
"""

import math

import numpy as np
import sympy as sp
from jaxtyping import Float64, Int64

from grokbook.theory.identity import Identity
from grokbook.theory.random_phases.moments import alpha, beta, neuron

FREQUENCIES = ("even", "random")


def check_network(p: int, width: int, frequencies: str) -> None:
    """Refuse what is no network: a modulus that is no odd prime, no neuron, an unknown choice.

    Raises `ValueError` that names the value.
    """
    if p < 3 or any(p % divisor == 0 for divisor in range(2, math.isqrt(p) + 1)):
        raise ValueError(f"p = {p} is no odd prime: give 3, 5, 7, 11 or a larger one")
    if width < 1:
        raise ValueError(f"width = {width} leaves no neuron: give at least 1")
    if frequencies not in FREQUENCIES:
        raise ValueError(f"frequencies = {frequencies!r} is not known: choose 'even' or 'random'")


def neuron_identity() -> Identity:
    """Return the neuron as g; the wrong one adds the class c instead of taking it away."""
    omega, a, b, c, *phi = sp.symbols("omega a b c varphi_1 varphi_2", real=True)
    hidden = sp.cos(omega * a + phi[0]) + sp.cos(omega * b + phi[1])
    angles = {alpha: omega * a + phi[0], beta: omega * b + phi[1]}
    return Identity(
        "W₂ (W₁x)² = g_δ for α = ωa + φ₁, β = ωb + φ₂, δ = ω(a + b − c)",
        sp.cos(-omega * c - phi[0] - phi[1]) * hidden**2,
        neuron(omega * (a + b - c)).subs(angles),
        wrong=neuron(omega * (a + b + c)).subs(angles),
    )


def draw_frequencies(
    p: int, width: int, frequencies: str, rng: np.random.Generator, networks: int = 1
) -> Int64[np.ndarray, "networks N"]:
    r"""Return σ of every neuron: $1 + j \bmod (p - 1)/2$ for "even", else drawn from all of them.

    >>> draw_frequencies(7, 5, "even", np.random.default_rng(0))
    array([[1, 2, 3, 1, 2]])
    """
    half = (p - 1) // 2
    if frequencies == "random":
        return rng.integers(1, half + 1, (networks, width))
    return np.tile(1 + np.arange(width) % half, (networks, 1))


def analytic_weights(
    p: int, width: int, *, seed: int, frequencies: str = "even"
) -> tuple[Float64[np.ndarray, "N inputs"], Float64[np.ndarray, "p N"]]:
    r"""Return $W_1$, with 2p inputs across, and $W_2$.

    A seed has the same phases under both choices of frequencies. Raises `ValueError` unless p is an
    odd prime and the width at least 1.

    >>> W_1, W_2 = analytic_weights(7, 12, seed=0)
    >>> W_1.shape, W_2.shape
    ((12, 14), (7, 12))
    """
    check_network(p, width, frequencies)
    rng = np.random.default_rng(seed)
    first, second = rng.uniform(0, 2 * np.pi, (2, width, 1))
    sigma = draw_frequencies(p, width, frequencies, rng)[0][:, None]
    # σn is reduced modulo p in integers, so that no angle is large.
    angles = 2 * np.pi / p * (sigma * np.arange(p) % p)
    W_1 = np.concatenate([np.cos(angles + first), np.cos(angles + second)], axis=1)
    return W_1, np.cos(-angles - first - second).T


def network_outputs(
    W_1: Float64[np.ndarray, "N inputs"], W_2: Float64[np.ndarray, "p N"], first: int
) -> Float64[np.ndarray, "p p"]:
    r"""Return $f_c$ of the inputs $(a, 0), \dots, (a, p - 1)$: one a row, the classes c across.

    One first operand at a time needs less memory than the weights do.

    >>> network_outputs(*analytic_weights(7, 600, seed=0), 2).argmax(axis=1)
    array([2, 3, 4, 5, 6, 0, 1])
    """
    p, width = W_2.shape
    hidden = (W_1[:, [first]] + W_1[:, p:]) ** 2
    return (W_2 @ hidden).T / (2 * p * width)


def analytic_accuracy(p: int, width: int, *, seed: int, frequencies: str = "even") -> float:
    r"""Return the share of the $p^2$ inputs whose largest output is at $a + b$ modulo p.

    Raises `ValueError` as `analytic_weights` does.

    >>> analytic_accuracy(23, 150, seed=0)
    1.0
    """
    W_1, W_2 = analytic_weights(p, width, seed=seed, frequencies=frequencies)
    right = 0
    for first in range(p):
        answers = network_outputs(W_1, W_2, first).argmax(axis=1)
        right += int((answers == (first + np.arange(p)) % p).sum())
    return right / p**2


def identities() -> tuple[Identity, ...]:
    """Return the step from the network to a function of two uniform angles.

    >>> len(identities())
    1
    """
    return (neuron_identity(),)
