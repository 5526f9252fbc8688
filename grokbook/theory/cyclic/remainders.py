r"""The Chinese remainder isomorphism: $\mathbb Z_n \times \mathbb Z_m$ is $\mathbb Z_{nm}$, or not.

For coprime n and m the pair $(a, b)$ has one number x modulo nm with $x \equiv a$ and
$x \equiv b$. With one token an element, training on the product is training on the cyclic group
with the tokens renamed: the same distribution over runs. For n = m no character is faithful.
"""

import math

import numpy as np
import sympy as sp
from jaxtyping import Int64

from grokbook.theory.cyclic.characters import character_table
from grokbook.theory.cyclic.cyclotomic import modulo_cyclotomic, root
from grokbook.theory.cyclic.products import elements, faithful_characters
from grokbook.theory.identity import Identity

n, m = sp.symbols("n m", integer=True, positive=True)
a, b, j, k, x = sp.symbols("a b j k x", integer=True)


def chinese_remainder(left: int, right: int) -> Int64[np.ndarray, "n"]:
    r"""Return the number x modulo nm of every pair, the pair (a, b) at the place $a m + b$.

    $x = a\,m (m^{-1} \bmod n) + b\,n (n^{-1} \bmod m)$. Raises `ValueError` for a common factor.

    >>> chinese_remainder(2, 3)
    array([0, 4, 2, 3, 1, 5])
    """
    _coprime(left, right)
    first, second = right * pow(right, -1, left), left * pow(left, -1, right)
    return elements((left, right)) @ np.array([first, second]) % (left * right)


def frequency(character: tuple[int, int], left: int, right: int) -> int:
    r"""Return the frequency $jm + kn$ modulo nm that the character (j, k) is on $\mathbb Z_{nm}$.

    >>> frequency((1, 1), 7, 11), frequency((1, 0), 7, 11)
    (18, 11)
    """
    _coprime(left, right)
    return (character[0] * right + character[1] * left) % (left * right)


def remainder_identity() -> Identity:
    """Return that x = avm + bun has both remainders; the wrong one exchanges u and v.

    By un + vm = 1, in the first line for vm and in the second for un.
    """
    u, v = sp.symbols("u v", integer=True, positive=True)
    return Identity(
        "x = avm + bun = a + nu(b − a) = b + mv(a − b), un + vm = 1",
        sp.Matrix([a * (1 - u * n) + b * u * n, a * v * m + b * (1 - v * m)]),
        sp.Matrix([a + n * u * (b - a), b + m * v * (a - b)]),
        wrong=sp.Matrix([a + n * v * (b - a), b + m * u * (a - b)]),
    )


def frequency_identity() -> Identity:
    """Return a character of the product as one of Z_nm, x = a + ns = b + mt.

    The wrong variant multiplies each index by its own modulus.
    """
    s, t = sp.symbols("s t", integer=True)
    return Identity(
        "e^{2πi(ja/n + kb/m)} = e^{2πi(jm + kn)x/nm}",
        root(j * (x - n * s), n) * root(k * (x - m * t), m),
        root((j * m + k * n) * x, n * m),
        wrong=root((j * n + k * m) * x, n * m),
        by=_whole_turns,
    )


def table_identity(left: int = 2, right: int = 3) -> Identity:
    """Return all characters of a product as those of the cyclic group, both sides renamed.

    The wrong variant renames the characters as it does the elements.
    """
    size = left * right
    places = [int(place) for place in chinese_remainder(left, right)]
    frequencies = [frequency((row // right, row % right), left, right) for row in range(size)]
    table = character_table(size)
    return Identity(
        f"characters of Z_{left} × Z_{right} = those of Z_{size}, relabelled",
        sp.kronecker_product(character_table(left), character_table(right)),
        table.extract(frequencies, places),
        wrong=table.extract(places, places),
        by=modulo_cyclotomic(size),
    )


def faithful_identity(left: int = 7, right: int = 11) -> Identity:
    """Return how many characters are faithful; the wrong one counts all that are not trivial."""
    return Identity(
        f"Z_{left} × Z_{right}: φ({left}) φ({right}) characters are faithful",
        len(faithful_characters((left, right))),
        sp.totient(left) * sp.totient(right),
        wrong=left * right - 1,
    )


def kernel_identity() -> Identity:
    r"""Return what every character of $\mathbb Z_n \times \mathbb Z_n$ misses: (k, −j) is lost.

    It is not 0 unless the character is trivial, which misses everything; so for n > 1 none is
    faithful. The wrong variant evaluates at (k, j).
    """
    return Identity(
        "Z_n × Z_n: χ_{j,k}(k, −j) = 1, no character is faithful",
        root(j * k, n) * root(-k * j, n),
        1,
        wrong=root(2 * j * k, n),
    )


def common_factor_identity() -> Identity:
    """Return a broken assumption, 7 | k at n = 77: δ = 11 looks right; the wrong one has k = 8."""
    return Identity(
        "n = 77, k = 7: F(11) = F(0) = 1, so seven classes tie",
        sp.cos(2 * sp.pi * 7 * 11 / sp.Integer(77)),
        1,
        wrong=sp.cos(2 * sp.pi * 8 * 11 / sp.Integer(77)),
    )


def identities() -> tuple[Identity, ...]:
    """Return the derivation of products, in order.

    >>> len(identities())
    6
    """
    coprime = [remainder_identity, frequency_identity, table_identity, faithful_identity]
    broken = [kernel_identity, common_factor_identity]
    return tuple(step() for step in coprime + broken)


def _whole_turns(entry: sp.Expr) -> sp.Expr:
    """Multiply the exponents out, so that whole turns become 1."""
    return sp.expand(entry.replace(sp.exp, lambda argument: sp.exp(sp.expand(argument))))


def _coprime(left: int, right: int) -> None:
    """Refuse moduli with a common factor."""
    if min(left, right) < 1 or math.gcd(left, right) != 1:
        raise ValueError(f"{left} and {right} have a common factor: give coprime moduli above 0")
