"""The margin of K random frequencies at p = 113, against the published table and brute force."""

import math
from itertools import combinations

import numpy as np
import pytest
import sympy as sp

from grokbook.theory import cyclic
from grokbook.theory.cyclic import (
    Law,
    all_margins,
    asymptotic_margin,
    budget_losses,
    cross_entropy,
    dirichlet_bound,
    gap_tail,
    margin,
    mean_bound,
    random_margins,
    random_sets,
    sets_with_one,
)

# K: mean, 5 % quantile, smallest, largest, asymptotic formula
TABLE = {
    1: (0.00155, 0.00155, 0.00155, 0.00155, None),
    2: (0.0925, 0.0154, 0.0077, 0.1875, 0.112),
    3: (0.4176, 0.1129, 0.0216, 0.8446, 0.469),
    4: (0.9447, 0.3574, 0.0462, 1.884, 1.052),
    5: (1.5893, 0.7569, 0.0846, 2.894, 1.801),
}


def rounded(value: float, target: float) -> bool:
    """Say whether a value is the target at the digits with which the target is written."""
    digits = len(f"{target}".split(".")[1])
    return abs(value - target) <= 0.5001 * 10**-digits


@pytest.mark.parametrize("size", TABLE)
def test_exact_enumeration_gives_the_table(size):
    margins = all_margins(113, size)
    law = Law.of(margins)
    assert law.count == math.comb(55, size - 1)
    mean, low, smallest, largest, asymptotic = TABLE[size]
    assert rounded(law.mean, mean)
    assert rounded(law.low, low)
    assert rounded(law.smallest, smallest)
    assert rounded(law.largest, largest)
    if asymptotic:
        assert rounded(asymptotic_margin(113, size), asymptotic)
    assert margins.max() <= dirichlet_bound(113, size) * (1 + 1e-12)
    assert margins.max() <= mean_bound(113, size)


def test_five_frequencies_have_341055_sets():
    assert math.comb(55, 4) == 341_055


def test_six_frequencies_sampled():
    law = Law.of(random_margins(113, 6, 40_000, seed=0))
    assert law.mean == pytest.approx(2.290, abs=0.01)
    assert law.low == pytest.approx(1.281, abs=0.02)
    assert rounded(asymptotic_margin(113, 6), 2.665)


@pytest.mark.parametrize(("p", "size"), [(13, 3), (17, 4), (23, 2)])
def test_fixing_one_frequency_changes_no_distribution(p, size):
    """All sets, margins by the definition in a loop, against the sets that contain 1."""
    everything = []
    for chosen in combinations(range(1, (p - 1) // 2 + 1), size):
        values = [sum(math.cos(2 * math.pi * k * x / p) for k in chosen) for x in range(p)]
        everything.append(values[0] - max(values[1:]))
    fixed = all_margins(p, size)
    assert len(everything) * size == len(fixed) * (p - 1) // 2
    levels, counts = np.unique(np.round(everything, 9), return_counts=True)
    found, fixed_counts = np.unique(np.round(fixed, 9), return_counts=True)
    np.testing.assert_allclose(found, levels, atol=2e-9)
    np.testing.assert_array_equal(counts * len(fixed), fixed_counts * len(everything))


def test_units_leave_the_margin():
    sets = np.concatenate(list(random_sets(113, 5, 50, seed=3)))
    for unit in (2, 30, 112):
        np.testing.assert_allclose(margin(sets * unit, 1, 113), margin(sets, 1, 113), atol=1e-12)


def test_sampling_agrees_with_enumeration():
    sampled, exact = random_margins(113, 3, 50_000, seed=1), all_margins(113, 3)
    assert abs(sampled.mean() - exact.mean()) < 4 * exact.std() / 50_000**0.5
    sets = np.concatenate(list(random_sets(113, 3, 50_000, seed=1)))
    assert (np.diff(np.sort(sets, axis=1), axis=1) > 0).all()
    np.testing.assert_allclose(np.bincount(sets.ravel())[1:], 50_000 * 3 / 56, rtol=0.1)
    np.testing.assert_array_equal(
        random_margins(113, 3, 9_000, seed=2)[:5], random_margins(113, 3, 9_000, seed=2)[:5]
    )


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_tail_is_that_of_random_phases(size):
    phases = np.random.default_rng(size).uniform(0, 2 * np.pi, (400_000, size))
    total = (1 - np.cos(phases)).sum(axis=1)
    m = 0.03 * size
    expected = gap_tail(m, size)
    count = expected * len(total)
    assert (total <= m).sum() == pytest.approx(count, abs=0.05 * count + 4 * count**0.5)


def test_predictions_agree_with_sympy():
    tail = cyclic.tail_identity().right
    formula = cyclic.asymptotic_identity().right
    for size in (1, 2, 5):
        values = {sp.Symbol("K", positive=True): size, sp.Symbol("m", positive=True): 0.25}
        assert gap_tail(0.25, size) == pytest.approx(float(tail.subs(values)), rel=1e-13)
        values = {sp.Symbol("K", positive=True): size, sp.Symbol("N", positive=True): 56}
        assert asymptotic_margin(113, size) == pytest.approx(float(formula.subs(values)), rel=1e-13)


@pytest.mark.parametrize("p", [17, 101, 499])
def test_dirichlet_bounds_every_set(p):
    for size in (1, 2, 3, 4):
        if p < 2**size:
            continue
        worst = random_margins(p, size, 2_000, seed=p).max()
        assert worst <= dirichlet_bound(p, size) * (1 + 1e-12)
    assert margin(np.array([1]), 1, p) == pytest.approx(dirichlet_bound(p, 1), rel=1e-9)


LOSSES = {1: 2.670, 2: 1.342, 5: 0.154, 10: 0.029, 28: 0.0072, 56: 0.0046}


@pytest.mark.parametrize("size", LOSSES)
def test_a_budget_of_ten_shared_by_more_frequencies(size):
    median = Law.of(budget_losses(113, size, 10, 4_000, seed=size)).median
    assert median == pytest.approx(LOSSES[size], rel=0.02)


def test_what_a_fifth_and_a_sixth_frequency_buy():
    medians = [np.median(budget_losses(113, size, 10, 20_000, seed=0)) for size in (3, 4, 5, 6)]
    exact = np.concatenate([cross_entropy(sets, 10 / 3, 113) for sets in sets_with_one(113, 3)])
    assert medians[0] == pytest.approx(np.median(exact), rel=0.02)
    gains = -np.diff(medians)
    assert gains == pytest.approx([0.331, 0.1425, 0.062], abs=0.012)


def test_refuses_what_has_no_law():
    with pytest.raises(ValueError, match="p = 77 is no odd prime"):
        all_margins(77, 2)
    with pytest.raises(ValueError, match="4 frequencies of 3 modulo 7"):
        all_margins(7, 4)
    with pytest.raises(ValueError, match=r"p = 113 is below 2\^7"):
        dirichlet_bound(113, 7)
