"""The inverse participation ratio: exact for waves, 2/n for noise, against the sums written out."""

import numpy as np
import pytest
import torch

from grokbook.measures.participation import inverse_participation, participation


def by_hand(w):
    """The ratio of one neuron, the transform as a sum."""
    n = len(w)
    k = np.arange(n)
    transformed = np.array([np.sum(w * np.exp(-2j * np.pi * each * k / n)) for each in k])
    transformed /= np.linalg.norm(transformed)
    return np.sum(np.abs(transformed) ** 4)


@pytest.mark.parametrize("n", [7, 8, 97])
def test_it_is_the_sum_written_out(n):
    weights = torch.randn(n, 3, dtype=torch.float64)
    expected = [by_hand(column) for column in weights.numpy().T]
    np.testing.assert_allclose(inverse_participation(weights), expected, rtol=1e-12)


def test_waves_have_one_half_and_their_sums_less():
    angles = 2 * np.pi * np.arange(11) / 11
    one = np.cos(3 * angles + 0.7)
    two = one + np.cos(5 * angles)
    columns = torch.tensor(np.stack([one, two, 0 * one + 4], axis=1))
    np.testing.assert_allclose(inverse_participation(columns), [1 / 2, 1 / 4, 1], rtol=1e-12)


def test_noise_has_two_in_n():
    ratios = inverse_participation(torch.randn(97, 4000))
    assert abs(ratios.mean() * 97 / 2 - 1) < 0.03


def test_it_is_taken_of_the_three_parts_of_the_network():
    theta = {"W_1": torch.randn(10, 4), "W_2": torch.randn(4, 5)}
    found = participation(theta)
    parts = {"first": theta["W_1"][:5], "second": theta["W_1"][5:], "out": theta["W_2"].T}
    for name, weights in parts.items():
        torch.testing.assert_close(found[name], inverse_participation(weights).mean())
    assert list(found) == list(parts)


def test_another_architecture_is_refused():
    with pytest.raises(ValueError, match="reads a quadratic network, W_1 and W_2, not W_E, W_U"):
        participation({"W_E": torch.zeros(2, 2), "W_U": torch.zeros(2, 2)})
