r"""The largest margin of a network that squares: derivation and predictions of chapter 02.

The question is why a network that has learnt $a + b$ modulo p is made of single waves, of every
frequency. The network is $f_c(a, b) = \sum_i (u_i(a) + v_i(b))^2\,w_i(c)$, without biases, and its
size $\|\theta\|_{2,3} = (\sum_i \|(u_i, v_i, w_i)\|_2^3)^{1/3}$. Its largest normalised margin is
$\gamma^* = \sqrt{2/27}\,/\,(\sqrt p\,(p - 1))$ (Morwani et al. 2023, arXiv:2311.07568), for
every odd p. The steps: weak duality leads to one neuron; the bound on one neuron; networks that
attain it; and the fewest neurons, $3(p - 1)$, that do.
"""

from grokbook.theory.identity import Identity
from grokbook.theory.max_margin import attainment, bound, duality, width
from grokbook.theory.max_margin.attainment import (
    all_fives_identity,
    all_frequencies_identity,
    attained_identity,
    cancellation_identity,
    expansion_identity,
    five_identity,
    margin_identity,
)
from grokbook.theory.max_margin.bound import (
    aligned_identity,
    attained_by_one_identity,
    constant_identity,
    equal_norms_identity,
    even_identity,
    gamma,
    geometric_mean_identity,
    three_halves_identity,
)
from grokbook.theory.max_margin.construction import Network, construction
from grokbook.theory.max_margin.duality import (
    additive_identity,
    class_mean_identity,
    conjugate_identity,
    cross_sum,
    fourier_identity,
    homogeneous_identity,
    mean_margin,
    parseval_identity,
    squares_identity,
    transform,
)
from grokbook.theory.max_margin.margin import (
    fourier_value,
    margins,
    max_margin,
    norm,
    normalised_margin,
    single_neuron_value,
)
from grokbook.theory.max_margin.phases import (
    CHARACTERS,
    exponent,
    generator,
    subgroup,
    trivial_characters,
)
from grokbook.theory.max_margin.width import (
    least_residual,
    monomials,
    orthogonal_identity,
    residual_identity,
)

__all__ = [
    "CHARACTERS",
    "Network",
    "additive_identity",
    "aligned_identity",
    "all_fives_identity",
    "all_frequencies_identity",
    "attained_by_one_identity",
    "attained_identity",
    "cancellation_identity",
    "class_mean_identity",
    "conjugate_identity",
    "constant_identity",
    "construction",
    "cross_sum",
    "equal_norms_identity",
    "even_identity",
    "expansion_identity",
    "exponent",
    "five_identity",
    "fourier_identity",
    "fourier_value",
    "gamma",
    "generator",
    "geometric_mean_identity",
    "homogeneous_identity",
    "identities",
    "least_residual",
    "margin_identity",
    "margins",
    "max_margin",
    "mean_margin",
    "monomials",
    "norm",
    "normalised_margin",
    "orthogonal_identity",
    "parseval_identity",
    "residual_identity",
    "single_neuron_value",
    "squares_identity",
    "subgroup",
    "three_halves_identity",
    "transform",
    "trivial_characters",
]


def identities() -> tuple[Identity, ...]:
    """Return all steps of the derivation, room by room.

    >>> len(identities())
    26
    """
    rooms = (duality, bound, attainment, width)
    return tuple(identity for room in rooms for identity in room.identities())
