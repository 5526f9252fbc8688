"""Clock and pizza: the identities, the two circuits against their definitions, the predictions."""

import math

import numpy as np
import pytest
import sympy as sp

from grokbook.theory.cyclic.circuit import a, b, c, omega
from grokbook.theory.cyclic.clock_pizza import (
    clock_identity,
    length_identity,
    phases_identity,
    square_sum_identity,
)
from grokbook.theory.cyclic.clock_pizza_metrics import (
    circularity_null,
    clock_gradient_identity,
    clock_symmetricity,
    irrelevance,
    noisy_irrelevance,
)
from grokbook.theory.cyclic.clock_pizza_networks import (
    clock_logits,
    pizza_logits,
    pizza_margin,
    pizza_network,
    pizza_strengths,
)
from grokbook.theory.cyclic.separation import margin


def on_circles(k, n):
    return np.exp(2j * np.pi * k * np.arange(n) / n)


# (frequencies, amplitudes, n)
CASES = [((1,), (1,), 5), ((2, 5), (3, 1), 12), ((3, 4, 7), (1, 2, 0.5), 17)]


@pytest.mark.parametrize(("frequencies", "amplitudes", "n"), CASES)
def test_logits_are_what_complex_numbers_give(frequencies, amplitudes, n):
    by_product, by_mean, by_square = np.zeros((3, n, n, n))
    for k, weight in zip(frequencies, amplitudes, strict=True):
        z = on_circles(k, n)
        mean = np.add.outer(z, z) / 2
        size = np.abs(mean)
        doubled = np.divide(mean**2, size, out=np.zeros_like(mean), where=size > 1e-12)
        by_product += weight * np.multiply.outer(np.multiply.outer(z, z), z.conj()).real
        by_mean += weight * np.multiply.outer(doubled, z.conj()).real
        by_square += weight * np.multiply.outer(mean**2, z.conj()).real
    K, A = np.array(frequencies), np.array(amplitudes)
    np.testing.assert_allclose(clock_logits(K, A, n), by_product, atol=1e-12)
    np.testing.assert_allclose(pizza_logits(K, A, n), by_mean, atol=1e-12)
    tokens = np.arange(n)
    distances = (tokens[:, None] - tokens) % n
    correct = pizza_logits(K, A, n)[tokens[:, None], tokens, (tokens[:, None] + tokens) % n]
    np.testing.assert_allclose(correct, pizza_strengths(K, A, n).sum(1)[distances], atol=1e-12)
    assert np.abs(by_square - by_mean).max() > 0.05  # cos² is another pizza


@pytest.mark.parametrize(("frequencies", "amplitudes", "n"), CASES)
def test_logits_are_what_sympy_gives(frequencies, amplitudes, n):
    K, A = np.array(frequencies), np.array(amplitudes)
    t, phi = sp.symbols("t phi", real=True)
    doubled = (phases_identity().right * 3 * sp.pi / 2).subs(
        {t: omega * (a + b) / 2, phi: omega * c}
    )
    pizza = sp.lambdify((a, b, c, omega), sp.sqrt(length_identity().right) / 2 * doubled, "numpy")
    clock = sp.lambdify((a, b, c, omega), clock_identity().left, "numpy")
    square = sp.lambdify((a, b, c, omega), square_sum_identity().left / 4, "numpy")
    grid = np.indices((n, n, n)).astype(float)
    turns = [2 * np.pi * k / n for k in frequencies]
    with np.errstate(invalid="ignore"):  # 2 + 2 cos may round to just below 0
        expected = sum(w * np.nan_to_num(pizza(*grid, x)) for w, x in zip(A, turns, strict=True))
    np.testing.assert_allclose(pizza_logits(K, A, n), expected, atol=1e-7)  # a root near 0
    expected = sum(w * clock(*grid, x) for w, x in zip(A, turns, strict=True))
    np.testing.assert_allclose(clock_logits(K, A, n), expected, atol=1e-12)
    if len(frequencies) == 1:
        weakened = pizza_strengths(K, A, n)[(grid[0] - grid[1]).astype(int) % n, 0]
        np.testing.assert_allclose(
            square(*grid, turns[0]), weakened**2 * clock(*grid, turns[0]) / A
        )


@pytest.mark.parametrize("phases", [3, 5, 16, 64])
def test_rectified_neurons_make_the_pizza_up_to_their_aliases(phases):
    K, A, n = np.array([3, 4, 7]), np.array([1, 2, 0.5]), 17
    off = np.abs(pizza_network(K, A, n, phases=phases) - pizza_logits(K, A, n)).max()
    aliases = sum(
        3 / (4 * (turn * phases + side) ** 2 - 1) for turn in range(1, 10_000) for side in (-1, 1)
    )
    assert 0.3 * aliases * A.sum() < off < 1.001 * aliases * A.sum()
    if phases > 4:
        assert aliases == pytest.approx((np.pi / (2 * phases)) ** 2, rel=0.15)


