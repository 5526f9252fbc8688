"""One step of a trajectory against `torch.autograd` and `torch.optim` on the textbook form."""

import numpy as np
import pytest
import torch

from grokbook.models import MLP, Transformer
from grokbook.tasks import Split, Task
from grokbook.training import trajectory as module
from grokbook.training.optimizers import SGD, AdamW
from grokbook.training.run import Batch, Loss, Run
from grokbook.training.trajectory import Trajectory

TINY = Transformer(d_model=16, heads=2, d_mlp=24, equals_is_class=True)
FULL = Run(Task("add", 7), Split(0.5, seed=1), TINY, AdamW(1e-2, 1.0), init_seed=2)
DRAWN = Run(
    Task("subtract", 7),
    Split(0.5, seed=1),
    MLP(16),
    SGD(0.1, 0.01, momentum=0.9),
    batch=Batch(5, seed=3),
    init_seed=2,
)


def examples(run):
    """Training and test examples, row by row from the table."""
    pairs, labels, _ = run.task.table()
    return [
        (torch.tensor(pairs[chosen].tolist()), torch.tensor(labels[chosen].tolist()))
        for chosen in run.split.indices(len(pairs))
    ]


def go(trajectory, steps):
    return [step(trajectory) for _ in range(steps)]


def step(trajectory):
    loss, accuracy, gradient = trajectory.gradient()
    trajectory.step(gradient)
    return loss, accuracy


def mean_loss(logits, labels):
    return -logits.double().log_softmax(-1)[torch.arange(len(labels)), labels].mean()


@pytest.mark.parametrize("run", [FULL, FULL.replace(activation="gelu", tokens=2)])
def test_a_full_batch_step_is_the_textbook_s(run):
    run = run.replace(precision="float64")
    (pairs, labels), _ = examples(run)
    weights = {
        name: w.double().requires_grad_() for name, w in run.model.initialise(7, seed=2).items()
    }
    optimizer = torch.optim.AdamW(weights.values(), lr=1e-2, weight_decay=1.0)
    logits = run.model.reference(weights, pairs)
    mean_loss(logits, labels).backward()

    trajectory = Trajectory(run, "cpu")
    loss, accuracy, gradient = trajectory.gradient()
    assert loss == pytest.approx(mean_loss(logits, labels).item(), rel=1e-12)
    assert accuracy == (logits.argmax(-1) == labels).double().mean().item()
    expected = torch.cat([w.grad.flatten() for w in weights.values()])
    torch.testing.assert_close(gradient, expected, rtol=1e-9, atol=1e-12)

    trajectory.step(gradient)
    optimizer.step()
    assert trajectory.done == 1
    for name, weight in weights.items():
        torch.testing.assert_close(trajectory.parameters[name], weight, rtol=1e-9, atol=1e-12)


def test_parameters_are_views_of_one_vector_in_order():
    trajectory = Trajectory(FULL, "cpu")
    start = FULL.model.initialise(7, seed=2)
    assert list(trajectory.parameters) == list(start)
    assert all(torch.equal(trajectory.parameters[name], w) for name, w in start.items())
    trajectory.theta.zero_()
    assert not any(w.any() for w in trajectory.parameters.values())


def test_split_start_and_batches_have_seeds_of_their_own():
    def parts(run):
        trajectory = Trajectory(run, "cpu")
        batches = [trajectory._batch()[0].tolist() for _ in range(3)]
        return trajectory.train[0].tolist(), trajectory.theta.tolist(), batches

    before = parts(DRAWN)
    for name, changed in [("split_seed", {0, 2}), ("init_seed", {1}), ("batch_seed", {2})]:
        after = parts(DRAWN.replace(**{name: 9}))
        # A batch is drawn by rows of the training set, so another split gives other pairs.
        assert {i for i in range(3) if before[i] != after[i]} == changed


