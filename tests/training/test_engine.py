"""The engine against the textbook loop, and against itself: stopped, extended, diverged."""

import contextlib
import dataclasses
import itertools
import math
import random
from typing import ClassVar

import numpy as np
import pytest
import torch
import xarray as xr

from grokbook.measures.onset import Rule
from grokbook.models import MLP, Transformer
from grokbook.tasks import Split, Task
from grokbook.training import checkpoint
from grokbook.training.engine import StoppedError, choose_device, train_run
from grokbook.training.interventions import GradientNoise, Intervention
from grokbook.training.layout import Layout
from grokbook.training.optimizers import SGD, Adam, AdamW
from grokbook.training.request import Request
from grokbook.training.run import Batch, Run
from grokbook.training.trajectory import Evaluation, Trajectory
from tests.training.collapse import shares_collapsed

FULL = Run(
    Task("add", 7),
    Split(0.5, seed=1),
    MLP(12, embedding="learned", embedding_width=8),
    AdamW(1e-2, 1.0, warmup=10, beta2=0.98),
    init_seed=2,
)
DRAWN = Run(
    Task("subtract", 7),
    Split(0.5, seed=1),
    MLP(16),
    SGD(0.1, 0.01, momentum=0.9),
    batch=Batch(5, seed=3),
    init_seed=2,
)

DEALT = DRAWN.replace(batch_epochs=True)  # 24 examples: four batches of 5 and one of 4


@dataclasses.dataclass(frozen=True)
class Pull(Intervention):
    """Pull the weights to zero, harder every time the penalty is asked for."""

    kind: ClassVar[str] = "pull"

    def start(self, theta, layout):
        return {"asked": torch.zeros((), dtype=torch.float64)}

    def penalty(self, look, state):
        asked = state["asked"] + 1
        norm = sum(weight.square().sum() for weight in look.parameters.values())
        return 1e-3 * asked * norm, {"asked": asked}


PULLED = dataclasses.replace(FULL, interventions=(GradientNoise(1e-2), Pull()))
BOTH = pytest.mark.parametrize("run", [FULL, DRAWN], ids=["full", "drawn"])
PULLED_TOO = pytest.mark.parametrize(
    "run",
    [FULL, DRAWN, DEALT, PULLED, PULLED.replace(batch_size=5, batch_seed=3)],
    ids=["full", "drawn", "dealt", "pulled", "pulled-drawn"],
)
REQUEST = Request(24, evaluate_every=6, keep_weights=True)


def sittings(run, request, path, *stops):
    """Train with an interruption at each of these steps, then to the end."""
    begun = 0
    for at in stops:
        asked = itertools.count(begun)
        with pytest.raises(StoppedError, match=rf"run {run.name} was stopped at step {at}$"):
            # It is asked once a step, so that a run that starts anew stops at another one.
            train_run(
                run,
                request,
                checkpoint_path=path,
                stop=lambda asked=asked, at=at: next(asked) == at,
            )
        begun = at
    return train_run(run, request, checkpoint_path=path)


def assert_same(found, expected):
    """Bit for bit the same dataset, but for the clock."""
    xr.testing.assert_identical(found.drop_vars("wall_seconds"), expected.drop_vars("wall_seconds"))


def assert_same_state(found, expected):
    """Bit for bit the same checkpoint, but for the clock: weights in full precision, moments."""
    found, expected = checkpoint.load(found), checkpoint.load(expected)
    assert set(found) == set(expected)
    for name in set(found) - {"seconds"}:
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)


# -- against the textbook -------------------------------------------------------------------------


