"""Ensembles against the engine that trains each run alone: datasets, ends, checkpoints."""

import dataclasses
import itertools
import math
import sys

import numpy as np
import pytest
import torch
import xarray as xr

from grokbook.measures.onset import Rule
from grokbook.models import Transformer
from grokbook.statistics import logrank, right_censored
from grokbook.tasks import Split, Task
from grokbook.training import checkpoint
from grokbook.training.engine import StoppedError, train_run
from grokbook.training.ensemble import Ensemble
from grokbook.training.optimizers import AdamW
from grokbook.training.request import Request
from grokbook.training.run import Run
from grokbook.training.together import groups, train_together
from grokbook.training.trajectory import Trajectory
from tests.training.ensembles import DEALT, DRAWN, FULL, OPTIMIZERS, assert_close, several

EACH = pytest.mark.parametrize("run", [FULL, DRAWN, DEALT], ids=["full", "drawn", "dealt"])
REQUEST = Request(24, evaluate_every=6, keep_weights=True)
CLOCK = "wall_seconds"


def paths(folder, runs):
    return [folder / f"{run.name}.npz" for run in runs]


def assert_same(found, expected):
    """Bit for bit the same datasets, but for the clock."""
    for ours, theirs in zip(found, expected, strict=True):
        xr.testing.assert_identical(ours.drop_vars(CLOCK), theirs.drop_vars(CLOCK))


def assert_same_states(found, expected):
    """Bit for bit the same checkpoints, but for the clock."""
    for ours, theirs in zip(found, expected, strict=True):
        ours, theirs = checkpoint.load(ours), checkpoint.load(theirs)
        assert set(ours) == set(theirs)
        for name in set(ours) - {"seconds"}:
            assert ours[name].dtype == theirs[name].dtype
            np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


def sittings(runs, request, where, *stops):
    """Train together with an interruption at each of these steps, then to the end."""
    begun = 0
    for at in stops:
        asked = itertools.count(begun)
        with pytest.raises(StoppedError, match=rf"{len(runs)} runs were stopped at step {at}$"):
            train_together(
                runs,
                request,
                checkpoint_paths=where,
                stop=lambda asked=asked, at=at: next(asked) == at,
            )
        begun = at
    return train_together(runs, request, checkpoint_paths=where)


@pytest.fixture
def sizes(monkeypatch):
    """Return a list that grows by the size of every ensemble."""
    found, start = [], Ensemble.__init__

    def watched(self, trajectories, device):
        found.append(len(trajectories))
        start(self, trajectories, device)

    monkeypatch.setattr(Ensemble, "__init__", watched)
    return found


# -- the same runs as alone -----------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda one: one.kind)
@EACH
def test_sixty_steps_are_those_of_each_run_alone(run, optimizer):
    runs = several(dataclasses.replace(run, optimizer=optimizer, task=Task("add", 5)))
    request = Request(60, 6, Rule(0.9, 2))
    alone = [train_run(one, request) for one in runs]
    together = train_together(runs, request)
    for found, expected in zip(together, alone, strict=True):
        assert_close(found, expected)
    levels = [one["train_accuracy"].values.max() for one in alone]
    assert max(levels) - min(levels) > 0 or min(levels) == 1
    onsets = {one["t_mem"].item() for one in alone}
    assert len(onsets - {math.nan}) > 1 or optimizer.kind == "sgd"


def test_float32_goes_the_same_way_for_as_long_as_it_can():
    # Rounding, 6e-8, grows by the steps, and fast once the gradients of memorised examples are
    # small: here up to 2e-5 of the losses in 60 steps, and 1 % in 200.
    run = FULL.replace(precision="float32", interventions=(), learning_rate=3e-3)
    runs, request = several(run, 2), Request(200, 20)
    for found, one in zip(train_together(runs, request), runs, strict=True):
        expected = train_run(one, request)
        assert expected["train_loss"].values[0, -1] < 0.1
        for name in ("train_loss", "test_loss", "squared_norm"):
            ours, theirs = found[name].values, expected[name].values
            np.testing.assert_allclose(ours, theirs, rtol=1e-2)
            np.testing.assert_allclose(ours[:, :4], theirs[:, :4], rtol=2e-5)


def test_runs_of_several_structures_are_refused():
    runs = [FULL, DRAWN, FULL.replace(seed=3), DEALT]
    with pytest.raises(ValueError, match=r"are of 3 structures: train each of groups\(\) alone"):
        train_together(runs, REQUEST)
    assert groups(runs) == [[FULL, FULL.replace(seed=3)], [DRAWN], [DEALT]]
    assert train_together([], REQUEST) == []


# -- where a run ends -----------------------------------------------------------------------------


