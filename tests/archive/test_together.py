"""Ensembles under the locks of their runs: kept one by one, and taken up alone."""

import dataclasses
import itertools
import signal
import sys
import threading

import filelock
import numpy as np
import pytest
import torch

from grokbook import DamagedError, Request, Store, StoreError
from grokbook.archive import workers
from grokbook.archive.keep import train_and_keep
from grokbook.archive.together import train_and_keep_together
from grokbook.statistics import logrank
from grokbook.training import checkpoint
from grokbook.training.engine import train_run
from grokbook.training.ensemble import Ensemble
from grokbook.training.together import train_together
from tests.tiny import tiny

RUNS = [tiny(seed=seed, learning_rate=rate, batch_size=4, precision="float64")
        for seed, rate in enumerate([1e-2, 3e-3, 1e-2, 3e-2])]  # fmt: skip
REQUEST = Request(40, evaluate_every=8)


def together(store, stop=lambda: False, runs=RUNS, **more):
    kept = []
    ended = train_and_keep_together(
        runs, REQUEST, folder=store.folder, device="cpu", stop=stop, on_kept=kept.append, **more
    )
    return ended, kept


def assert_close(store, runs=RUNS):
    """Compare what is kept with each run trained alone."""
    for run in runs:
        expected, found = train_run(run, REQUEST), store.read(run.name)
        for name in ("train_loss", "test_loss", "squared_norm", "t_mem", "budget"):
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, err_msg=name)


def test_every_run_is_kept_as_if_it_had_been_trained_alone(store):
    assert together(store) == (True, RUNS)
    assert_close(store)
    before = [store.path(run.name).read_bytes() for run in RUNS]
    ended, _ = together(store)  # nothing is left to train
    assert ended
    assert [store.path(run.name).read_bytes() for run in RUNS] == before


def test_runs_that_were_stopped_together_go_on_alone_and_the_other_way_round(store, tmp_path):
    asked = itertools.count()
    assert together(store, stop=lambda: next(asked) > 20)[0] is False
    assert set(store.unfinished()) == {run.name for run in RUNS}
    for run in RUNS[:2]:
        assert train_and_keep(run, REQUEST, folder=store.folder, device="cpu")
    assert together(store)[0] is True
    assert_close(store)

    other, asked = Store(tmp_path / "other"), itertools.count()
    train_and_keep(
        RUNS[0], REQUEST, folder=other.folder, device="cpu", stop=lambda: next(asked) > 12
    )
    assert together(other)[0] is True
    assert_close(other)


def test_runs_of_several_structures_are_trained_group_by_group(store):
    runs = [RUNS[0], tiny(seed=5, width=8, precision="float64"), RUNS[1]]
    ended, kept = together(store, runs=runs)
    assert ended
    assert kept == [runs[0], runs[2], runs[1]]
    assert_close(store, runs)


def held_elsewhere(store, run):
    """Hold the lock of a run as another process would, so that any thread may let go of it."""
    store.folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(store.folder / f"{run.name}.lock", thread_local=False)
    return lock.acquire(timeout=0)


def test_a_run_that_another_process_holds_comes_last_and_its_result_is_taken(store, monkeypatch):
    trained = []
    module = sys.modules["grokbook.archive.together"]

    def watched(runs, *more, **named):
        trained.extend(runs)
        return train_together(runs, *more, **named)

    monkeypatch.setattr(module, "train_together", watched)
    with held_elsewhere(store, RUNS[0]):
        lock = held_elsewhere(store, RUNS[1])
        thread = threading.Thread(target=lambda: (others_kept.wait(60), finish(lock)))
        others_kept, kept = threading.Event(), []

        def finish(lock):
            store.write(train_run(RUNS[1], REQUEST))  # the other process comes to its end
            lock.lock.release(force=True)

        def on_kept(run):
            kept.append(run)
            if len(kept) == 2:
                others_kept.set()

        thread.start()
        asked = itertools.count()
        ended = train_and_keep_together(
            RUNS[1:], REQUEST, folder=store.folder, device="cpu", on_kept=on_kept,
            stop=lambda: next(asked) > 10_000,
        )  # fmt: skip
        thread.join()
    assert ended
    assert kept == [RUNS[2], RUNS[3], RUNS[1]]
    assert trained == [RUNS[2], RUNS[3]]


def test_waiting_for_another_process_ends_when_asked_to_stop(store):
    asked = itertools.count()
    with held_elsewhere(store, RUNS[0]):
        ended, kept = together(store, runs=RUNS[:1], stop=lambda: next(asked) > 2)
    assert (ended, kept, store.names()) == (False, [], [])


def test_each_run_is_free_for_others_once_it_is_kept(store):
    free = []

    def on_kept(run):
        with held_elsewhere(store, run):
            free.append(run)

    train_and_keep_together(RUNS, REQUEST, folder=store.folder, device="cpu", on_kept=on_kept)
    assert free == RUNS
    for run in RUNS:  # and all are, whatever happens
        held_elsewhere(store, run).lock.release()


