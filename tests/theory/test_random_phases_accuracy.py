"""The accuracy as a function of p and N: three predictions, against definitions and a table."""

import statistics

import numpy as np
import pytest
from scipy import stats

from grokbook.theory.random_phases import (
    Accuracy,
    accuracy,
    conditional_accuracy,
    gaussian_accuracy,
    normal_cdf,
    sampled_accuracy,
)

PREDICTIONS = [sampled_accuracy, conditional_accuracy, gaussian_accuracy]
COUNT = 10_000
# p = 97, the width: (a), (b), (c) to three digits, from samples of a size that is not stated
TABLE = {48: (0.878, 0.867, 0.814), 96: (0.997, 0.9956, 0.985)}


def outputs(p, width, count, seed, frequencies="even"):
    """Return z for `count` random inputs by the definition, neuron by neuron."""
    rng, half, total = np.random.default_rng(seed), (p - 1) // 2, np.zeros((count, p))
    for j in range(width):
        sigma = np.full(count, 1 + j % half)
        if frequencies == "random":
            sigma = rng.integers(1, half + 1, count)
        alpha, beta = rng.uniform(0, 2 * np.pi, (2, count, 1))
        shift = 2 * np.pi * sigma[:, None] * np.arange(p) / p
        total += (np.cos(alpha) + np.cos(beta)) ** 2 * np.cos(alpha + beta - shift)
    return total


def share_right(z):
    """Return how often the largest is at 0, and the binomial standard error."""
    share = (z.argmax(axis=1) == 0).mean()
    return share, (share * (1 - share) / len(z)) ** 0.5


@pytest.fixture(scope="module")
def measured():
    return {
        width: [predict(97, width, COUNT, seed=5) for predict in PREDICTIONS] for width in TABLE
    }


@pytest.mark.parametrize("width", TABLE)
def test_the_table(measured, width):
    """Within four standard errors of both samples, if the table's had 5,000 inputs."""
    for value, published in zip(measured[width], TABLE[width], strict=True):
        error = (published * (1 - published)) ** 0.5 * (1 / COUNT + 1 / 5_000) ** 0.5
        assert abs(value.value - published) < 4 * error


def test_a_million_samples(measured):
    """The values of 10⁶ samples, which the table's last digits are not: .8741, .8649, .8129."""
    exact = {48: (0.8741, 0.8649, 0.8129), 96: (0.99688, 0.99579, 0.98439)}
    for width, values in exact.items():
        for value, target in zip(measured[width], values, strict=True):
            assert abs(value.value - target) < 4 * value.standard_error + 0.0005


@pytest.mark.parametrize("width", TABLE)
def test_the_central_limit_theorem_is_wrong(measured, width):
    """(c) misses (a) by far more than sampling can; (b) is much nearer."""
    a, b, c = measured[width]
    assert c.high < b.low
    assert a.value - c.value > 6 * (a.standard_error**2 + c.standard_error**2) ** 0.5
    assert abs(a.value - b.value) < 0.25 * (a.value - c.value)


@pytest.mark.parametrize("frequencies", ["even", "random"])
@pytest.mark.parametrize(("p", "width"), [(23, 11), (23, 17), (11, 30)])
def test_samples_follow_the_definition(p, width, frequencies):
    found = sampled_accuracy(p, width, COUNT, seed=1, frequencies=frequencies)
    share, error = share_right(outputs(p, width, COUNT, 2, frequencies))
    assert abs(found.value - share) < 4 * (error**2 + found.standard_error**2) ** 0.5


@pytest.mark.parametrize("p", [3, 7, 13])
def test_one_neuron_guesses(p):
    """One wave is largest at the class nearest to a uniform phase: right once in p."""
    found = sampled_accuracy(p, 1, COUNT, seed=3)
    assert abs(found.value - 1 / p) < 4 * found.standard_error


@pytest.mark.parametrize("frequencies", ["even", "random"])
@pytest.mark.parametrize(("p", "width"), [(23, 11), (23, 17)])
def test_the_conditional_gaussian_by_its_definition(p, width, frequencies):
    """Mean and variance over the wrong classes as such, without Parseval."""
    found = conditional_accuracy(p, width, COUNT, seed=1, frequencies=frequencies)
    z = outputs(p, width, 4_000, 2, frequencies)
    scores = (z[:, 0] - z[:, 1:].mean(axis=1)) / z[:, 1:].std(axis=1)
    values = [statistics.NormalDist().cdf(score) ** (p - 1) for score in scores]
    error = np.std(values) / len(values) ** 0.5
    assert abs(found.value - np.mean(values)) < 4 * (error**2 + found.standard_error**2) ** 0.5


