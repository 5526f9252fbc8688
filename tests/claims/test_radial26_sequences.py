"""Judges of the radial penalty on transformers, digits and text, on made-up runs."""

import numpy as np
import pytest

from grokbook.claims import radial26_sequences
from grokbook.protocols import radial26_digits, radial26_nanogpt
from tests.claims.radial_runs import arm, dataset

BASELINE = {"radial_penalty_strength": 0.0}


@pytest.mark.parametrize(
    ("slow", "verdict"),
    [
        ([6e4, 7e4, 8e4], "reproduced"),
        ([5e4, 5e4, 5e4], "reproduced in part"),  # faster, and below 1.54
        ([5e4, 4e4, 3e4], "not reproduced"),
        ([6e4], "reproduced in part"),  # one pair
        ([3e4], "not reproduced"),
    ],
)
def test_a_speed_up_has_to_reach_the_published_one(slow, verdict):
    runs = dataset(arm(t_grok=[4e4] * len(slow)), arm(t_grok=slow, **BASELINE))
    assert radial26_sequences.judge_transformer(runs).verdict == verdict
    other = radial26_sequences.judge_nanogpt(runs).verdict
    assert other == ("reproduced in part" if verdict == "reproduced" else verdict)


@pytest.mark.parametrize(
    ("judge", "later"),
    [(radial26_sequences.judge_transformer, 152_000), (radial26_sequences.judge_nanogpt, 22_500)],
)
def test_without_any_onset_the_budget_decides(judge, later):
    never, once = [np.nan] * 2, [np.nan, 9e3]
    for budget, said in ((later - 1, "a longer budget is needed"), (later, "later one published")):
        runs = dataset(
            arm(t_grok=never, budget=budget + 1e4),
            arm(t_grok=never, budget=[budget + 2e4, float(budget)], **BASELINE),
        )
        found = judge(runs)
        assert found.verdict == ("not yet run" if budget < later else "not reproduced")
        assert said in found.note and f"in {budget:,} steps" in found.note
    for arms in ((never, once), (once, never)):
        some = dataset(arm(t_grok=arms[0]), arm(t_grok=arms[1], **BASELINE))
        assert judge(some).verdict == "not reproduced"


def test_a_note_tells_steps_and_epochs_and_what_was_not_reached():
    runs = dataset(
        arm(t_grok=[19e3, 38e3, 57e3]),
        arm(t_grok=[np.nan, 190e3, np.nan], budget=190e3, **BASELINE),
    )
    found = radial26_sequences.judge_transformer(runs)
    note = found.note
    assert ": >190,000 steps (epoch >10,000) without and 38,000 steps (epoch 2,000) with" in note
    assert "2 of 3 onsets without the penalty stand at their budget." in note
    digits = radial26_sequences.judge_nanogpt(runs).note
    assert ": >190,000 steps without and 38,000 steps with" in digits


@pytest.mark.parametrize(
    ("fast", "slow", "bound"),
    [
        ([9e3] * 3, [np.nan, 9e4, np.nan], "≥"),
        ([9e3] * 3, [np.nan, 9e4, 8e4], ""),  # the median is reached
        ([9e3] * 2, [np.nan, 9e4], "≥"),  # half is not most: the median lies between them
        ([np.nan] * 3, [9e3] * 3, "≤"),
        ([np.nan, 9e3], [np.nan, 9e3], ""),
    ],
)
def test_a_ratio_is_a_bound_where_one_median_stands_at_its_budget(fast, slow, bound):
    runs = dataset(arm(t_grok=fast), arm(t_grok=slow, **BASELINE))
    assert radial26_sequences.judge_transformer(runs).bound == bound


def test_the_largest_network_decides_on_digits():
    small = arm(t_grok=[1e3] * 3), arm(t_grok=[9e4] * 3, **BASELINE)
    wide = {"layers": 6, "d_model": 384}
    large = arm(t_grok=[4e4] * 3, **wide), arm(t_grok=[3e4] * 3, **BASELINE, **wide)
    verdict = radial26_sequences.judge_nanogpt(dataset(*small, *large))
    assert verdict.verdict == "not reproduced" and "of 6 layers, 384 wide" in verdict.note
    assert "384" not in radial26_sequences.judge_nanogpt(dataset(*small)).note


@pytest.mark.parametrize("protocol", [radial26_digits, radial26_nanogpt])
@pytest.mark.parametrize(("seeds", "pairs"), [(1, "1 pair of"), (3, "3 pairs of")])
def test_a_note_on_digits_tells_how_large_the_network_is_and_how_many_pairs(protocol, seeds, pairs):
    run = protocol().runs[0]
    size = sum(w.numel() for w in run.model.initialise(run.task.p, seed=0).values()) / 1e6
    form = {"layers": run.model.layers, "d_model": run.model.d_model}
    runs = dataset(arm(t_grok=[9e3] * seeds, **form), arm(t_grok=[8e3] * seeds, **BASELINE, **form))
    note = radial26_sequences.judge_nanogpt(runs).note
    assert note.startswith(f"{size:.1f} million weights, where 10 are published; {pairs} runs.")
    lone = dataset(arm(**form))
    assert "million" not in radial26_sequences.judge_nanogpt(lone).note


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ([1.0, 1.005, 0.99], "reproduced"),
        ([0.97, 0.97, 0.96], "refuted"),
        ([1.05, 1.06, 1.05], "not reproduced"),
        ([0.97, 1.0, 1.0], "not reproduced"),
    ],
)
def test_no_gain_on_text_needs_equivalence(change, verdict):
    without = arm(test_loss=(4.0, 2.0), **BASELINE)
    runs = dataset(arm(test_loss=[(4.0, 2.0 * factor) for factor in change]), without)
    assert radial26_sequences.judge_text(runs).verdict == verdict


def test_text_is_read_where_the_loss_without_the_penalty_is_least():
    dips = arm(test_loss=lambda steps: 2 + (steps / 95_000 - 0.5) ** 2, **BASELINE)
    flat = arm(test_loss=lambda steps: np.where(abs(steps - 47_500) < 200, 2.0, 9.0))
    assert radial26_sequences.judge_text(dataset(flat, dips)).verdict == "reproduced"