@EACH
@pytest.mark.parametrize("steps", [0, 5, 12])
def test_a_budget_may_end_anywhere(run, steps):
    runs = several(run, 2)
    request = Request(steps, 6, keep_weights=True)
    for found, one in zip(train_together(runs, request), runs, strict=True):
        assert_close(found, train_run(one, request))


def scripted(monkeypatch):
    """Let test accuracy be 1 from step 3 + 9 · (init seed) on, wherever a run is trained."""
    alone, together = Trajectory.evaluate, Ensemble.evaluate

    def said(evaluation, part, run, done):
        reached = float(done >= 3 + 9 * run.init_seed)
        return evaluation._replace(accuracy=reached) if part == "test" else evaluation

    def evaluate_alone(self, part):
        return said(alone(self, part), part, self.run, self.done)

    def evaluate_together(self, part):
        members = [each.run for each in self.trajectories]
        return [
            said(evaluation, part, run, self.done)
            for evaluation, run in zip(together(self, part), members, strict=True)
        ]

    monkeypatch.setattr(Trajectory, "evaluate", evaluate_alone)
    monkeypatch.setattr(Ensemble, "evaluate", evaluate_together)


@EACH
@pytest.mark.parametrize("after", [0, 7, 10])
def test_runs_leave_where_their_request_says(run, after, monkeypatch, tmp_path):
    scripted(monkeypatch)
    runs, request = several(run), Request(40, 4, stop_after_grok=after, keep_weights=True)
    heard, where = [], paths(tmp_path, runs)
    found = train_together(
        runs,
        request,
        checkpoint_paths=where,
        on_finished=lambda run, dataset: heard.append((run, dataset)),
    )
    assert len({one["budget"].item() for one in found}) >= 3
    assert [run for run, _ in heard] == runs  # in the order in which they end
    assert all(told is one for (_, told), one in zip(heard, found, strict=True))
    alone_at = tmp_path / "alone.npz"
    for one, each, at in zip(found, runs, where, strict=True):
        alone_at.unlink(missing_ok=True)
        assert_close(one, train_run(each, request, checkpoint_path=alone_at))
        ours, theirs = checkpoint.load(at), checkpoint.load(alone_at)
        assert set(ours) == set(theirs)
        for name, value in theirs.items():
            assert ours[name].dtype == value.dtype, name
            if name != "seconds" and value.dtype.kind == "f":
                np.testing.assert_allclose(ours[name], value, rtol=1e-9, atol=1e-9)
            elif name != "seconds":
                np.testing.assert_array_equal(ours[name], value)


@EACH
@pytest.mark.parametrize("every", [5, 6])
def test_a_run_that_diverges_ends_there_and_disturbs_no_other(run, every, monkeypatch, tmp_path):
    # With the first steps empty, weights of 1e170 come at step 13 (grid) or 14 (beside it).
    monkeypatch.setattr(type(run.optimizer), "factor", lambda self, done: float(done >= 11))
    runs, request = several(run), Request(24, every, keep_weights=True)
    runs[1] = runs[1].replace(learning_rate=1e170, weight_decay=0.0)
    alone = [train_run(one, request) for one in runs]
    assert 11 < alone[1]["diverged_at"].item() < 24
    assert np.isnan([one["diverged_at"].item() for one in alone]).sum() == 3
    where = paths(tmp_path, runs)
    together = train_together(runs, request, checkpoint_paths=where)
    for row in (0, 2, 3):
        assert_close(together[row], alone[row])
    for name in ("diverged_at", "budget", "step", "t_mem", "t_grok", "censored"):
        np.testing.assert_array_equal(together[1][name], alone[1][name])
    losses = together[1]["train_loss"].values, alone[1]["train_loss"].values
    assert not any(np.isfinite(loss[0, -1]) for loss in losses)
    np.testing.assert_allclose(losses[0][0, :-1], losses[1][0, :-1], rtol=1e-9)
    again = train_together(runs, request, checkpoint_paths=where)
    assert [one["diverged_at"].item() for one in again][1] == alone[1]["diverged_at"].item()
    assert_same([again[0], *again[2:]], [together[0], *together[2:]])


# -- stopped, and gone on -------------------------------------------------------------------------


@pytest.mark.parametrize("stops", [[0], [6], [7, 7, 12], [3, 23]], ids=str)
@EACH
def test_stopped_runs_go_on_as_if_they_had_not_been(run, stops, tmp_path):
    runs = several(run, 3)
    whole, broken = paths(tmp_path / "whole", runs), paths(tmp_path / "broken", runs)
    expected = train_together(runs, REQUEST, checkpoint_paths=whole)
    assert_same(sittings(runs, REQUEST, broken, *stops), expected)
    assert_same_states(broken, whole)


