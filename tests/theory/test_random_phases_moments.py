"""Mean and covariance of the analytic network: integrals, Monte Carlo, SymPy and NumPy."""

import numpy as np
import pytest
import sympy as sp

from grokbook.theory import random_phases
from grokbook.theory.random_phases import (
    N,
    covariance_identity,
    hit,
    mean_formula,
    mean_identity,
    output_covariance,
    output_mean,
    output_variance,
    p,
    second_moment_identity,
    skewness_identity,
    variance_formula,
)
from grokbook.theory.random_phases.moments import delta, epsilon

SIZES = [(7, 3), (7, 5), (7, 12), (11, 3), (3, 4)]
BOTH = ["even", "random"]


def g(alpha, beta, shift):
    """Return what a neuron adds to a class, by the definition."""
    return (np.cos(alpha) + np.cos(beta)) ** 2 * np.cos(alpha + beta - shift)


def number(identity, shift, other=0.0):
    """Return the right side of an identity at two angles."""
    return float(identity.right.subs({delta: shift, epsilon: other}))


def grid(size=16):
    """Return phases whose plain mean is the integral of any wave of a degree below `size`."""
    angles = 2 * np.pi * np.arange(size) / size
    return (phase.ravel() for phase in np.meshgrid(angles, angles))


def test_symbolic_moments_are_the_integrals():
    alpha, beta = grid()
    for shift, other in np.random.default_rng(0).uniform(0, 2 * np.pi, (20, 2)):
        one, two = g(alpha, beta, shift), g(alpha, beta, other)
        covariance = (one * two).mean() - one.mean() * two.mean()
        assert number(mean_identity(), shift) == pytest.approx(one.mean(), abs=1e-12)
        assert number(second_moment_identity(), shift) == pytest.approx((one**2).mean(), abs=1e-12)
        assert number(covariance_identity(), shift, other) == pytest.approx(covariance, abs=1e-12)


def test_the_covariance_is_not_the_second_moment():
    alpha, beta = grid()
    assert (g(alpha, beta, 0) ** 2).mean() == pytest.approx(21 / 16)
    assert number(covariance_identity(), 0, 0) == pytest.approx(17 / 16)


def test_symbolic_moments_are_what_random_phases_give():
    alpha, beta = np.random.default_rng(1).uniform(0, 2 * np.pi, (2, 400_000))
    for shift, other in [(0.0, 0.0), (0.0, 2.5), (1.0, 1.0), (1.0, -2.0)]:
        one = g(alpha, beta, shift)
        products = (one - one.mean()) * ((two := g(alpha, beta, other)) - two.mean())
        for values, expected in [
            (one, number(mean_identity(), shift)),
            (one**2, number(second_moment_identity(), shift)),
            (products, number(covariance_identity(), shift, other)),
        ]:
            assert abs(values.mean() - expected) < 4 * values.std() / 400_000**0.5


def test_the_right_class_is_skew():
    right = g(*grid(200), 0)
    assert ((right - 0.5) ** 3).mean() == pytest.approx(float(skewness_identity().right))
    assert right.max() == pytest.approx(4)
    assert -0.5 <= right.min() < -0.499
    assert 15 / 8 / (17 / 16) ** 1.5 == pytest.approx(1.71, abs=0.005)


@pytest.mark.parametrize(("modulus", "width"), [(3, 1), (7, 12), (97, 48), (97, 144)])
def test_numpy_is_what_the_formulas_give(modulus, width):
    """Where equally many neurons carry each frequency; mean first, then variance."""
    for formula, prediction in [
        (mean_formula(), output_mean(modulus, width)),
        (variance_formula(), output_variance(modulus, width)),
    ]:
        at = formula.subs({p: modulus, N: width})
        right, wrong = (float(at.subs(hit, side)) for side in (1, 0))
        expected = [right] + [wrong] * (modulus - 1)
        np.testing.assert_allclose(prediction, expected, rtol=1e-11)


