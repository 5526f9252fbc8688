"""No neuron and no network exceeds γ*, by search; six phases are the fewest; even p differs."""

import itertools

import numpy as np
import pytest
import sympy as sp
from scipy.optimize import minimize

from grokbook.theory.max_margin import (
    CHARACTERS,
    fourier_value,
    least_residual,
    margins,
    max_margin,
    monomials,
    normalised_margin,
    single_neuron_value,
    subgroup,
)


def best_neuron(p, seed):
    """Return the mean margin of one neuron of norm 1 and its weights, climbed from a random start.

    The mean margin is built here from a table of all (a, b) and its gradient by hand.
    """
    a = np.arange(p)
    total = (a[:, None] + a) % p

    def negative(weights):
        length = np.linalg.norm(weights)
        u, v, w = (weights / length).reshape(3, p)
        centred = (w - w.mean())[total]
        factor = 2 / (p * (p - 1))
        value = factor * u @ centred @ v
        by_class = np.bincount(total.ravel(), np.outer(u, v).ravel(), p)
        slope = factor * np.concatenate([centred @ v, centred.T @ u, by_class - by_class.mean()])
        return -value, -(slope - 3 * value * weights / length) / length

    start = np.random.default_rng(seed).standard_normal(3 * p)
    found = minimize(negative, start, jac=True, method="BFGS", options={"gtol": 1e-12})
    return -found.fun, (found.x / np.linalg.norm(found.x)).reshape(3, p)


