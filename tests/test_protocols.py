"""Each protocol pinned to its paper's numbers."""

import dataclasses
import math

import pytest

from grokbook import protocols
from grokbook.measures.onset import Rule
from grokbook.models import MLP, Decoder, Transformer
from grokbook.protocols import PROTOCOLS, SWEEPS, Protocol, grokfast24, nanda23, power22, prieto25
from grokbook.tasks import Split, Task
from grokbook.training.interventions.grokfast import GrokfastEMA, GrokfastMA
from grokbook.training.interventions.perpgrad import PerpGrad
from grokbook.training.interventions.stablemax import StableMax
from grokbook.training.optimizers import SGD, Adam, AdamW
from grokbook.training.request import Request
from grokbook.training.run import Batch, Loss, Run
from grokbook.training.trajectory import Trajectory


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


@pytest.mark.parametrize("name", PROTOCOLS | SWEEPS)
@pytest.mark.parametrize("seeds", [0, -3])
def test_no_seeds_are_refused(name, seeds):
    with pytest.raises(ValueError, match=rf"seeds = {seeds} is no number of runs: give 1 or more"):
        (PROTOCOLS | SWEEPS)[name](seeds=seeds)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_one_run_a_seed_and_more_seeds_keep_the_runs_that_are_there(name):
    runs = PROTOCOLS[name](seeds=3).runs
    assert len({run.name for run in runs}) == 3
    assert PROTOCOLS[name](seeds=2).runs == runs[:2]
    assert [run.init_seed for run in runs] == [run.split.seed for run in runs]


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
    assert PROTOCOLS["grokfast24"] is protocols.grokfast24
    assert PROTOCOLS["prieto25"] is protocols.prieto25
    for name, make in PROTOCOLS.items():
        assert make().request.protocol == name


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
