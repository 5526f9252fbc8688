r"""Cyclic groups and Fourier: derivation and predictions of chapter 02.

The question is what a network computes that has learnt $a + b$ modulo n. The steps: characters and
the real basis; the circuit of cosines and when its largest logit is right; the margin of K random
frequencies at a prime; clock and pizza; products of cyclic groups, and when a torus is forced; what
the measures rest on, and the null of the phase-locking order. Each room gives its identities; the
predictions are float64, by hand. Names that two rooms share stay in their rooms.
"""

from grokbook.theory.cyclic import (
    asymptotics,
    basis,
    characters,
    circuit,
    clock_pizza,
    clock_pizza_metrics,
    cube,
    directions,
    locking,
    progress,
    remainders,
)
from grokbook.theory.cyclic.asymptotics import (
    asymptotic_identity,
    ball,
    ball_identity,
    least_identity,
    small_angle_identity,
    tail_identity,
)
from grokbook.theory.cyclic.basis import (
    FourierBasis,
    block_identity,
    fourier_basis,
    fourier_matrix,
    real_orthogonality_identity,
    waves,
)
from grokbook.theory.cyclic.characters import (
    character_identity,
    character_table,
    convolution_identity,
    exact_orthogonality_identity,
    geometric_identity,
    orthogonality_identity,
    real_shift_identity,
    shift,
    shift_identity,
)
from grokbook.theory.cyclic.circuit import (
    all_frequencies_identity,
    bezout_identity,
    cosine_identity,
    gap_identity,
    has_unique_maximum,
    logit,
    mean_gap_identity,
    negative_amplitude_identity,
    readout_identity,
    silence_identity,
    silent_shifts,
    sine_identity,
    two_and_three_identity,
)
from grokbook.theory.cyclic.cyclotomic import (
    modulo_cyclotomic,
    polynomial,
    root,
)
from grokbook.theory.cyclic.locking import (
    bessel_identity,
    gaussian_identity,
    half_angle_identity,
    inverse_radius_identity,
    locking_null,
    null_formula,
    null_identity,
    simulate_locking,
    square_identity,
    tangent_identity,
)
from grokbook.theory.cyclic.margins import (
    Law,
    all_margins,
    asymptotic_margin,
    budget_losses,
    dirichlet_bound,
    gap_tail,
    mean_bound,
    random_margins,
    random_sets,
    sets_with_one,
)
from grokbook.theory.cyclic.products import (
    all_characters,
    distinguished,
    elements,
    faithful_characters,
    generates,
    generating_frequencies,
    order,
    phases,
    product_logits,
    rank,
)
from grokbook.theory.cyclic.remainders import (
    chinese_remainder,
    common_factor_identity,
    faithful_identity,
    frequency,
    frequency_identity,
    kernel_identity,
    remainder_identity,
    table_identity,
)
from grokbook.theory.cyclic.separation import (
    cross_entropy,
    gaps,
    logits,
    margin,
)
from grokbook.theory.identity import Identity

ROOMS = (
    characters,
    basis,
    circuit,
    asymptotics,
    clock_pizza,
    clock_pizza_metrics,
    remainders,
    directions,
    cube,
    progress,
    locking,
)

__all__ = [
    "ROOMS",
    "FourierBasis",
    "Law",
    "all_characters",
    "all_frequencies_identity",
    "all_margins",
    "asymptotic_identity",
    "asymptotic_margin",
    "ball",
    "ball_identity",
    "bessel_identity",
    "bezout_identity",
    "block_identity",
    "budget_losses",
    "character_identity",
    "character_table",
    "chinese_remainder",
    "common_factor_identity",
    "convolution_identity",
    "cosine_identity",
    "cross_entropy",
    "dirichlet_bound",
    "distinguished",
    "elements",
    "exact_orthogonality_identity",
    "faithful_characters",
    "faithful_identity",
    "fourier_basis",
    "fourier_matrix",
    "frequency",
    "frequency_identity",
    "gap_identity",
    "gap_tail",
    "gaps",
    "gaussian_identity",
    "generates",
    "generating_frequencies",
    "geometric_identity",
    "half_angle_identity",
    "has_unique_maximum",
    "identities",
    "inverse_radius_identity",
    "kernel_identity",
    "least_identity",
    "locking_null",
    "logit",
    "logits",
    "margin",
    "mean_bound",
    "mean_gap_identity",
    "modulo_cyclotomic",
    "negative_amplitude_identity",
    "null_formula",
    "null_identity",
    "order",
    "orthogonality_identity",
    "phases",
    "polynomial",
    "product_logits",
    "random_margins",
    "random_sets",
    "rank",
    "readout_identity",
    "real_orthogonality_identity",
    "real_shift_identity",
    "remainder_identity",
    "root",
    "sets_with_one",
    "shift",
    "shift_identity",
    "silence_identity",
    "silent_shifts",
    "simulate_locking",
    "sine_identity",
    "small_angle_identity",
    "square_identity",
    "table_identity",
    "tail_identity",
    "tangent_identity",
    "two_and_three_identity",
    "waves",
]


def identities() -> tuple[Identity, ...]:
    """Return all steps of the derivation, room by room.

    >>> len(identities())
    63
    """
    return tuple(identity for room in ROOMS for identity in room.identities())
