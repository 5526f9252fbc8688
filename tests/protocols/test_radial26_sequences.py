"""The radial penalty's transformers: sizes, pairs, what is read and where the penalty acts."""

import math

import pytest
import torch

from grokbook.measures.onset import Rule
from grokbook.protocols.radial26_sequences import (
    radial26_digits,
    radial26_nanogpt,
    radial26_text,
    radial26_transformer,
    radial26_transformer_decay,
)
from grokbook.training.interventions import RadialPenalty
from grokbook.training.run import Run
from grokbook.training.trajectory import Trajectory, parts
from tests.training.interventions.steps import walk

EVERY = [radial26_transformer, radial26_digits, radial26_nanogpt, radial26_text]


def size(run):
    return sum(math.prod(shape) for shape in run.model.shapes(run.task.p).values())


@pytest.mark.parametrize("make", EVERY)
def test_each_seed_has_a_run_with_the_penalty_and_one_without(make):
    found = make(seeds=2)
    cells = [(run.init_seed, run.interventions[0].strength) for run in found.runs]
    strength = max(strength for _, strength in cells)
    assert sorted(cells) == [(42, 0.0), (42, strength), (43, 0.0), (43, strength)]
    assert strength == (0.05 if make is radial26_transformer else 0.01)
    with_penalty, without = found.runs[0], found.runs[2]
    assert with_penalty.replace(radial_penalty_strength=0.0) == without
    assert found.request.rule == Rule(0.9, 3) and found.request.protocol == "radial26"
    assert all(Run.from_json(run.to_json()) == run for run in found.runs)
    assert make(seeds=1, steps=7, weight_decay=0.5).request.steps == 7
    assert {run.optimizer.weight_decay for run in make(weight_decay=0.5).runs} == {0.5}


def test_strong_decay_is_the_transformer_s_arm_without_the_penalty_at_another_decay():
    decayed, pairs = radial26_transformer_decay(), radial26_transformer()
    without = [run for run in pairs.runs if run.interventions[0].strength == 0]
    assert decayed.runs == tuple(run.replace(weight_decay=0.1) for run in without)
    assert decayed.request == pairs.request and decayed.request.steps == 10_000 * 19


@pytest.mark.parametrize("make", EVERY)
def test_no_seeds_are_refused(make):
    with pytest.raises(ValueError, match="seeds = 0 is no number of runs"):
        make(seeds=0)


def test_the_sizes_are_those_that_are_said():
    sizes = [size(make().runs[0]) for make in EVERY]
    assert sizes[1] == pytest.approx(0.8e6, rel=0.02)
    assert sizes[2] == pytest.approx(10.6e6, rel=0.01)
    assert sizes[3] == pytest.approx(0.5e6, rel=0.1)
    transformer = radial26_transformer().runs[0].model
    assert (transformer.layers, transformer.heads, transformer.d_model) == (2, 4, 128)
    assert transformer.norm_position == "pre" and not transformer.norm_affine
    assert not any(name.startswith("norm") for name in transformer.shapes(97))


def test_ten_thousand_sums_are_for_training_and_the_text_ends_in_the_test_set():
    (train, labels), (test, _) = parts(radial26_digits().runs[0])
    assert (len(train), len(test)) == (10_000, 2_500)
    assert train.shape[1] == 11 and labels.shape[1] == 4
    windows, later = parts(radial26_text().runs[0])
    assert windows[0].shape[1] == 64 and len(later[0]) == pytest.approx(0.1 * 1_955, abs=1)
    assert later[0][0].tolist()[0] == windows[1][-1].tolist()[-1]


@pytest.mark.parametrize("make", [radial26_transformer, radial26_digits, radial26_text])
def test_a_step_can_be_taken_and_the_penalty_acts(make):
    changes = {"d_model": 16, "heads": 2, "layers": 1, "batch_size": 8}
    with_penalty, without = (Trajectory(make(seeds=1, **changes).runs[i], "cpu") for i in (0, 1))
    for trajectory in (with_penalty, without):
        walk(trajectory, 3)  # the first step of a warm-up is 0
    assert not torch.equal(with_penalty.theta, without.theta)
    everywhere = make is not radial26_transformer
    penalty = with_penalty.run.interventions[0]
    assert isinstance(penalty, RadialPenalty) and penalty.at == ("all" if everywhere else "answer")
