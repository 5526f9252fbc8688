"""The setup of Power et al. pinned to the numbers of its paper, and its sweeps."""

import dataclasses
import math

import pytest

from grokbook import protocols
from grokbook.measures.onset import Rule
from grokbook.models import Decoder
from grokbook.protocols import power22
from grokbook.tasks import Split, Task
from grokbook.training.optimizers import Adam, AdamW
from grokbook.training.request import Request
from grokbook.training.run import Batch, Loss, Run


def test_power22_is_pinned():
    protocol = power22(seeds=2)
    for seed, run in enumerate(protocol.runs):
        assert run == Run(
            Task("divide", 97),
            Split(0.5, seed=seed, method="python_shuffle"),
            Decoder(
                layers=2,
                d_model=128,
                heads=4,
                d_mlp=512,
                prefix="<eos> a op b =",
                activation="relu",
                norm_position="post",
                final_norm=False,
                positions="sinusoidal",
                attention_bias=False,
                mlp_bias=False,
                unembedding_bias=False,
                special_classes=False,
                init="linear",
            ),
            AdamW(
                learning_rate=1e-3,
                weight_decay=1.0,
                warmup=10,
                beta1=0.9,
                beta2=0.98,
                epsilon=1e-8,
            ),
            Loss("float32"),
            Batch(512, seed=seed, epochs=True),
            precision="float32",
            init_seed=seed,
        )
    assert protocol.request == Request(
        steps=100_000,
        evaluate_every=50,
        rule=Rule(0.99, sustained=1),
        stop_after_grok=2_000,
        measures=("squared_norm",),
        protocol="power22",
    )


def test_power22_has_the_parameters_that_the_paper_counts():
    shapes = power22().runs[0].model.shapes(97)
    inner = {name: shape for name, shape in shapes.items() if name not in ("W_E", "W_U")}
    assert 3.9e5 < sum(math.prod(shape) for shape in inner.values()) < 4.1e5  # about 4e5


def test_power22_without_decay_is_figure_1():
    base, figure_1 = power22(seeds=1), power22(seeds=1, arm="figure_1")
    assert figure_1.request == dataclasses.replace(
        base.request, steps=1_000_000, evaluate_every=100
    )
    assert figure_1.runs[0] == dataclasses.replace(
        base.runs[0], optimizer=Adam(1e-3, 0.0, warmup=10, beta1=0.9, beta2=0.98)
    )


@pytest.mark.parametrize(
    ("fraction", "size"), [(0.5, 512), (0.11, 512), (0.10, 466), (0.05, 233)]
)  # of 9,312: 4,656, 1,024, 931 and 465
def test_power22_takes_half_of_a_small_training_set(fraction, size):
    assert power22(seeds=1, train_fraction=fraction).runs[0].batch.size == size
    assert power22(seeds=1, train_fraction=fraction, batch_size=7).runs[0].batch.size == 7


def test_power22_on_less_data():
    sweep = protocols.power22_data()
    assert [run.split.train_fraction for run in sweep.runs[::3]] == [0.25, 0.3, 0.35, 0.4]
    assert sweep.runs[3:6] == power22(train_fraction=0.3).runs
    assert sweep.request == dataclasses.replace(power22().request, steps=20_000)


def test_power22_on_every_operation_of_its_table():
    runs = protocols.power22_operations(seeds=1).runs
    assert [run.task.operation for run in runs] == [
        "add", "subtract", "divide", "divide_or_subtract", "x2_plus_y2", "x2_plus_xy_plus_y2",
        "x2_plus_xy_plus_y2_plus_x", "x3_plus_xy", "x3_plus_xy2_plus_y",
    ]  # fmt: skip
    assert runs[2] == power22(seeds=1).runs[0]
    assert protocols.power22_operations().request == power22().request
