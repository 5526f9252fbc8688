r"""The trigonometric circuit: cosines of a + b − c from products, and when their sum is right.

The logits are $F(\delta) = \sum_{k \in K} A_k \cos(2\pi k\delta/n)$ with $\delta = a + b - c$. For
amplitudes $A_k > 0$ the maximum is at $\delta = 0$ and nowhere else if and only if
$\gcd(K \cup \{n\}) = 1$: the gap $F(0) - F(\delta)$ is a sum of squares, which vanishes where n
divides $k\delta$ for all k, that is on the multiples of $n/\gcd(K \cup \{n\})$.
"""

import math
from collections.abc import Callable, Sequence

import sympy as sp

from grokbook.theory.cyclic.characters import n, past_the_pole, r, s
from grokbook.theory.cyclic.cyclotomic import modulo_cyclotomic, root
from grokbook.theory.identity import Identity

a, b, c, omega = sp.symbols("a b c omega", real=True)
delta = sp.symbols("delta", integer=True)


def logit(frequencies: Sequence[int], amplitudes: Sequence[int], order: int) -> sp.Matrix:
    r"""Return $F(0), \dots, F(n - 1)$ exactly.

    >>> list(logit((2, 3), (1, 1), 6))
    [2, -3/2, 1/2, 0, 1/2, -3/2]
    """
    pairs = list(zip(frequencies, amplitudes, strict=True))
    waves = [
        sum(weight * sp.cos(2 * sp.pi * k * shift / order) for k, weight in pairs)
        for shift in range(order)
    ]
    return sp.Matrix(waves)


