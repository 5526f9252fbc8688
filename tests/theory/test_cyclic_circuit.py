"""The trigonometric circuit: when the largest logit is right, and by how much."""

from itertools import combinations

import numpy as np
import pytest

from grokbook.groups import cyclic
from grokbook.theory.cyclic import (
    cross_entropy,
    gaps,
    has_unique_maximum,
    logit,
    logits,
    margin,
    silent_shifts,
)


def network_logits(frequencies, amplitudes, n):
    """Return the logits of every (a, b, c) from products of embeddings only, as a network has."""
    total = np.zeros((n, n, n))
    for k, weight in zip(frequencies, amplitudes, strict=True):
        cosine, sine = (wave(2 * np.pi * k * np.arange(n) / n) for wave in (np.cos, np.sin))
        even = np.multiply.outer(cosine, cosine) - np.multiply.outer(sine, sine)
        odd = np.multiply.outer(sine, cosine) + np.multiply.outer(cosine, sine)
        total += weight * (np.multiply.outer(even, cosine) + np.multiply.outer(odd, sine))
    return total


SETS = [((1,), (1,), 5), ((2, 3), (1, 1), 6), ((1, 2), (1, -1), 5), ((3, 5, 8), (2, 1, 3), 17)]


@pytest.mark.parametrize(("frequencies", "amplitudes", "n"), SETS)
def test_logits_are_what_products_of_waves_give(frequencies, amplitudes, n):
    forward = logits(np.array(frequencies), np.array(amplitudes), n)
    exact = [float(value) for value in logit(frequencies, amplitudes, n)]
    np.testing.assert_allclose(forward, exact, atol=1e-12)
    group, classes = cyclic(n), np.arange(n)
    delta = group.table[group.table[:, :, None], group.inverses[classes]]
    cube = network_logits(frequencies, amplitudes, n)
    np.testing.assert_allclose(cube, forward[delta], atol=1e-12)

    gap = cube[np.arange(n)[:, None], classes, group.table][:, :, None] - cube
    wrong = delta != 0
    measured = margin(np.array(frequencies), np.array(amplitudes), n)
    assert measured == pytest.approx(gap[wrong].min(), abs=1e-12)
    loss = np.log(np.exp(-gap).sum(axis=2)).mean()
    found = cross_entropy(np.array(frequencies), np.array(amplitudes), n)
    assert found == pytest.approx(loss, abs=1e-12)
    if all(k % n for k in frequencies):
        assert gap[wrong].mean() == pytest.approx(sum(amplitudes) * n / (n - 1), abs=1e-12)


def test_the_maximum_is_unique_if_and_only_if_the_gcd_is_one():
    """All sets of at most three frequencies, all orders up to 30, and random amplitudes."""
    rng, seen = np.random.default_rng(0), 0
    for n in range(3, 31):
        for size in (1, 2, 3):
            if size > n // 2:
                continue
            sets = np.array(list(combinations(range(1, n // 2 + 1), size)))
            amplitudes = rng.uniform(0.1, 2, size)
            forward = sum(
                weight * np.cos(2 * np.pi / n * sets[:, [i]] * np.arange(n))
                for i, weight in enumerate(amplitudes)
            )
            top = forward >= forward.max(axis=1, keepdims=True) - 1e-9
            margins = margin(sets, amplitudes, n)
            for frequencies, largest, m in zip(sets.tolist(), top, margins, strict=True):
                assert silent_shifts(frequencies, n) == np.flatnonzero(largest).tolist()
                assert has_unique_maximum(frequencies, n) == (largest.sum() == 1) == (m > 1e-9)
                assert (m == 0) == (largest.sum() > 1)  # exactly 0, not nearly
                seen += 1
    assert seen == 4424


def test_one_generating_frequency_is_not_necessary():
    assert not has_unique_maximum([2], 6)
    assert not has_unique_maximum([3], 6)
    assert has_unique_maximum([2, 3], 6)
    assert margin(np.array([2, 3]), 1, 6) == pytest.approx(1.5)


def test_a_negative_amplitude_breaks_it():
    assert has_unique_maximum([1, 2], 5)
    values = logits(np.array([1, 2]), np.array([1, -1]), 5)
    assert abs(values[0]) < 1e-15
    assert values[[1, 4]] == pytest.approx(5**0.5 / 2)
    assert margin(np.array([1, 2]), np.array([1, -1]), 5) == pytest.approx(-(5**0.5) / 2)


def test_many_sets_at_once_are_what_one_at_a_time_gives():
    rng = np.random.default_rng(1)
    sets, amplitudes = rng.integers(1, 57, (4, 7, 5)), rng.uniform(0, 2, (4, 7, 5))
    for function in (logits, gaps, margin, cross_entropy):
        together = function(sets, amplitudes, 113)
        for place in np.ndindex(4, 7):
            alone = function(sets[place], amplitudes[place], 113)
            np.testing.assert_allclose(together[place], alone, rtol=1e-13)


def test_all_frequencies_give_the_table():
    for n in (7, 113):
        values = logits(np.arange(1, n // 2 + 1), 1, n)
        np.testing.assert_allclose((1 + 2 * values) / n, np.eye(n)[0], atol=1e-12)


def test_refuses_an_order_without_a_wrong_class():
    with pytest.raises(ValueError, match="n = 1 leaves no wrong class"):
        margin(np.array([1]), 1, 1)
