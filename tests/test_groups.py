"""Groups against the axioms, checked by brute force in plain Python."""

from dataclasses import FrozenInstanceError
from itertools import permutations
from itertools import product as cartesian

import numpy as np
import pytest

from grokbook.groups import Group, checked_integer, cyclic, product

# The smallest non-associative loop has order 5: a Latin square with an identity in which every
# element is its own inverse.
LOOP = [[0, 1, 2, 3, 4], [1, 0, 3, 4, 2], [2, 4, 0, 1, 3], [3, 2, 4, 0, 1], [4, 3, 1, 2, 0]]


def symmetric_table(n):
    """The Cayley table of the permutations of n things, (a·b)(i) = a(b(i)), by composition."""
    elements = list(permutations(range(n)))
    return [[elements.index(tuple(a[b[i]] for i in range(n))) for b in elements] for a in elements]


def assert_is_group(group):
    table, n = group.table.tolist(), group.order
    elements = range(n)
    assert all(table[a][b] in elements for a, b in cartesian(elements, repeat=2))
    for a, b, c in cartesian(elements, repeat=3):
        assert table[table[a][b]][c] == table[a][table[b][c]]
    e = group.identity
    assert all(table[e][a] == a == table[a][e] for a in elements)
    assert all(table[a][b] == e == table[b][a] for a, b in enumerate(group.inverses.tolist()))
    for line in table + [list(column) for column in zip(*table, strict=True)]:
        assert sorted(line) == list(elements)


@pytest.mark.parametrize("n", range(1, 14))
def test_cyclic_is_addition_of_residues(n):
    group = cyclic(n)
    assert_is_group(group)
    assert group.table.tolist() == [[(a + b) % n for b in range(n)] for a in range(n)]
    assert (group.name, group.order, group.identity) == (f"Z_{n}", n, 0)
    assert group.is_abelian
    assert group.table.dtype == group.inverses.dtype == np.int64


@pytest.mark.parametrize(("m", "n"), [(1, 4), (2, 2), (3, 5), (4, 3), (6, 2)])
def test_product_is_componentwise(m, n):
    group = product(cyclic(m), cyclic(n))
    assert_is_group(group)
    for a, b in cartesian(range(m * n), repeat=2):
        (g, h), (s, t) = divmod(a, n), divmod(b, n)
        assert divmod(group.table[a, b], n) == ((g + s) % m, (h + t) % n)


def test_product_of_groups_that_do_not_commute():
    s3 = Group.from_table(symmetric_table(3), name="S_3")
    left, right = product(s3, cyclic(4)), product(cyclic(4), s3)
    assert_is_group(left)
    assert_is_group(right)
    assert not left.is_abelian
    assert (left.name, right.name) == ("S_3 × Z_4", "Z_4 × S_3")
    assert left != right


def test_product_keeps_an_identity_that_is_not_number_zero():
    shifted = Group.from_table([[1, 0], [0, 1]])
    group = product(shifted, product(cyclic(3), shifted))
    assert group.identity == 1 * 6 + 0 * 2 + 1
    assert_is_group(group)


def test_product_brackets_either_way():
    a, b, c = cyclic(2), cyclic(3), cyclic(4)
    assert product(product(a, b), c) == product(a, product(b, c))


def test_chinese_remainder_theorem():
    """x ↦ (x mod 7, x mod 11) carries Z_77 to Z_7 × Z_11; no map carries Z_4 to Z_2 × Z_2."""
    image = np.array([x % 7 * 11 + x % 11 for x in range(77)])
    assert sorted(image) == list(range(77))
    direct = product(cyclic(7), cyclic(11))
    assert np.array_equal(image[cyclic(77).table], direct.table[image[:, None], image])
    assert (np.diagonal(product(cyclic(2), cyclic(2)).table) == 0).sum() == 4
    assert (np.diagonal(cyclic(4).table) == 0).sum() == 2


@pytest.mark.parametrize("table", [symmetric_table(3), cyclic(6).table, [[1, 0], [0, 1]], [[0]]])
def test_from_table_accepts_groups(table):
    group = Group.from_table(table, name="X")
    assert_is_group(group)
    assert group.name == "X"
    assert group.table.tolist() == np.asarray(table).tolist()


