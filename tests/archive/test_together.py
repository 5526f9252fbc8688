"""Ensembles under the locks of their runs: kept one by one, and taken up alone."""

import itertools

import numpy as np
import pytest
import torch

from grokbook import Request, Store
from grokbook.archive.keep import train_and_keep
from grokbook.archive.together import train_and_keep_together
from grokbook.statistics import logrank
from grokbook.training.engine import train_run
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
