"""Neurons of one frequency: hand-made ones, noise, and the projection on the whole grid."""

import numpy as np
import pytest
import torch

from grokbook.measures.circuits import amplitudes, variance_explained
from grokbook.measures.fourier import key_frequencies
from grokbook.measures.neurons import (
    best_frequency,
    neuron_logit_power,
    neuron_shares,
    single_frequency_share,
)
from grokbook.theory.cyclic import progress

ORDERS = [7, 12, 13]


def angles(n, k):
    return 2 * torch.pi / n * (k * torch.arange(n, dtype=torch.float64) % n)


def grid(n, k):
    """Return cos and sin of one frequency, of a and of b, on the grid."""
    x = angles(n, k)
    return x.cos()[:, None], x.sin()[:, None], x.cos()[None], x.sin()[None]


def wave(n, index, k):
    ca, sa, cb, sb = grid(n, k)
    both = [ca * cb, ca * sb, sa * cb, sa * sb]
    return ([x.expand(n, n) for x in (ca, sa, cb, sb)] + both)[index]


@pytest.mark.parametrize("n", [7, 12, 13, 113])
def test_each_of_the_eight_waves_is_of_its_frequency(n):
    for k in (1, 3, (n - 1) // 2):
        neurons = torch.stack([5 + wave(n, index, k) for index in range(8)], dim=2)
        expected = torch.zeros(n // 2 + 1, 8, dtype=torch.float64)
        expected[k] = 1
        torch.testing.assert_close(neuron_shares(neurons), expected, rtol=0, atol=1e-12)


def test_the_unpaired_wave_of_an_even_order():
    n = 12
    sign = (-1.0) ** torch.arange(n)
    ones = torch.ones(n)
    neurons = [torch.outer(x, y) for x, y in ((sign, ones), (ones, sign), (sign, sign))]
    shares = neuron_shares(torch.stack(neurons, dim=2))
    torch.testing.assert_close(shares[6], torch.ones(3, dtype=torch.float64))
    assert shares[:6].abs().max().item() < 1e-12


def test_a_mixed_neuron_shares_its_variance():
    n = 13
    two = 3 * wave(n, 0, 2) + wave(n, 3, 5)  # squares 9 and 1
    apart = grid(n, 1)[0] * grid(n, 2)[2]  # cos ω_1 a · cos ω_2 b is of no single frequency
    shares = neuron_shares(torch.stack([two, apart, 1 + two + 10**0.5 * apart], dim=2))
    torch.testing.assert_close(shares[2, 0].item(), 0.9)
    torch.testing.assert_close(shares[5, 0].item(), 0.1)
    assert shares[:, 1].max().item() < 1e-12
    # |two|² = 10 n²/2 and |apart|² = n²/4, ten times that beside it
    torch.testing.assert_close(shares[2, 2].item(), 4.5 / 7.5)
    assert best_frequency(shares[:, [0, 2]]).tolist() == [2, 2]
    found = single_frequency_share(shares)
    assert (found.share.item(), found.dead.item()) == (pytest.approx(1 / 3), 0)
    assert single_frequency_share(shares, 0.95).share.item() == 0


def test_a_dead_neuron_is_not_explained_and_is_counted():
    n = 13
    live = wave(n, 4, 3)
    neurons = torch.stack([torch.zeros(n, n), 0.3 * torch.ones(n, n), live, live.relu()], dim=2)
    for table in (neurons, neurons.float()):
        shares = neuron_shares(table)
        assert shares.isnan().all(0).tolist() == [True, True, False, False]
        assert best_frequency(shares).tolist() == [0, 0, 3, 3]
        found = single_frequency_share(shares, 0.5)
        assert (found.share.item(), found.dead.item()) == (0.5, 2)


@pytest.mark.parametrize("n", ORDERS)
def test_shares_are_the_projection_on_the_whole_grid(n):
    activations = torch.randn(n, n, 6, dtype=torch.float64).relu() + 0.2
    activations[..., 0] += 2 * wave(n, 6, 2)
    expected = progress.neuron_shares(activations.numpy())
    np.testing.assert_allclose(neuron_shares(activations)[1:], expected[1:], rtol=1e-11)
    np.testing.assert_allclose(neuron_shares(activations.float()), expected, atol=1e-6)


def test_noise_has_eight_in_n_squared():
    n, m = 13, 4000
    shares = neuron_shares(torch.randn(n, n, m))[1:]
    expected = 8 / (n**2 - 1)
    assert abs(shares.mean() - expected) < 4 * shares.std() / shares.numel() ** 0.5
    assert abs(shares.sum(0).mean() - 2 / (n // 2 + 1)) < 0.005
    even = neuron_shares(torch.randn(12, 12, m))[1:].mean(1)
    assert even[-1].item() == pytest.approx(3 / 143, rel=0.06)
    assert even[:-1].mean().item() == pytest.approx(8 / 143, rel=0.03)


def test_a_rectified_neuron_of_one_frequency_keeps_to_it():
    ca, _, cb, _ = grid(113, 14)
    share = neuron_shares((ca + cb).relu()[..., None])[14].item()
    assert 0.85 < share < 0.999


@pytest.mark.parametrize("n", ORDERS)
def test_power_of_the_map_to_the_logits(n):
    W_out, W_U = torch.randn(5, 4), torch.randn(4, n)
    expected = progress.power((W_out.double() @ W_U.double()).T.numpy())
    np.testing.assert_allclose(neuron_logit_power(W_out, W_U), expected, rtol=1e-11)


def test_a_network_made_by_hand():
    """Neurons of cos and sin ω_k(a + b), read out by cos and sin ω_k c: all measures agree."""
    n, keys, weights = 13, (2, 5, 6), (4.0, 2.0, 1.0)
    total = torch.arange(n)[:, None] + torch.arange(n)
    waves = [f(2 * torch.pi / n * (k * total % n)) for k in keys for f in (torch.cos, torch.sin)]
    neurons = 1 + torch.stack(waves, dim=2)
    W_U = torch.stack([f(angles(n, k)) for k in keys for f in (torch.cos, torch.sin)]).float()
    W_out = torch.diag(torch.tensor(weights).repeat_interleave(2))
    L = neurons @ W_out @ W_U

    shares = neuron_shares(neurons)
    assert best_frequency(shares).tolist() == [2, 2, 5, 5, 6, 6]
    assert single_frequency_share(shares).share.item() == 1
    powers = neuron_logit_power(W_out, W_U)
    expected = [x**2 * n for x in weights]  # both waves, each with the square n/2
    torch.testing.assert_close(
        powers[list(keys)], torch.tensor(expected).double(), rtol=1e-6, atol=0
    )
    found = key_frequencies(powers, 0.99)
    assert found.nonzero()[:, 0].tolist() == list(keys)
    assert key_frequencies(powers, 0.95).nonzero()[:, 0].tolist() == [2, 5]  # 20 of 21
    torch.testing.assert_close(
        amplitudes(L)[list(keys)], torch.tensor(weights).double(), rtol=1e-6, atol=0
    )
    assert variance_explained(L, found).item() == pytest.approx(1, abs=1e-9)


def test_many_runs_at_once_are_what_one_at_a_time_gives():
    for n in (12, 13):
        activations = torch.randn(3, n, n, 4).relu()
        activations[1, ..., 2] = 0
        shares = torch.vmap(neuron_shares)(activations)
        alone = torch.stack([neuron_shares(x) for x in activations])
        torch.testing.assert_close(shares, alone, rtol=1e-12, atol=1e-13, equal_nan=True)
        found = torch.vmap(single_frequency_share)(shares)
        assert found.dead.tolist() == [0, 1, 0]
        assert torch.vmap(best_frequency)(shares)[1, 2].item() == 0
    W_out, W_U = torch.randn(3, 5, 4), torch.randn(3, 4, 13)
    powers = torch.vmap(neuron_logit_power)(W_out, W_U)
    alone = torch.stack([neuron_logit_power(*pair) for pair in zip(W_out, W_U, strict=True)])
    torch.testing.assert_close(powers, alone, rtol=1e-12, atol=0)
