"""Following the norm: each logged number against a slow replay, alone, resumed and together."""

import dataclasses

import numpy as np
import pytest
import torch

from grokbook.archive.lookup import cut, serves
from grokbook.measures.contraction import OF_ONE_STEP
from grokbook.measures.onset import Rule
from grokbook.models import Transformer
from grokbook.tasks import Split, Task
from grokbook.training.engine import StoppedError, train_run
from grokbook.training.following import EXTREMES, of_onsets
from grokbook.training.interventions import NormClamp
from grokbook.training.optimizers import SGD, Adam, AdamW
from grokbook.training.request import Request
from grokbook.training.run import Batch, Run
from grokbook.training.together import train_together
from grokbook.training.trajectory import Trajectory
from tests.tiny import assert_same, tiny

STEPS, EVERY = 60, 10
REQUEST = Request(STEPS, evaluate_every=EVERY, rule=Rule(0.5), follow_norm=True)
RUN = tiny(batch_size=6, precision="float64")
PLAIN = dataclasses.replace(RUN, optimizer=SGD(0.05, 0.3))
HEAVY = dataclasses.replace(RUN, optimizer=SGD(0.05, 0.3, momentum=0.9))
ENDING = dataclasses.replace(RUN, optimizer=AdamW(1e-2, 1.0, decay_until=25))
BIASED = Run(
    Task("add", 5),
    Split(0.6, seed=0),
    Transformer(d_model=16, heads=2, d_mlp=16, tokens=2, norm_position="post"),
    AdamW(1e-2, 1.0),
    batch=Batch(8),
)


def replayed(run):
    """Weights before and after every step, and its gradient, from a trajectory step by step."""
    trajectory, rows = Trajectory(run, "cpu"), []
    for _ in range(STEPS):
        before = trajectory.theta.clone()
        _, gradient = trajectory.gradient()
        trajectory.step(gradient)
        rows.append([each.double().clone() for each in (before, trajectory.theta, gradient)])
    return trajectory.layout, rows


def direction(run, before, after, done):
    """The direction u that the weights say: θ' = (1 − ηλ)θ − ηu."""
    rate, decay = run.optimizer.learning_rate, run.optimizer.decay(done)
    return ((1 - rate * decay) * before - after) / rate


@pytest.mark.parametrize("run", [RUN, PLAIN, HEAVY, ENDING], ids=["adamw", "sgd", "heavy", "ends"])
def test_what_a_step_does_is_logged_group_by_group(run):
    found, (layout, rows) = train_run(run, REQUEST), replayed(run)
    for step in range(0, STEPS, EVERY):
        before, after, gradient = rows[step]
        u = direction(run, before, after, step)
        products = (before * gradient, gradient**2, before * u, u**2, after**2)
        for name, product in zip(OF_ONE_STEP, products, strict=True):
            for group, part in layout.segments(product).items():
                logged = found[name].sel(step=step, parameter=group).item()
                assert logged == pytest.approx(part.sum().item(), rel=1e-8, abs=1e-8), (name, group)
    for name in OF_ONE_STEP:  # of the last look no step was taken
        assert found[name].sel(step=STEPS).isnull().all()


@pytest.mark.parametrize("run", [RUN, HEAVY], ids=["adamw", "heavy"])
def test_the_identity_of_one_step_holds_along_a_run(run):
    found = train_run(run, REQUEST).isel(step=slice(0, -1))
    kept = 1 - run.optimizer.learning_rate * run.optimizer.weight_decay
    rate = run.optimizer.learning_rate
    said = (
        kept**2 * found["squared_norm"]
        - 2 * rate * kept * found["theta_dot_direction"]
        + rate**2 * found["direction_squared_norm"]
    )
    np.testing.assert_allclose(said, found["squared_norm_after"], rtol=1e-12)


def test_the_extremes_are_over_every_step_since_the_last_look():
    found, (_, rows) = train_run(RUN, REQUEST), replayed(RUN)
    us = [direction(RUN, before, after, i) for i, (before, after, _) in enumerate(rows)]
    radial = [(row[0] @ u / row[0].norm()).item() for row, u in zip(rows, us, strict=True)]
    norms = [u.norm().item() for u in us]
    for name, each in zip(EXTREMES, (radial, norms), strict=True):
        logged = found[name].values[0]
        assert np.isnan(logged[0])
        most = [max(each[i : i + EVERY]) for i in range(0, STEPS, EVERY)]
        np.testing.assert_allclose(logged[1:], most, rtol=1e-8)


