"""Operation tables against plain Python, one pair at a time; splits against the released way."""

import dataclasses
import json
import random
import re
import runpy
from fractions import Fraction
from math import gcd, nextafter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokbook.groups import Group, cyclic, named
from grokbook.tasks import Split, Task, operations, split, task

PRIMES = [2, 3, 5, 7, 11, 13]


def quotient(x, y, p):
    """The z with z·y ≡ x, found by trying all of them."""
    (z,) = [z for z in range(p) if z * y % p == x]
    return z


REFERENCE = {
    "add": lambda x, y, p: (x + y) % p,
    "subtract": lambda x, y, p: (x - y) % p,
    "multiply": lambda x, y, p: (x * y) % p,
    "divide": lambda x, y, p: quotient(x, y, p) if y else None,
    "divide_or_subtract": lambda x, y, p: quotient(x, y, p) if y % 2 else (x - y) % p,
    "x2_plus_y2": lambda x, y, p: (x * x + y * y) % p,
    "x2_plus_xy_plus_y2": lambda x, y, p: (x * x + x * y + y * y) % p,
    "x2_plus_xy_plus_y2_plus_x": lambda x, y, p: (x * x + x * y + y * y + x) % p,
    "x3_plus_xy": lambda x, y, p: (x * x * x + x * y) % p,
    "x3_plus_xy2_plus_y": lambda x, y, p: (x * x * x + x * y * y + y) % p,
}


def square(operation, p):
    """The labels as a square, row x and column y, −1 where the operation is not defined."""
    pairs, labels, _ = Task(operation, p).table()
    table = np.full((p, p), -1)
    table[pairs[:, 0], pairs[:, 1]] = labels
    return table


def is_latin(table):
    rows, columns = np.sort(table, axis=1), np.sort(table, axis=0)
    return (
        (rows == rows[0]).all() and (columns.T == rows[0]).all() and len(set(rows[0])) == len(table)
    )


@pytest.mark.parametrize("p", PRIMES)
@pytest.mark.parametrize("operation", operations())
def test_table_matches_plain_python(operation, p):
    expected = [
        ((x, y), REFERENCE[operation](x, y, p))
        for x in range(p)
        for y in range(p)
        if REFERENCE[operation](x, y, p) is not None
    ]
    pairs, labels, classes = Task(operation, p).table()
    assert [tuple(pair) for pair in pairs.tolist()] == [pair for pair, _ in expected]
    assert labels.tolist() == [label for _, label in expected]
    assert classes == p
    assert pairs.dtype == labels.dtype == np.int64


@pytest.mark.parametrize("p", [4, 6, 9, 12])
@pytest.mark.parametrize("operation", [o for o in operations() if not o.startswith("divide")])
def test_operations_without_division_allow_composite_moduli(operation, p):
    pairs, labels, _ = Task(operation, p).table()
    expected = [REFERENCE[operation](x, y, p) for x, y in pairs.tolist()]
    assert labels.tolist() == expected
    assert len(pairs) == p * p


def test_operations_are_those_of_the_reference():
    assert operations() == tuple(REFERENCE)


def test_published_sizes():
    assert len(Task("divide", 97).table().labels) == 97 * 96
    assert len(Task("add", 113).table().labels) == 12769


@pytest.mark.parametrize("p", [2, 5, 6, 12])
def test_addition_is_the_cyclic_group_and_subtraction_its_division(p):
    group = Group.from_table(square("add", p))
    assert group == cyclic(p)
    assert np.array_equal(square("subtract", p), group.table[:, group.inverses])
    assert is_latin(square("add", p))
    assert is_latin(square("subtract", p))


@pytest.mark.parametrize("p", [3, 5, 7, 11, 13])
def test_multiplication_of_nonzero_residues_is_cyclic(p):
    """With a primitive root g, k ↦ g^k carries Z_{p−1} to the nonzero residues."""
    powers = next(
        candidate
        for g in range(2, p)
        if len(set(candidate := [pow(g, k, p) for k in range(p - 1)])) == p - 1
    )
    table = square("multiply", p)
    Group.from_table(table[1:, 1:] - 1)
    assert is_latin(table[1:, 1:])
    assert np.array_equal(np.array(powers)[cyclic(p - 1).table], table[np.ix_(powers, powers)])


def test_multiplication_with_zero_is_no_group():
    with pytest.raises(ValueError, match="0 has no inverse, no b gives 0·b = b·0 = 1"):
        Group.from_table(square("multiply", 7))