@EACH
def test_runs_that_leave_early_do_not_change_what_a_resumed_ensemble_does(
    run, monkeypatch, tmp_path
):
    scripted(monkeypatch)
    runs, request = several(run, 3), Request(40, 4, stop_after_grok=0, keep_weights=True)
    whole, broken = paths(tmp_path / "whole", runs), paths(tmp_path / "broken", runs)
    expected = train_together(runs, request, checkpoint_paths=whole)
    budgets = [one["budget"].item() for one in expected]
    assert budgets[0] < 18 < budgets[1] < budgets[2]
    asked = itertools.count()
    with pytest.raises(StoppedError, match="2 runs were stopped at step 18"):
        train_together(runs, request, checkpoint_paths=broken, stop=lambda: next(asked) == 18)
    assert_same(train_together(runs, request, checkpoint_paths=broken), expected)
    assert_same_states(broken, whole)


@EACH
def test_killed_runs_go_on_from_their_last_checkpoints(run, tmp_path):
    runs = several(run, 3)
    whole, killed = paths(tmp_path / "whole", runs), paths(tmp_path / "killed", runs)
    expected = train_together(runs, REQUEST, checkpoint_paths=whole)
    asked = itertools.count()

    def kill():
        if next(asked) == 17:
            raise KeyboardInterrupt
        return False

    with pytest.raises(KeyboardInterrupt):
        train_together(runs, REQUEST, checkpoint_paths=killed, checkpoint_seconds=-1, stop=kill)
    assert [checkpoint.load(path)["done"] for path in killed] == [16] * 3
    assert_same(train_together(runs, REQUEST, checkpoint_paths=killed), expected)
    assert_same_states(killed, whole)


def stop_alone(run, path, at):
    asked = itertools.count()
    with pytest.raises(StoppedError):
        train_run(run, REQUEST, checkpoint_path=path, stop=lambda: next(asked) == at)


@EACH
@pytest.mark.parametrize("at", [6, 11])
def test_a_run_begun_alone_goes_on_in_an_ensemble_and_back(run, at, tmp_path, sizes):
    runs = several(run, 3)
    where = paths(tmp_path, runs)
    alone = [train_run(one, REQUEST) for one in runs]
    for one, path in zip(runs, where, strict=True):
        stop_alone(one, path, at)
    with pytest.raises(StoppedError, match=f"3 runs were stopped at step {at + 5}"):
        asked = itertools.count(at)
        train_together(runs, REQUEST, checkpoint_paths=where, stop=lambda: next(asked) == at + 5)
    assert sizes == [3]
    assert_close(train_run(runs[0], REQUEST, checkpoint_path=where[0]), alone[0])
    again = train_together(runs, REQUEST, checkpoint_paths=where)
    assert sizes == [3, 1, 2]  # the finished run, and those that were at step at + 5
    for found, expected in zip(again, alone, strict=True):
        assert_close(found, expected)


def test_only_runs_that_have_come_equally_far_form_an_ensemble(tmp_path, sizes):
    runs = several(DRAWN, 5)
    where = paths(tmp_path, runs)
    for one, path, at in zip(runs, where, (3, 9, None, 3, 9), strict=True):
        if at is not None:
            stop_alone(one, path, at)
    for found, one in zip(train_together(runs, REQUEST, checkpoint_paths=where), runs, strict=True):
        assert_close(found, train_run(one, REQUEST))
    assert sorted(sizes) == [1, 2, 2]


@EACH
def test_finished_runs_can_be_extended_together(run, tmp_path):
    runs = several(run, 3)
    where = paths(tmp_path, runs)
    train_together(runs, dataclasses.replace(REQUEST, steps=12), checkpoint_paths=where)
    extended = train_together(runs, REQUEST, checkpoint_paths=where)
    for found, expected in zip(extended, train_together(runs, REQUEST), strict=True):
        assert_close(found, expected)


def test_a_damaged_checkpoint_is_told_before_any_step(tmp_path, sizes):
    runs = several(DRAWN, 2)
    where = paths(tmp_path, runs)
    where[1].write_bytes(b"no archive")
    with pytest.raises(checkpoint.DamagedError, match=rf"{where[1].name} is damaged"):
        train_together(runs, REQUEST, checkpoint_paths=where)
    assert sizes == []


def test_what_goes_wrong_as_one_is_kept_leaves_the_others_saved(monkeypatch, tmp_path):
    scripted(monkeypatch)
    runs, where = several(DRAWN, 3), paths(tmp_path, several(DRAWN, 3))

    def refuse(run, dataset):
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        request = Request(40, 4, stop_after_grok=0)
        train_together(runs, request, checkpoint_paths=where, on_finished=refuse)
    assert [int(checkpoint.load(path)["done"]) for path in where] == [12] * 3