def textbook(run, steps):
    """Losses and accuracies of the plain loop: dense form, autograd, torch.optim."""
    pairs, labels, _ = run.task.table()
    parts = [
        (torch.from_numpy(pairs[rows]), torch.from_numpy(labels[rows]))
        for rows in run.split.indices(len(pairs))
    ]
    start = run.model.initialise(run.task.p, seed=run.init_seed)
    weights = {name: w.double().requires_grad_() for name, w in start.items()}
    numbers = {"lr": run.optimizer.learning_rate, "weight_decay": run.optimizer.weight_decay}
    if run.optimizer.kind == "sgd":
        optimizer = torch.optim.SGD(weights.values(), momentum=run.optimizer.momentum, **numbers)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1)
    else:
        kind = torch.optim.Adam if run.optimizer.kind == "adam" else torch.optim.AdamW
        betas = (run.optimizer.beta1, run.optimizer.beta2)
        optimizer = kind(weights.values(), betas=betas, **numbers)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: min(t / 10, 1))
    batches, left, curve = torch.Generator().manual_seed(run.batch.seed), [], []

    def look(x, y):
        logits = run.model.reference(weights, x)
        loss = -logits.log_softmax(-1)[torch.arange(len(y)), y].mean()
        return loss, (logits.argmax(-1) == y).double().mean()

    for _ in range(steps):
        curve.append([value.item() for part in parts for value in look(*part)])
        x, y = parts[0]
        if run.batch.size is not None:
            if run.batch.epochs:
                left = left if len(left) else torch.randperm(len(y), generator=batches)
                chosen, left = left[: run.batch.size], left[run.batch.size :]
            else:
                chosen = torch.randint(len(y), (run.batch.size,), generator=batches)
            x, y = x[chosen], y[chosen]
        optimizer.zero_grad()
        look(x, y)[0].backward()
        optimizer.step()
        schedule.step()
    curve.append([value.item() for part in parts for value in look(*part)])
    return np.array(curve)


def engine(run, steps):
    found = train_run(run, Request(steps, evaluate_every=1))
    assert found["step"].values.tolist() == list(range(steps + 1))
    names = ("train_loss", "train_accuracy", "test_loss", "test_accuracy")
    return np.stack([found[name].values[0] for name in names], axis=1)


TINY = Transformer(d_model=16, heads=2, d_mlp=24, equals_is_class=True)
IN_FLOAT64 = pytest.mark.parametrize(
    "run",
    [
        dataclasses.replace(FULL, model=TINY, precision="float64"),
        DRAWN.replace(precision="float64"),
        DEALT.replace(precision="float64"),
        dataclasses.replace(FULL, optimizer=Adam(1e-2, 0.1, warmup=10), precision="float64"),
    ],
    ids=["full", "drawn", "dealt", "adam"],
)


@IN_FLOAT64
def test_fifty_steps_are_those_of_the_textbook_loop(run):
    expected = textbook(run, 50)
    assert abs(expected[-1, 0] - expected[0, 0]) > 0.1  # it has learned something
    np.testing.assert_allclose(engine(run, 50), expected, rtol=0, atol=1e-10)


@IN_FLOAT64
@pytest.mark.parametrize(
    "factor",
    [
        lambda self, done: 2.0 * min(done / 10, 1) if self.warmup else 2.0,
        lambda self, done: min((done + 1) / 10, 1) if self.warmup else 1.001,
    ],
    ids=["doubled", "slightly off"],
)
def test_the_comparison_sees_a_wrong_learning_rate(run, factor, monkeypatch):
    expected = textbook(run, 20)
    monkeypatch.setattr(type(run.optimizer), "factor", factor)
    assert np.abs(engine(run, 20) - expected)[:, 0].max() > 1e-6


# -- always the same run --------------------------------------------------------------------------


@PULLED_TOO
def test_the_same_run_twice_is_the_same_bit_for_bit(run, tmp_path):
    first = sittings(run, REQUEST, tmp_path / "first.npz")
    torch.manual_seed(99)  # no global generator has a say
    assert_same(sittings(run, REQUEST, tmp_path / "again.npz"), first)
    assert_same_state(tmp_path / "again.npz", tmp_path / "first.npz")
    assert first["final_W_U"].dtype == np.float32


