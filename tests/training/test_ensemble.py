"""`Ensemble` against the trajectories that it is made of."""

import copy
import dataclasses
import gc
import weakref

import numpy as np
import pytest
import torch

from grokbook.models import GPT, MLP, MODELS, BitMLP, Decoder, Quadratic, Transformer
from grokbook.tasks import DigitAddition, SparseParity, Split
from grokbook.training import ensemble as module
from grokbook.training.batches import AHEAD
from grokbook.training.ensemble import Ensemble
from grokbook.training.interventions import INTERVENTIONS
from grokbook.training.optimizers import AdamW
from grokbook.training.run import Run
from grokbook.training.trajectory import Trajectory
from tests.training.ensembles import DEALT, DRAWN, FULL, OPTIMIZERS, several

EACH = pytest.mark.parametrize("run", [FULL, DRAWN, DEALT], ids=["full", "drawn", "dealt"])
SMALL = {"d_model": 8, "heads": 2, "d_mlp": 12}
FORMS = [
    Transformer(**SMALL),
    Transformer(**SMALL, tokens=2, attention_bias=True, norm_position="pre", activation="gelu"),
    Transformer(**SMALL, norm_position="post", norm="rms", final_norm=True, unembedding_bias=True),
    MLP(8),
    MLP(8, hidden_layers=2, embedding="learned", embedding_width=6, activation="gelu"),
    Decoder(**SMALL),
    Quadratic(12),
]
# They read words of bits or lines of digits, and no pairs.
OTHERS = {
    BitMLP.kind: (SparseParity(6, examples=40), BitMLP(8)),
    GPT.kind: (DigitAddition(4, digits=1, examples=16), GPT(2, 8, 2, context=5, answer=2)),
}


def trajectories(run, n=4):
    return [Trajectory(one, "cpu") for one in several(run, n)]


def begun(run, draws=AHEAD - 6):
    """Trajectories some way into their batches, so that a few steps reach the next block."""
    members = trajectories(run)
    for each in members:
        for _ in range(draws):
            each.batch()
    return members


def go(moving, steps):
    """Take steps; an ensemble returns nothing that would have to be read."""
    for _ in range(steps):
        if isinstance(moving, Ensemble):
            moving.differentiate()
            moving.step()
        else:
            moving.step(moving.gradient()[1])


def assert_close(found, expected, tolerance=1e-12):
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


def flat(states):
    return {(i, name): value for i, state in enumerate(states) for name, value in state.items()}


# -- one step is that of each run alone -----------------------------------------------------------


def test_every_architecture_is_among_them():
    assert {model.kind for model in FORMS} | set(OTHERS) == set(MODELS)


@pytest.mark.parametrize("kind", OTHERS)
def test_a_network_on_another_task_can_be_lifted(kind):
    task, model = OTHERS[kind]
    runs = [
        Run(task, Split(0.5, seed=seed), model,
            AdamW(1e-2, 1.0), precision="float64", init_seed=seed)
        for seed in range(3)
    ]  # fmt: skip
    alone = [Trajectory(one, "cpu") for one in runs]
    together = Ensemble([Trajectory(one, "cpu") for one in runs], "cpu")
    together.differentiate()
    for row, each in enumerate(alone):
        loss, gradient = each.gradient()
        assert_close(together._found["gradient"][row], gradient)
        assert together._found["loss"][row].item() == pytest.approx(loss, rel=1e-13)


@pytest.mark.parametrize("model", FORMS, ids=lambda model: model.kind)
def test_every_architecture_can_be_lifted(model):
    run = FULL.replace(interventions=())
    runs = [type(run)(one.task, one.split, model, one.optimizer, precision="float64",
                      init_seed=one.init_seed) for one in several(run, 3)]  # fmt: skip
    alone = [Trajectory(one, "cpu") for one in runs]
    together = Ensemble([Trajectory(one, "cpu") for one in runs], "cpu")
    together.differentiate()
    for row, each in enumerate(alone):
        loss, gradient = each.gradient()
        assert gradient.any()
        assert_close(together._found["gradient"][row], gradient)
        assert together._found["loss"][row].item() == pytest.approx(loss, rel=1e-13)


@EACH
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda one: one.kind)
def test_steps_are_those_of_each_run_alone(run, optimizer):
    run = type(run)(
        run.task, run.split, run.model, optimizer, batch=run.batch, precision="float64",
        interventions=run.interventions,
    )  # fmt: skip
    alone, together = trajectories(run), Ensemble(trajectories(run), "cpu")
    go(together, 10)
    for each in alone:
        go(each, 10)
    assert_close(together.theta, torch.stack([each.theta for each in alone]))
    for name in together.moments:
        expected = torch.stack([each.moments[name] for each in alone])
        assert_close(together.moments[name], expected)
    found, expected = flat(together.states), [flat(each.states) for each in alone]
    assert set(found) == set(expected[0])
    for name, value in found.items():
        assert_close(value, torch.stack([one[name] for one in expected]))


