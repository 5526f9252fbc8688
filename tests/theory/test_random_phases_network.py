"""The analytic network, built: its weights, its outputs and its accuracy over the full table."""

import numpy as np
import pytest

from grokbook.theory.random_phases import (
    analytic_accuracy,
    analytic_weights,
    draw_frequencies,
    network_outputs,
    output_mean,
    output_variance,
    sampled_accuracy,
)


def phases(W_1, p):
    """Return frequency and two phases of every neuron, from its Fourier transform."""
    spectra = np.fft.fft(W_1.reshape(len(W_1), 2, p))
    sigma = np.abs(spectra[:, :, 1 : (p + 1) // 2]).argmax(axis=2) + 1
    assert (sigma[:, 0] == sigma[:, 1]).all()
    peaks = np.take_along_axis(spectra, sigma[:, :, None], axis=2)[:, :, 0]
    return sigma[:, 0], np.angle(peaks).T


def textbook(W_1, W_2, p):
    """Return inputs (n1, n2) and outputs from one-hot vectors and the definition of f."""
    inputs = [(first, second) for first in range(p) for second in range(p)]
    one_hot = np.array([np.concatenate([np.eye(p)[a], np.eye(p)[b]]) for a, b in inputs])
    D, width = 2 * p, len(W_1)
    return np.array(inputs), np.array([W_2 @ (W_1 @ x) ** 2 / (D * width) for x in one_hot])


@pytest.mark.parametrize("frequencies", ["even", "random"])
@pytest.mark.parametrize(("p", "width"), [(7, 3), (11, 13), (97, 48)])
def test_the_weights_are_cosines(p, width, frequencies):
    W_1, W_2 = analytic_weights(p, width, seed=3, frequencies=frequencies)
    assert W_1.dtype == W_2.dtype == np.float64
    assert (W_1.shape, W_2.shape) == ((width, 2 * p), (p, width))
    sigma, (first, second) = phases(W_1, p)
    for k in range(width):
        omega = 2 * np.pi * sigma[k] / p
        for n in range(p):
            assert W_1[k, n] == pytest.approx(np.cos(omega * n + first[k]), abs=1e-12)
            assert W_1[k, p + n] == pytest.approx(np.cos(omega * n + second[k]), abs=1e-12)
            third = -omega * n - first[k] - second[k]
            assert W_2[n, k] == pytest.approx(np.cos(third), abs=1e-12)
    if frequencies == "even":
        assert sigma.tolist() == [1 + k % (p // 2) for k in range(width)]


def test_phases_are_uniform_and_independent():
    """Means of e^{i(jφ₁ + kφ₂)}, each of variance 1/N, over 20,000 neurons."""
    W_1, _ = analytic_weights(7, 20_000, seed=0)
    sigma, (first, second) = phases(W_1, 7)
    for j, k in [(1, 0), (0, 1), (1, 1), (1, -1), (2, 0), (0, 2), (1, 2), (3, 1)]:
        assert abs(np.exp(1j * (j * first + k * second)).mean()) < 3 / 20_000**0.5
        assert abs(np.exp(1j * (first + 2 * np.pi / 7 * sigma)).mean()) < 3 / 20_000**0.5


def test_frequencies():
    rng = np.random.default_rng(0)
    drawn = draw_frequencies(11, 30, "random", rng, networks=2_000)
    counts = np.bincount(drawn.ravel(), minlength=6)
    assert counts[0] == 0
    assert len(counts) == 6
    assert np.abs(counts[1:] - 12_000).max() < 4 * (60_000 * 0.2 * 0.8) ** 0.5
    assert (draw_frequencies(11, 7, "even", rng, networks=3) == [1, 2, 3, 4, 5, 1, 2]).all()


@pytest.mark.parametrize("frequencies", ["even", "random"])
@pytest.mark.parametrize(("p", "width"), [(7, 4), (11, 20), (13, 1)])
def test_outputs_and_accuracy_are_the_textbook_s(p, width, frequencies):
    W_1, W_2 = analytic_weights(p, width, seed=1, frequencies=frequencies)
    inputs, expected = textbook(W_1, W_2, p)
    found = np.concatenate([network_outputs(W_1, W_2, first) for first in range(p)])
    np.testing.assert_allclose(found, expected, atol=1e-15)
    right = (expected.argmax(axis=1) == inputs.sum(axis=1) % p).mean()
    assert 0 < right < 1
    assert analytic_accuracy(p, width, seed=1, frequencies=frequencies) == pytest.approx(right)


@pytest.mark.parametrize("frequencies", ["even", "random"])
def test_outputs_have_the_predicted_mean_and_variance(frequencies):
    """Over 2,000 networks of p = 7, N = 6 at the input (2, 3)."""
    p, width, networks = 7, 6, 2_000
    values = np.empty((networks, p))
    for seed in range(networks):
        weights = analytic_weights(p, width, seed=seed, frequencies=frequencies)
        values[seed] = network_outputs(*weights, 2)[3]
    shifts = (2 + 3 - np.arange(p)) % p
    error = values.std(axis=0) / networks**0.5
    mean = output_mean(p, width, frequencies)[shifts]
    assert (np.abs(values.mean(axis=0) - mean) < 4 * error).all()
    squares = (values - mean) ** 2
    error = squares.std(axis=0) / networks**0.5
    variance = output_variance(p, width, frequencies)[shifts]
    assert (np.abs(squares.mean(axis=0) - variance) < 4 * error).all()


def test_the_mean_output_over_all_inputs():
    """One network of p = 23 whose width makes noise small: the mean over the inputs, by shift."""
    p, width = 23, 11 * 400
    W_1, W_2 = analytic_weights(p, width, seed=0)
    second, classes = np.arange(p)[:, None], np.arange(p)
    by_shift = np.zeros(p)
    for first in range(p):
        shifts = (first + second - classes) % p
        outputs = network_outputs(W_1, W_2, first)
        by_shift += np.bincount(shifts.ravel(), outputs.ravel(), p) / p**2
    # A mean over inputs varies no more than one input does.
    error = output_variance(p, width) ** 0.5
    assert (np.abs(by_shift - output_mean(p, width)) < 4 * error).all()
    assert by_shift[0] > 10 * np.abs(by_shift[1:]).max()


def test_built_networks_at_97():
    """20 networks, published as .882 ± .018 (N = 48) and .9972 ± .0028 (N = 96).

    Another 300 networks have a standard deviation of .029, so that a mean of 20 is good to .0066.
    """
    for width, published, spread in [(48, 0.882, 0.029), (96, 0.9972, 0.0033)]:
        values = [analytic_accuracy(97, width, seed=seed) for seed in range(20)]
        assert abs(np.mean(values) - published) < 3 * spread * (2 / 20) ** 0.5
        assert 0.4 * spread < np.std(values, ddof=1) < 1.8 * spread


@pytest.mark.parametrize(("p", "width"), [(23, 11), (23, 17), (31, 30)])
@pytest.mark.parametrize("frequencies", ["even", "random"])
def test_built_networks_are_as_accurate_as_expected(p, width, frequencies):
    values = [
        analytic_accuracy(p, width, seed=seed, frequencies=frequencies) for seed in range(100)
    ]
    expected = sampled_accuracy(p, width, 20_000, seed=0, frequencies=frequencies)
    error = (np.var(values, ddof=1) / len(values) + expected.standard_error**2) ** 0.5
    assert abs(np.mean(values) - expected.value) < 4 * error


def test_a_wide_network_is_right_everywhere():
    assert analytic_accuracy(59, 192, seed=0) == 1.0


def test_a_seed_has_the_same_phases_under_both_choices():
    weights = [analytic_weights(11, 30, seed=2, frequencies=x)[0] for x in ("even", "random")]
    (even, one), (drawn, two) = (phases(W_1, 11) for W_1 in weights)
    np.testing.assert_allclose(one, two, atol=1e-12)
    assert (even != drawn).any()
    assert (analytic_weights(11, 30, seed=3)[0] != weights[0]).any()


@pytest.mark.parametrize("build", [analytic_weights, analytic_accuracy])
def test_refusals(build):
    for p in (2, 9, 1, 0, -7):
        with pytest.raises(ValueError, match=f"p = {p} is no odd prime: give 3"):
            build(p, 6, seed=0)
    with pytest.raises(ValueError, match="width = 0 leaves no neuron: give at least 1"):
        build(7, 0, seed=0)
    with pytest.raises(ValueError, match="frequencies = 'all' is not known: choose 'even' or"):
        build(7, 6, seed=0, frequencies="all")
