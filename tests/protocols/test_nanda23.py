"""Nanda et al.'s setup pinned to the numbers of its paper and its code, and its sweeps."""

import dataclasses

from grokbook import protocols
from grokbook.measures.onset import Rule
from grokbook.models import Transformer
from grokbook.protocols import nanda23
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


def test_the_sweeps_of_nanda23_are_its_runs_at_other_numbers():
    sweep = protocols.nanda23_weight_decay()
    assert [run.optimizer.weight_decay for run in sweep.runs[::2]] == [0, 0.1, 0.3, 1, 3]
    assert sweep.runs[6:8] == nanda23(seeds=2).runs  # weight decay 1 is the paper's own run
    data = protocols.nanda23_data()
    cells = [(run.split.train_fraction, run.optimizer.weight_decay) for run in data.runs[::2]]
    assert cells == [
        (0.2, 1), (0.25, 1), (0.3, 1), (0.4, 1), (0.5, 1), (0.6, 1), (0.4, 0), (0.6, 0), (0.8, 0),
    ]  # fmt: skip
    for made in (sweep, data):
        assert [run.init_seed for run in made.runs] == [0, 1] * (len(made.runs) // 2)
        assert made.request == dataclasses.replace(
            nanda23().request, steps=15_000, keep_weights=False
        )
    assert len(protocols.nanda23_data(seeds=5).runs) == 45
