"""Readings of the radial penalty's protocol, made up and archived: which one is the closest."""

import math

import pytest

from grokbook import archived
from grokbook.archive.lookup import concatenate
from grokbook.claims.radial26_identification import mixed_readings, readings
from grokbook.protocols import radial26, radial26_batches, radial26_full_batch
from tests.claims.radial_runs import arm, dataset

NEVER = math.nan


def cells(penalty, strong, weak, **coordinates):
    """The three cells of a reading, one seed each, onsets in steps."""
    values = [
        (0.05, 1e-3, penalty), (0.05, 0.1, 100.0), (0.0, 0.1, strong), (0.0, 1e-3, weak),
    ]  # fmt: skip
    return [
        arm(radial_penalty_strength=s, weight_decay=d, t_grok=[t], **coordinates)
        for s, d, t in values
    ]


def test_the_closest_reading_comes_first_and_its_distance_is_by_hand():
    batches = cells(40_000.0, 20_000.0, NEVER, budget=76_000.0)
    full = cells(2_000.0, NEVER, NEVER, budget=4_000.0, batch_size="full")
    best, *others = readings(dataset(*batches, *full))
    assert (best.batch, best.unit) == ("full", "epochs")
    # Strong decay is published at 15,540 epochs, beyond the budget: both sides stand there.
    assert best.distance == pytest.approx(math.log10(2_460 / 2_000)) and best.fits
    found = {reading.unit: reading for reading in others}
    assert set(found) == {"epochs", "steps"}
    in_steps = math.log10(40_000 / 2_460) + math.log10(20_000 / 15_540)
    assert found["steps"].distance == pytest.approx(in_steps) and not found["steps"].fits
    in_epochs = abs(math.log10(40_000 / 19 / 2_460)) + abs(math.log10(20_000 / 19 / 4_000))
    assert found["epochs"].distance == pytest.approx(in_epochs)


def test_epochs_for_the_penalty_and_steps_for_the_rest_are_looked_at_and_not_chosen():
    batches = cells(19 * 2_460.0, 15_540.0, NEVER, budget=76_000.0)
    full = cells(2_460.0, NEVER, NEVER, budget=4_000.0, batch_size="full")
    runs = dataset(*batches, *full)
    (mixed,) = mixed_readings(runs)  # on the full batch the units are one
    assert mixed.distance == 0 and mixed.batch == "256"
    assert mixed.budgets == {(0.05, 1e-3): 4_000, (0.0, 0.1): 76_000, (0.0, 1e-3): 76_000}
    assert {each.unit for each in readings(runs)} == {"epochs", "steps"}


def test_a_reading_with_a_missing_cell_has_no_distance_and_comes_last():
    whole = cells(76_000.0, 76_000.0, NEVER, budget=76_000.0)
    part = cells(2_460.0, NEVER, NEVER, budget=4_000.0, batch_size="full")[:2]
    *_, last = readings(dataset(*whole, *part))
    assert last.batch == "full" and math.isnan(last.distance) and not last.fits


def test_a_detail_of_the_protocol_makes_a_reading_of_its_own():
    usual = cells(40_000.0, 20_000.0, NEVER, budget=76_000.0)
    faster = cells(19 * 2_460.0, 19 * 3_900.0, NEVER, budget=95_000.0, beta2=0.98)
    single = cells(19 * 2_000.0, NEVER, NEVER, budget=76_000.0, loss_precision="float32")
    found = [each for each in readings(dataset(*usual, *faster, *single)) if each.unit == "epochs"]
    assert [(each.beta2, each.precision) for each in found] == [
        (0.98, "float64"), (0.999, "float32"), (0.999, "float64"),
    ]  # fmt: skip
    assert found[0].distance == pytest.approx(math.log10(4_000 / 3_900)) and found[0].fits
    assert found[0].budgets == found[2].budgets  # that of the grids, however long a run is


def test_a_baseline_that_groks_counts_against_its_reading():
    late, never = (
        readings(dataset(*cells(2_460.0, NEVER, weak, budget=4_000.0, batch_size="full")))[0]
        for weak in (400.0, NEVER)
    )
    assert late.distance - never.distance == pytest.approx(1)


def test_a_reading_that_reaches_no_published_onset_comes_after_those_that_do():
    nothing = cells(NEVER, NEVER, NEVER, budget=4_000.0, batch_size="full")
    poor = cells(NEVER, 19 * 400.0, NEVER, budget=76_000.0)
    *others, last = readings(dataset(*nothing, *poor))
    assert last.batch == "full" and not last.reaches and not last.fits
    assert all(each.reaches and each.distance > last.distance for each in others)
    (alone,) = readings(dataset(*nothing))
    assert alone.distance == pytest.approx(math.log10(4_000 / 2_460))


def test_the_comparison_is_run_in_the_reading_that_the_archived_grids_choose():
    grids = [archived(grid()).runs for grid in (radial26_batches, radial26_full_batch)]
    best = readings(concatenate([grid for grid in grids if grid is not None]))[0]
    for run in radial26().runs:
        assert (run.model.embedding, str(run.batch.size)) == (best.embedding, best.batch)
    assert best.unit == "epochs"