def known(t_mem: float, t_grok: float, every: float = 50.0):
    """What `of_onsets` says of two groups that decay at different rates."""
    steps = torch.arange(0.0, 1_001.0, every, dtype=torch.float64)
    columns = {
        "squared_norm/a": 100 * torch.exp(-0.002 * steps),
        "squared_norm/b": 10 * torch.exp(-0.001 * steps),
        "train_accuracy": steps / 1_000,
        "test_accuracy": steps / 2_000,
        "radial_direction_max": (steps - 400).abs(),
        "direction_norm_max": 2_000 - steps,
    }
    found = of_onsets(steps, columns, {"t_mem": t_mem, "t_grok": t_grok})
    return {name: values[0] for name, (_, values) in found.items()}, columns


def test_what_is_known_at_the_onsets():
    found, columns = known(200.0, 600.0)
    norm = columns["squared_norm/a"] + columns["squared_norm/b"]
    a, b = (columns[f"squared_norm/{group}"] for group in "ab")
    expected = [[a[4], b[4]], [a[12], b[12]]]
    np.testing.assert_allclose(found["squared_norm_at_onset"], expected)
    np.testing.assert_allclose(found["train_accuracy_at_onset"], [0.2, 0.6])
    np.testing.assert_allclose(found["test_accuracy_at_onset"], [0.1, 0.3])
    rates = [
        [(norm[i] / norm[j]).log() / 100 for i, j in ((k - 2, k), (k, k + 2))] for k in (4, 12)
    ]
    np.testing.assert_allclose(found["rate_at_onset"], rates)
    # Of the rows after 200, up to 600: each speaks of the steps before it.
    assert found["radial_direction_max_in_delay"] == 200
    assert found["direction_norm_max_in_delay"] == 1_750


def test_an_onset_that_was_not_reached_is_not_known():
    found, _ = known(200.0, np.nan)
    assert np.isfinite(found["squared_norm_at_onset"][0]).all()
    assert np.isnan(found["squared_norm_at_onset"][1]).all()
    assert np.isnan(found["rate_at_onset"][1]).all()
    assert np.isnan(found["direction_norm_max_in_delay"])


def test_a_window_that_is_not_covered_has_no_rate():
    found = train_run(RUN, REQUEST)
    assert found["t_mem"].item() < 100
    assert found["rate_at_onset"].isnull().all()


@pytest.mark.parametrize("stop_at", [7, 30, 31])
def test_a_stopped_and_resumed_run_is_the_uninterrupted_one(tmp_path, stop_at):
    asked = iter(range(10_000))
    path = tmp_path / "state.npz"
    with pytest.raises(StoppedError):
        train_run(RUN, REQUEST, checkpoint_path=path, stop=lambda: next(asked) >= stop_at)
    assert_same(train_run(RUN, REQUEST, checkpoint_path=path), train_run(RUN, REQUEST))


def test_an_extended_run_is_one_that_was_asked_for_at_once(tmp_path):
    path = tmp_path / "state.npz"
    train_run(RUN, dataclasses.replace(REQUEST, steps=30), checkpoint_path=path)
    assert_same(train_run(RUN, REQUEST, checkpoint_path=path), train_run(RUN, REQUEST))


def test_a_checkpoint_that_was_not_followed_is_begun_anew(tmp_path):
    path = tmp_path / "state.npz"
    plain = dataclasses.replace(REQUEST, follow_norm=False, steps=30)
    train_run(RUN, plain, checkpoint_path=path)
    assert_same(train_run(RUN, REQUEST, checkpoint_path=path), train_run(RUN, REQUEST))


def test_one_that_lost_its_columns_on_the_way_is_begun_anew(tmp_path):
    path = tmp_path / "state.npz"
    for steps, follow in ((20, True), (40, False)):
        asked = dataclasses.replace(REQUEST, follow_norm=follow, steps=steps)
        train_run(RUN, asked, checkpoint_path=path)
    assert_same(train_run(RUN, REQUEST, checkpoint_path=path), train_run(RUN, REQUEST))


