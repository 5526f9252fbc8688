"""Logits in the circuit's directions: known circuits, and the definitions on the whole grid."""

import math

import numpy as np
import pytest
import torch

from grokbook.measures.circuits import (
    amplitudes,
    component_powers,
    excluded,
    excluded_by_frequency,
    losses,
    margin,
    restricted,
    variance_explained,
)
from grokbook.theory.cyclic import cross_entropy, cube, progress
from grokbook.theory.cyclic import margin as ideal_margin

ORDERS = [7, 12, 13]
KEYS = {7: (1, 3), 12: (2, 3, 6), 13: (2, 5)}  # 6 is the unpaired wave of 12
WEIGHTS = (3.0, 1.5, 0.7)


def ideal(n):
    """Return the logits of a circuit, from products of waves of a, b and c."""
    total = np.zeros((n, n, n))
    for k, weight in zip(KEYS[n], WEIGHTS, strict=False):
        c, s = (wave(2 * np.pi * k * np.arange(n) / n) for wave in (np.cos, np.sin))
        even = np.multiply.outer(c, c) - np.multiply.outer(s, s)
        odd = np.multiply.outer(s, c) + np.multiply.outer(c, s)
        total += weight * (np.multiply.outer(even, c) + np.multiply.outer(odd, s))
    return torch.from_numpy(total)


def noisy(n):
    return ideal(n) + 2 * torch.randn(n, n, n, dtype=torch.float64)


