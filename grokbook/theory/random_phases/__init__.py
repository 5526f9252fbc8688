r"""Gromov's analytic network: random phases, integrated out and counted, for chapter 02.

The question is how many neurons a network of random phases needs to add modulo p, without training.
The steps: a neuron's output as a function of two uniform angles; its mean and covariance; the sum
over the frequencies, which gives mean and variance of the network's outputs; from these the
accuracy as a function of p and N, and why the central limit theorem gets it wrong; and the network
itself. Each room gives its identities; the predictions are float64, by hand.
"""

from grokbook.theory.identity import Identity
from grokbook.theory.random_phases import accuracy, moments, network
from grokbook.theory.random_phases.accuracy import (
    Accuracy,
    conditional_accuracy,
    gaussian_accuracy,
    normal_cdf,
    output_covariance,
    output_mean,
    output_variance,
    parseval_identity,
    sampled_accuracy,
)
from grokbook.theory.random_phases.moments import (
    N,
    covariance_identity,
    covering_identity,
    half_sum_identity,
    hit,
    mean_formula,
    mean_identity,
    mean_wave,
    neuron,
    output_mean_identity,
    output_variance_identity,
    p,
    phase_identity,
    phase_mean,
    product_identity,
    random_variance_identity,
    second_moment_identity,
    skewness_identity,
    telescope_identity,
    variance_formula,
)
from grokbook.theory.random_phases.network import (
    analytic_accuracy,
    analytic_weights,
    check_network,
    draw_frequencies,
    network_outputs,
    neuron_identity,
)

__all__ = [
    "Accuracy",
    "N",
    "analytic_accuracy",
    "analytic_weights",
    "check_network",
    "conditional_accuracy",
    "covariance_identity",
    "covering_identity",
    "draw_frequencies",
    "gaussian_accuracy",
    "half_sum_identity",
    "hit",
    "identities",
    "mean_formula",
    "mean_identity",
    "mean_wave",
    "network_outputs",
    "neuron",
    "neuron_identity",
    "normal_cdf",
    "output_covariance",
    "output_mean",
    "output_mean_identity",
    "output_variance",
    "output_variance_identity",
    "p",
    "parseval_identity",
    "phase_identity",
    "phase_mean",
    "product_identity",
    "random_variance_identity",
    "sampled_accuracy",
    "second_moment_identity",
    "skewness_identity",
    "telescope_identity",
    "variance_formula",
]


def identities() -> tuple[Identity, ...]:
    """Return all steps of the derivation, room by room.

    >>> len(identities())
    14
    """
    rooms = (network, moments, accuracy)
    return tuple(identity for room in rooms for identity in room.identities())
