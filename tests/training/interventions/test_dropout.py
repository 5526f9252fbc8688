"""Dropout against a loop over units, alone, resumed and together; evaluations use all units."""

import dataclasses

import pytest
import torch
import torch.nn.functional as F

from grokbook.models import MLP, BitMLP, Quadratic, Transformer
from grokbook.tasks import SparseParity, Split, Task
from grokbook.training.interventions import Dropout, RadialPenalty
from grokbook.training.optimizers import AdamW
from grokbook.training.run import Batch, Run
from grokbook.training.trajectory import Trajectory
from tests.training.interventions.steps import assert_resumes, assert_trains_as_alone, walk

RUN = Run(
    Task("add", 7),
    Split(0.5, seed=1),
    MLP(16, hidden_layers=2),
    AdamW(1e-2, 0.1),
    batch=Batch(10, epochs=True),  # of 24: the last batch of an epoch has 4
    precision="float64",
    interventions=(Dropout(0.4),),
    init_seed=2,
)


def by_hand(trajectory):
    """The loss of the next batch, each unit dropped or grown in a loop."""
    theta, state = trajectory.parameters, trajectory.states[0]
    pairs, labels = Trajectory.batch(trajectory)
    trajectory.batches.used -= 1
    losses = []
    for row, (pair, label) in enumerate(zip(pairs.tolist(), labels, strict=True)):
        h = theta["W_1"][pair[0]] + theta["W_1"][7 + pair[1]] + theta["b_1"]
        for layer in (1, 2):
            u = state[f"hidden_{layer}"][row].tolist()
            active = torch.relu(h)
            h = torch.stack(
                [x / 0.6 if u_i >= 0.4 else 0.0 * x for x, u_i in zip(active, u, strict=True)]
            )
            name = "2" if layer == 1 else "U"
            h = h @ theta[f"W_{name}"] + theta[f"b_{name}"]
        losses.append(F.cross_entropy(h[None], label[None]))
    return torch.stack(losses).mean()


def test_a_step_drops_units_one_by_one():
    trajectory = Trajectory(RUN, "cpu")
    for _ in range(6):  # two epochs
        expected = by_hand(trajectory)
        gradient = torch.autograd.grad(expected, list(trajectory.parameters.values()))
        loss, found = trajectory.gradient()
        assert loss == pytest.approx(expected.item(), rel=1e-12)
        torch.testing.assert_close(found, torch.cat([g.flatten() for g in gradient]))
        trajectory.step(found)


def test_each_step_and_each_layer_drops_others_and_the_share_is_the_rate():
    run = RUN.replace(width=64, dropout_rate=0.25)
    trajectory, seen = Trajectory(run, "cpu"), []
    for _ in range(30):
        seen += [u.clone() for u in trajectory.states[0].values()]
        walk(trajectory, 1)
    dropped = torch.stack(seen) < 0.25
    assert dropped.double().mean().item() == pytest.approx(0.25, abs=0.01)
    assert len({each.numpy().tobytes() for each in dropped}) == 60


def test_evaluations_use_all_units():
    trajectory = Trajectory(RUN, "cpu")
    plain = Trajectory(RUN.replace(interventions=()), "cpu")
    for part in ("train", "test"):
        assert trajectory.evaluate(part) == plain.evaluate(part)


def test_a_rate_of_0_drops_none():
    trajectory = Trajectory(RUN.replace(dropout_rate=0), "cpu")
    plain = Trajectory(RUN.replace(interventions=()), "cpu")
    assert walk(trajectory, 5) == walk(plain, 5)


def test_a_resumed_run_is_the_uninterrupted_one():
    assert_resumes(RUN)


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_runs_of_several_rates_and_seeds_form_an_ensemble(precision):
    runs = [
        RUN.replace(dropout_rate=rate, seed=seed, precision=precision)
        for rate, seed in ((0.0, 0), (0.2, 1), (0.4, 2))
    ]
    tolerance = {} if precision == "float64" else {"rtol": 1e-4, "atol": 1e-5}
    assert_trains_as_alone(runs, **tolerance)


def test_it_stands_beside_a_penalty():
    run = RUN.replace(interventions=(Dropout(0.4), RadialPenalty(0.3)))
    assert_resumes(run)


@pytest.mark.parametrize(
    ("task", "model"),
    [(SparseParity(6, examples=40), BitMLP(8)), (Task("add", 7), Quadratic(8))],
)
def test_other_networks_with_hidden_layers_drop_units_too(task, model):
    run = dataclasses.replace(RUN, task=task, model=model)
    trajectory = Trajectory(run, "cpu")
    pairs, _ = trajectory.train
    seen, all_units = {}, {}
    factors = run.interventions[0].factors(trajectory.states[0])
    model.forward(trajectory.parameters, pairs[:10], watch=seen, factors=factors)
    model.forward(trajectory.parameters, pairs[:10], watch=all_units)
    torch.testing.assert_close(seen["hidden_1"], all_units["hidden_1"] * factors["hidden_1"])
    assert (factors["hidden_1"] == 0).any()


@pytest.mark.parametrize("rate", [-0.1, 1, 1.5])
def test_a_rate_that_is_no_share_is_refused(rate):
    with pytest.raises(ValueError, match=f"rate = {float(rate)!r} is no share of units"):
        Dropout(rate)


def test_a_model_without_hidden_layers_is_refused():
    run = dataclasses.replace(RUN, model=Transformer(d_model=16, heads=2, d_mlp=24))
    with pytest.raises(ValueError, match="shows no hidden layer to drop units of: use an MLP"):
        Trajectory(run, "cpu")