@pytest.mark.parametrize("kind", INTERVENTIONS.values(), ids=INTERVENTIONS)
def test_every_intervention_can_be_lifted(kind):
    fields = {item.name for item in dataclasses.fields(kind)}
    inner = kind(window=3) if "window" in fields else kind()
    for precision, tolerance in (("float64", 1e-11), ("float32", 1e-4)):
        run = dataclasses.replace(DRAWN, interventions=(inner,), precision=precision)
        alone, together = trajectories(run), Ensemble(trajectories(run), "cpu")
        go(together, 5)
        for each in alone:
            go(each, 5)
        assert together.theta.dtype == getattr(torch, precision)
        assert_close(together.theta, torch.stack([each.theta for each in alone]), tolerance)
        for (i, name), value in flat(together.states).items():
            expected = torch.stack([each.states[i][name] for each in alone])
            assert_close(value, expected, tolerance)
    go(Ensemble(trajectories(run), "meta"), 3)  # and asks the device nothing


@EACH
def test_the_comparison_sees_numbers_of_the_wrong_run(run):
    alone, together = trajectories(run), Ensemble(trajectories(run), "cpu")
    go(expected := alone[0], 8)
    varied = {"learning_rate", "weight_decay", "std", "gain", "shrink"}
    assert len(varied & {name for numbers in together.numbers for name in numbers}) >= 3
    for number in sorted(varied):
        wrong = copy.deepcopy(together)
        for numbers in wrong.numbers:
            if number in numbers:
                numbers[number] = numbers[number].flip(0)
        go(wrong, 8)
        changed = any(number in numbers for numbers in wrong.numbers)
        assert ((wrong.theta[0] - expected.theta).abs().max() > 1e-7) == changed, number


@EACH
def test_float32_stays_float32_and_close(run):
    run = run.replace(precision="float32")
    alone, together = trajectories(run), Ensemble(trajectories(run), "cpu")
    go(together, 10)
    for each in alone:
        go(each, 10)
    assert together.theta.dtype == torch.float32
    assert {moment.dtype for moment in together.moments.values()} == {torch.float32}
    assert {value.dtype for value in flat(together.states).values()} <= {torch.float32}
    assert_close(together.theta, torch.stack([each.theta for each in alone]), 1e-5)


@EACH
def test_a_step_asks_the_device_nothing(run):
    # On the device "meta" there are no values: reading one, or mixing devices, is an error.
    together = Ensemble(trajectories(run), "meta")
    go(together, 3)
    assert together.theta.device.type == "meta"
    with pytest.raises((RuntimeError, NotImplementedError)):
        together.evaluate("test")


# -- batches --------------------------------------------------------------------------------------


@pytest.mark.parametrize("run", [DRAWN, DEALT], ids=["drawn", "dealt"])
@pytest.mark.parametrize("draws", [0, 5, AHEAD, AHEAD + 3])
def test_each_run_draws_its_own_batches_as_alone(run, draws):
    members, alone = begun(run, draws), begun(run, draws)
    together = Ensemble(members, "cpu")
    for step in range(2 * AHEAD + 10):
        pairs, labels = together.batch()
        for row, each in enumerate(alone):
            expected = each.batch()
            assert torch.equal(pairs[row], expected[0])
            assert torch.equal(labels[row], expected[1])
        if step % 29 == 0:  # looking at the state in between changes nothing
            together.hand_back()
            for member, each in zip(members, alone, strict=True):
                ours, theirs = member.batches.state(), each.batches.state()
                assert ours["batches_used"] == theirs["batches_used"]
                np.testing.assert_array_equal(ours["generator"], theirs["generator"])


# -- looks ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 7, 2048])
@EACH
def test_evaluations_are_those_of_each_run_alone(run, chunk, monkeypatch):
    alone, together = trajectories(run), Ensemble(trajectories(run), "cpu")
    for moving in (*alone, together):
        go(moving, 8)
    monkeypatch.setattr(module, "EVALUATION_CHUNK", chunk)
    for part in ("train", "test"):
        for found, each in zip(together.evaluate(part), alone, strict=True):
            expected = each.evaluate(part)
            assert found.loss == pytest.approx(expected.loss, rel=1e-11)
            assert found.accuracy == pytest.approx(expected.accuracy, abs=1e-12)
            assert found.collapse == pytest.approx(expected.collapse, abs=1e-12)
            assert set(found.collapse) == set(expected.collapse)
    measured = together.measured(("squared_norm",))
    for found, each in zip(measured, alone, strict=True):
        norms = {f"squared_norm/{k}": w.square().sum().item() for k, w in each.parameters.items()}
        assert found == pytest.approx(norms, rel=1e-11)
    assert together.measured(()) == [{}] * 4


