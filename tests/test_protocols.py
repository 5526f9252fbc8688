"""Each protocol pinned to its paper's numbers."""

import dataclasses

import pytest

from grokbook.measures.onset import Rule
from grokbook.models import Transformer
from grokbook.protocols import PROTOCOLS, Protocol, nanda23
from grokbook.tasks import Split, Task
from grokbook.training.optimizers import AdamW
from grokbook.training.request import Request
from grokbook.training.run import Batch, Loss, Run


def test_nanda23_is_pinned():
    protocol = nanda23(seeds=3)
    for seed, run in enumerate(protocol.runs):
        # Every number is written out: a changed default must not change the paper's protocol.
        assert run == Run(
            Task("add", 113),
            Split(0.3, seed=seed, method="python_shuffle"),
            Transformer(
                d_model=128,
                heads=4,
                d_mlp=512,
                tokens=3,
                activation="relu",
                norm_position="none",
                norm="layer",
                final_norm=False,
                attention_bias=False,
                mlp_bias=True,
                unembedding_bias=False,
                equals_is_class=True,
                init="nanda23",
            ),
            AdamW(
                learning_rate=1e-3,
                weight_decay=1.0,
                warmup=10,
                beta1=0.9,
                beta2=0.98,
                epsilon=1e-8,
            ),
            Loss("float64"),
            Batch(size=None, seed=0),
            precision="float32",
            init_seed=seed,
        )
    assert protocol.request == Request(
        steps=40_000,
        evaluate_every=10,
        rule=Rule(0.99, sustained=3),
        stop_after_grok=3_000,
        measures=("squared_norm",),
        keep_weights=True,
        protocol="nanda23",
    )
    # The name of its first run: the archive finds it by this.
    assert protocol.runs[0].name == "11d48be0ab3ad8cb"


def test_nanda23_trains_on_3830_pairs_of_12769():
    run = nanda23(seeds=1).runs[0]
    pairs, _, classes = run.task.table()
    train, test = run.split.indices(len(pairs))
    assert (len(train), len(test), classes) == (3830, 8939, 113)
    assert run.model.shapes(113)["W_U"] == (128, 114)  # "=" can be predicted


def test_nanda23_has_five_seeds_from_0_each_run_its_own():
    runs = nanda23().runs
    assert [run.init_seed for run in runs] == [run.split.seed for run in runs] == [0, 1, 2, 3, 4]
    assert len({run.name for run in runs}) == 5
    assert nanda23(seeds=2).runs == runs[:2]  # more seeds keep the runs that are there


def test_nanda23_takes_changes_by_short_name():
    changed = nanda23(seeds=1, p=11, weight_decay=0.1, d_model=16)
    (run,) = changed.runs
    assert (run.task.p, run.optimizer.weight_decay, run.model.d_model) == (11, 0.1, 16)
    assert changed.request == nanda23().request
    assert nanda23(steps=7).request == dataclasses.replace(nanda23().request, steps=7)


@pytest.mark.parametrize("seeds", [0, -3])
def test_no_seeds_are_refused(seeds):
    with pytest.raises(ValueError, match=rf"seeds = {seeds} is no number of runs: give 1 or more"):
        nanda23(seeds=seeds)


def test_an_unknown_hyper_parameter_is_refused():
    with pytest.raises(ValueError, match=r"a run has no 'wd': choose from .*weight_decay"):
        nanda23(wd=1.0)


def test_replace_changes_the_request_alone():
    protocol = nanda23(seeds=1)
    shorter = protocol.replace(steps=100, stop_after_grok=None)
    assert isinstance(shorter, Protocol)
    assert shorter.runs == protocol.runs
    assert (shorter.request.steps, shorter.request.stop_after_grok) == (100, None)
    assert protocol.request.steps == 40_000
    with pytest.raises(TypeError):
        protocol.replace(speed=1)


def test_protocols_are_found_by_name_and_label_their_runs():
    assert PROTOCOLS["nanda23"] is nanda23
    for name, make in PROTOCOLS.items():
        assert make().request.protocol == name
