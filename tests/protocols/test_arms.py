"""Protocols of several arms: the filters of Lee et al., the repairs of Prieto et al."""

import math

import pytest

from grokbook.measures.onset import Rule
from grokbook.models import MLP, Decoder
from grokbook.protocols import grokfast24, prieto25
from grokbook.tasks import Split, Task
from grokbook.training.interventions.grokfast import GrokfastEMA, GrokfastMA
from grokbook.training.interventions.perpgrad import PerpGrad
from grokbook.training.interventions.stablemax import StableMax
from grokbook.training.optimizers import SGD, Adam, AdamW
from grokbook.training.request import Request
from grokbook.training.run import Batch, Loss, Run
from grokbook.training.trajectory import Trajectory

GROKFAST = {
    "ema": (0.005, (GrokfastEMA(alpha=0.98, lamb=2.0),)),
    "ma": (0.01, (GrokfastMA(window=100, lamb=5.0),)),
    "baseline": (0.0, ()),
}


@pytest.mark.parametrize("arm", GROKFAST)
def test_grokfast24_is_pinned(arm):
    protocol = grokfast24(seeds=2, arm=arm)
    weight_decay, interventions = GROKFAST[arm]
    for seed, run in enumerate(protocol.runs):
        assert run == Run(
            Task("multiply", 97),
            Split(0.5, seed=seed, method="python_shuffle"),
            Decoder(
                layers=2,
                d_model=128,
                heads=4,
                d_mlp=512,
                prefix="a op b =",
                activation="gelu",
                norm_position="lee24",
                final_norm=True,
                positions="learned",
                attention_bias=True,
                mlp_bias=True,
                unembedding_bias=False,
                special_classes=True,
                init="encoder",
            ),
            Adam(
                learning_rate=1e-3,
                weight_decay=weight_decay,
                warmup=10,
                beta1=0.9,
                beta2=0.98,
                epsilon=1e-8,
            ),
            Loss("float32"),
            Batch(size=512, seed=seed, epochs=True),
            precision="float32",
            interventions=interventions,
            init_seed=seed,
        )
    assert protocol.request == Request(
        steps=300_000,
        evaluate_every=10,
        rule=Rule(0.95, sustained=1),
        stop_after_grok=2_000,
        measures=("squared_norm",),
        keep_weights=False,
        protocol="grokfast24",
    )


def test_grokfast24_has_the_tokens_and_weights_of_the_released_code():
    run = grokfast24(seeds=1).runs[0]
    shapes = run.model.shapes(97)
    # 97 residues, "=" and op; four positions are read, of the five that the code makes.
    assert shapes["W_E"] == (99, 128) and shapes["W_U"] == (128, 99)
    block = 4 * (128 * 128 + 128) + (128 * 512 + 512) + (512 * 128 + 128) + 4 * 128
    expected = 99 * 128 + 4 * 128 + 2 * block + 2 * 128 + 128 * 99
    assert sum(math.prod(shape) for shape in shapes.values()) == expected
    pairs, _, _ = run.task.table()
    train, test = run.split.indices(len(pairs))
    assert (len(train), len(test)) == (4704, 4705)


def test_grokfast24_takes_filter_and_decay_apart():
    runs = [
        grokfast24(seeds=1, arm=arm, weight_decay=weight_decay).runs[0]
        for arm in GROKFAST
        for weight_decay in (0, 0.005, 0.01)
    ]
    assert len({run.name for run in runs}) == 9
    assert grokfast24(arm="baseline", weight_decay=0.0) == grokfast24(arm="baseline")
    changed = grokfast24(seeds=1, grokfast_ema_alpha=0.9, grokfast_ema_lamb=5, d_model=64).runs[0]
    assert changed.interventions == (GrokfastEMA(0.9, 5.0),)
    assert changed.model.d_model == 64
    with pytest.raises(ValueError, match="a run has no 'grokfast_ema_alpha'"):
        grokfast24(arm="ma", grokfast_ema_alpha=0.9)


def adamw(learning_rate, beta2, epsilon):
    """AdamW of Prieto et al., which neither decays nor warms up."""
    return AdamW(learning_rate, 0.0, warmup=0, beta1=0.9, beta2=beta2, epsilon=epsilon)