def test_what_is_stored_is_neither_trained_again_nor_shortened(store):
    longer = Request(60, evaluate_every=8)
    store.folder.mkdir(parents=True)
    for run in RUNS[:2]:
        store.write(train_run(run, longer))
    before = store.path(RUNS[0].name).read_bytes()
    ended, kept = together(store)
    assert ended
    assert kept[:2] == RUNS[:2]  # at once
    assert store.path(RUNS[0].name).read_bytes() == before
    other_grid = Request(40, evaluate_every=5)
    with pytest.raises(StoreError, match="is kept with 60 steps, and what is asked"):
        train_and_keep_together(RUNS, other_grid, folder=store.folder, device="cpu")
    together(store, recompute=True)
    assert store.read(RUNS[0].name)["budget"].item() == 40


def test_a_damaged_result_is_told_before_any_step_and_stays(store, monkeypatch):
    monkeypatch.setattr(Ensemble, "step", lambda self: pytest.fail("it was trained"))
    store.folder.mkdir(parents=True)
    store.path(RUNS[2].name).write_bytes(b"no run")
    with pytest.raises(DamagedError, match=RUNS[2].name):
        together(store)
    assert store.path(RUNS[2].name).read_bytes() == b"no run"
    for run in RUNS:
        held_elsewhere(store, run).lock.release()


def test_a_full_disk_is_explained(store, monkeypatch):
    def full(self, run):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Store, "write", full)
    with pytest.raises(StoreError, match=r"4 runs could not be kept .* No space left on device;"):
        together(store)
    assert set(store.unfinished()) == {run.name for run in RUNS}  # each has its checkpoint


def test_what_a_killed_process_left_half_written_is_cleared(store):
    store.folder.mkdir(parents=True)
    left = store.folder / f".{RUNS[1].name}.nc.4711.tmp"
    left.write_bytes(b"half")
    together(store)
    assert not left.exists()


# -- as the jobs of a GPU -------------------------------------------------------------------------


def jobs(store, request=REQUEST):
    return [workers.Job(run, request, store.folder, "cpu") for run in RUNS]


def test_jobs_of_a_gpu_go_together_and_tell_what_happens(store, monkeypatch):
    monkeypatch.setattr("grokbook.training.engine.REPORT_SECONDS", -1.0)
    heard = []
    workers._train_together(jobs(store), heard.append)
    assert_close(store)
    names = [event["name"] for event in heard if event["event"] == "finished"]
    assert names == [run.name for run in RUNS]
    progress = [event for event in heard if event["event"] == "progress"]
    assert {event["name"] for event in progress} == set(names)
    assert {event["done"] for event in progress} == set(range(41))
    assert progress[-1]["latest"]["step"] == 40


def test_jobs_that_are_asked_differently_are_kept_apart(store):
    runs = [tiny(seed=9, batch_size=4), tiny(seed=8, batch_size=4)]
    asked = [Request(10), Request(20)]
    workers._train_together(
        [workers.Job(r, q, store.folder, "cpu") for r, q in zip(runs, asked, strict=True)],
        lambda event: None,
    )
    assert [store.read(run.name)["budget"].item() for run in runs] == [10, 20]


def test_ctrl_c_saves_all_that_are_trained_together(store, monkeypatch):
    def step(self, step=Ensemble.step):
        step(self)
        if self.done == 15:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(Ensemble, "step", step)
    with pytest.raises(KeyboardInterrupt):
        workers._train_together(jobs(store), lambda event: None)
    assert store.names() == []
    states = [checkpoint.load(store.state_path(run.name)) for run in RUNS]
    assert [int(state["done"]) for state in states] == [15] * 4


def test_only_a_gpu_trains_together(store, monkeypatch):
    called = []
    monkeypatch.setattr(workers, "_train_together", lambda jobs, progress: called.append(jobs))
    monkeypatch.setattr(workers, "train_and_keep", lambda *more, **named: True)
    workers.train_jobs(jobs(store), processes=1, progress=None)
    assert called == []
    on_gpu = [dataclasses.replace(job, device="cuda") for job in jobs(store)]
    workers.train_jobs(on_gpu, processes=1, progress=None)
    assert called == [on_gpu]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_goes_the_cpu_s_way_for_200_steps_and_has_the_same_onsets():
    runs = [tiny(p=11, seed=seed, weight_decay=1.0, width=64) for seed in range(32)]
    request = Request(200, evaluate_every=10)
    cpu = [train_run(run, request) for run in runs[:4]]
    together_on_gpu = train_together(runs[:4], request, device="cuda")
    for found, expected in zip(together_on_gpu, cpu, strict=True):
        # Float32 sums in another order: 2 % of the loss after 200 steps, as within one CPU.
        losses = found["train_loss"], expected["train_loss"]
        np.testing.assert_allclose(*losses, rtol=2e-2, atol=1e-4)
    longer = Request(3_000, evaluate_every=10)
    on_gpu = [one["t_mem"].item() for one in train_together(runs, longer, device="cuda")]
    on_cpu = [train_run(run, longer)["t_mem"].item() for run in runs]
    times = [np.array(each) for each in (on_gpu, on_cpu)]
    seen = [~np.isnan(each) for each in times]
    filled = [np.nan_to_num(each, nan=3_000.0) for each in times]
    assert logrank(filled[0], seen[0], filled[1], seen[1]).p_value > 0.01