def test_the_formulas_as_they_are_published():
    inside = p * hit - 1
    assert sp.simplify(mean_formula() - inside / (4 * p * (p - 1))) == 0
    bracket = 1 + inside / (16 * (p - 1))
    assert sp.simplify(variance_formula() - bracket / (4 * p**2 * N)) == 0


@pytest.mark.parametrize("frequencies", BOTH)
@pytest.mark.parametrize(("modulus", "width"), SIZES)
def test_numpy_is_the_integral_over_the_phases_of_the_network(modulus, width, frequencies):
    """Neuron by neuron at the input (2, 1), also where N is no multiple of (p − 1)/2."""
    phases, half, classes = list(grid()), (modulus - 1) // 2, np.arange(modulus)
    mean, covariance = np.zeros(modulus), np.zeros((modulus, modulus))
    for j in range(width):
        choices = range(1, half + 1) if frequencies == "random" else [1 + j % half]
        outputs = np.concatenate(
            [network_neuron(2 * np.pi * sigma / modulus, phases, classes) for sigma in choices]
        )
        mean += outputs.mean(axis=0)
        covariance += outputs.T @ outputs / len(outputs)
        covariance -= np.multiply.outer(outputs.mean(axis=0), outputs.mean(axis=0))
    shifts, scale = (2 + 1 - classes) % modulus, 2 * modulus * width
    expected = output_mean(modulus, width, frequencies)[shifts]
    np.testing.assert_allclose(mean / scale, expected, atol=1e-14)
    expected = output_covariance(modulus, width, frequencies)[np.ix_(shifts, shifts)]
    np.testing.assert_allclose(covariance / scale**2, expected, atol=1e-14)


def network_neuron(omega, phases, classes):
    """Return W₂ (W₁x)² of a neuron at the input (2, 1): phases down, classes across."""
    first, second = (phase[:, None] for phase in phases)
    hidden = np.cos(2 * omega + first) + np.cos(omega + second)
    return np.cos(-omega * classes - first - second) * hidden**2


@pytest.mark.parametrize("frequencies", BOTH)
@pytest.mark.parametrize(("modulus", "width"), SIZES)
def test_outputs_sum_to_zero(modulus, width, frequencies):
    assert abs(output_mean(modulus, width, frequencies).sum()) < 1e-15
    covariance = output_covariance(modulus, width, frequencies)
    np.testing.assert_allclose(covariance.sum(axis=0), 0, atol=1e-15)
    assert np.linalg.eigvalsh(covariance).min() > -1e-15
    variance = output_variance(modulus, width, frequencies)
    np.testing.assert_allclose(variance, np.diag(covariance), rtol=1e-13)


def test_random_frequencies_change_the_spread_only():
    even, drawn = (output_variance(97, 96, frequencies) for frequencies in BOTH)
    np.testing.assert_allclose(output_mean(97, 96, "random"), output_mean(97, 96), atol=1e-15)
    assert drawn[0] == pytest.approx(even[0])
    assert (drawn[1:] > 1.1 * even[1:]).all()


@pytest.mark.parametrize("function", [output_mean, output_variance, output_covariance])
def test_refusals(function):
    for modulus in (2, 9, 1, 0, -7):
        with pytest.raises(ValueError, match=f"p = {modulus} is no odd prime: give 3"):
            function(modulus, 6)
    with pytest.raises(ValueError, match="width = 0 leaves no neuron: give at least 1"):
        function(7, 0)
    with pytest.raises(ValueError, match="frequencies = 'all' is not known: choose 'even' or"):
        function(7, 6, "all")


@pytest.mark.parametrize("order", [3, 5])
def test_the_sums_hold_at_other_primes(order):
    """At p = 3 there is one frequency, so that random frequencies are even ones."""
    for name in ("output_mean", "output_variance", "random_variance")[: 3 if order > 3 else 2]:
        assert getattr(random_phases, f"{name}_identity")(order).check()