def test_denormal_numbers_are_kept_where_one_of_the_runs_divides_by_them(monkeypatch):
    # As for a run alone: flushed unless epsilon is as small as they are.
    seen, step = [], Ensemble.step
    monkeypatch.setattr(
        Ensemble, "step", lambda self: seen.append((torch.tensor([1e-40]) * 1).item()) or step(self)
    )
    run = FULL.replace(interventions=())
    for epsilons, kept in [((1e-8, 1e-9), False), ((1e-8, 1e-30), True), ((1e-30, 1e-8), True)]:
        seen.clear()
        train_together([run.replace(epsilon=epsilon) for epsilon in epsilons], Request(1))
        assert [value > 0 for value in seen] == [kept]


# -- memory, clocks, reports ----------------------------------------------------------------------


@pytest.mark.parametrize("most, parts", [(7, [7]), (6, [3, 4]), (3, [2, 2, 3]), (1, [1] * 7)])
def test_an_ensemble_is_no_larger_than_the_memory_allows(most, parts, monkeypatch, sizes):
    module = sys.modules["grokbook.training.together"]
    monkeypatch.setattr(module.memory, "room", lambda take, device: take(2) or most)
    runs = several(DRAWN, 7)
    request = Request(6, 3)
    found = train_together(runs, request)
    assert sizes[0] == 2  # to see what a step takes
    assert sorted(sizes[1:]) == parts
    for one, run in zip(found, runs, strict=True):
        assert_close(one, train_run(run, request))


def test_the_clock_is_shared(monkeypatch, tmp_path):
    scripted(monkeypatch)
    ticks = itertools.count()
    module = sys.modules["grokbook.training.sitting"]
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(ticks)))
    runs = several(DRAWN, 3)
    found = train_together(runs, Request(40, 4, stop_after_grok=0))
    seconds = [one["wall_seconds"].item() for one in found]
    assert seconds[0] < seconds[1] < seconds[2]
    assert sum(seconds) == pytest.approx(next(ticks) - 1, abs=12)
    assert all(math.isnan(one["peak_memory_bytes"].item()) for one in found)


def test_reports_tell_the_step_and_the_newest_evaluation_of_every_run(monkeypatch):
    heard = []
    monkeypatch.setattr("grokbook.training.engine.REPORT_SECONDS", -1.0)
    runs = several(DRAWN, 2)
    found = train_together(
        runs, Request(12, 5), report=lambda run, done, latest: heard.append((run, done, latest))
    )
    for run, dataset in zip(runs, found, strict=True):
        told = [(done, latest) for one, done, latest in heard if one == run]
        assert [done for done, _ in told] == list(range(13))
        assert told[0][1] == pytest.approx({"t_grok": math.nan}, nan_ok=True)
        assert told[8][1]["test_loss"] == dataset["test_loss"].sel(step=5).item()
        assert told[-1][1]["step"] == 12


# -- on a GPU -------------------------------------------------------------------------------------


@pytest.mark.gpu
@EACH
def test_a_gpu_takes_the_steps_of_the_cpu_and_never_waits(run):
    together = Ensemble([Trajectory(one, "cpu") for one in several(run)], "cuda")
    together.differentiate()
    together.step()  # the libraries' first calls may wait
    # The noise of an intervention is drawn on the CPU, and its copy waits.
    quiet = Ensemble(
        [Trajectory(one.replace(interventions=()), "cpu") for one in several(run)], "cuda"
    )
    torch.cuda.set_sync_debug_mode("error")
    try:
        for _ in range(20):
            quiet.differentiate()
            quiet.step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    runs, request = several(run), Request(200, 20)
    on_cpu = train_together(runs, request)
    for found, expected in zip(train_together(runs, request, device="cuda"), on_cpu, strict=True):
        assert found["peak_memory_bytes"].item() > 0
        assert_close(
            found, expected, 1e-6, leave_out=("wall_seconds", "peak_memory_bytes", "device")
        )


@pytest.mark.gpu
def test_a_gpu_has_the_onsets_of_the_cpu():
    run = Run(
        Task("add", 23),
        Split(0.6, seed=0),
        Transformer(d_model=32, heads=2, d_mlp=64),
        AdamW(3e-3, 1.0, beta2=0.98),
    )
    runs = [run.replace(seed=seed) for seed in range(24)]
    request = Request(3000, 20, Rule(0.95, 3), stop_after_grok=0)
    arms = []
    for device in ("cpu", "cuda"):
        found = train_together(runs, request, device=device)
        onsets = np.array([one["t_grok"].item() for one in found])
        budgets = np.array([one["budget"].item() for one in found])
        arms.append(right_censored(onsets, budgets))
    assert all(observed.mean() > 0.5 for _, observed in arms)
    assert logrank(*arms[0], *arms[1]).p_value > 0.01