def test_batches_are_drawn_from_the_training_set_with_replacement():
    trajectory = Trajectory(DRAWN, "cpu")
    (pairs, labels), _ = examples(DRAWN)
    generator = torch.Generator().manual_seed(3)
    repeated = False
    for _ in range(20):
        chosen = torch.randint(len(pairs), (5,), generator=generator)
        found = trajectory._batch()
        assert torch.equal(found[0], pairs[chosen])
        assert torch.equal(found[1], labels[chosen])
        repeated |= len(set(chosen.tolist())) < 5
    assert repeated


def test_a_minibatch_step_uses_the_batch_that_was_drawn():
    trajectory = Trajectory(DRAWN.replace(precision="float64"), "cpu")
    (pairs, labels), _ = examples(DRAWN)
    chosen = torch.randint(len(pairs), (5,), generator=torch.Generator().manual_seed(3))
    logits = DRAWN.model.reference(trajectory.parameters, pairs[chosen])
    expected = mean_loss(logits, labels[chosen]).item()
    assert trajectory.gradient()[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("run", [FULL, DRAWN])
def test_a_trajectory_is_the_same_bit_for_bit_twice(run):
    first, again = Trajectory(run, "cpu"), Trajectory(run, "cpu")
    curve = go(first, 30)
    torch.manual_seed(99)  # no global generator has a say
    assert go(again, 30) == curve
    assert torch.equal(first.theta, again.theta)
    assert first.theta.dtype == torch.float32


@pytest.mark.parametrize("chunk", [1, 7, 2048])
@pytest.mark.parametrize("run", [FULL, DRAWN])
def test_evaluation_is_over_the_whole_part_whatever_the_chunk(run, chunk, monkeypatch):
    monkeypatch.setattr(module, "EVALUATION_CHUNK", chunk)
    trajectory = Trajectory(run, "cpu")
    go(trajectory, 5)
    for part, (pairs, labels) in zip(("train", "test"), examples(run), strict=True):
        logits = run.model.reference(trajectory.parameters, pairs)
        right = (logits.argmax(-1) == labels).double().mean().item()
        loss, accuracy = trajectory.evaluate(part)
        assert loss == pytest.approx(mean_loss(logits, labels).item(), rel=1e-5)
        assert accuracy == pytest.approx(right, abs=1e-12)


@pytest.mark.parametrize("run", [FULL, DRAWN])
def test_evaluation_leaves_the_trajectory_alone(run):
    watched, unwatched = Trajectory(run, "cpu"), Trajectory(run, "cpu")
    for _ in range(10):
        watched.evaluate("train")
        watched.evaluate("test")
        assert step(watched) == step(unwatched)
    assert torch.equal(watched.theta, unwatched.theta)


def test_loss_precision_has_the_floor_that_it_is_said_to_have():
    right = torch.tensor([[40.0, 0.0]]), torch.tensor([0])
    losses = {
        precision: Trajectory(FULL.replace(loss_precision=precision), "cpu").loss(*right).item()
        for precision in ("float32", "float64")
    }
    assert losses["float32"] == 0
    # 1 + e⁻⁴⁰ is 1 in float64 too; what is left is the precision of the logarithm around 1.
    assert 0 <= losses["float64"] < 1e-15
    logits = torch.tensor([[20.0, 0.0]]), torch.tensor([0])
    exact = Trajectory(FULL, "cpu").loss(*logits).item()
    assert exact == pytest.approx(np.log1p(np.exp(-20)), rel=1e-6)
    assert FULL.loss == Loss("float64")


@pytest.mark.parametrize("run", [FULL, DRAWN])
def test_a_restored_state_goes_on_bit_for_bit(run):
    whole = Trajectory(run, "cpu")
    go(whole, 12)
    # Copies: the arrays are those of the living trajectory.
    state = {name: array.copy() for name, array in whole.state().items()}
    rest = go(whole, 12)
    resumed = Trajectory(run, "cpu")
    go(resumed, 3)  # whatever it did before is forgotten
    resumed.restore(state)
    assert resumed.done == 12
    assert go(resumed, 12) == rest
    assert torch.equal(resumed.theta, whole.theta)
    assert all(torch.equal(resumed.moments[k], whole.moments[k]) for k in whole.moments)