def test_what_a_full_batch_has_seen_is_its_evaluation():
    together = Ensemble(trajectories(FULL), "cpu")
    go(together, 8)
    together.differentiate()
    for seen, looked in zip(together.seen(), together.evaluate("train"), strict=True):
        assert seen.loss == pytest.approx(looked.loss, rel=1e-12)
        assert seen.accuracy == pytest.approx(looked.accuracy, abs=1e-12)
        assert seen.collapse == pytest.approx(looked.collapse, abs=1e-12)


def test_collapsed_examples_are_counted_by_run():
    together = Ensemble(trajectories(FULL.replace(interventions=())), "cpu")
    unembedding = together.layout.views(together.theta)["W_U"]
    unembedding[1] *= 1e6  # logits so far apart that float64 knows no other class
    shares = [one.collapse["correct_logit"] for one in together.evaluate("train")]
    right = [one.accuracy for one in together.evaluate("train")]
    assert shares[1] == pytest.approx(right[1]) != 0
    assert [shares[0], *shares[2:]] == [0, 0, 0]


# -- runs that end --------------------------------------------------------------------------------


@EACH
def test_a_run_that_diverges_stays_where_it_was_and_disturbs_no_other(run):
    members, undisturbed = trajectories(run), Ensemble(trajectories(run), "cpu")
    together = Ensemble(members, "cpu")
    for moving in (together, undisturbed):
        go(moving, 5)
    together.theta[2] = torch.inf  # in every batch
    stuck = together.theta[2].clone()
    for moving in (together, undisturbed):
        go(moving, 5)
    nan = torch.nan
    expected = torch.tensor([nan, nan, 5.0, nan], dtype=torch.float64)
    torch.testing.assert_close(together.diverged_at, expected, equal_nan=True)
    assert torch.equal(together.theta[2], stuck)
    for row in (0, 1, 3):
        assert torch.equal(together.theta[row], undisturbed.theta[row])
    together.hand_back()
    assert [member.done for member in members] == [10, 10, 5, 10]
    assert torch.equal(members[2].theta, stuck)


@EACH
@pytest.mark.parametrize(
    "rows, at_rest", [([0, 2], False), ([3], True), ([1, 2, 3], False), ([1, 2, 3], True)], ids=str
)
def test_those_that_stay_go_on_as_before(run, rows, at_rest):
    whole, fewer = Ensemble(begun(run), "cpu"), Ensemble(begun(run), "cpu")
    for moving in (whole, fewer):
        go(moving, 3)
    if at_rest:
        fewer.keep(rows)
    for moving in (whole, fewer):
        moving.differentiate()
    if not at_rest:  # but between gradient and step
        fewer.keep(rows)
    for moving in (whole, fewer):
        moving.step()
        go(moving, 5)
    assert_close(fewer.theta, whole.theta[rows])
    assert [each.run for each in fewer.trajectories] == [several(run)[row] for row in rows]
    for part in ("train", "test"):
        expected = whole.evaluate(part)
        for row, found in zip(rows, fewer.evaluate(part), strict=True):
            assert found.loss == pytest.approx(expected[row].loss, rel=1e-9)


@EACH
def test_a_state_that_is_handed_back_goes_on_alone(run):
    members, alone = trajectories(run), trajectories(run)
    together = Ensemble(members, "cpu")
    go(together, 11)
    together.hand_back()
    for member, each in zip(members, alone, strict=True):
        go(each, 11)
        found, expected = member.state(), each.state()
        assert set(found) == set(expected)
        for name, value in expected.items():
            assert found[name].dtype == value.dtype
            np.testing.assert_allclose(found[name], value, rtol=1e-10, atol=1e-12)
    go(together, 5)  # it is no worse for having handed back
    together.hand_back()
    for member, each in zip(members, alone, strict=True):
        go(member, 5)
        go(each, 10)
        assert_close(member.theta, each.theta, 1e-9)


def test_an_ensemble_frees_its_memory_at_once():
    gc.disable()  # a cycle of references would keep a GPU's memory until it is found
    try:
        together = Ensemble(trajectories(DRAWN), "cpu")
        go(together, 2)
        together.evaluate("train")
        gone = weakref.ref(together)
        del together
        assert gone() is None
    finally:
        gc.enable()