def test_from_table_finds_that_s3_is_not_abelian():
    assert not Group.from_table(symmetric_table(3)).is_abelian


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ([[0, 1], [1, 2]], r"closure fails, 1·1 = 2 is not one of the elements 0 to 1$"),
        ([[0, -1], [1, 0]], r"closure fails, 0·1 = -1 is not"),
        ([[0, 0], [1, 1]], r"no element is an identity, for example 0·1 = 0 and 1·0 = 1$"),
        ([[0, 1], [0, 1]], r"no element is an identity, for example 0·1 = 1 and 1·0 = 0$"),
        ([[0, 2, 1], [1, 0, 2], [2, 1, 0]], r"no element is an identity, for example 0·1 = 2 and"),
        ([[0, 1], [1, 1]], r"1 has no inverse, no b gives 1·b = b·1 = 0, the identity$"),
        (LOOP, r"associativity fails, \(1·1\)·2 = 2 but 1·\(1·2\) = 4$"),
        ([[0, 1, 2], [1, 2, 0]], r"^a table of shape \(2, 3\) is not a Cayley table: give a sq"),
        ([[0, 1], [1]], r"^rows of unequal length are not a Cayley table: give a square one"),
        (np.zeros((0, 0), int), r"^a table of shape \(0, 0\) is not a Cayley table"),
        ([0], r"^a table of shape \(1,\) is not a Cayley table"),
        ([[0.0, 1.0], [1.0, 0.0]], r"^a table of float64 is not a Cayley table: give the integers"),
        ([[False]], r"^a table of bool is not a Cayley table"),
    ],
)
def test_from_table_names_the_failure(table, sentence):
    with pytest.raises(ValueError, match=sentence):
        Group.from_table(table)


def test_inverses_must_be_two_sided():
    # 1·2 = 2·3 = 3·1 = 0 gives everyone a right and a left inverse, but none on both sides.
    table = [[0, 1, 2, 3], [1, 2, 0, 3], [2, 1, 3, 0], [3, 0, 1, 2]]
    with pytest.raises(ValueError, match="1 has no inverse"):
        Group.from_table(table)


def test_every_single_change_to_a_group_is_noticed():
    """Two groups of the same order never differ in one entry only."""
    for a, b, value in cartesian(range(5), range(5), range(5)):
        table = cyclic(5).table.copy()
        if table[a, b] != value:
            table[a, b] = value
            with pytest.raises(ValueError, match="the table is not a group"):
                Group.from_table(table)


def test_groups_are_immutable_and_independent_of_their_source():
    source, inverses = cyclic(4).table.copy(), cyclic(4).inverses.copy()
    checked, group = Group.from_table(source), Group("Z_4", source, 0, inverses)
    source[0, 0] = inverses[0] = 3
    assert checked == group == cyclic(4)
    assert group.inverses[0] == 0
    with pytest.raises(ValueError, match="read-only"):
        group.table[0, 0] = 3
    with pytest.raises(ValueError, match="read-only"):
        group.inverses[0] = 3
    with pytest.raises(FrozenInstanceError):
        group.identity = 1


def test_equality_is_that_of_the_tables():
    assert cyclic(4) == Group.from_table(cyclic(4).table, name="rotations")
    assert cyclic(4) != product(cyclic(2), cyclic(2))
    assert cyclic(4) != "Z_4"
    assert len({cyclic(3), cyclic(3), cyclic(4)}) == 2


@pytest.mark.parametrize("n", [0, -3, True])
def test_cyclic_refuses_impossible_orders(n):
    sentence = f"^n = {n} is not the order of a group: give an integer of at least 1$"
    with pytest.raises(ValueError, match=sentence):
        cyclic(n)


@pytest.mark.parametrize("value", [1, -7, 7.5, 7.0, "7", None, True, np.True_, np.float64(7)])
def test_checked_integer_refuses(value):
    with pytest.raises(
        ValueError, match=r"^p = .* is not a modulus: give an integer of at least 2$"
    ):
        checked_integer(value, name="p", what="a modulus", least=2)


def test_checked_integer_returns_plain_integers():
    for value in (7, np.int64(7), np.uint8(7)):
        result = checked_integer(value, name="p", what="a modulus", least=7)
        assert type(result) is int
        assert result == 7
