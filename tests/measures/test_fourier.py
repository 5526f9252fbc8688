"""Functions on Z_n in the real basis: against the definitions written out, and on known circles."""

from itertools import combinations

import numpy as np
import pytest
import torch

from grokbook.measures.fourier import (
    by_frequency,
    circle,
    diagonal_means,
    fourier_basis,
    gini,
    key_frequencies,
    phase_locking,
    power,
)
from grokbook.theory.cyclic import basis, locking_null, progress, simulate_locking

ORDERS = [7, 12, 13]


def on_circle(n, k, radius=1.0):
    angles = 2 * torch.pi / n * (k * torch.arange(n, dtype=torch.float64))
    return radius * torch.stack([angles.cos(), angles.sin()], dim=1)


@pytest.mark.parametrize("n", [1, 2, 3, 7, 12, 13, 113])
def test_basis_is_the_theory_s(n):
    slow = basis.fourier_basis(n)
    np.testing.assert_allclose(fourier_basis(n).numpy(), slow.matrix, atol=1e-15)
    frequencies = [slow.rows(k) for k in range(n // 2 + 1)]
    marks = torch.arange(n) ** 2 + 1
    assert by_frequency(marks).tolist() == [marks[rows].sum().item() for rows in frequencies]


@pytest.mark.parametrize("n", ORDERS)
def test_power_is_that_of_the_complex_transform(n):
    x = torch.randn(n, 5, dtype=torch.float64)
    found = power(x)
    np.testing.assert_allclose(found.numpy(), progress.power(x.numpy()), rtol=1e-12)
    assert found.sum().item() == pytest.approx(x.square().sum().item(), rel=1e-14)
    assert torch.equal(found, power(x.reshape(n, 5, 1)))
    np.testing.assert_allclose(sum(power(column) for column in x.T), found, rtol=1e-13)
    assert power(x.float()).dtype == torch.float64


@pytest.mark.parametrize("n", ORDERS)
@pytest.mark.parametrize("sign", [1, -1])
def test_diagonal_means_are_sums_over_pairs(n, sign):
    x = torch.randn(n, n, 2)
    found = diagonal_means(x, sign)
    for s in range(n):
        pairs = [(a, b) for a in range(n) for b in range(n) if (a + sign * b - s) % n == 0]
        expected = sum(x[a, b].double() for a, b in pairs) / n
        np.testing.assert_allclose(found[s], expected, atol=1e-14)


def test_gini_is_the_mean_difference():
    for size in (2, 5, 57):
        values = torch.rand(size, dtype=torch.float64) ** 4
        assert gini(values).item() == pytest.approx(progress.gini(values.numpy()), rel=1e-12)
        assert gini(7 * values).item() == pytest.approx(gini(values).item(), rel=1e-12)
        assert abs(gini(torch.full((size,), 0.3)).item()) < 1e-15
        one = torch.zeros(size)
        one[size // 2] = 5.0
        assert gini(one).item() == pytest.approx(1 - 1 / size)
    assert gini(torch.zeros(3)).isnan()


def test_key_frequencies_are_the_definition_s():
    for share in (0.3, 0.95, 1.0):
        for _ in range(30):
            powers = torch.randint(0, 6, (8,)).double()  # with ties and zeros
            expected = progress.key_frequencies(powers.numpy(), share)
            assert key_frequencies(powers, share).nonzero()[:, 0].tolist() == sorted(expected)


def test_no_smaller_set_of_frequencies_would_do():
    powers = torch.rand(9, dtype=torch.float64) ** 3
    keys = key_frequencies(powers, 0.9)
    carried, needed = powers[keys].sum(), 0.9 * powers[1:].sum()
    assert carried >= needed
    sizes = range(1, int(keys.sum()))
    smaller = [powers[list(s)].sum() for m in sizes for s in combinations(range(1, 9), m)]
    assert max(smaller) < needed


def test_key_frequencies_at_the_edges():
    assert key_frequencies(torch.ones(21), 0.95).tolist() == [False, *[True] * 19, False]
    assert key_frequencies(torch.tensor([1e9, 1.0, 1.0, 0.0]), 1.0).tolist() == [
        *(False, True, True, False)
    ]
    assert not key_frequencies(torch.tensor([5.0, 0.0, 0.0])).any()
    assert not key_frequencies(torch.tensor([5.0, 1.0, torch.nan])).any()
    for share in (0, 1.01, float("nan")):
        with pytest.raises(ValueError, match="is no share of the power"):
            key_frequencies(torch.ones(4), share)


@pytest.mark.parametrize("n", ORDERS)
def test_phase_locking_by_its_definition(n):
    embedding = torch.randn(n, 5, dtype=torch.float64)
    found = phase_locking(embedding)
    assert found.shape == (n // 2 + 1,)
    for k in range(n // 2 + 1):
        if k == 0 or 2 * k == n:
            assert found[k].isnan()
        else:
            expected = progress.phase_locking(embedding.numpy(), k)
            assert found[k].item() == pytest.approx(expected, rel=1e-12)


def test_random_embeddings_lock_as_the_null_says():
    p, d, k, runs = 113, 128, 17, 40
    embeddings = torch.from_numpy(np.random.default_rng(3).standard_normal((runs, p, d)))
    found = torch.vmap(phase_locking)(embeddings)
    np.testing.assert_allclose(found[:, k], simulate_locking(p, d, k, runs, seed=3), rtol=1e-12)
    assert found[:, 1:].mean().item() == pytest.approx(locking_null(p, d), abs=0.01)


def test_a_circle_locks_and_a_shuffled_one_does_not():
    n, k = 113, 14
    plane = torch.linalg.qr(torch.randn(40, 2, dtype=torch.float64)).Q
    embedding = on_circle(n, k, 3.0) @ plane.T
    assert phase_locking(embedding)[k].item() == pytest.approx(1, abs=1e-12)
    assert phase_locking(embedding[torch.randperm(n)])[k].item() < 0.8
    turned = torch.cat([embedding[n // 4 :], embedding[: n // 4]])
    assert phase_locking(turned)[k].item() == pytest.approx(1, abs=1e-12)  # the plane turns with it


@pytest.mark.parametrize("n", ORDERS)
def test_circle_is_the_projection_on_an_orthonormal_plane(n):
    k = 2
    embedding = torch.randn(n, 6, dtype=torch.float64)
    angles = 2 * np.pi * k / n * np.arange(n)
    coefficients = np.stack([np.cos(angles), np.sin(angles)]) @ embedding.numpy()
    plane, triangle = np.linalg.qr(coefficients.T)
    expected = embedding.numpy() @ plane * np.sign(np.diag(triangle))
    np.testing.assert_allclose(circle(embedding, k), expected, atol=1e-12)


def test_circle_shows_a_circle_as_it_is():
    n, k = 13, 3
    plane = torch.linalg.qr(torch.randn(9, 2, dtype=torch.float64)).Q
    other = on_circle(n, 5) @ torch.randn(2, 9, dtype=torch.float64)
    found = circle(on_circle(n, k, 4.0) @ plane.T + other - other @ plane @ plane.T, k)
    np.testing.assert_allclose(found, on_circle(n, k, 4.0), atol=1e-12)
    for wrong in (0, 7):
        with pytest.raises(ValueError, match=f"k = {wrong} spans no plane of Z_13"):
            circle(torch.randn(13, 4), wrong)
    with pytest.raises(ValueError, match="give 1 to 5"):
        circle(torch.randn(12, 4), 6)


@pytest.mark.parametrize("n", ORDERS)
def test_many_runs_at_once_are_what_one_at_a_time_gives(n):
    tables, values = torch.randn(3, n, 5), torch.randint(1, 5, (3, n)).float()
    pairs = torch.randn(3, n, n, 2)
    cases = [(power, tables), (phase_locking, tables), (gini, values)]
    cases += [(key_frequencies, values), (diagonal_means, pairs)]
    cases += [(lambda x: circle(x, 1), tables), (by_frequency, tables)]
    for function, inputs in cases:
        together = torch.vmap(function)(inputs)
        alone = torch.stack([function(x) for x in inputs])
        torch.testing.assert_close(together, alone, rtol=1e-12, atol=1e-12, equal_nan=True)


def test_refuses_an_order_below_one():
    with pytest.raises(ValueError, match="n = 0 is not the order of a group"):
        fourier_basis(0)