@pytest.mark.parametrize("p", [2, 3, 5, 7, 11, 97])
def test_division_undoes_multiplication(p):
    """Floor division, the bug of some released code, fails here: its label·y is not x."""
    pairs, labels, _ = Task("divide", p).table()
    x, y = pairs.T
    assert np.array_equal(labels * y % p, x)
    assert (y != 0).all()
    assert len(labels) == p * (p - 1)
    assert is_latin(square("divide", p)[1:, 1:])


def test_divide_or_subtract_goes_by_the_parity_of_y():
    table = square("divide_or_subtract", 97)
    x = np.arange(97)
    for y in range(97):
        assert np.array_equal(table[:, y] * y % 97 if y % 2 else (table[:, y] + y) % 97, x)


def test_divide_or_subtract_works_modulo_powers_of_two():
    for p in (2, 4, 8, 16):
        reference = REFERENCE["divide_or_subtract"]
        expected = [[reference(x, y, p) for y in range(p)] for x in range(p)]
        assert square("divide_or_subtract", p).tolist() == expected


@pytest.mark.parametrize("p", range(2, 40))
def test_division_is_refused_exactly_where_a_divisor_has_no_inverse(p):
    divisors = {"divide": range(1, p), "divide_or_subtract": range(1, p, 2)}
    for operation, needed in divisors.items():
        if all(gcd(y, p) == 1 for y in needed):
            Task(operation, p).table()
        else:
            with pytest.raises(ValueError, match=f"^division modulo {p} is not defined"):
                Task(operation, p)


@pytest.mark.parametrize(
    ("p", "end"),
    [
        (12, "12 = 2·2·3 is not prime; choose a prime such as 11 or 13"),
        (4, "4 = 2·2 is not prime; choose a prime such as 3 or 5"),
        (111, "111 = 3·37 is not prime; choose a prime such as 109 or 113"),
    ],
)
def test_division_refusal_names_factors_and_neighbours(p, end):
    with pytest.raises(ValueError) as refusal:
        Task("divide", p)
    assert str(refusal.value) == f"division modulo {p} is not defined for every pair: {end}"


@pytest.fixture(scope="module")
def unchecked():
    """The modules' own names, run past the shape checker, which would refuse wrong types first."""
    return runpy.run_path(task.__file__) | runpy.run_path(split.__file__)


@pytest.mark.parametrize("p", [7.5, 7.0, "7", True, None, 1, 0, -5])
def test_impossible_moduli_are_refused(unchecked, p):
    with pytest.raises(ValueError) as refusal:
        unchecked["Task"]("add", p)
    assert str(refusal.value) == f"p = {p!r} is not a modulus: give an integer of at least 2"


@pytest.mark.parametrize("operation", ["plus", "", None, ["add"]])
def test_unknown_operations_are_refused(unchecked, operation):
    with pytest.raises(ValueError) as refusal:
        unchecked["Task"](operation, 7)
    names = ", ".join([*operations(), "compose"])
    assert str(refusal.value) == f"operation = {operation!r} is not known: choose one of {names}"


def test_numpy_numbers_become_plain_ones(unchecked):
    task = unchecked["Task"]("add", np.int64(7))
    split = unchecked["Split"](np.float64(0.3), seed=np.int64(4))
    assert [type(v) for v in (task.p, split.train_fraction, split.seed)] == [int, float, int]
    assert unchecked["Split"](Fraction(3, 10), seed=4) == split


def test_task_and_split_survive_json_and_are_frozen():
    for thing in (Task("divide", 97), Split(0.3, seed=5)):
        fields = json.loads(json.dumps(dataclasses.asdict(thing)))
        assert type(thing)(**fields) == thing
        assert hash(type(thing)(**fields)) == hash(thing)
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(thing, next(iter(fields)), None)


@pytest.mark.parametrize("seed", [0, 1, 598])
def test_split_is_that_of_the_released_code(seed):
    """The list of tuples, shuffled by the global generator, as Nanda et al. 2023 do it."""
    pairs = [(i, j) for i in range(113) for j in range(113)]
    state = random.getstate()
    random.seed(seed)
    random.shuffle(pairs)
    random.setstate(state)
    size = int(0.3 * len(pairs))
    table = Task("add", 113).table()
    train, test = Split(0.3, seed=seed).indices(len(table.labels))
    assert size == 3830
    assert [tuple(pair) for pair in table.pairs[train].tolist()] == pairs[:size]
    assert [tuple(pair) for pair in table.pairs[test].tolist()] == pairs[size:]
    assert train.dtype == test.dtype == np.int64