@pytest.mark.parametrize("p", [5, 7])
def test_the_best_neuron_has_the_largest_margin(p):
    """From every start; and the optimum has one frequency, equal norms and aligned phases."""
    for seed in range(12):
        value, (u, v, w) = best_neuron(p, seed)
        assert value <= max_margin(p) * (1 + 1e-9)
        assert value == pytest.approx(max_margin(p), rel=1e-9)
        assert single_neuron_value(u, v, w) == pytest.approx(value, rel=1e-9)
        spectra = np.fft.fft([u, v, w])[:, : p // 2 + 1]
        k = np.argmax(abs(spectra[0]))
        power = abs(spectra) ** 2 * 2 / p
        np.testing.assert_allclose(power[:, k], 1 / 3, atol=1e-5)
        assert np.delete(power, k, axis=1).max() < 1e-5
        product = spectra[0, k] * spectra[1, k] * spectra[2, k].conj()
        assert abs(np.angle(product)) < 1e-4


@pytest.mark.parametrize("p", [3, 5, 9, 11])
def test_no_random_neuron_exceeds_the_bound(p):
    rng = np.random.default_rng(p)
    for _ in range(200):
        u, v, w = rng.standard_normal((3, p)) * rng.uniform(0, 2, (3, 1))
        cube = (u @ u + v @ v + w @ w) ** 1.5
        assert abs(fourier_value(u, v, w)) <= max_margin(p) * cube


def soft_minimum(flat, shape, sharpness):
    """Return minus a soft minimum of a network's margins over γ*, and its gradient by hand."""
    u, v, w = flat.reshape(shape)
    p = shape[2]
    a, b, shift = np.ogrid[:p, :p, 1:p]
    right, wrong = (a + b) % p, (a + b + shift) % p
    gaps = margins(u, v, w) / max_margin(p)
    weights = np.exp(-sharpness * (gaps - gaps.min()))
    value = np.log(weights.mean()) / sharpness - gaps.min()
    weights /= weights.sum()

    slope = np.zeros((p, p, p))  # by logit
    slope[a, b, wrong] = weights
    slope[a, b, right] = -weights.sum(axis=2, keepdims=True)
    squares = u**2 + v**2 + w**2
    cube = (squares.sum(axis=1) ** 1.5).sum()
    slope /= cube * max_margin(p)
    hidden = u[:, :, None] + v[:, None, :]
    by_hidden = 2 * hidden * np.einsum("abc,nc->nab", slope, w)
    parts = [by_hidden.sum(axis=2), by_hidden.sum(axis=1)]
    parts.append(np.einsum("nab,abc->nc", hidden**2, slope))
    gradient = np.array(parts)
    length = squares.sum(axis=1, keepdims=True) ** 0.5
    gradient += 3 * length * np.array([u, v, w]) * (weights * gaps).sum() / cube
    return value, gradient.ravel()


def climbed(p, neurons, seed):
    """Return the least margin over γ* of a network that climbed a soft minimum of its margins."""
    shape = (3, neurons, p)
    flat = np.random.default_rng(seed).standard_normal(shape).ravel()
    for sharpness in (3, 10, 30, 100, 300):
        climb = minimize(soft_minimum, flat, args=(shape, sharpness), jac=True, method="L-BFGS-B")
        flat = climb.x / np.linalg.norm(climb.x)
    return normalised_margin(*flat.reshape(shape)) / max_margin(p)


@pytest.mark.parametrize(("p", "neurons"), [(3, 12), (5, 24)])
def test_no_climb_from_a_random_network_exceeds_the_bound(p, neurons):
    found = climbed(p, neurons, 1)
    assert 0.999 < found <= 1 + 1e-12


def test_a_network_for_three_residues_needs_six_neurons():
    """Five stop at .9777 from every start; their weights are free, with no common phases."""
    assert max(climbed(3, 5, seed) for seed in range(4)) == pytest.approx(0.97774, abs=1e-4)
    assert max(climbed(3, 6, seed) for seed in range(2)) == pytest.approx(1, abs=1e-4)


def test_the_seven_characters_are_the_quotients_of_six_functions():
    alpha, beta = np.random.default_rng(0).uniform(0, 2 * np.pi, (2, 50))
    values = {"A": np.exp(1j * alpha), "B": np.exp(1j * beta)}
    six = [sp.lambdify(["A", "B"], f)(**values) * np.ones(50) for f in monomials()]
    seven = np.array([np.exp(1j * (k * alpha + m * beta)) for k, m in CHARACTERS])
    both, seen = np.concatenate([seven, seven.conj()]), np.zeros(7, dtype=int)
    for i, j in itertools.permutations(range(6), 2):
        distance = abs(both - six[i].conj() * six[j]).max(axis=1)
        assert distance.min() < 1e-12
        seen[distance.argmin() % 7] += 1
    assert seen.sum() == 30
    assert (seen > 0).all()


def character_means(flat, phases):
    """Return the seven means for phases (α, β) and positive weights, all in one vector."""
    alpha, beta, weight = flat.reshape(3, phases)
    share = np.exp(weight - weight.max())
    share /= share.sum()
    return np.array([share @ np.exp(1j * (k * alpha + m * beta)) for k, m in CHARACTERS])


@pytest.mark.parametrize("phases", [1, 3, 4, 5])
def test_fewer_than_six_phases_leave_a_character(phases):
    """Random phases and weights, and the best of a search, stay above the least residual."""
    rng, best = np.random.default_rng(phases), np.inf
    for start in range(60):
        flat = rng.uniform(0, 2 * np.pi, 3 * phases)
        if start < 12:
            flat = minimize(
                lambda x: (abs(character_means(x, phases)) ** 6).sum() ** (1 / 3),
                flat,
                options={"maxiter": 40},
            ).x
        best = min(best, abs(character_means(flat, phases)).max())
    assert least_residual(phases) <= best * (1 + 1e-12)
    assert best < least_residual(phases) + 0.35


def test_six_phases_leave_none():
    turns = subgroup(6).T * 2 * np.pi / 6
    assert abs(character_means(np.concatenate([*turns, np.zeros(6)]), 6)).max() < 1e-14
    assert least_residual(6) == 0


def test_weights_do_not_help_five_phases():
    """The Gram matrix of the six functions, for random phases and weights, as it is defined."""
    rng = np.random.default_rng(0)
    for phases in (1, 4, 5, 6, 9):
        for _ in range(100):
            alpha, beta = rng.uniform(0, 2 * np.pi, (2, phases))
            share = rng.dirichlet(np.ones(phases))
            s, d = np.exp(1j * (alpha + beta)), np.exp(1j * (beta - alpha))
            six = np.array([s**i * d**j for j in (0, 1) for i in (0, 1, 2)])
            gram = (six.conj() * share) @ six.T
            assert np.linalg.matrix_rank(gram, tol=1e-12) <= min(phases, 6)
            distance = (abs(gram - np.eye(6)) ** 2).sum()
            assert distance >= 6 * (6 - phases) / phases - 1e-9
            means = [share @ np.exp(1j * (k * alpha + m * beta)) for k, m in CHARACTERS]
            assert distance <= 30 * max(abs(np.array(means))) ** 2 + 1e-12
    with pytest.raises(ValueError, match="0 phases are no network"):
        least_residual(0)


@pytest.mark.parametrize("n", [2, 4, 6, 10])
def test_even_orders_have_a_larger_margin(n):
    r"""The unpaired wave is cheaper: $n - 1$ becomes $n - 2 + 1/\sqrt 2$ in γ*, or more.

    Six phases a pair of frequencies with height 1, and $(-1)^a$ with the signs (+, +), (+, −).
    """
    a, turns = np.arange(n), subgroup(6).T * 2 * np.pi / 6
    angles = 2 * np.pi / n * np.outer(np.arange(1, n // 2), a)[:, None]
    shifts = [*turns, turns.sum(axis=0)]
    parts = [np.cos(angles + shift[:, None]).reshape(-1, n) for shift in shifts]
    signs = [np.array([1, 1]), np.array([1, -1]), np.array([1, -1])]
    height = (3 / 8) ** (1 / 3)  # 4 h³ is half of the 3 that a pair of frequencies has
    network = [
        np.concatenate([part, height * sign[:, None] * (-1.0) ** a])
        for part, sign in zip(parts, signs, strict=True)
    ]
    expected = (2 / 27 / n) ** 0.5 / (n - 2 + 0.5**0.5)
    np.testing.assert_allclose(margins(*network), expected, rtol=1e-12)
    assert expected > (2 / 27 / n) ** 0.5 / (n - 1)
