"""What the tests of every intervention ask: by hand, run by run, and after a resumption."""

import copy

import numpy as np
import torch

from grokbook.training.ensemble import Ensemble
from grokbook.training.interventions import Moment
from grokbook.training.layout import Layout
from grokbook.training.trajectory import Trajectory
from tests.tiny import tiny

LAYOUT = Layout({"W": (2, 3), "b": (2,)})
SIZE = 8
EXACT = {"rtol": 1e-9, "atol": 1e-11}  # in float64


def double(*shape, seed=0):
    """Draw N(0, 1) in float64."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def with_intervention(*interventions, **changes):
    """Return the tiny run with these interventions."""
    return tiny(interventions=interventions).replace(**changes)


def at(theta, done, seeds=(0,)):
    """Return the moment before step `done` + 1."""
    return Moment(theta, LAYOUT, done, list(seeds))


def gradients_after(intervention, gradients, theta=None, seeds=(0,), state=None):
    """Return what the optimiser would be given, step by step, at weights that stay."""
    theta = double(SIZE, seed=9).to(gradients) if theta is None else theta
    state = intervention.start(theta, LAYOUT) if state is None else state
    return torch.stack(
        [
            intervention.gradient(g.clone(), at(theta, done, seeds), state)
            for done, g in enumerate(gradients)
        ]
    )


def joined(interventions, thetas):
    """Return runs of one kind as one: each number a tensor of shape (R, 1), states stacked."""
    together = copy.copy(interventions[0])
    for name, value in vars(together).items():
        if isinstance(value, float):
            values = [[getattr(each, name)] for each in interventions]
            object.__setattr__(together, name, torch.tensor(values, dtype=thetas.dtype))
    states = [each.start(theta, LAYOUT) for each, theta in zip(interventions, thetas, strict=True)]
    return together, {name: torch.stack([s[name] for s in states]) for name in states[0]}


def assert_gradients_run_by_run(interventions, steps=12):
    """Compare the gradient hook of an ensemble with each of its runs alone."""
    runs = len(interventions)
    thetas = double(runs, SIZE, seed=1)
    gradients = double(steps, runs, SIZE, seed=2)
    seeds = list(range(3, 3 + runs))
    together, state = joined(interventions, thetas)
    found = gradients_after(together, gradients, thetas, seeds, state)
    assert found.shape == gradients.shape
    for i, each in enumerate(interventions):
        alone = gradients_after(each, gradients[:, i], thetas[i], [seeds[i]])
        torch.testing.assert_close(found[:, i], alone, rtol=1e-14, atol=1e-15)
        assert not torch.allclose(alone, gradients[:, i])


def walk(trajectory, steps):
    """Take steps; return their losses."""
    losses = []
    for _ in range(steps):
        loss, gradient = trajectory.gradient()
        losses.append(loss)
        trajectory.step(gradient)
    return losses


def assert_resumes(run, first=7, rest=9):
    """Stop a run in the middle, go on in another process' place, and compare bit for bit."""
    whole = Trajectory(run, "cpu")
    walk(whole, first)
    state = {name: np.array(array) for name, array in whole.state().items()}
    losses = walk(whole, rest)
    resumed = Trajectory(run, "cpu")
    walk(resumed, 2)  # whatever it did before is forgotten
    resumed.restore(state)
    assert walk(resumed, rest) == losses
    assert torch.equal(resumed.theta, whole.theta)
    for before, after in zip(whole.states, resumed.states, strict=True):
        assert before.keys() == after.keys()
        assert all(torch.equal(before[name], after[name]) for name in before)
        assert all(before[name].dtype == after[name].dtype for name in before)


def assert_gradient_feeds_the_run_s_own_optimizer(intervention, change):
    """Follow 12 steps of AdamW with unusual numbers by `torch.optim`, the gradient changed by hand.

    `change(history, weights)` is the definition: the gradients so far, and the weights by name.
    """
    run = with_intervention(
        intervention,
        precision="float64",
        beta1=0.5,
        beta2=0.7,
        epsilon=1e-2,
        weight_decay=0.3,
        warmup=0,
    )
    trajectory = Trajectory(run, "cpu")
    weight = torch.nn.Parameter(trajectory.theta.clone())
    by_name = trajectory.layout.segments(weight)
    optimizer = torch.optim.AdamW([weight], lr=1e-2, betas=(0.5, 0.7), eps=1e-2, weight_decay=0.3)
    history = []
    for _ in range(12):
        _, gradient = trajectory.gradient()
        history.append(gradient.clone())
        weight.grad = change(history, {name: w.detach() for name, w in by_name.items()})
        trajectory.step(gradient)
        optimizer.step()
        torch.testing.assert_close(trajectory.theta, weight.detach(), rtol=1e-9, atol=1e-12)


def assert_trains_as_alone(runs, steps=5, **tolerance):
    """Compare an ensemble after a few steps with each run alone: weights, states, losses."""
    tolerance = tolerance or EXACT
    together = Ensemble([Trajectory(run, "cpu") for run in runs], "cpu")
    for _ in range(steps):
        together.differentiate()
        together.step()
    seen = {part: together.evaluate(part) for part in ("train", "test")}
    for i, run in enumerate(runs):
        alone = Trajectory(run, "cpu")
        walk(alone, steps)
        torch.testing.assert_close(together.theta[i], alone.theta, **tolerance)
        for whole, state in zip(together.states, alone.states, strict=True):
            for name, value in state.items():
                torch.testing.assert_close(whole[name][i], value, **tolerance)
        for part, found in seen.items():
            np.testing.assert_allclose(found[i][:2], alone.evaluate(part)[:2], rtol=1e-5)