@BOTH
def test_the_evaluation_grid_and_the_measures_do_not_change_the_way(run, tmp_path):
    plain = train_run(run, REQUEST, checkpoint_path=tmp_path / "plain.npz")
    theta = checkpoint.load(tmp_path / "plain.npz")["theta"]
    for every, measures in ((1, ("squared_norm",)), (7, ()), (100, ())):
        path = tmp_path / f"{every}.npz"
        request = Request(24, every, measures=measures, keep_weights=True)
        found = train_run(run, request, checkpoint_path=path)
        np.testing.assert_array_equal(checkpoint.load(path)["theta"], theta)
        np.testing.assert_array_equal(found["final_W_U"], plain["final_W_U"])
        assert ("squared_norm" in found) == bool(measures)
        assert "softmax_collapse" in found
        shared = np.intersect1d(found["step"], plain["step"])
        assert {0, 24} <= set(shared)
        np.testing.assert_allclose(
            found["train_loss"].sel(step=shared), plain["train_loss"].sel(step=shared), rtol=1e-12
        )


STOPS = [
    *([0], [6], [7], [23], [6, 6, 12], [3, 4, 5]),  # on the grid, beside it, at the ends
    *(sorted(random.Random(seed).sample(range(1, 24), 3)) for seed in range(2)),
]


@pytest.mark.parametrize("stops", STOPS, ids=lambda stops: "-".join(map(str, stops)))
@pytest.mark.parametrize("run", [FULL, DRAWN, DEALT], ids=["full", "drawn", "dealt"])
def test_a_stopped_run_goes_on_as_if_it_had_not_been(run, stops, tmp_path):
    whole, broken = tmp_path / "whole.npz", tmp_path / "broken.npz"
    expected = train_run(run, REQUEST, checkpoint_path=whole)
    assert_same(sittings(run, REQUEST, broken, *stops), expected)
    assert_same_state(broken, whole)


@PULLED_TOO
def test_a_killed_run_goes_on_from_its_last_checkpoint(run, tmp_path):
    whole, killed = tmp_path / "whole.npz", tmp_path / "killed.npz"
    expected = train_run(run, REQUEST, checkpoint_path=whole)
    asked = itertools.count()

    def kill():
        if next(asked) == 17:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        # A negative interval has always passed: a checkpoint at every step.
        train_run(run, REQUEST, checkpoint_path=killed, checkpoint_seconds=-1, stop=kill)
    assert checkpoint.load(killed)["done"] == 16
    assert_same(train_run(run, REQUEST, checkpoint_path=killed), expected)
    assert_same_state(killed, whole)


@PULLED_TOO
@pytest.mark.parametrize("short", [12, 1, 0])
def test_a_finished_shorter_run_can_be_extended(run, short, tmp_path):
    long, extended = tmp_path / "long.npz", tmp_path / "extended.npz"
    request = dataclasses.replace(REQUEST, evaluate_every=1 if short == 1 else 6)
    expected = train_run(run, request, checkpoint_path=long)
    shorter = dataclasses.replace(request, steps=short)
    first = train_run(run, shorter, checkpoint_path=extended)
    assert first["budget"].item() == short
    asked = itertools.count(short)
    found = train_run(run, request, checkpoint_path=extended, stop=lambda: next(asked) == 25)
    assert next(asked) == 24  # it took the missing steps and no more
    found, expected = found.drop_vars("wall_seconds"), expected.drop_vars("wall_seconds")
    for name in found.variables:
        if name == "train_loss":
            # The last look of the shorter run was an evaluation; a full batch gives its own.
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-14)
        else:
            xr.testing.assert_identical(found[name].variable, expected[name].variable)
    theta = [checkpoint.load(path)["theta"] for path in (extended, long)]
    np.testing.assert_array_equal(*theta)