def silent_shifts(frequencies: Sequence[int], order: int) -> list[int]:
    r"""Return the shifts that all frequencies miss: the multiples of $n/\gcd(K \cup \{n\})$.

    >>> silent_shifts((14, 21), 77), silent_shifts((7, 11), 77)
    ([0, 11, 22, 33, 44, 55, 66], [0])
    """
    return list(range(0, order, order // math.gcd(order, *frequencies)))


def has_unique_maximum(frequencies: Sequence[int], order: int) -> bool:
    r"""Say whether $\gcd(K \cup \{n\}) = 1$: for positive amplitudes, one largest logit.

    >>> has_unique_maximum((2, 3), 6), has_unique_maximum((2, 4), 6)
    (True, False)
    """
    return math.gcd(order, *frequencies) == 1


def cosine_identity() -> Identity:
    """Return the cosine of a sum; the wrong one has the sine's sign."""
    even, odd = sp.cos(omega * a) * sp.cos(omega * b), sp.sin(omega * a) * sp.sin(omega * b)
    return Identity(
        "cos ω(a + b) = cos ωa cos ωb − sin ωa sin ωb",
        sp.cos(omega * (a + b)),
        even - odd,
        wrong=even + odd,
    )


def sine_identity() -> Identity:
    """Return the sine of a sum; the wrong one has the cosine's sign."""
    left, right = sp.sin(omega * a) * sp.cos(omega * b), sp.cos(omega * a) * sp.sin(omega * b)
    return Identity(
        "sin ω(a + b) = sin ωa cos ωb + cos ωa sin ωb",
        sp.sin(omega * (a + b)),
        left + right,
        wrong=left - right,
    )


def readout_identity() -> Identity:
    """Return the read-out that compares a + b with c; the wrong one adds c instead."""
    total = omega * (a + b)
    even, odd = sp.cos(total) * sp.cos(omega * c), sp.sin(total) * sp.sin(omega * c)
    return Identity(
        "cos ω(a + b − c) = cos ω(a + b) cos ωc + sin ω(a + b) sin ωc",
        sp.cos(omega * (a + b - c)),
        even + odd,
        wrong=even - odd,
    )


def gap_identity(size: int = 2) -> Identity:
    """Return the gap to the shift δ, for any `size` frequencies; the wrong one doubles δ."""
    amplitudes, frequencies = sp.symbols(f"A:{size}", real=True), sp.symbols(f"k:{size}", real=True)
    pairs = [(A, sp.pi * k * delta / n) for A, k in zip(amplitudes, frequencies, strict=True)]
    return Identity(
        f"F(0) − F(δ) = 2 Σ_k A_k sin²(πkδ/n), any {size} frequencies",
        sum(A * (1 - sp.cos(2 * angle)) for A, angle in pairs),
        sum(2 * A * sp.sin(angle) ** 2 for A, angle in pairs),
        wrong=sum(2 * A * sp.sin(2 * angle) ** 2 for A, angle in pairs),
    )


def bezout_identity() -> Identity:
    r"""Return why silence means a multiple: with $k\delta = nx$, $l\delta = ny$.

    By Bézout $g = \gcd(k, l, n) = uk + vl + wn$, so n divides $g\delta$, and $n/g$ divides
    $\delta$. The wrong variant forgets to multiply the last term.
    """
    u, v, w, x, y = sp.symbols("u v w x y", integer=True)
    d = sp.symbols("delta", integer=True, positive=True)
    k, l = n * x / d, n * y / d  # noqa: E741
    return Identity(
        "gδ = n(ux + vy + wδ) for kδ = nx, lδ = ny, g = uk + vl + wn",
        (u * k + v * l + w * n) * d,
        n * (u * x + v * y + w * d),
        wrong=n * (u * x + v * y + w),
    )


def silence_identity(order: int = 8) -> Identity:
    """Return the same step by exhaustion; the wrong variant takes the divisor for its partner."""

    def table(step: Callable[[int], int]) -> sp.Matrix:
        return sp.Matrix(order, order, lambda k, shift: int(shift % step(k) == 0))

    misses = sp.Matrix(order, order, lambda k, shift: int(k * shift % order == 0))
    return Identity(
        f"n | kδ if and only if n/gcd(k, n) | δ, all k and δ for n = {order}",
        misses,
        table(lambda k: order // math.gcd(k, order)),
        wrong=table(lambda k: math.gcd(k, order)),
    )


def mean_gap_identity() -> Identity:
    r"""Return what the wrong classes sum to, for $0 < r < n = r + s$; so the mean is $n/(n - 1)$.

    The wrong variant takes the cosines over $\delta \ne 0$ to sum to 0: they sum to −1.
    """
    wave = (root(r * delta, r + s) + root(-r * delta, r + s)) / 2
    return Identity(
        "Σ_{δ≠0} (1 − cos(2πrδ/n)) = n for 0 < r < n",
        r + s - sp.Sum(wave, (delta, 0, r + s - 1)).expand(),
        r + s,
        wrong=r + s - 1,
        by=past_the_pole,
    )


def all_frequencies_identity(order: int = 7) -> Identity:
    """Return the table itself: all frequencies, equally strong; the wrong one forgets the 2."""
    half = order // 2

    def kernel(weight: sp.Rational) -> sp.Matrix:
        sums = [
            1 + sum(weight * (root(k * x, order) + root(-k * x, order)) for k in range(1, half + 1))
            for x in range(order)
        ]
        return sp.Matrix(sums) / order

    return Identity(
        f"1[δ = 0] = (1 + 2 Σ_{{k≤{half}}} cos(2πkδ/{order}))/{order}",
        sp.Matrix([1, *[0] * (order - 1)]),
        kernel(sp.S.One),
        wrong=kernel(sp.S.Half),
        by=modulo_cyclotomic(order),
    )


def two_and_three_identity() -> Identity:
    """Return n = 6, K = {2, 3}: right though no frequency generates; the wrong one turns a sign."""
    return Identity(
        "n = 6, K = {2, 3}: F = 2, −3/2, 1/2, 0, 1/2, −3/2",
        logit((2, 3), (1, 1), 6),
        sp.Matrix([4, -3, 1, 0, 1, -3]) / 2,
        wrong=logit((2, 3), (1, -1), 6),
    )


def negative_amplitude_identity() -> Identity:
    """Return n = 5, A = (1, −1), a counter-example; the wrong one has A = (1, 1)."""
    return Identity(
        "n = 5, A = (1, −1): F(0) = 0 < F(±1) = √5/2",
        logit((1, 2), (1, -1), 5),
        sp.sqrt(5) / 2 * sp.Matrix([0, 1, -1, -1, 1]),
        wrong=logit((1, 2), (1, 1), 5),
    )


def identities() -> tuple[Identity, ...]:
    """Return the derivation of the circuit, in order.

    >>> len(identities())
    10
    """
    circuit = [cosine_identity, sine_identity, readout_identity, gap_identity]
    arithmetic = [bezout_identity, silence_identity, mean_gap_identity, all_frequencies_identity]
    examples = [two_and_three_identity, negative_amplitude_identity]
    return tuple(step() for step in circuit + arithmetic + examples)
