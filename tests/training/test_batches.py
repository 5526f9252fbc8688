"""Batches against single draws of the same generator, and taken up again anywhere."""

import numpy as np
import pytest
import torch

from grokbook.training.batches import AHEAD, Batches


def single(seed, size, n, count):
    """The sequence as it is meant: one draw a step, from one generator."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.randint(n, (size,), generator=generator).tolist() for _ in range(count)]


def go(batches, count):
    return [batches.next().tolist() for _ in range(count)]


def copied(batches):
    """The state as a checkpoint keeps it: what happens later must not reach it."""
    return {name: array.copy() for name, array in batches.state().items()}


@pytest.mark.parametrize(
    ("seed", "size", "n"), [(0, 3, 10), (7, 1, 2), (2**40, 5, 24), (1, 512, 3830), (1, 33, 2**20)]
)
def test_the_sequence_is_one_draw_a_step(seed, size, n):
    assert AHEAD == 64
    assert go(Batches(seed, size, n), 3 * AHEAD) == single(seed, size, n, 3 * AHEAD)


@pytest.mark.parametrize("ahead", [1, 5, 200])
def test_how_many_are_drawn_at_once_changes_nothing(ahead, monkeypatch):
    monkeypatch.setattr("grokbook.training.batches.AHEAD", ahead)
    assert go(Batches(3, 4, 9), 130) == single(3, 4, 9, 130)


def test_a_batch_is_drawn_with_replacement_from_all_examples():
    drawn = go(Batches(0, 6, 7), 50)
    assert {row for batch in drawn for row in batch} == set(range(7))
    assert any(len(set(batch)) < 6 for batch in drawn)


def test_another_seed_draws_others():
    assert go(Batches(0, 6, 100), 3) != go(Batches(1, 6, 100), 3)


def test_no_global_generator_has_a_say():
    before = torch.get_rng_state()
    drawn = go(Batches(4, 5, 24), 70)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(99)
    assert go(Batches(4, 5, 24), 70) == drawn


EXPECTED = single(5, 3, 11, 200)


@pytest.mark.parametrize("position", range(131))
def test_it_goes_on_from_any_place(position):
    first = Batches(5, 3, 11)
    assert go(first, position) == EXPECTED[:position]
    kept = copied(first)
    # To look does not move it.
    assert go(first, 67) == EXPECTED[position : position + 67]

    again = Batches(5, 3, 11)
    go(again, (7 * position + 3) % 80)  # whatever it did before is forgotten
    again.restore(kept)
    # A state taken before the next batch is the one that was put back, and leads to the same.
    once_more = Batches(5, 3, 11)
    once_more.restore(copied(again))
    for resumed in (again, once_more):
        assert go(resumed, 67) == EXPECTED[position : position + 67]


def test_a_state_is_plain_arrays():
    batches = Batches(5, 3, 11)
    go(batches, 70)
    state = batches.state()
    assert set(state) == {"generator", "batches_used"}
    assert all(type(array) is np.ndarray for array in state.values())
    assert state["batches_used"] == 70 - AHEAD
    generator = torch.Generator().manual_seed(5)
    torch.randint(11, (AHEAD, 3), generator=generator)
    np.testing.assert_array_equal(state["generator"], generator.get_state().numpy())


def test_a_state_does_not_move_on_with_its_batches():
    batches = Batches(5, 3, 11)
    go(batches, 10)
    kept = batches.state()  # no copy
    go(batches, 100)
    again = Batches(5, 3, 11)
    again.restore(kept)
    assert go(again, 5) == EXPECTED[10:15]


def test_without_a_size_there_is_nothing_to_draw():
    batches = Batches(0, None, 10)
    assert [batches.next() for _ in range(200)] == [None] * 200
    kept = copied(batches)
    assert kept["batches_used"] == 0
    again = Batches(0, None, 10)
    again.restore(kept)
    assert again.next() is None
    for name, array in again.state().items():
        np.testing.assert_array_equal(array, kept[name])


# -- by epochs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "size", "lengths"),
    [(11, 4, [4, 4, 3]), (12, 4, [4, 4, 4]), (3, 5, [3]), (4656, 512, [*[512] * 9, 48])],
)
def test_an_epoch_is_a_permutation_dealt_out(n, size, lengths):
    batches, generator = Batches(2, size, n, epochs=True), torch.Generator().manual_seed(2)
    orders = []
    for _ in range(3):
        epoch = go(batches, len(lengths))
        assert [len(batch) for batch in epoch] == lengths
        orders.append([row for batch in epoch for row in batch])
        assert sorted(orders[-1]) == list(range(n))
        assert orders[-1] == torch.randperm(n, generator=generator).tolist()
    assert orders[0] != orders[1] != orders[2]


def test_another_seed_deals_otherwise():
    first, other = (Batches(seed, 6, 100, epochs=True) for seed in (0, 1))
    assert go(first, 3) != go(other, 3)


@pytest.mark.parametrize("position", range(8))
def test_an_epoch_goes_on_from_any_place(position):
    expected = go(Batches(5, 3, 11, epochs=True), 20)  # four batches an epoch
    first = Batches(5, 3, 11, epochs=True)
    assert go(first, position) == expected[:position]
    again = Batches(5, 3, 11, epochs=True)
    go(again, 6)
    again.restore(copied(first))
    assert go(again, 12) == go(first, 12) == expected[position : position + 12]
