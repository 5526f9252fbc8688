r"""Networks of the largest margin, written down: a few phases for every frequency.

Every frequency $j = 1, \dots, (p - 1)/2$ has the same neurons, $\cos(2\pi ja/p + \alpha)$,
$\cos(2\pi jb/p + \beta)$ and $\cos(2\pi jc/p + \alpha + \beta)$, with (α, β) on a subgroup; all
weights share one scale. Six phases a frequency, $3(p - 1)$ neurons in all, are the fewest that
attain γ*.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from grokbook.theory.max_margin.margin import check_modulus
from grokbook.theory.max_margin.phases import subgroup


class Network(NamedTuple):
    r"""The weights of $f_c(a, b) = \sum_i (u_i(a) + v_i(b))^2\,w_i(c)$, one neuron a row."""

    u: Float64[np.ndarray, "neurons p"]
    v: Float64[np.ndarray, "neurons p"]
    w: Float64[np.ndarray, "neurons p"]


def construction(p: int, phases_per_frequency: int = 6) -> Network:
    r"""Return the network with $\|\theta\|_{2,3} = 1$, by frequency and then by phase.

    With 6, 7 or 8 phases all its margins are γ*. With 5 the character (3, 1) is trivial: the wave
    of 2a + c stays, half as strong as that of a + b − c, and the least margin is γ*/2. Raises
    `ValueError` unless p is odd and at least 3, and for another number of phases.

    >>> construction(5).u.shape, construction(5, 8).u.shape
    ((12, 5), (16, 5))
    """
    check_modulus(p)
    alpha, beta = subgroup(phases_per_frequency).T * 2 * np.pi / phases_per_frequency
    frequencies = np.arange(1, (p - 1) // 2 + 1)
    # The product j·a is reduced modulo p in integers, so that no angle is large.
    angles = 2 * np.pi / p * (frequencies[:, None, None] * np.arange(p) % p)
    neurons = len(frequencies) * phases_per_frequency
    scale = neurons ** (-1 / 3) * (3 * p / 2) ** -0.5

    def waves(shifts: Float64[np.ndarray, "phases"]) -> Float64[np.ndarray, "neurons p"]:
        return scale * np.cos(angles + shifts[:, None]).reshape(neurons, p)

    return Network(waves(alpha), waves(beta), waves(alpha + beta))