@pytest.mark.parametrize("run", [RUN, HEAVY, BIASED], ids=["adamw", "heavy", "transformer"])
def test_together_as_alone(run):
    runs = [run.replace(seed=seed, learning_rate=rate) for seed, rate in ((0, 0.01), (1, 0.02))]
    # Of the key bias, which no logit sees, Adam makes noise of its own.
    names = [name for name in run.model.shapes(5) if name != "b_K"]
    for alone, other in zip(
        [train_run(one, REQUEST) for one in runs], train_together(runs, REQUEST), strict=True
    ):
        assert set(alone.data_vars) == set(other.data_vars)
        for name in (*OF_ONE_STEP, *EXTREMES, "squared_norm_at_onset", "rate_at_onset"):
            both = [one[name] for one in (alone, other)]
            if "parameter" in both[0].dims:
                both = [one.sel(parameter=names) for one in both]
            np.testing.assert_allclose(both[0], both[1], rtol=2e-3, atol=1e-4)


def test_following_changes_nothing_else():
    plain = train_run(RUN, dataclasses.replace(REQUEST, follow_norm=False))
    followed = train_run(RUN, REQUEST)
    left = followed[list(plain.data_vars)].drop_vars(["onset", "side"], errors="ignore")
    assert_same(left, plain)


def test_a_request_is_served_by_a_followed_run_alone():
    plain = train_run(RUN, dataclasses.replace(REQUEST, follow_norm=False))
    assert serves(train_run(RUN, REQUEST), REQUEST)
    assert not serves(plain, REQUEST)


def test_a_shorter_request_knows_nothing_of_later_onsets():
    whole = train_run(RUN, dataclasses.replace(REQUEST, steps=400))
    mem, grok = whole["t_mem"].item(), 300.0
    names = [f"{name}_in_delay" for name in EXTREMES]
    whole = whole.assign(t_grok=("run", [grok])).fillna(dict.fromkeys(names, 1.0)).fillna(1.0)
    short = cut(whole, dataclasses.replace(REQUEST, steps=int(grok) - EVERY))
    for name in ("squared_norm_at_onset", "rate_at_onset", "test_accuracy_at_onset"):
        assert short[name].sel(onset="t_grok").isnull().all()
        assert np.isfinite(short[name].sel(onset="t_mem")).all()
        assert short[name].dims == whole[name].dims
    assert all(short[name].isnull().all() for name in names)
    longer = cut(whole, dataclasses.replace(REQUEST, steps=int(grok)))
    assert np.isfinite(longer["rate_at_onset"]).all()
    assert np.isfinite(longer[names[0]]).all()
    assert mem < grok


def test_a_clamp_is_seen_in_the_norm_after_the_step():
    run = dataclasses.replace(RUN, interventions=(NormClamp(),))
    found = train_run(run, REQUEST).isel(step=slice(0, -1))
    totals = [found[name].sum("parameter") for name in ("squared_norm", "squared_norm_after")]
    np.testing.assert_allclose(*totals, rtol=1e-12)


def test_coupled_adam_says_what_it_moved_by():
    run = dataclasses.replace(RUN, optimizer=Adam(1e-2, 0.3))
    found, (_, rows) = train_run(run, REQUEST), replayed(run)
    u = (rows[0][0] - rows[0][1]) / 1e-2
    assert found["direction_squared_norm"].sum("parameter").values[0, 0] == pytest.approx(
        u.square().sum().item(), rel=1e-6
    )


def test_it_needs_the_norm_itself():
    with pytest.raises(ValueError, match="follow_norm needs the measure squared_norm"):
        Request(10, measures=(), follow_norm=True)


def test_nothing_is_said_of_a_step_that_was_not_taken():
    trajectory = Trajectory(RUN, "cpu", follow=True)
    with pytest.raises(RuntimeError, match="no step was taken yet"):
        trajectory.follower.step()
    assert torch.isnan(trajectory.follower.row()["direction_norm_max"])
