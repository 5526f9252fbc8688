"""Same run, same machine: bit for bit the same, whatever process it ran in and beside whatever."""

import multiprocessing
import time

import pytest
import torch

from grokbook import AdamW, Batch, Request, Run, Split, Store, Task, Transformer, train
from grokbook.models.feed_forward import ROWS
from tests.tiny import assert_same

FULL = Run(
    Task("add", 41),
    Split(0.4, seed=0),
    Transformer(d_model=32, heads=4, d_mlp=64, equals_is_class=True),
    AdamW(1e-3, 1.0, warmup=10, beta2=0.98),
)
DRAWN = Run(
    Task("add", 23),
    Split(0.5, seed=1),
    Transformer(d_model=32, heads=2, d_mlp=64, tokens=2, norm_position="post", activation="gelu"),
    AdamW(1e-3, 1.0),
    batch=Batch(64, seed=1),
)
RUNS = [FULL, DRAWN, FULL.replace(seed=5), DRAWN.replace(seed=5)]
REQUEST = Request(40, evaluate_every=8, keep_weights=True)


def burn() -> None:
    """Keep a core busy, and its cache full of other numbers."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        torch.randn(512, 512) @ torch.randn(512, 512)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The store of the runs trained one by one, in this process."""
    store = Store(tmp_path_factory.mktemp("alone"))
    train(RUNS, request=REQUEST, processes=1, store=store)
    return store


def assert_same_runs(runs, found, expected):
    """Compare the files of runs in two stores."""
    for run in runs:
        assert_same(found.read(run.name), expected.read(run.name))


def test_the_runs_are_ones_that_the_fused_pieces_slice():
    assert len(FULL.split.indices(41**2)[0]) > ROWS


def test_workers_beside_a_busy_process_return_the_same_bits(alone, tmp_path):
    beside = multiprocessing.get_context("spawn").Process(target=burn)
    beside.start()
    try:
        train(RUNS, request=REQUEST, processes=2, store=Store(tmp_path))
    finally:
        beside.kill()
        beside.join()
    assert_same_runs(RUNS, Store(tmp_path), alone)


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_the_caller_s_threads_change_nothing(threads, alone, tmp_path):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        train(FULL, request=REQUEST, processes=1, store=Store(tmp_path))
    finally:
        assert torch.get_num_threads() == threads  # the engine's own is given back
        torch.set_num_threads(before)
    assert_same_runs([FULL], Store(tmp_path), alone)
