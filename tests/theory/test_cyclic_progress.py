"""The slow definitions of what is measured: their identities, and networks known exactly."""

import numpy as np
import pytest

from grokbook.theory.cyclic import cross_entropy, cube, directions, logits, margin, progress

ORDERS = [5, 6, 7]


@pytest.mark.parametrize("n", ORDERS)
def test_the_waves_of_the_grid_are_orthonormal_and_fall_into_their_groups(n):
    waves = directions.grid_basis(n)
    np.testing.assert_allclose(waves @ waves.T, np.eye(n * n), atol=1e-12)
    groups = [directions.frequency_waves(n, k) for k in range(n // 2 + 1)]
    together = np.concatenate(groups)
    np.testing.assert_allclose(together @ together.T, np.eye(len(together)), atol=1e-12)
    assert [len(group) for group in groups[: (n + 1) // 2]] == [1] + [8] * ((n - 1) // 2)
    with pytest.raises(ValueError, match="is not in the basis"):
        directions.sum_directions(n, n)


@pytest.mark.parametrize("n", ORDERS)
def test_directions_are_waves_of_the_sum(n):
    total = np.add.outer(np.arange(n), np.arange(n)).ravel()
    for k in range(n // 2 + 1):
        found = directions.sum_directions(n, k)
        even, odd = (f(2 * np.pi * k * total / n) for f in (np.cos, np.sin))
        expected = [even / np.linalg.norm(even)]
        if k and 2 * k != n:
            expected.append(odd / np.linalg.norm(odd))
        np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("n", ORDERS)
def test_an_ideal_circuit_is_measured_as_it_was_built(n):
    keys, weights = [1, 2], [2.0, 0.5]
    total = np.add.outer(np.arange(n), np.arange(n))
    shift = (total[..., None] - np.arange(n)) % n
    L = logits(np.array(keys), np.array(weights), n)[shift]
    np.testing.assert_allclose(cube.amplitudes(L)[:3], [0, *weights], atol=1e-12)
    np.testing.assert_allclose(progress.component(L, 1) + progress.component(L, 2), L, atol=1e-12)
    np.testing.assert_allclose(progress.restricted(L + 3, keys), L + 3, atol=1e-12)
    np.testing.assert_allclose(progress.excluded(L + 3, keys), np.full((n, n, n), 3), atol=1e-12)
    assert cube.variance_explained(L, keys) == pytest.approx(1)
    first = cube.variance_explained(L, [1])
    assert first == pytest.approx(4 / 4.25)  # squares of the weights
    smallest, mean, over_wrong = progress.table_margins(L)
    assert smallest == pytest.approx(margin(np.array(keys), np.array(weights), n))
    assert mean == pytest.approx(smallest)
    assert over_wrong == pytest.approx(2.5 * n / (n - 1))
    expected = cross_entropy(np.array(keys), np.array(weights), n)
    assert progress.loss(L, np.eye(n, dtype=bool)) == pytest.approx(expected)


def test_power_is_complete_and_a_neuron_keeps_its_share():
    rng = np.random.default_rng(0)
    for n in ORDERS:
        x = rng.standard_normal((n, 2))
        assert progress.power(x).sum() == pytest.approx((x**2).sum())
        a = np.arange(n)
        neuron = 7 + np.cos(2 * np.pi * (a[:, None] - a) / n) + 0.5 * np.sin(4 * np.pi * a / n)
        shares = progress.neuron_shares(neuron[..., None])[:, 0]
        assert shares[1:3] == pytest.approx([0.8, 0.2])
        assert np.delete(shares, [1, 2]) == pytest.approx(0)