def test_split_leaves_the_global_generators_alone():
    random.seed(3)
    before, numpy_before = random.getstate(), np.random.get_state()[1].tolist()
    Split(0.5, seed=0).indices(100)
    assert random.getstate() == before
    assert np.random.get_state()[1].tolist() == numpy_before


def test_split_does_not_depend_on_the_global_generators():
    first = Split(0.5, seed=0).indices(100)
    random.seed(4)
    again = Split(0.5, seed=0).indices(100)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


def test_seeds_give_different_splits():
    firsts = {tuple(Split(0.5, seed=seed).indices(100)[0].tolist()) for seed in range(20)}
    assert len(firsts) == 20


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    n=st.integers(1, 400),
    share=st.one_of(
        st.floats(0, 1, exclude_min=True, exclude_max=True), st.just(nextafter(1.0, 0.0))
    ),
    seed=st.integers(0, 2**70),
)
def test_split_is_disjoint_and_complete(n, share, seed):
    if int(share * n) == 0:
        with pytest.raises(ValueError, match=f"of {n} pairs leaves none for training: give a"):
            Split(share, seed=seed).indices(n)
        return
    train, test = Split(share, seed=seed).indices(n)
    assert len(train) == int(share * n)
    assert len(test) > 0
    assert sorted([*train.tolist(), *test.tolist()]) == list(range(n))


@pytest.mark.parametrize("share", [1.5, 1.0, 0.0, -0.2, float("nan"), float("inf"), "0.3", True, 1])
def test_impossible_shares_are_refused(unchecked, share):
    with pytest.raises(ValueError) as refusal:
        unchecked["Split"](share, seed=0)
    assert str(refusal.value) == (
        f"train_fraction = {share!r} is not a share of the data: "
        "give a number between 0 and 1, such as 0.3"
    )


@pytest.mark.parametrize("seed", [-1, 0.5, "0", True, None])
def test_impossible_seeds_are_refused(unchecked, seed):
    with pytest.raises(ValueError) as refusal:
        unchecked["Split"](0.3, seed=seed)
    assert str(refusal.value) == f"seed = {seed!r} is not a seed: give an integer of at least 0"


def test_seed_is_keyword_only():
    with pytest.raises(TypeError):
        Split(0.3, 0)


@pytest.mark.parametrize("method", ["coin", None, ["coin"]])
def test_unknown_shuffles_are_refused(unchecked, method):
    with pytest.raises(ValueError) as refusal:
        unchecked["Split"](0.3, seed=0, method=method)
    known = "python_shuffle, in_order"
    assert str(refusal.value) == f"method = {method!r} is not known: choose one of {known}"


@pytest.mark.parametrize("name", ["Z_6", "Z_2 × Z_3", "Z_3 x Z_3"])
def test_composition_is_the_table_of_the_group(name):
    group = named(name)
    made = Task("compose", group.order, group=name)
    assert made.group == group.name  # one spelling, so that one task has one name
    pairs, labels, classes = made.table()
    assert classes == group.order
    assert [group.table[x, y] for x, y in pairs] == labels.tolist()


def test_a_product_of_coprime_orders_is_the_cyclic_group_relabelled():
    left = Task("compose", 6, group="Z_2 × Z_3").table()
    residue = np.array([(3 * g + 4 * h) % 6 for g, h in (divmod(e, 3) for e in range(6))])
    assert [(r % 2, r % 3) for r in residue] == [divmod(element, 3) for element in range(6)]
    right = Task("add", 6).table().labels.reshape(6, 6)
    x, y = residue[left.pairs.T]
    assert (residue[left.labels] == right[x, y]).all()


@pytest.mark.parametrize(
    ("p", "group", "says"),
    [
        (7, "Z_6", "p = 7 is not the order of Z_6: give 6"),
        (6, "", "group = '' is not known: give Z_n, or a product Z_n × Z_m"),
        (6, "Z_6 × ", "group = 'Z_6 × ' is not known: give Z_n, or a product Z_n × Z_m"),
        (6, "Z_06", "group = 'Z_06' is not known: give Z_n, or a product Z_n × Z_m"),
    ],
)
def test_groups_that_cannot_be_are_refused(p, group, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        Task("compose", p, group=group)


def test_a_group_is_refused_where_no_group_is_composed():
    with pytest.raises(ValueError, match="group = 'Z_7' belongs to the operation compose, not add"):
        Task("add", 7, group="Z_7")
