"""One step of a trajectory against `torch.autograd` and `torch.optim` on the textbook form."""

import numpy as np
import pytest
import torch

from grokbook.models import MLP, Transformer
from grokbook.tasks import Split, Task
from grokbook.training import losses
from grokbook.training import trajectory as module
from grokbook.training.interventions import GradientNoise, GrokfastEMA, GrokfastMA
from grokbook.training.objective import criterion
from grokbook.training.optimizers import SGD, AdamW
from grokbook.training.run import Batch, Loss, Run
from grokbook.training.trajectory import Trajectory
from tests.training.collapse import shares_collapsed

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
    """One step; its loss, and all that a full batch says besides."""
    loss, gradient = trajectory.gradient()
    found = trajectory.seen(loss) if trajectory.run.batch.size is None else loss
    trajectory.step(gradient)
    return found


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
    loss, gradient = trajectory.gradient()
    seen = trajectory.seen(loss)
    assert seen.loss == loss == pytest.approx(mean_loss(logits, labels).item(), rel=1e-12)
    assert seen.accuracy == (logits.argmax(-1) == labels).double().mean().item()
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
        batches = [trajectory.batch()[0].tolist() for _ in range(3)]
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
    for _ in range(70):  # beyond one block
        chosen = torch.randint(len(pairs), (5,), generator=generator)
        found = trajectory.batch()
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


def test_a_full_batch_is_the_training_set_at_every_step():
    trajectory = Trajectory(FULL, "cpu")
    (pairs, labels), _ = examples(FULL)
    for _ in range(3):
        found = trajectory.batch()
        assert torch.equal(found[0], pairs)
        assert torch.equal(found[1], labels)


@pytest.mark.parametrize("run", [FULL, FULL.replace(activation="gelu"), DRAWN])
def test_the_pieces_for_a_cpu_change_nothing_but_the_rounding(run, monkeypatch):
    monkeypatch.setattr(losses, "FUSED_FROM", 0)
    run = run.replace(precision="float64")
    fused, plain = Trajectory(run, "cpu"), Trajectory(run, "cpu")
    assert fused.fused
    plain.fused = False
    for _ in range(5):
        (loss, gradient), (expected_loss, expected) = fused.gradient(), plain.gradient()
        assert loss == pytest.approx(expected_loss, rel=1e-12)
        torch.testing.assert_close(gradient, expected, rtol=1e-9, atol=1e-12)
        fused.step(gradient)
        plain.step(expected)
    for part in ("train", "test"):
        found, expected = fused.evaluate(part), plain.evaluate(part)
        assert found.loss == pytest.approx(expected.loss, rel=1e-9)
        assert found[1:] == expected[1:]


# -- evaluation -----------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 7, 2048])
@pytest.mark.parametrize("run", [FULL, DRAWN])
def test_evaluation_is_over_the_whole_part_whatever_the_chunk(run, chunk, monkeypatch):
    monkeypatch.setattr(module, "EVALUATION_CHUNK", chunk)
    trajectory = Trajectory(run, "cpu")
    go(trajectory, 5)
    for part, (pairs, labels) in zip(("train", "test"), examples(run), strict=True):
        logits = run.model.reference(trajectory.parameters, pairs)
        right = (logits.argmax(-1) == labels).double().mean().item()
        loss, accuracy, collapse = trajectory.evaluate(part)
        assert loss == pytest.approx(mean_loss(logits, labels).item(), rel=1e-5)
        assert accuracy == pytest.approx(right, abs=1e-12)
        none = {"correct_logit": 0.0, "all_logits": 0.0}
        assert collapse == (none if part == "train" else {})


@pytest.mark.parametrize("run", [FULL, DRAWN])
def test_evaluation_leaves_the_trajectory_alone(run):
    watched, unwatched = Trajectory(run, "cpu"), Trajectory(run, "cpu")
    for _ in range(10):
        watched.evaluate("train")
        watched.evaluate("test")
        assert step(watched) == step(unwatched)
    assert torch.equal(watched.theta, unwatched.theta)


