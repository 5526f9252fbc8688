r"""Characters of $\mathbb Z_{n_1} \times \dots \times \mathbb Z_{n_r}$: when one circle is enough.

A character is a tuple $k$ with $\chi_k(a) = e^{2\pi i \sum_j k_j a_j/n_j}$. It is faithful, so that
one circle shows every element apart, if and only if its order is that of the group; this needs a
cyclic group. A set of characters separates the elements if and only if it generates all characters,
and the least number that does is the rank. Elements are numbered as in `grokbook.groups.product`,
the last coordinate fastest.
"""

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from jaxtyping import Float64, Int64

Moduli = tuple[int, ...]
Character = tuple[int, ...]


def elements(moduli: Moduli) -> Int64[np.ndarray, "n r"]:
    """Return the coordinates of every element, in the order of its number.

    >>> elements((2, 2)).tolist()
    [[0, 0], [0, 1], [1, 0], [1, 1]]
    """
    if min(moduli, default=0) < 1:
        raise ValueError(f"moduli {moduli} give no group: give integers of at least 1")
    return np.array(list(product(*map(range, moduli))), dtype=np.int64)


def phases(characters: Sequence[Character], moduli: Moduli) -> Int64[np.ndarray, "characters n"]:
    r"""Return $\chi_k(a)$ as the integer phase $\sum_j k_j a_j L/n_j \bmod L$, L the lcm.

    Raises `ValueError` for a character with another number of coordinates.

    >>> phases([(1, 1)], (2, 3))
    array([[0, 2, 4, 3, 5, 1]])
    """
    if any(len(character) != len(moduli) for character in characters):
        raise ValueError(f"a character of {moduli} has {len(moduli)} coordinates: {characters}")
    turn = math.lcm(*moduli)
    rows = np.array(characters, dtype=np.int64).reshape(len(characters), len(moduli))
    return (rows * (turn // np.array(moduli))) @ elements(moduli).T % turn


def all_characters(moduli: Moduli) -> list[Character]:
    """Return every character; the trivial one comes first.

    >>> all_characters((2, 2))
    [(0, 0), (0, 1), (1, 0), (1, 1)]
    """
    return [tuple(row) for row in elements(moduli).tolist()]


def order(character: Character, moduli: Moduli) -> int:
    r"""Return the order of a character, $\mathrm{lcm}_j\,n_j/\gcd(n_j, k_j)$: points on its circle.

    >>> order((1, 1), (7, 11)), order((1, 1), (11, 11)), order((7,), (77,))
    (77, 11, 11)
    """
    pairs = zip(character, moduli, strict=True)
    return math.lcm(*(n // math.gcd(n, k) for k, n in pairs))


def faithful_characters(moduli: Moduli) -> list[Character]:
    """Return the characters that tell all elements apart.

    >>> len(faithful_characters((7, 11))), faithful_characters((11, 11))
    (60, [])
    """
    size = math.prod(moduli)
    return [character for character in all_characters(moduli) if order(character, moduli) == size]


def distinguished(characters: Sequence[Character], moduli: Moduli) -> int:
    """Return how many classes of elements the characters tell apart together.

    >>> distinguished([(1, 0)], (11, 11)), distinguished([(1, 0), (1, 1)], (11, 11))
    (11, 121)
    """
    return len(np.unique(phases(characters, moduli), axis=1).T)


def generates(characters: Sequence[Character], moduli: Moduli) -> bool:
    """Say whether the characters separate all elements, that is generate all characters.

    >>> generates([(2,), (3,)], (6,)), generates([(2,), (4,)], (6,))
    (True, False)
    """
    return distinguished(characters, moduli) == math.prod(moduli)


def rank(moduli: Moduli) -> int:
    """Return the least number of characters that generate: circles that an embedding needs.

    It is the largest number of moduli with a common prime factor.

    >>> rank((7, 11)), rank((11, 11)), rank((2, 6, 3))
    (1, 2, 2)
    """
    primes = [q for q in range(2, max(moduli) + 1) if all(q % f for f in range(2, q))]
    return max((sum(n % q == 0 for n in moduli) for q in primes), default=0)


def product_logits(
    characters: Sequence[Character], amplitudes: Float64[np.ndarray, "characters"], moduli: Moduli
) -> Float64[np.ndarray, "n"]:
    r"""Return $F(g) = \sum_\chi A_\chi\,\mathrm{Re}\,\chi(g)$, $g = ab c^{-1}$, by element.

    For positive amplitudes the maximum at g = 0 is the only one if the characters generate.

    >>> product_logits([(1, 0), (0, 1)], np.ones(2), (2, 2))
    array([ 2.,  0.,  0., -2.])
    """
    turn = math.lcm(*moduli)
    return amplitudes @ np.cos(2 * np.pi / turn * np.arange(turn))[phases(characters, moduli)]


def generating_frequencies(n: int) -> list[int]:
    r"""Return the frequencies $1 \le k \le n/2$ that generate alone: those prime to n.

    >>> generating_frequencies(12), len(generating_frequencies(77))
    ([1, 5], 30)
    """
    return [k for k in range(1, n // 2 + 1) if math.gcd(k, n) == 1]