@PULLED_TOO
def test_a_run_that_ended_off_the_grid_is_extended_to_the_same_curve(run, tmp_path):
    path = tmp_path / "state.npz"
    off = train_run(run, dataclasses.replace(REQUEST, steps=14), checkpoint_path=path)
    assert off["step"].values.tolist() == [0, 6, 12, 14]
    assert off["budget"].item() == 14
    assert_same(train_run(run, REQUEST, checkpoint_path=path), train_run(run, REQUEST))


@BOTH
def test_a_shorter_request_is_not_answered_by_a_longer_checkpoint(run, tmp_path):
    path, request = tmp_path / "state.npz", dataclasses.replace(REQUEST, steps=12)
    train_run(run, REQUEST, checkpoint_path=path)
    assert_same(train_run(run, request, checkpoint_path=path), train_run(run, request))


@BOTH
def test_a_checkpoint_on_another_grid_is_not_gone_on_from(run, tmp_path):
    path = tmp_path / "state.npz"
    train_run(run, Request(16, evaluate_every=8), checkpoint_path=path)
    assert_same(train_run(run, REQUEST, checkpoint_path=path), train_run(run, REQUEST))


def test_a_checkpoint_of_another_run_is_ignored(tmp_path):
    path = tmp_path / "state.npz"
    shorter = dataclasses.replace(REQUEST, steps=12)  # one that the request could go on from
    train_run(FULL.replace(init_seed=9), shorter, checkpoint_path=path)
    assert_same(train_run(FULL, REQUEST, checkpoint_path=path), train_run(FULL, REQUEST))
    assert str(checkpoint.load(path)["run"]) == FULL.to_json()


def test_a_damaged_checkpoint_is_named_and_kept(tmp_path):
    path = tmp_path / "state.npz"
    train_run(DRAWN, Request(20), checkpoint_path=path)
    half = path.read_bytes()[:500]
    path.write_bytes(half)
    with pytest.raises(checkpoint.DamagedError, match=r"state\.npz is damaged .* delete it"):
        train_run(DRAWN, REQUEST, checkpoint_path=path)
    assert path.read_bytes() == half


# -- where a run ends -----------------------------------------------------------------------------


@BOTH
def test_no_steps_are_a_look_at_the_start(run):
    found = train_run(run, Request(0))
    assert found["step"].values.tolist() == [0]
    assert (found["budget"].item(), found["censored"].item()) == (0, True)
    longer = train_run(run, Request(10))
    np.testing.assert_allclose(found["train_loss"][0, 0], longer["train_loss"][0, 0], rtol=1e-14)
    assert found["test_loss"][0, 0] == longer["test_loss"][0, 0]


def scripted(monkeypatch, grok):
    """Let test accuracy be 1 from step `grok` on: where a run ends depends on nothing else."""
    evaluate = Trajectory.evaluate

    def scripted_evaluate(self, part):
        found = evaluate(self, part)
        return found._replace(accuracy=float(self.done >= grok)) if part == "test" else found

    monkeypatch.setattr(Trajectory, "evaluate", scripted_evaluate)


@BOTH
@pytest.mark.parametrize(
    ("after", "rule", "end"),
    [
        (22, Rule(0.99, 1), 34),  # 12 is the first look from step 11 on, and 22 are to come
        (7, Rule(0.99, 1), 20),  # the common rules need the looks at 12, 16 and 20
        (0, Rule(0.99, 5), 28),  # this one needs 12 to 28
        (1000, Rule(0.99, 1), 40),
        (None, Rule(0.99, 1), 40),
    ],
)
def test_a_run_ends_where_its_request_says(run, after, rule, end, monkeypatch, tmp_path):
    scripted(monkeypatch, 11)
    path = tmp_path / "state.npz"
    request = Request(40, 4, rule, stop_after_grok=after)
    found = sittings(run, request, path, 5, 12, 19)
    assert found["t_grok"].item() == found["t_grok_99"].item() == 12
    assert found["budget"].item() == found["step"].values[-1] == request.end(12.0) == end
    assert checkpoint.load(path)["done"] == end
    assert not found["censored"].item()