def test_what_a_full_batch_has_seen_is_its_evaluation():
    trajectory = Trajectory(FULL.replace(precision="float64"), "cpu")
    with pytest.raises(RuntimeError, match="no gradient was taken yet"):
        trajectory.seen(1.0)
    for _ in range(20):
        loss, gradient = trajectory.gradient()
        seen, evaluated = trajectory.seen(loss), trajectory.evaluate("train")
        assert seen.loss == pytest.approx(evaluated.loss, rel=1e-12)
        assert seen[1:] == evaluated[1:]
        trajectory.step(gradient)
    assert evaluated.accuracy > 0.5


def test_loss_precision_has_the_floor_that_it_is_said_to_have():
    def loss(run, logits):
        found = [
            criterion(run, torch.tensor([logits]), torch.tensor([0]), fused=fused).item()
            for fused in (False, True)
        ]
        assert found[0] == pytest.approx(found[1], rel=1e-12)
        return found[0]

    right = [40.0, 0.0]
    assert loss(FULL.replace(loss_precision="float32"), right) == 0
    # 1 + e⁻⁴⁰ is 1 in float64 too; what is left is the precision of the logarithm around 1.
    assert 0 <= loss(FULL, right) < 1e-15
    assert loss(FULL, [20.0, 0.0]) == pytest.approx(np.log1p(np.exp(-20)), rel=1e-6)
    assert loss(FULL.replace(loss_precision="float32"), [20.0, 0.0]) == 0
    assert FULL.loss == Loss("float64")


# -- softmax collapse -----------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [7, 2048])
@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("run", [FULL, DRAWN.replace(batch_size=20, width=64)])
def test_collapse_is_over_the_training_set_whatever_the_chunk(run, precision, chunk, monkeypatch):
    monkeypatch.setattr(module, "EVALUATION_CHUNK", chunk)
    monkeypatch.setattr(losses, "FUSED_FROM", 0)
    run = run.replace(loss_precision=precision)
    trajectory = Trajectory(run, "cpu")
    go(trajectory, 60)
    seen = []
    for _ in range(8):  # larger and larger logits
        trajectory.theta *= 1.4
        expected = shares_collapsed(run, trajectory.parameters)
        assert trajectory.evaluate("train").collapse == pytest.approx(expected, abs=1e-12)
        if run.batch.size is None:
            loss, _ = trajectory.gradient()
            assert trajectory.seen(loss).collapse == pytest.approx(expected, abs=1e-12)
        seen.append(expected)
    assert any(0 < share["all_logits"] < share["correct_logit"] < 1 for share in seen)


# -- checkpoints ----------------------------------------------------------------------------------


@pytest.mark.parametrize("run", [FULL, DRAWN])
def test_a_restored_state_goes_on_bit_for_bit(run):
    whole = Trajectory(run, "cpu")
    go(whole, 12)
    # Copies: the arrays are those of the living trajectory.
    state = {name: array.copy() for name, array in whole.state().items()}
    moments = {"moment_m", "moment_v"} if run.optimizer.kind == "adamw" else {"moment_u"}
    assert set(state) == moments | {"theta", "done", "generator", "batches_used"}
    rest = go(whole, 12)
    resumed = Trajectory(run, "cpu")
    go(resumed, 3)  # whatever it did before is forgotten
    resumed.restore(state)
    assert resumed.done == 12
    assert go(resumed, 12) == rest
    assert torch.equal(resumed.theta, whole.theta)
    assert all(torch.equal(resumed.moments[k], whole.moments[k]) for k in whole.moments)


def test_the_state_of_each_intervention_has_its_place_among_the_arrays():
    run = FULL.replace(interventions=(GradientNoise(), GrokfastEMA(), GrokfastMA(window=3)))
    trajectory = Trajectory(run, "cpu")
    go(trajectory, 2)
    state = trajectory.state()
    found = {name for name in state if name.startswith("intervention")}
    expected = {f"intervention_{i}_{n}" for i in (1, 2) for n in trajectory.states[i]}
    assert found == expected
    assert {name.split("_")[1] for name in found} == {"1", "2"}  # noise remembers nothing
    for name in found:
        _, i, item = name.split("_", 2)
        np.testing.assert_array_equal(state[name], trajectory.states[int(i)][item].numpy())
