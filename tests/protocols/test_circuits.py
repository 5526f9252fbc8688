"""The protocols of chapter 02: Gromov's, Zhong et al.'s, products of groups, and frames."""

import dataclasses

from grokbook import protocols
from grokbook.measures.onset import Rule
from grokbook.models import Quadratic, Transformer
from grokbook.protocols import gromov23, nanda23, zhong23
from grokbook.tasks import Split, Task
from grokbook.training.optimizers import SGD, AdamW
from grokbook.training.request import Request
from grokbook.training.run import Batch, Loss, Run


def test_gromov23_is_pinned():
    protocol = gromov23(seeds=2)
    for seed, run in enumerate(protocol.runs):
        assert run == Run(
            Task("add", 97),
            Split(0.5, seed=seed, method="python_shuffle"),
            Quadratic(width=500),
            SGD(learning_rate=1e5, weight_decay=0.0, warmup=0, momentum=0.0),
            Loss("float32", function="mean_squared_error"),
            Batch(size=None, seed=0),
            precision="float32",
            init_seed=seed,
        )
    assert protocol.request == Request(
        steps=60_000,
        evaluate_every=50,
        rule=Rule(0.99, sustained=3),
        stop_after_grok=2_000,
        measures=("squared_norm", "participation"),
        keep_weights=True,
        protocol="gromov23",
    )


def test_zhong23_is_pinned_and_has_two_arms():
    protocol = zhong23(seeds=2)
    arms = [(rate, seed) for rate in (0.0, 1.0) for seed in (0, 1)]
    for (rate, seed), run in zip(arms, protocol.runs, strict=True):
        assert run == Run(
            Task("add", 59),
            Split(0.8, seed=seed, method="python_shuffle"),
            Transformer(
                d_model=128,
                heads=4,
                d_mlp=512,
                tokens=2,
                activation="relu",
                norm_position="none",
                norm="layer",
                final_norm=False,
                attention_bias=False,
                attention_rate=rate,
                mlp_bias=True,
                unembedding_bias=False,
                equals_is_class=False,
                init="zhong23",
            ),
            AdamW(
                learning_rate=1e-3,
                weight_decay=2.0,
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
        steps=20_000,
        evaluate_every=50,
        rule=Rule(0.99, sustained=3),
        frames=32,
        protocol="zhong23",
    )
    assert zhong23(seeds=2, attention_rate=1.0).runs == protocol.runs[2:]


def test_nanda23_circuits_asks_more_of_the_same_runs():
    base, closer = nanda23(), protocols.nanda23_circuits()
    assert closer.runs == base.runs
    assert closer.request == dataclasses.replace(base.request, keep_weights=False, frames=96)


def test_products_are_a_cyclic_group_and_one_that_is_not():
    protocol = protocols.products()
    seventy_seven, product = protocol.runs[:2], protocol.runs[2:]
    assert [run.task for run in seventy_seven] == [Task("compose", 77, group="Z_77")] * 2
    assert [run.task for run in product] == [Task("compose", 121, group="Z_11 × Z_11")] * 2
    for runs in (seventy_seven, product):
        for run, base in zip(runs, nanda23(seeds=2, train_fraction=0.5).runs, strict=True):
            assert dataclasses.replace(run, task=base.task) == base
    assert protocol.request == nanda23(steps=15_000).request