@pytest.mark.parametrize("n", [5, 7, 59, 113])
def test_one_frequency_is_weak_somewhere_and_several_help(n):
    strengths = pizza_strengths(np.array([2]), 1, n)[:, 0]
    assert strengths.min() == pytest.approx(math.sin(math.pi / (2 * n)), rel=1e-12)
    assert 2 * strengths.argmin() % n in ((n - 1) // 2, (n + 1) // 2)
    assert strengths.sum() == pytest.approx(1 / math.sin(math.pi / (2 * n)), rel=1e-12)
    assert (strengths**2).mean() == pytest.approx(0.5, rel=1e-12)
    alone = pizza_margin(np.array([2]), 1, n) / margin(np.array([2]), 1, n)
    assert alone == pytest.approx(math.sin(math.pi / (2 * n)), rel=1e-9)
    if n > 50:
        several = np.array([2, 11, 17, 23, 25])
        assert pizza_margin(several, 1, n) > 0.1 * margin(several, 1, n)
        assert alone < 0.03


@pytest.mark.parametrize(("frequencies", "amplitudes", "n"), CASES)
def test_margin_is_the_least_gap_of_the_logits(frequencies, amplitudes, n):
    K, A = np.array(frequencies), np.array(amplitudes)
    cube, tokens = pizza_logits(K, A, n), np.arange(n)
    answers = (tokens[:, None] + tokens) % n
    gap = np.take_along_axis(cube, answers[:, :, None], 2) - cube
    wrong = tokens != answers[:, :, None]
    assert pizza_margin(K, A, n) == pytest.approx(gap[wrong].min(), abs=1e-12)


def test_opposite_operands_of_an_even_group_are_all_one_sum():
    n = 12
    cube, tokens = pizza_logits(np.array([1, 5]), 1, n), np.arange(n)
    assert np.abs(cube[tokens, (tokens + 6) % n]).max() == 0
    assert pizza_margin(np.array([1, 5]), 1, n) == 0
    assert pizza_margin(np.array([1, 2]), 1, n) == 0  # even k sees a − b, but not which of two
    assert margin(np.array([1, 5]), 1, n) > 0.5  # the clock answers


def test_symmetricity_of_the_clock_is_its_cosine():
    expression = clock_gradient_identity().left[1]
    cosine = sp.lambdify((a, b, c, omega), expression, "numpy")
    rng, n = np.random.default_rng(0), 17
    triples, K, lengths = rng.integers(0, n, (50, 3)), np.array([3, 4]), np.array([2.0, 1.0])
    by_frequency = [cosine(*triples.T, 2 * np.pi * k / n) for k in K]
    expected = np.mean((4 * by_frequency[0] + by_frequency[1]) / 5)
    found = clock_symmetricity(K, lengths, triples, n)
    assert found == pytest.approx(expected, abs=1e-14)
    assert abs(found - (by_frequency[0] * 2 + by_frequency[1]).mean() / 3) > 1e-3


def test_irrelevance_of_additive_flaws_noise_and_pizzas():
    rng, n = np.random.default_rng(0), 59
    first, second, by_distance = rng.standard_normal((3, n))
    tokens = np.arange(n)
    distances = (tokens[:, None] - tokens) % n
    additive = np.add.outer(first, second)
    means = [additive[distances == d].mean() for d in range(n)]
    assert np.ptp(means) < 1e-14
    lags = [np.mean((first - first.mean()) * np.roll(second - second.mean(), d)) for d in range(n)]
    spreads = np.sqrt(first.var() + second.var() + 2 * np.array(lags))
    expected = spreads.mean() / np.sqrt(first.var() + second.var())
    assert irrelevance(additive) == pytest.approx(expected, rel=1e-12)
    assert 0.97 < expected < 1

    assert irrelevance(by_distance[distances]) < 1e-15
    pizza = pizza_strengths(np.array([3, 8]), 1, n).sum(1)
    for noise in (0.1, 1.0, 10.0):
        draws = [pizza[distances] + noise * rng.standard_normal((n, n)) for _ in range(10)]
        found = np.mean([irrelevance(draw) for draw in draws])
        assert found == pytest.approx(noisy_irrelevance(pizza, noise), rel=0.01)
    assert noisy_irrelevance(np.zeros(3), 2.0) == pytest.approx(math.sqrt(math.pi / 6))


@pytest.mark.parametrize("n", [5, 17, 59])
def test_circularity_null_is_that_of_a_random_direction(n):
    directions = np.random.default_rng(0).standard_normal((8000, n))
    directions -= directions.mean(axis=1, keepdims=True)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    powers = 2 * np.abs(np.fft.fft(directions)[:, 1 : (n + 1) // 2]) ** 2 / n
    largest = powers.max(axis=1)
    assert abs(largest.mean() - circularity_null(n)) < 4 * largest.std() / 8000**0.5


def test_refuses_too_few_phases():
    with pytest.raises(ValueError, match="2 phases cannot tell 2θ from its alias"):
        pizza_network(np.array([1]), 1, 5, phases=2)
