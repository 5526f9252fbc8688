r"""Networks attain γ*: phases on a subgroup leave the wave of a + b − c alone.

A neuron with the phases α, β and α + β is $\frac12\cos(x + y - z)$, $x = \omega a$ and so on, and
waves whose phases are the seven characters. Over a subgroup on which none is trivial those sum to
0; with all frequencies equally strong every margin is γ*. Order 8 takes $4(p - 1)$ neurons, order 6
$3(p - 1)$.
"""

import sympy as sp

from grokbook.theory.cyclic.cyclotomic import modulo_cyclotomic, root
from grokbook.theory.identity import Identity
from grokbook.theory.max_margin.bound import gamma
from grokbook.theory.max_margin.duality import p
from grokbook.theory.max_margin.phases import CHARACTERS, exponent, generator, trivial_characters

x, y, z, alpha, beta = sp.symbols("x y z alpha beta", real=True)
# e^{ix}, e^{iy} and e^{iz}, for exact sums
X, Y, Z = sp.symbols("X Y Z", nonzero=True)


def exponentials(entry: sp.Expr) -> sp.Expr:
    """Expand products of cosines in exponentials, where all products of waves cancel."""
    return sp.expand(entry.rewrite(sp.exp))


def cosine(wave: sp.Expr) -> sp.Expr:
    """Return the cosine of an angle, given its exponential."""
    return (wave + 1 / wave) / 2


def neurons(order: int) -> sp.Expr:
    r"""Return the sum of the neurons of one frequency over the subgroup, in $X = e^{i\omega a}$."""
    first, second = generator(order)
    total = 0
    for m in range(order):
        u, v = cosine(X * root(m * first, order)), cosine(Y * root(m * second, order))
        total += (u + v) ** 2 * cosine(Z * root(m * (first + second), order))
    return total


def expansion_identity() -> Identity:
    r"""Return the waves of one neuron, with their phases; (−1, 1) stands there twice.

    The wrong variant has it once.
    """
    squares = [
        sp.cos(2 * x + z + 3 * alpha + beta),
        sp.cos(2 * y + z + alpha + 3 * beta),
        sp.cos(2 * x - z + alpha - beta),
        sp.cos(2 * y - z - alpha + beta),
    ]
    cross = [
        sp.cos(x + y - z),
        sp.cos(x + y + z + 2 * (alpha + beta)),
        sp.cos(x - y + z + 2 * alpha),
        sp.cos(x - y - z - 2 * beta),
    ]
    right = sp.cos(z + alpha + beta) + sum(squares) / 4 + sum(cross) / 2
    return Identity(
        "(cos(x+α) + cos(y+β))² cos(z+α+β) = ½ cos(x+y−z) + waves of 7 characters",
        (sp.cos(x + alpha) + sp.cos(y + beta)) ** 2 * sp.cos(z + alpha + beta),
        right,
        wrong=right - squares[3] / 4,
        by=exponentials,
    )


def cancellation_identity(order: int = 8) -> Identity:
    """Return the sums of the seven characters; the wrong one has α = β, where (−1, 1) is 1."""

    def sums(step: tuple[int, int]) -> sp.Matrix:
        totals = [
            sum(root(exponent(pair, step) * m, order) for m in range(order)) for pair in CHARACTERS
        ]
        return sp.Matrix(totals)

    first, second = generator(order)
    return Identity(
        f"seven characters sum to 0 over the multiples of ({first}, {second}), order {order}",
        sums((first, second)),
        sp.zeros(len(CHARACTERS), 1),
        wrong=sums((1, 1)),
        by=modulo_cyclotomic(order),
    )


def attained_identity(order: int = 8) -> Identity:
    """Return the neurons of one frequency, summed; the wrong one forgets ½ of the expansion."""
    signal = order * cosine(X * Y / Z)
    return Identity(
        f"Σ_phases (u + v)² w = {order}/2 · cos ω(a + b − c), exactly for order {order}",
        neurons(order),
        signal / 2,
        wrong=signal,
        by=modulo_cyclotomic(order),
    )


def all_frequencies_identity(order: int = 7) -> Identity:
    """Return the gap that all frequencies have together; the wrong one takes their number."""
    gaps = [
        sum(1 - cosine(root(j * shift, order)) for j in range(1, order // 2 + 1))
        for shift in range(1, order)
    ]
    ones = sp.ones(order - 1, 1)
    return Identity(
        f"Σ_{{j≤(p−1)/2}} (1 − cos(2πjδ/p)) = p/2 for δ ≠ 0, exactly for p = {order}",
        sp.Matrix(gaps),
        ones * sp.Rational(order, 2),
        wrong=ones * (order // 2),
        by=modulo_cyclotomic(order),
    )


def margin_identity() -> Identity:
    r"""Return every margin over $\|\theta\|_{2,3}^3$, n neurons a frequency, cosines of height 1.

    A neuron has the squared norm 3p/2. The wrong variant counts n neurons for each of the
    p − 1 frequencies j ≠ 0, where j and −j are the same.
    """
    n = sp.symbols("n", positive=True)
    gap, cube = n / 2 * p / 2, (3 * p / 2) ** sp.Rational(3, 2)
    return Identity(
        "(n/2)(p/2) / (n (p − 1)/2 · (3p/2)^{3/2}) = γ*, n phases a frequency",
        gap / (n * (p - 1) / 2 * cube),
        gamma(),
        wrong=gap / (n * (p - 1) * cube),
    )


def five_identity() -> Identity:
    r"""Return a counter-example: the sum over five phases, where (3, 1) is trivial.

    The wave of 2a + c stays, so that the margin at $c' = -2a$ is γ*/2. The wrong variant has the
    wave of a + b − c alone.
    """
    signal = sp.Rational(5, 2) * cosine(X * Y / Z)
    return Identity(
        "five phases, multiples of (1, 2): 5/2 cos ω(a + b − c) + 5/4 cos ω(2a + c)",
        neurons(5),
        signal + sp.Rational(5, 4) * cosine(X**2 * Z),
        wrong=signal,
        by=modulo_cyclotomic(5),
    )


def all_fives_identity() -> Identity:
    r"""Return the seven characters summed over each of the six subgroups of order 5.

    In each at least one is trivial, and sums to 5. The wrong variant has them all cancel.
    """
    steps = [(1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (0, 1)]
    sums = [
        [sum(root(exponent(pair, step) * m, 5) for m in range(5)) for pair in CHARACTERS]
        for step in steps
    ]
    trivial = [[5 * (pair in trivial_characters(step, 5)) for pair in CHARACTERS] for step in steps]
    return Identity(
        "each of the six subgroups of order 5 has a trivial one among the seven",
        sp.Matrix(sums),
        sp.Matrix(trivial),
        wrong=sp.zeros(6, 7),
        by=modulo_cyclotomic(5),
    )


def identities() -> tuple[Identity, ...]:
    """Return the networks that attain γ*, in order, and the one that does not.

    >>> len(identities())
    10
    """
    sums = [cancellation_identity(order) for order in (8, 7, 6)]
    sums += [attained_identity(order) for order in (8, 6)]
    margins = [all_frequencies_identity, margin_identity]
    failures = [five_identity, all_fives_identity]
    return (expansion_identity(), *sums, *(step() for step in margins + failures))