def mask(n, frequencies):
    keys = torch.zeros(n // 2 + 1, dtype=torch.bool)
    keys[list(frequencies)] = True
    return keys


def some_pairs(n):
    return torch.rand(n, n) < 0.4


@pytest.mark.parametrize("n", ORDERS)
def test_an_ideal_circuit_has_the_amplitudes_it_was_built_with(n):
    offset = torch.randn(n, n, 1, dtype=torch.float64) + torch.randn(n, dtype=torch.float64)
    L = ideal(n) + offset
    expected = torch.zeros(n // 2 + 1, dtype=torch.float64)
    for k, weight in zip(KEYS[n], WEIGHTS, strict=False):
        expected[k] = weight
    expected[0] = offset.mean()
    torch.testing.assert_close(amplitudes(L), expected, rtol=0, atol=1e-13)
    squares = [x**2 * n**3 / (1 if 2 * k == n else 2) for k, x in enumerate(expected.tolist())]
    torch.testing.assert_close(component_powers(ideal(n))[1:], torch.tensor(squares[1:]).double())

    keys = mask(n, KEYS[n])
    bias = torch.randn(n, dtype=torch.float64)
    torch.testing.assert_close(restricted(ideal(n) + bias, keys), ideal(n) + bias)
    torch.testing.assert_close(excluded(ideal(n) + bias, keys), bias.expand(n, n, n))
    assert variance_explained(L, keys).item() == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("n", ORDERS)
def test_margin_and_loss_of_an_ideal_circuit_are_the_theory_s(n):
    frequencies, weights = np.array(KEYS[n]), np.array(WEIGHTS[: len(KEYS[n])])
    found = margin(ideal(n))
    expected = ideal_margin(frequencies, weights, n)
    assert found.smallest.item() == pytest.approx(expected, abs=1e-12)
    assert found.mean.item() == pytest.approx(expected, abs=1e-12)
    assert found.over_wrong.item() == pytest.approx(weights.sum() * n / (n - 1), abs=1e-12)
    loss = losses(ideal(n), some_pairs(n))
    assert loss.all.item() == pytest.approx(cross_entropy(frequencies, weights, n), rel=1e-12)
    assert loss.train.item() == pytest.approx(loss.test.item(), rel=1e-12)


@pytest.mark.parametrize("n", ORDERS)
def test_projections_are_those_on_the_whole_grid(n):
    L = noisy(n)
    slow, keys = L.numpy(), mask(n, KEYS[n])
    powers = [(progress.component(slow, k) ** 2).sum() for k in range(n // 2 + 1)]
    np.testing.assert_allclose(component_powers(L), powers, rtol=1e-11)
    np.testing.assert_allclose(restricted(L, keys), progress.restricted(slow, KEYS[n]), atol=1e-12)
    np.testing.assert_allclose(excluded(L, keys), progress.excluded(slow, KEYS[n]), atol=1e-12)
    np.testing.assert_allclose(amplitudes(L), cube.amplitudes(slow), atol=1e-12)
    for centred in ("both", "classes", "mean"):
        expected = cube.variance_explained(slow + 2.5, KEYS[n], centred)
        found = variance_explained(L + 2.5, keys, centred)
        assert found.item() == pytest.approx(expected, rel=1e-11)
        assert 0.05 < expected < 0.9


@pytest.mark.parametrize("n", ORDERS)
def test_the_bias_correction_is_the_mean_of_the_logits(n):
    L = noisy(n) + 3 * torch.randn(n, dtype=torch.float64)
    keys = mask(n, KEYS[n])
    kept = restricted(L, keys)
    torch.testing.assert_close(kept.mean((0, 1)), L.mean((0, 1)))
    torch.testing.assert_close((kept - L.mean((0, 1))) + excluded(L, keys), L)


@pytest.mark.parametrize("n", ORDERS)
def test_losses_and_margins_by_the_definitions(n):
    L, train = noisy(n), some_pairs(n)
    slow = L.numpy()
    expected = [progress.loss(slow, pairs.numpy()) for pairs in (train, ~train, train | ~train)]
    np.testing.assert_allclose(losses(L, train), expected, rtol=1e-12)
    np.testing.assert_allclose(margin(L), progress.table_margins(slow), rtol=1e-12)
    assert losses(L.float(), train).all.dtype == torch.float64


@pytest.mark.parametrize("n", ORDERS)
@pytest.mark.parametrize("scale", [1.0, 60.0])
def test_each_frequency_excluded_is_the_loss_of_a_table_without_it(n, scale):
    L, train = scale * noisy(n), some_pairs(n)
    keys = mask(n, [0, *KEYS[n], 1])
    found = excluded_by_frequency(L, train, keys)
    for k in range(n // 2 + 1):
        if k == 0 or not keys[k]:
            assert found[k].isnan()
            continue
        expected = progress.loss(progress.excluded(L.numpy(), [k]), train.numpy())
        assert found[k].item() == pytest.approx(expected, rel=1e-11)
        direct = losses(excluded(L, mask(n, [k])), train).train
        assert found[k].item() == pytest.approx(direct.item(), rel=1e-11)


def test_what_float64_cannot_hold_is_nan_and_not_wrong():
    n, pairs = 13, torch.ones(13, 13, dtype=torch.bool)
    keys = mask(n, (1, 2, 3, 5))
    for weight, held in ((100.0, True), (300.0, False)):  # of 3·weight, a span of 600 and 1800
        L = weight * ideal(n) + torch.randn(n, n, n, dtype=torch.float64)
        found = excluded_by_frequency(L, pairs, keys)
        direct = losses(excluded(L, mask(n, (2,))), pairs).train
        assert found[2].isnan() != held
        assert not held or found[2].item() == pytest.approx(direct.item(), rel=1e-11)
        assert found[[1, 3]].isfinite().all()  # what removes little is not touched


def test_a_small_loss_has_no_floor():
    n = 13
    right = torch.eye(n)[(torch.arange(n)[:, None] + torch.arange(n)) % n]
    for gap in (30.0, 60.0, 300.0):
        expected = math.log1p((n - 1) * math.exp(-gap))
        found = losses(gap * right, some_pairs(n))
        assert found.all.item() == pytest.approx(expected, rel=1e-10, abs=0)
        none = excluded_by_frequency(gap * right, some_pairs(n), mask(n, (1,)))[1]
        weaker = losses(excluded(gap * right, mask(n, (1,))), torch.ones(n, n).bool()).all
        assert none.item() == pytest.approx(weaker.item(), rel=1e-10, abs=0)


def test_the_wrong_rule_is_not_taken_for_addition():
    """The circuit of a − b is in other directions, and the logits of a + b + 1 in the same."""
    n, keys = 13, mask(13, KEYS[13])
    difference = ideal(n)[:, -torch.arange(n) % n]
    assert component_powers(difference)[1:].max().item() < 1e-20
    assert variance_explained(difference, keys).item() < 1e-20
    shifted = ideal(n).roll(1, dims=2)
    torch.testing.assert_close(component_powers(shifted), component_powers(ideal(n)))
    assert variance_explained(shifted, keys).item() < 0.7
    assert margin(shifted).smallest.item() < 0


def test_random_logits_give_the_share_of_noise():
    n, runs = 13, 150
    L = torch.randn(runs, n, n, n, dtype=torch.float64)
    keys = torch.ones(n // 2 + 1, dtype=torch.bool)
    share = torch.vmap(lambda x: component_powers(x) / x.square().sum())(L)[:, 1:]
    sd = share.std() / share.numel() ** 0.5
    assert abs(share.mean() - 2 / n**2) < 4 * sd < 0.05 * share.mean()
    explained = torch.vmap(lambda x: variance_explained(x, keys))(L)
    expected = (n // 2) / ((n**2 - 1) * (n - 1))
    assert abs(explained.mean() - expected) < 4 * explained.std() / runs**0.5
    assert explained.std() / runs**0.5 < 0.06 * expected


@pytest.mark.parametrize("n", [12, 13])
def test_many_runs_at_once_are_what_one_at_a_time_gives(n):
    L = torch.stack([noisy(n) for _ in range(3)]).float()
    train = torch.stack([some_pairs(n) for _ in range(3)])
    keys = torch.stack([mask(n, KEYS[n]), mask(n, (1,)), mask(n, (1, 2, 4))])
    for function, inputs in [
        (component_powers, (L,)),
        (amplitudes, (L,)),
        (restricted, (L, keys)),
        (excluded, (L, keys)),
        (losses, (L, train)),
        (excluded_by_frequency, (L, train, keys)),
        (variance_explained, (L, keys)),
        (margin, (L,)),
    ]:
        together = torch.vmap(function)(*inputs)
        alone = [function(*one) for one in zip(*inputs, strict=True)]
        if isinstance(together, tuple):
            assert type(together) is type(alone[0])
            together, alone = torch.stack(together, 1), [torch.stack(x) for x in alone]
        expected = torch.stack(alone)
        torch.testing.assert_close(together, expected, rtol=1e-11, atol=1e-11, equal_nan=True)


def test_the_constant_is_never_a_key():
    L, with_it, without = noisy(7), mask(7, (0, 1)), mask(7, (1,))
    for function in (restricted, excluded, variance_explained):
        assert torch.equal(function(L, with_it), function(L, without))


def test_a_set_without_pairs_has_no_loss():
    found = losses(noisy(7), torch.zeros(7, 7, dtype=torch.bool))
    assert found.train.isnan()
    assert found.test.item() == found.all.item()


def test_refuses_logits_that_are_no_table():
    L = torch.randn(7, 7, 8)  # "=" is a class too
    train, keys = torch.ones(7, 7, dtype=torch.bool), mask(7, (1,))
    calls = [lambda f: f(L, keys), lambda f: f(L), lambda f: f(L, train)]
    for call, functions in zip(
        calls,
        [(restricted, excluded, variance_explained), (amplitudes, component_powers), (losses,)],
        strict=True,
    ):
        for function in functions:
            with pytest.raises(ValueError, match=r"\(7, 7, 8\) are no table of Z_n"):
                call(function)
    with pytest.raises(ValueError, match="n = 1 leaves no wrong class"):
        margin(torch.zeros(1, 1, 1))