@pytest.mark.parametrize("p", [3, 5, 23])
def test_parseval_in_numbers(p, monkeypatch):
    """Given amplitudes, the same to rounding."""
    rng = np.random.default_rng(0)
    C = rng.standard_normal((50, p // 2)) + 1j * rng.standard_normal((50, p // 2)) + 1
    k, shift = np.arange(1, p // 2 + 1)[:, None], np.arange(p)
    z = np.array([(row[:, None] * np.exp(-2j * np.pi * k * shift / p)).sum(0).real for row in C])
    scores = (z[:, 0] - z[:, 1:].mean(axis=1)) / z[:, 1:].std(axis=1)
    values = stats.norm.cdf(scores) ** (p - 1)
    monkeypatch.setattr(accuracy, "_amplitudes", lambda *_: iter([C[:20], C[20:]]))
    found = conditional_accuracy(p, 9, 50, seed=0)
    assert found.value == pytest.approx(values.mean(), rel=1e-9)
    assert found.standard_error == pytest.approx(values.std() / 50**0.5, rel=1e-9)
    found = sampled_accuracy(p, 9, 50, seed=0)
    assert found.value == pytest.approx(share_right(z)[0])


@pytest.mark.parametrize("width", [11, 44])
def test_the_gaussian_by_independent_amplitudes(width):
    """Gaussian cosines and sines, each frequency with the variances of X and Y: 17/16 and 15/16."""
    p, half = 23, 11
    found = gaussian_accuracy(p, width, COUNT, seed=1)
    normal = np.random.default_rng(2).standard_normal((2, COUNT, half)) * (width / half) ** 0.5
    angles = 2 * np.pi * np.arange(1, half + 1)[:, None] * np.arange(p) / p
    X = width / half / 2 + (17 / 16) ** 0.5 * normal[0]
    z = X @ np.cos(angles) + (15 / 16) ** 0.5 * normal[1] @ np.sin(angles)
    share, error = share_right(z)
    assert abs(found.value - share) < 4 * (error**2 + found.standard_error**2) ** 0.5


def test_random_frequencies_are_worse():
    """p = 113, N = 48: built networks gave .842 ± .044 and .869 ± .022, 20 of each, published."""
    drawn = sampled_accuracy(113, 48, 30_000, seed=1, frequencies="random")
    even = sampled_accuracy(113, 48, 30_000, seed=1)
    assert even.low > drawn.high
    assert abs(drawn.value - 0.842) < 3 * 0.044 / 20**0.5
    assert abs(even.value - 0.869) < 3 * 0.022 / 20**0.5


def test_slices_cover_the_sample(monkeypatch):
    whole = [predict(11, 8, 7_001, seed=4) for predict in PREDICTIONS]
    monkeypatch.setattr(accuracy, "SLICE", 500)
    for predict, before in zip(PREDICTIONS, whole, strict=True):
        found = predict(11, 8, 7_001, seed=4)
        assert abs(found.value - before.value) < 4 * 2**0.5 * before.standard_error
        assert found.standard_error == pytest.approx(before.standard_error, rel=0.1)
        if predict is not conditional_accuracy:
            assert found.value * 7_001 == pytest.approx(round(found.value * 7_001), abs=1e-6)


def test_a_seed_repeats_and_another_does_not():
    for predict in PREDICTIONS:
        first = predict(11, 8, 500, seed=0)
        assert predict(11, 8, 500, seed=0) == first != predict(11, 8, 500, seed=1)


@pytest.mark.parametrize(("right", "count"), [(0, 7), (3, 7), (7, 7), (870, 1000)])
def test_wilson_and_the_binomial_error(right, count):
    found = Accuracy.of_hits(np.arange(count) < right)
    interval = stats.binomtest(right, count).proportion_ci(method="wilson")
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-6)
    assert found.value == right / count
    expected = (right / count * (1 - right / count) / count) ** 0.5
    assert found.standard_error == pytest.approx(expected)


def test_the_distribution_function():
    x = np.array([[-36.0, -5.0, -0.3], [0.0, 1.7, 9.0]])
    np.testing.assert_allclose(normal_cdf(x), stats.norm.cdf(x), rtol=1e-12)


@pytest.mark.parametrize("predict", PREDICTIONS)
def test_refusals(predict):
    for p in (2, 9, 1, 0, -7):
        with pytest.raises(ValueError, match=f"p = {p} is no odd prime: give 3"):
            predict(p, 6, 10, seed=0)
    with pytest.raises(ValueError, match="width = 0 leaves no neuron: give at least 1"):
        predict(7, 0, 10, seed=0)
    with pytest.raises(ValueError, match="count = 0 is no sample: give at least 1"):
        predict(7, 6, 0, seed=0)
    with pytest.raises(ValueError, match="frequencies = 'all' is not known: choose 'even' or"):
        predict(7, 6, 10, seed=0, frequencies="all")