PRIETO = {
    # arm: optimiser, loss, precision of the weights, interventions, steps, evaluation grid
    "stablemax": (adamw(0.01, 0.999, 1e-25), "float64", "float32", (StableMax(),), 80_000, 100),
    "perpgrad": (adamw(0.01, 0.999, 1e-8), "float32", "float32", (PerpGrad(),), 300, 10),
    "softmax": (adamw(0.01, 0.99, 1e-25), "float64", "float32", (), 80_000, 100),
    "softmax32": (adamw(5e-4, 0.99, 1e-30), "float32", "float32", (), 20_000, 50),
    "softmax64": (adamw(5e-4, 0.99, 1e-30), "float64", "float32", (), 20_000, 50),
    "fig6_adamw": (adamw(0.005, 0.99, 1e-25), "float32", "float32", (), 500, 10),
    "fig6_perpgrad": (adamw(0.005, 0.999, 1e-8), "float32", "float32", (PerpGrad(),), 500, 10),
    "fig6_perpsgd": (
        SGD(10.0, 0.0, warmup=0, momentum=0.8),
        "float64",
        "float64",
        (StableMax(), PerpGrad()),
        500,
        10,
    ),
}


@pytest.mark.parametrize("arm", PRIETO)
def test_prieto25_is_pinned(arm):
    protocol = prieto25(seeds=2, arm=arm)
    optimizer, loss, precision, interventions, steps, every = PRIETO[arm]
    for seed, run in enumerate(protocol.runs):
        assert run == Run(
            Task("add", 113),
            Split(0.4, seed=seed, method="python_shuffle"),
            MLP(
                width=200,
                hidden_layers=2,
                embedding="one_hot",
                activation="relu",
                bias=False,
            ),
            optimizer,
            Loss(loss),
            Batch(size=None),
            precision=precision,
            interventions=interventions,
            init_seed=seed,
        )
    assert protocol.request == Request(
        steps=steps,
        evaluate_every=every,
        rule=Rule(0.99, sustained=3),
        stop_after_grok=None,
        measures=("squared_norm",),
        keep_weights=False,
        protocol="prieto25",
    )


def test_prieto25_has_the_examples_and_weights_of_the_released_code():
    run = prieto25(seeds=1).runs[0]
    pairs, _, _ = run.task.table()
    train, test = run.split.indices(len(pairs))
    assert (len(train), len(test)) == (5107, 7662)
    assert list(run.model.shapes(113).values()) == [(226, 200), (200, 200), (200, 113)]


def test_prieto25_takes_changes_and_a_budget():
    changed = prieto25(seeds=1, arm="softmax32", steps=9, train_fraction=0.6, epsilon=1e-25)
    assert (changed.runs[0].split.train_fraction, changed.request.steps) == (0.6, 9)
    assert changed.runs[0].optimizer.epsilon == 1e-25
    assert prieto25(steps=0).request.steps == 0


ARMS = [(grokfast24, arm) for arm in GROKFAST] + [(prieto25, arm) for arm in PRIETO]


@pytest.mark.parametrize(("protocol", "arm"), ARMS)
def test_every_arm_takes_a_step_from_its_own_json(protocol, arm):
    size = {"d_model": 16, "d_mlp": 16, "batch_size": 8} if protocol is grokfast24 else {"width": 8}
    (run,) = protocol(seeds=1, arm=arm, p=5, **size).runs
    trajectory = Trajectory(Run.from_json(run.to_json()), "cpu")
    before = trajectory.theta.clone()
    for _ in range(3):  # the first step of a warm-up is empty
        loss, gradient = trajectory.gradient()
        assert math.isfinite(loss)
        trajectory.step(gradient)
    assert trajectory.theta.isfinite().all()
    assert not (trajectory.theta == before).all()


@pytest.mark.parametrize(("protocol", "arms"), [(grokfast24, GROKFAST), (prieto25, PRIETO)])
def test_an_unknown_arm_is_refused_with_those_there_are(protocol, arms):
    known = ", ".join(arms)
    with pytest.raises(ValueError, match=rf"arm = 'fir' is not known: choose one of {known}\."):
        protocol(arm="fir")