@BOTH
def test_a_run_ends_by_the_latest_of_its_onsets(run, monkeypatch):
    levels = {0: 0.5, 8: 0.92, 12: 0.96, 20: 0.985}  # reached at these steps, 0.99 not by step 28

    def staged_evaluate(self, part):
        reached = max(level for step, level in levels.items() if self.done >= step)
        none = {"correct_logit": 0.0, "all_logits": 0.0}
        return Evaluation(1.0, reached if self.done < 28 else 1.0, none)

    monkeypatch.setattr(Trajectory, "evaluate", staged_evaluate)
    found = train_run(run, Request(60, 4, Rule(0.98, 1), stop_after_grok=12))
    names = ("t_grok", "t_grok_90", "t_grok_95", "t_grok_99")
    assert [found[name].item() for name in names] == [20, 8, 12, 28]
    assert found["budget"].item() == 28 + 12


def test_a_run_that_groks_too_late_ends_at_its_budget(monkeypatch):
    scripted(monkeypatch, 33)
    found = train_run(FULL, Request(40, 4, stop_after_grok=0))
    assert found["budget"].item() == 40
    assert found["t_grok"].item() == 36
    assert math.isnan(found["t_grok_99"].item())


@PULLED_TOO
@pytest.mark.parametrize("stops", [[], [5, 12]], ids=["whole", "stopped"])
def test_ending_early_does_not_change_the_way_on(run, stops, monkeypatch, tmp_path):
    scripted(monkeypatch, 11)
    path = tmp_path / "state.npz"
    early = sittings(run, Request(40, 4, stop_after_grok=8, keep_weights=True), path, *stops)
    assert early["budget"].item() == 20
    request = Request(40, 4, keep_weights=True)
    extended = train_run(run, request, checkpoint_path=path)
    train_run(run, request, checkpoint_path=tmp_path / "whole.npz")
    assert extended["budget"].item() == 40
    whole, found = (checkpoint.load(p) for p in (tmp_path / "whole.npz", path))
    for name in set(whole) - {"seconds", "curve_train_loss"}:
        np.testing.assert_array_equal(found[name], whole[name], err_msg=name)


@pytest.mark.parametrize("rate", [1e20, 1e38])
@BOTH
def test_a_run_that_diverges_keeps_its_curve_and_says_when(run, rate, tmp_path):
    path = tmp_path / "state.npz"
    diverging = run.replace(learning_rate=rate, weight_decay=0, warmup=10)
    found = train_run(diverging, REQUEST, checkpoint_path=path)
    at = found["diverged_at"].item()
    assert 1 <= at < 24
    assert found["budget"].item() == found["step"].values[-1] == at
    assert found["censored"].item()
    assert math.isfinite(found["train_loss"][0, 0].item())
    assert not math.isfinite(found["train_loss"][0, -1].item())
    # Asked again, it stays where it is.
    assert_same(train_run(diverging, REQUEST, checkpoint_path=path), found)


# -- softmax collapse -----------------------------------------------------------------------------


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("size", [None, 12])
def test_softmax_collapse_is_that_of_all_training_examples(size, precision, tmp_path):
    run = Run(
        Task("add", 7),
        Split(0.5, seed=1),
        MLP(64),
        AdamW(3.0),  # so large that the logits soon are, too
        batch=Batch(size, seed=3),
        init_seed=2,
    ).replace(loss_precision=precision)
    layout, expected = Layout(run.model.shapes(7)), {}
    for steps in (0, 10, 20, 30, 40):
        # What each shorter run leaves behind tells the weights at its last evaluation.
        path = tmp_path / "state.npz"
        found = train_run(run, Request(steps, evaluate_every=10), checkpoint_path=path)
        weights = layout.views(torch.from_numpy(checkpoint.load(path)["theta"]))
        # While a run trains, denormal numbers are 0.
        expected[steps] = shares_collapsed(run, weights, smallest=np.finfo(np.float32).tiny)
    assert found["step"].values.tolist() == list(expected)
    for logit in ("correct_logit", "all_logits"):
        shares = [at[logit] for at in expected.values()]
        assert shares[0] == 0 < max(shares) < 1
        logged = found["softmax_collapse"].sel(logit=logit).values[0]
        np.testing.assert_allclose(logged, shares, rtol=0, atol=1e-12)
    # A batch of 12 could not tell these shares from whole twelfths.
    assert {share * 24 % 2 for at in expected.values() for share in at.values()} == {0, 1}


