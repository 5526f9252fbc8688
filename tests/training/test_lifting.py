"""Which runs fit together, and numbers in the place of floats."""

import dataclasses

import pytest
import torch

from grokbook.training.interventions import Moment
from grokbook.training.interventions.gradient_noise import GradientNoise
from grokbook.training.layout import Layout
from grokbook.training.lifting import InDtype, numbers, place, place_flat, structure
from grokbook.training.optimizers import Adam
from tests.training.ensembles import DRAWN, FULL, OPTIMIZERS, Everything, several

ONE_STRUCTURE = [
    (FULL, {"seed": 9}),
    (FULL, {"split_seed": 9}),
    (FULL, {"init_seed": 9}),
    (DRAWN, {"batch_seed": 9}),
    (FULL, {"learning_rate": 9.0, "weight_decay": 9, "beta1": 0.1, "beta2": 0.2, "epsilon": 1.0}),
    (DRAWN, {"momentum": 0.1}),
    (FULL, {"gradient_noise_std": 9.0, "gradient_noise_decay": 9}),
    (DRAWN, {"everything_temperature": 9.0}),
]
OTHER_STRUCTURE = [
    (FULL, {"p": 11}),
    (FULL, {"operation": "subtract"}),
    (FULL, {"train_fraction": 0.4}),
    (FULL, {"d_mlp": 25}),
    (FULL, {"activation": "gelu"}),
    (FULL, {"warmup": 11}),
    (FULL, {"precision": "float32"}),
    (FULL, {"loss_precision": "float32"}),
    (FULL, {"interventions": ()}),
    (FULL, {"interventions": (GradientNoise(), Everything())}),
    (FULL, {"optimizer": None}),
    (DRAWN, {"batch_size": 6}),
    (DRAWN, {"batch_epochs": True}),
    (DRAWN, {"everything_every": 4}),
]


def changed(run, changes):
    if "optimizer" in changes:
        values = dataclasses.asdict(run.optimizer)
        return dataclasses.replace(run, optimizer=Adam(**values))
    return run.replace(**changes)


@pytest.mark.parametrize("run, changes", ONE_STRUCTURE, ids=str)
def test_seeds_and_real_numbers_are_no_structure(run, changes):
    assert run.replace(**changes).name != run.name
    assert structure(run.replace(**changes)) == structure(run)


@pytest.mark.parametrize("run, changes", OTHER_STRUCTURE, ids=str)
def test_all_else_is(run, changes):
    assert structure(changed(run, changes)) != structure(run)


def test_numbers_are_those_of_each_run_in_float64():
    runs = several(DRAWN)
    optimizer, everything = numbers(runs, "cpu")
    assert set(optimizer) == {"learning_rate", "weight_decay", "momentum"}
    assert set(everything) == {"temperature", "strength", "memory", "gain", "shrink"}
    assert optimizer["weight_decay"].tolist() == [run.optimizer.weight_decay for run in runs]
    assert everything["gain"].tolist() == [run.interventions[0].gain for run in runs]
    assert optimizer["momentum"].dtype == torch.float64


def test_placing_leaves_the_run_itself_alone():
    runs = several(FULL)
    name, optimizer = runs[0].name, runs[0].optimizer
    placed = place(runs[0], [{"learning_rate": torch.tensor(3.0)}, {"std": torch.tensor(4.0)}])
    assert (placed.optimizer.learning_rate.item(), placed.interventions[0].std.item()) == (3, 4)
    assert placed.optimizer.warmup == optimizer.warmup
    assert placed.optimizer.beta1 is optimizer.beta1
    assert (runs[0].name, runs[0].optimizer) == (name, optimizer)
    assert type(placed.interventions[0]) is GradientNoise


@pytest.mark.parametrize("done", [1, 1000])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda one: one.kind)
def test_numbers_are_rounded_only_where_they_meet_the_weights(optimizer, done):
    # 1 - 0.999² taken in float32 is off by 3e-5 of itself: far more than what is asked here.
    runs = several(dataclasses.replace(FULL, optimizer=optimizer, interventions=()), 3)
    theta, gradient = torch.rand(2, 3, 50).add_(0.5)
    state = {name: torch.full_like(theta, 1e-3) for name in optimizer.start(theta)}
    expected, state64 = theta.double(), {name: m.double() for name, m in state.items()}
    for row, run in enumerate(runs):
        one = {name: moment[row] for name, moment in state64.items()}
        run.optimizer.step(expected[row], gradient[row].double(), one, done)
    before = theta.double()
    placed = place_flat(runs[0], numbers(runs, "cpu"))
    placed.optimizer.step(theta, gradient, state, done)
    assert theta.dtype == torch.float32
    torch.testing.assert_close(theta.double(), expected, rtol=1e-7, atol=1e-7)
    # What was added, to the precision with which it was added to the weights.
    assert (expected - before).abs().min() > 1e-3
    for name, moment in state.items():
        torch.testing.assert_close(moment.double(), state64[name], rtol=3e-7, atol=0)


def test_hooks_leave_vectors_in_their_dtype():
    runs = several(dataclasses.replace(DRAWN, interventions=(Everything(), GradientNoise())), 3)
    placed = place_flat(runs[0], numbers(runs, "cpu"))
    theta = torch.rand(3, 5)
    moment = Moment(theta, Layout({"W": (5,)}), 0, [0, 1, 2])
    for row, each in enumerate(placed.interventions):
        state = {"slow": torch.zeros_like(theta), "level": torch.zeros(3)}
        assert isinstance(each, InDtype)
        for hook in ("gradient", "update"):
            found = getattr(each, hook)(theta.clone(), moment, dict(state))
            assert found.dtype == torch.float32
            for i, run in enumerate(runs):
                alone = {name: value[i].clone() for name, value in state.items()}
                at = Moment(theta[i], moment.layout, 0, [i])
                expected = getattr(run.interventions[row], hook)(theta[i].clone(), at, alone)
                torch.testing.assert_close(found[i], expected)
    noise = placed.interventions[1]
    assert noise.changes("gradient")
    assert not any(noise.changes(hook) for hook in ("update", "weights", "criterion", "penalty"))
    assert all(placed.interventions[0].changes(hook) for hook in ("update", "weights", "penalty"))
