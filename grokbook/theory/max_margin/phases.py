r"""Phases on a finite subgroup of the torus, and the seven characters that must vanish on it.

A neuron of one frequency carries a phase α at its first operand, β at its second and α + β at its
output. Its square leaves the wave of a + b − c, without a phase, and waves with the phases
$k\alpha + l\beta$ for seven pairs (k, l). A sum over a subgroup of phases (α, β) keeps the first
alone if and only if none of the seven characters is trivial there.
"""

import numpy as np
from jaxtyping import Int64

CHARACTERS = ((3, 1), (-1, 1), (1, 1), (1, 3), (2, 2), (2, 0), (0, 2))
# The order of a cyclic subgroup, and a generator in units of 2π/order. Five is too few.
GENERATORS = {5: (1, 2), 6: (1, 4), 7: (1, 3), 8: (1, 2)}


def generator(order: int) -> tuple[int, int]:
    r"""Return the phases (α, β) in units of $2\pi$/order whose multiples are the subgroup.

    Raises `ValueError` unless the order is 5, 6, 7 or 8.

    >>> generator(6)
    (1, 4)
    """
    if order not in GENERATORS:
        raise ValueError(f"{order} phases per frequency have no subgroup here: give 5, 6, 7 or 8")
    return GENERATORS[order]


def exponent(character: tuple[int, int], step: tuple[int, int]) -> int:
    r"""Return $k\alpha + l\beta$ for a pair (k, l) and phases (α, β) = `step`.

    >>> exponent((3, 1), (1, 4))
    7
    """
    return character[0] * step[0] + character[1] * step[1]


def trivial_characters(step: tuple[int, int], order: int) -> list[tuple[int, int]]:
    r"""Return which of the seven are 1 on the multiples of `step`: n divides $k g_1 + l g_2$.

    >>> trivial_characters((1, 4), 6), trivial_characters((1, 2), 5)
    ([], [(3, 1)])
    """
    return [pair for pair in CHARACTERS if exponent(pair, step) % order == 0]


def subgroup(order: int) -> Int64[np.ndarray, "order 2"]:
    r"""Return the phases (α, β) of a subgroup, one pair a row, in units of $2\pi$/order.

    >>> subgroup(6).tolist()
    [[0, 0], [1, 4], [2, 2], [3, 0], [4, 4], [5, 2]]
    """
    multiples = np.arange(order, dtype=np.int64)[:, None]
    return multiples * np.array(generator(order), dtype=np.int64) % order