# -- devices, threads, reports --------------------------------------------------------------------


def test_devices(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device() == choose_device("auto") == choose_device("cpu") == "cpu"
    for device, message in [
        ("mps", r"device = 'mps' has no float64, which the losses need: choose cpu, cuda or auto"),
        ("gpu", r"device = 'gpu' is not known: choose cpu, cuda or auto"),
        ("cuda", r"device = 'cuda' is not on this machine: choose cpu or auto"),
        ("cuda:1", r"device = 'cuda:1' is not on this machine: choose cpu or auto"),
    ]:
        with pytest.raises(ValueError, match=message):
            choose_device(device)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device() == "cuda"
    assert choose_device("cuda:0") == "cuda:0"
    assert choose_device("cpu") == "cpu"


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize("how", ["finished", "stopped", "failed"])
def test_a_run_takes_one_thread_and_gives_the_others_back(how, two_threads):
    seen = []

    def stop():
        seen.append(torch.get_num_threads())
        if how == "failed":
            raise RuntimeError("a bug")
        return how == "stopped"

    error = {"finished": (), "stopped": StoppedError, "failed": RuntimeError}[how]
    with contextlib.suppress(error):
        train_run(DRAWN, Request(3), stop=stop)
    assert set(seen) == {1}
    assert torch.get_num_threads() == 2
    # Denormal numbers, flushed while it trains, are back too.
    assert (torch.tensor([1e-40]) * 1.0).item() > 0


@pytest.mark.parametrize(
    ("run", "flushed"),
    [
        (FULL, True),
        (DRAWN, True),
        (FULL.replace(epsilon=1e-15), True),
        (FULL.replace(epsilon=1e-16), False),
        (FULL.replace(epsilon=0), False),
    ],
    ids=["adamw", "sgd", "small epsilon", "smaller epsilon", "no epsilon"],
)
def test_denormal_numbers_are_kept_where_an_optimiser_divides_by_them(run, flushed):
    seen = set()

    def stop():
        seen.add((torch.tensor([1e-40]) * 1.0).item() == 0)
        return False

    train_run(run, Request(3), stop=stop)
    assert seen == {flushed}
    assert (torch.tensor([1e-40]) * 1.0).item() > 0


def test_a_report_tells_the_step_and_the_newest_evaluation(monkeypatch):
    heard = []
    monkeypatch.setattr("grokbook.training.engine.REPORT_SECONDS", -1.0)
    found = train_run(FULL, Request(20), report=lambda done, latest: heard.append((done, latest)))
    assert [done for done, _ in heard] == list(range(21))
    assert heard[0][1] == pytest.approx({"t_grok": math.nan}, nan_ok=True)
    assert heard[15][1]["step"] == 10
    assert heard[15][1]["test_loss"] == found["test_loss"].sel(step=10).item()
    assert heard[-1][1]["step"] == 20


def test_a_report_tells_the_onset_once_it_is_known(monkeypatch):
    scripted(monkeypatch, 11)
    monkeypatch.setattr("grokbook.training.engine.REPORT_SECONDS", -1.0)
    heard = {}
    train_run(
        FULL,
        Request(20, evaluate_every=4),
        report=lambda done, latest: heard.update({done: latest["t_grok"]}),
    )
    # The report comes before the evaluation of its own step.
    assert {step for step, onset in heard.items() if math.isnan(onset)} == set(range(13))
    assert {onset for step, onset in heard.items() if step > 12} == {12}
