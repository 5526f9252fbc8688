"""Ensembles against the engine that trains each run alone: datasets, ends, checkpoints."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import xarray as xr

from grokbook.measures.onset import Rule
from grokbook.tasks import Task
from grokbook.training import checkpoint
from grokbook.training.engine import StoppedError, train_run
from grokbook.training.ensemble import Ensemble
from grokbook.training.request import Request
from grokbook.training.together import groups, train_together
from grokbook.training.trajectory import Trajectory
from tests.training.ensembles import DRAWN, FULL, OPTIMIZERS, assert_close, several

BOTH = pytest.mark.parametrize("run", [FULL, DRAWN], ids=["full", "drawn"])
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
@BOTH
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
    # 6e-8 of rounding grows with every step, most of all where the second moments are young.
    run = FULL.replace(precision="float32", interventions=(), learning_rate=3e-3)
    runs, request = several(run), Request(200, 20)
    alone = [train_run(one, request) for one in runs]
    for found, expected in zip(train_together(runs, request), alone, strict=True):
        losses = expected["train_loss"].values, expected["test_loss"].values
        assert max(abs(loss[0, 0] - loss[0, -1]) for loss in losses) > 0.5
        for name in ("train_loss", "test_loss", "squared_norm"):
            np.testing.assert_allclose(found[name], expected[name], rtol=2e-2, atol=1e-5)
        early = {"step": slice(0, 4)}
        for name in ("train_loss", "test_loss", "squared_norm"):
            np.testing.assert_allclose(
                found[name].isel(early), expected[name].isel(early), rtol=2e-5
            )


def test_runs_of_two_structures_are_refused():
    runs = [FULL, DRAWN, FULL.replace(seed=3)]
    with pytest.raises(ValueError, match=r"are of 2 structures: train each of groups\(\) alone"):
        train_together(runs, REQUEST)
    assert groups(runs) == [[FULL, FULL.replace(seed=3)], [DRAWN]]
    assert train_together([], REQUEST) == []


# -- where a run ends -----------------------------------------------------------------------------


@BOTH
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


@BOTH
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


@BOTH
@pytest.mark.parametrize("every", [5, 6])
def test_a_run_that_diverges_ends_there_and_disturbs_no_other(run, every, tmp_path):
    runs, request = several(run), Request(24, every, keep_weights=True)
    runs[1] = runs[1].replace(learning_rate=1e170, weight_decay=0.0)
    alone = [train_run(one, request) for one in runs]
    assert math.isfinite(alone[1]["diverged_at"].item())
    assert np.isnan([one["diverged_at"].item() for one in alone]).sum() == 3
    where = paths(tmp_path, runs)
    together = train_together(runs, request, checkpoint_paths=where)
    for row in (0, 2, 3):
        assert_close(together[row], alone[row])
    for name in ("diverged_at", "budget", "step", "train_accuracy", "t_mem", "censored"):
        np.testing.assert_array_equal(together[1][name], alone[1][name])
    assert not np.isfinite(together[1]["train_loss"].values[0, -1])
    # Asked again, alone or together, it stays where it is.
    again = train_run(runs[1], request, checkpoint_path=where[1])
    np.testing.assert_array_equal(again["diverged_at"], together[1]["diverged_at"])
    np.testing.assert_allclose(again["test_loss"], together[1]["test_loss"], rtol=1e-9)
    assert_same(train_together(runs, request, checkpoint_paths=where), together)
