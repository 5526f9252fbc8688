"""Onsets against a loop over evaluations."""

import math

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from grokbook.measures.onset import COMMON_RULES, Rule, onset, onsets

NAN = math.nan


def by_loop(steps, curve, rule):
    """The first evaluation with which `sustained` good ones in a row begin."""
    for start, step in enumerate(steps):
        window = curve[start : start + rule.sustained]
        if len(window) == rule.sustained and all(accuracy >= rule.level for accuracy in window):
            return step
    return NAN


def curves(*values):
    return torch.tensor(values, dtype=torch.float64)


def grid(n, every=10.0):
    return torch.arange(n, dtype=torch.float64) * every


ACCURACIES = st.sampled_from([0.0, 0.5, 0.9, 0.95, math.nextafter(0.99, 0), 0.99, 1.0, NAN])


@settings(max_examples=80)
@example([[]], 0.99, 1)
@example([[1.0, 1.0]], 0.99, 3)
@example([[1.0, NAN, 1.0, 1.0]], 0.9, 2)
@given(
    st.integers(0, 8).flatmap(
        lambda n: st.lists(st.lists(ACCURACIES, min_size=n, max_size=n), min_size=1, max_size=3)
    ),
    st.sampled_from([0.5, 0.9, 0.99, 1.0]),
    st.integers(1, 4),
)
def test_onset_is_that_of_a_loop(runs, level, sustained):
    rule = Rule(level, sustained)
    steps = grid(len(runs[0]), every=7.0)
    found = onset(steps, curves(*runs), rule)
    assert found.shape == (len(runs),)
    expected = [by_loop(steps.tolist(), curve, rule) for curve in runs]
    np.testing.assert_array_equal(found.numpy(), expected)


def test_one_curve_gives_one_number_and_any_axes_may_lead():
    curve = curves(0.1, 0.995, 1.0)
    assert onset(grid(3), curve, Rule(0.99)).item() == 10
    assert onset(grid(3), curve.expand(2, 4, 3), Rule(0.99)).shape == (2, 4)


def test_the_level_itself_counts():
    assert onset(grid(1), curves(0.99), Rule(0.99)).item() == 0
    assert onset(grid(1), curves(math.nextafter(0.99, 0)), Rule(0.99)).isnan()


def test_a_relapse_starts_the_count_again():
    curve = curves(0.2, 1.0, 1.0, 0.5, 1.0, 1.0, 1.0)
    assert [onset(grid(7), curve, Rule(0.99, w)).item() for w in (1, 2, 3)] == [10, 10, 40]
    assert onset(grid(7), curve, Rule(0.99, 4)).isnan()


def test_the_end_of_the_curve_sustains_nothing():
    assert onset(grid(3), curves(0.0, 1.0, 1.0), Rule(0.99, 3)).isnan()


def test_onsets_reads_memory_off_training_and_grokking_off_test():
    train = curves(0.1, 0.92, 0.97, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0)
    test = curves(0.0, 0.0, 0.0, 0.6, 0.91, 0.96, 0.99, 0.99, 0.99, 0.995)
    found = onsets(grid(10), train, test, Rule(0.5))
    assert {name: t.item() for name, t in found.items()} == {
        "t_mem": 10,
        "t_mem_90": 10,
        "t_mem_95": 20,
        "t_mem_99": 30,
        "t_grok": 30,
        "t_grok_90": 40,
        "t_grok_95": 50,
        "t_grok_99": 60,
    }


def test_common_rules_ask_for_three_in_a_row():
    found = {percent: (rule.level, rule.sustained) for percent, rule in COMMON_RULES.items()}
    assert found == {90: (0.9, 3), 95: (0.95, 3), 99: (0.99, 3)}


@pytest.mark.parametrize("level", [0.0, -0.5, 1.01, 99, NAN])
def test_a_level_that_is_no_accuracy_is_refused(level):
    with pytest.raises(ValueError, match=rf"level = {level!r} is no accuracy: give a share"):
        Rule(level)


def test_no_evaluation_in_a_row_is_refused():
    with pytest.raises(ValueError, match="sustained = 0 evaluations is too few: give 1 or more"):
        Rule(0.99, 0)
