"""Products of cyclic groups: one circle or a torus, against the Cayley tables."""

import math
from itertools import combinations

import numpy as np
import pytest

from grokbook.groups import cyclic, product
from grokbook.theory.cyclic import (
    all_characters,
    chinese_remainder,
    distinguished,
    faithful_characters,
    frequency,
    generates,
    generating_frequencies,
    has_unique_maximum,
    margin,
    order,
    phases,
    product_logits,
    rank,
)

GROUPS = [(2, 2), (2, 3), (3, 3), (2, 4), (4, 6), (2, 2, 3)]


def generated(characters, moduli):
    """Return how many characters are sums of the given ones, by closing the set."""
    found = {(0,) * len(moduli)}
    while True:
        more = {
            tuple((x + y) % n for x, y, n in zip(a, b, moduli, strict=True))
            for a in found
            for b in characters
        }
        if more <= found:
            return len(found)
        found |= more


@pytest.mark.parametrize("moduli", GROUPS)
def test_characters_are_homomorphisms_of_the_table(moduli):
    group = cyclic(moduli[0])
    for n in moduli[1:]:
        group = product(group, cyclic(n))
    turn = math.lcm(*moduli)
    table = phases(all_characters(moduli), moduli)
    sums = (table[:, :, None] + table[:, None, :]) % turn
    np.testing.assert_array_equal(table[:, group.table], sums)
    assert len(np.unique(table, axis=0)) == group.order
    waves = np.exp(2j * np.pi / turn * table)
    np.testing.assert_allclose(waves @ waves.conj().T, group.order * np.eye(group.order), atol=1e-9)


@pytest.mark.parametrize("moduli", GROUPS)
def test_order_is_the_number_of_points_on_the_circle(moduli):
    for character in all_characters(moduli):
        points = len(set(phases([character], moduli)[0].tolist()))
        assert order(character, moduli) == points == distinguished([character], moduli)
        assert points == generated([character], moduli)
        assert (character in faithful_characters(moduli)) == (points == math.prod(moduli))


@pytest.mark.parametrize("moduli", GROUPS)
def test_sets_separate_if_and_only_if_they_generate(moduli):
    """By duality they tell apart as many elements as they generate characters; so do maxima."""
    size = math.prod(moduli)
    least = None
    for number in (0, 1, 2, 3):
        sets = list(combinations(all_characters(moduli), number))
        for chosen in sets[:: max(1, len(sets) // 100)] if number > 2 else sets:
            assert distinguished(chosen, moduli) == generated(chosen, moduli)
            if number:
                values = product_logits(chosen, np.linspace(0.5, 1.5, number), moduli)
                unique = (values > values[0] - 1e-9).sum() == 1
                assert generates(chosen, moduli) == unique
        if least is None and any(generates(chosen, moduli) for chosen in sets):
            least = number
    assert least == rank(moduli)
    assert size == len(all_characters(moduli))


def test_seven_times_eleven_is_cyclic():
    left, places = product(cyclic(7), cyclic(11)), chinese_remainder(7, 11)
    assert sorted(places) == list(range(77))
    np.testing.assert_array_equal(places[left.table], cyclic(77).table[places[:, None], places])
    for x, (a, b) in enumerate(divmod(place, 11) for place in range(77)):
        assert (places[x] % 7, places[x] % 11) == (a, b)
    for character in all_characters((7, 11)):
        k = frequency(character, 7, 11)
        np.testing.assert_array_equal(phases([character], (7, 11))[0], k * places % 77)


def test_sixty_of_seventy_six_are_faithful():
    faithful = faithful_characters((7, 11))
    assert len(faithful) == 60 == sum(math.gcd(k, 77) == 1 for k in range(77))
    assert len(all_characters((7, 11))) - 1 == 76
    assert sorted(frequency(character, 7, 11) for character in faithful) == [
        k for k in range(77) if math.gcd(k, 77) == 1
    ]
    assert (rank((7, 11)), rank((77,)), rank((11, 11)), rank((1,))) == (1, 1, 2, 0)


def test_eleven_times_eleven_forces_a_torus():
    moduli = (11, 11)
    assert faithful_characters(moduli) == []
    assert max(order(character, moduli) for character in all_characters(moduli)) == 11
    assert generates([(1, 0), (3, 1)], moduli)
    assert not generates([(1, 2), (3, 6)], moduli)  # multiples of each other
    values = product_logits([(1, 0), (3, 1)], np.ones(2), moduli)
    assert (values > values[0] - 1e-9).sum() == 1


def test_frequencies_with_a_common_factor_tie():
    assert len(generating_frequencies(77)) == 30
    for n in (12, 77, 113):
        for k in range(1, n // 2 + 1):
            alone = margin(np.array([k]), 1, n)
            assert (k in generating_frequencies(n)) == has_unique_maximum([k], n) == (alone > 0)
    assert margin(np.array([7, 14, 21]), 1, 77) == 0
    assert distinguished([(7,), (14,), (21,)], (77,)) == 11
    assert margin(np.array([7, 11]), 1, 77) > 0


def test_refuses_bad_groups():
    with pytest.raises(ValueError, match="6 and 4 have a common factor"):
        chinese_remainder(6, 4)
    with pytest.raises(ValueError, match="has 2 coordinates"):
        phases([(1,)], (7, 11))
    with pytest.raises(ValueError, match=r"moduli \(0, 3\) give no group"):
        all_characters((0, 3))
