"""The radial penalty's experiments: what sets their arms apart, and what they share."""

import pytest

from grokbook.measures.onset import Rule
from grokbook.protocols import (
    radial26,
    radial26_batches,
    radial26_beta2,
    radial26_beta2_arms,
    radial26_controls,
    radial26_details,
    radial26_longer,
    radial26_moduli,
    radial26_more_radii,
    radial26_more_strengths,
    radial26_radius,
    radial26_strength,
    radial26_weight_decay,
)
from grokbook.training.interventions import Dropout, IsotropicForce, RadialPenalty
from grokbook.training.run import Run

SWEEPS = {
    radial26_details: 1,
    radial26_longer: 3,
    radial26_beta2: 3,
    radial26_beta2_arms: 3,
    radial26_weight_decay: 3,
    radial26_strength: 3,
    radial26_more_strengths: 3,
    radial26_radius: 3,
    radial26_more_radii: 3,
    radial26_controls: 3,
    radial26_moduli: 3,
}


def arms(make):
    """One run an arm: the first seed."""
    return make(seeds=1).runs


def test_the_comparison_is_three_cells_of_the_grid_that_was_looked_at():
    penalty, neither, decay = arms(radial26)
    assert {penalty, neither, decay} <= set(radial26_batches().runs)
    cells = [
        (run.interventions[0].strength, run.optimizer.weight_decay)
        for run in (penalty, neither, decay)
    ]
    assert cells == [(0.05, 1e-3), (0.0, 1e-3), (0.0, 0.1)]
    request = radial26().request
    assert request.steps == 95_000 and request.evaluate_every == 190
    assert request.follow_radial and request.closing and request.frames == 48
    assert request.rule == Rule(0.9, 3) and request.stop_after_grok == 3_800
    stronger = radial26(seeds=1, strength=0.2, strong_decay=1.0, p=23).runs
    assert [run.interventions[0].strength for run in stronger] == [0.2, 0.0, 0.0]
    assert [run.optimizer.weight_decay for run in stronger] == [1e-3, 1e-3, 1.0]
    assert {run.task.p for run in stronger} == {23}


def test_the_penalised_runs_are_followed_for_twice_as_long():
    longer, comparison = radial26_longer(), radial26()
    assert longer.runs == comparison.runs[:3]
    assert longer.request.steps == 2 * comparison.request.steps and longer.request.closing


@pytest.mark.parametrize("make", SWEEPS)
def test_every_arm_has_its_seeds_and_the_published_network(make):
    found = make()
    assert len(found.runs) == SWEEPS[make] * len(arms(make))
    assert {run.init_seed for run in found.runs} == set(range(42, 42 + SWEEPS[make]))
    for run in found.runs:
        assert (run.model.width, run.model.hidden_layers) == (512, 2)
        assert (run.batch.size, run.batch.epochs) == (256, True)
        assert run.model.embedding == radial26().runs[0].model.embedding
        assert Run.from_json(run.to_json()) == run
    assert found.request.protocol == "radial26"


def test_what_sets_the_arms_apart():
    assert [run.optimizer.weight_decay for run in arms(radial26_weight_decay)] == [0.01, 0.3, 1.0]
    assert all(run.interventions == (RadialPenalty(0.0),) for run in arms(radial26_weight_decay))
    strengths = [
        run.interventions[0].strength
        for make in (radial26_strength, radial26_more_strengths)
        for run in arms(make)
    ]
    assert strengths == [0.005, 0.5] + 2 * [0.001, 0.01, 0.1, 1.0]
    more = [run.optimizer.beta2 for run in arms(radial26_more_strengths)]
    assert more == 4 * [0.999] + 4 * [0.98]
    spheres = [
        run.interventions[0]
        for make in (radial26_radius, radial26_more_radii)
        for run in arms(make)
    ]
    at_start = RadialPenalty(unit="start")
    assert spheres == [RadialPenalty(radius=r) if r else at_start for r in (0.7, 1.4, 0, 0.5, 2.0)]
    controls = arms(radial26_controls)
    assert [(run.interventions[0], run.model.norm) for run in controls] == [
        (RadialPenalty(radius=0.0), "none"),
        (Dropout(0.1), "none"),
        (RadialPenalty(0.0), "layer"),
        (RadialPenalty(0.0), "rms"),
        (RadialPenalty(0.0), "tangent"),
        (IsotropicForce(0.05), "none"),
    ]
    for make in (radial26_strength, radial26_radius, radial26_controls):
        assert {run.optimizer.weight_decay for run in arms(make)} == {1e-3}


def test_moduli_and_shares_are_those_of_table_6():
    cells = {(run.task.p, run.split.train_fraction) for run in arms(radial26_moduli)}
    assert cells == {(p, f) for p in (97, 137, 211) for f in (0.3, 0.4, 0.5, 0.6)}
    assert len(arms(radial26_moduli)) == 24
    assert {run.optimizer.beta2 for run in arms(radial26_moduli)} == {0.98}
    assert len({*arms(radial26_moduli)} & {*arms(radial26_beta2)}) == 2


def test_details_change_one_thing_at_a_time():
    own = {(run.interventions, run.optimizer.weight_decay): run for run in arms(radial26)}
    changes = []
    for run in radial26_details().runs:
        base = own[run.interventions, run.optimizer.weight_decay]
        changes.append((run.optimizer.beta2, run.loss.precision))
        assert run.replace(beta2=base.optimizer.beta2, loss_precision="float64") == base
    assert sorted(set(changes)) == [(0.98, "float64"), (0.999, "float32")]
    assert len(changes) == 6 and radial26_details().request.steps == 76_000


def test_the_comparison_and_its_arms_are_repeated_with_another_beta2():
    ours = {run.replace(beta2=0.999) for run in arms(radial26_beta2)}
    assert ours == set(arms(radial26)) and radial26_beta2().request.closing
    others = {run.replace(beta2=0.999) for run in arms(radial26_beta2_arms)}
    start = [run for run in arms(radial26_radius) if run.interventions[0].unit == "start"]
    centre = [run for run in arms(radial26_controls)
              if getattr(run.interventions[0], "radius", 1) == 0]  # fmt: skip
    assert len(start) == len(centre) == 1
    assert others == {*arms(radial26_weight_decay), *arms(radial26_strength), *start, *centre}
    for make in (radial26_beta2, radial26_beta2_arms):
        assert {run.optimizer.beta2 for run in arms(make)} == {0.98}
        assert make().request.steps == 95_000


@pytest.mark.parametrize("make", [radial26, *SWEEPS])
def test_no_seeds_are_refused(make):
    with pytest.raises(ValueError, match="seeds = 0 is no number of runs"):
        make(seeds=0)
