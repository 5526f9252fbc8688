"""Slingshots against the rule read aloud, evaluation by evaluation."""

import math

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grokbook.measures.slingshots import FACTOR, RECENT, slingshots

NAN, INF = math.nan, math.inf


def by_rule(steps, losses, t_mem):
    """Steps of the bursts, found with nothing but lists."""
    losses = [loss if math.isfinite(loss) else INF for loss in losses]
    found, i = [], 0
    while i < len(losses):
        after = not math.isnan(t_mem) and steps[i] > t_mem
        if not after or i < 10:
            i += 1
            continue
        # Of ten numbers torch's median is the lower one of the two in the middle.
        level = 10 * sorted(losses[i - 10 : i])[4]
        if losses[i] < level or losses[i] == 0:
            i += 1
            continue
        found.append(steps[i])
        while i < len(losses) and not (losses[i] < level or losses[i] == 0):
            i += 1
        i += 1  # the evaluation that ended it begins none
    return found


def found(losses, t_mem=0.0, every=1.0):
    steps = torch.arange(len(losses), dtype=torch.float64) * every
    loss = torch.tensor(losses, dtype=torch.float64)
    return slingshots(steps, loss, torch.tensor(t_mem, dtype=torch.float64)).tolist()


def test_the_rule_is_ten_times_the_median_of_ten():
    assert (FACTOR, RECENT) == (10.0, 10)


LOSSES = st.sampled_from([0.0, 1e-8, 1e-4, 1e-3, 0.00999, 0.01, 0.1, 1.0, 10.0, NAN, INF])


@settings(max_examples=400)
@example([1e-3] * 10 + [1.0] * 5 + [1e-3] * 10 + [1.0], 0.0)
@example([0.0] * 20, 0.0)
@example([0.0] * 12 + [1e-3, 0.0, 0.0, 1.0], 0.0)
@example([1e-3] * 12 + [NAN] * 20 + [1e-3] * 3 + [INF], 5.0)
@example([1e-3] * 15 + [1.0], NAN)
@given(st.lists(LOSSES, max_size=40), st.sampled_from([-1.0, 0.0, 5.0, 14.0, 100.0, NAN]))
def test_bursts_are_those_of_the_rule(losses, t_mem):
    steps = [float(i) for i in range(len(losses))]
    assert found(losses, t_mem) == by_rule(steps, losses, t_mem)


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.integers(1, 12), st.booleans()), max_size=8),
    st.floats(-9, 0),
    st.sampled_from([0.0, 7.0]),
)
def test_stretches_of_quiet_and_of_bursts_are_told_apart_by_the_rule(stretches, quiet, t_mem):
    losses = [10.0 ** (quiet + 3 * burst) for length, burst in stretches for _ in range(length)]
    steps = [float(i) for i in range(len(losses))]
    assert found(losses, t_mem) == by_rule(steps, losses, t_mem)


def test_steps_and_not_indices_are_given_in_the_precision_of_the_steps():
    steps = torch.arange(20, dtype=torch.float32) * 50
    loss = torch.full((20,), 1e-3).index_fill(0, torch.tensor([12]), 1.0)
    bursts = slingshots(steps, loss, torch.tensor(50.0))
    assert bursts.tolist() == [600.0]
    assert bursts.dtype == torch.float32


def test_a_burst_of_several_evaluations_counts_once():
    assert found([1e-3] * 12 + [1.0, 0.5, 2.0, 0.01, 1.0] + [1e-3] * 12) == [12]
    # Even one so long that the median has risen to it, and even if it never ends.
    assert found([1e-3] * 12 + [1.0] * 30) == [12]
    assert found([1e-3] * 12 + [1.0] * 15 + [30.0] * 5) == [12]


def test_two_bursts_count_twice():
    assert found([1e-3] * 12 + [1.0] * 3 + [1e-3] * 12 + [0.5] * 2 + [1e-3]) == [12, 27]
    # The second may begin as soon as the first has ended, by the median that is then.
    assert found([1e-3] * 12 + [1.0, 1e-3, 1.0]) == [12, 14]


def test_the_level_itself_is_a_burst_and_just_below_it_is_none():
    for height, bursts in ((10.0, [12]), (math.nextafter(10.0, 0), [])):
        assert found([1.0] * 12 + [height] + [1.0] * 5) == bursts


def test_a_burst_ends_below_its_level_and_not_before():
    # 0.011 is still a burst over 0.001, 0.0099 is none.
    assert found([1e-3] * 12 + [1.0, 0.011, 1.0] + [1e-3] * 5) == [12]
    assert found([1e-3] * 12 + [1.0, 0.0099, 1.0] + [1e-3] * 5) == [12, 14]


def test_ten_evaluations_must_lie_before():
    assert found([1e-3] * 9 + [1.0]) == []
    assert found([1e-3] * 10 + [1.0]) == [10]
    assert found([]) == []
    assert found([1.0]) == []


def test_nothing_bursts_before_or_at_memorisation():
    losses = [1e-3] * 12 + [1.0] + [1e-3] * 5
    assert found(losses, t_mem=11.0) == [12]
    assert found(losses, t_mem=12.0) == []
    assert found(losses, t_mem=13.0) == []
    # In steps, not in evaluations.
    assert found(losses, t_mem=119.0, every=10.0) == [120]
    assert found(losses, t_mem=120.0, every=10.0) == []


def test_a_run_that_has_not_memorised_has_none():
    assert found([1e-3] * 12 + [1.0] + [1e-3] * 5, t_mem=NAN) == []


def test_the_fall_to_memorisation_is_no_burst():
    assert found([math.exp(-i / 3) for i in range(60)], t_mem=20.0) == []


@pytest.mark.parametrize("bad", [NAN, INF, -INF])
def test_a_loss_that_is_not_finite_is_a_burst(bad):
    assert found([1e-3] * 12 + [bad] * 3 + [1e-3] * 12 + [bad]) == [12, 27]


@pytest.mark.parametrize("floor", [0.0, 1e-300])
def test_a_loss_at_its_floor_does_not_burst(floor):
    # A float32 loss reaches exactly 0, and ten times 0 is 0.
    assert found([1.0] * 5 + [floor] * 30) == []
    # What rises from the floor has burst, and has come back once it lies there again.
    assert found([floor] * 12 + [1e-3] * 2 + [floor] * 12 + [1e-3]) == [12, 26]
