"""`Run`: its JSON, its name, and its hyper-parameters by their short names."""

import dataclasses
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grokbook.models import MLP, Transformer
from grokbook.tasks import Split, Task
from grokbook.training.interventions import GradientNoise, GrokfastMA, StableMax
from grokbook.training.optimizers import SGD, Adam, AdamW
from grokbook.training.run import Batch, Loss, Run, grid

ADD = Run(Task("add", 113), Split(0.3, seed=0), Transformer())
SMALL = Run(
    Task("multiply", 7), Split(0.5, seed=1), MLP(8), SGD(0.1), batch=Batch(4, seed=2), init_seed=3
)
CHANGED = Run(
    Task("add", 7),
    Split(0.5, seed=1),
    MLP(8),
    Adam(0.01, 1),
    interventions=(GradientNoise(0.5), GrokfastMA(window=7)),
)

# Written out, so that an innocent change of a default, a field or the format cannot rename the
# archived runs unseen. A new field is left out of the JSON at the value that means "as before".
ADD_JSON = (
    '{"batch":{"seed":0,"size":null},"init_seed":0,"loss":{"precision":"float64"},"model":{'
    '"activation":"relu","attention_bias":false,"d_mlp":512,"d_model":128,"equals_is_class":false,'
    '"final_norm":false,"heads":4,"init":"nanda23","kind":"transformer","mlp_bias":true,'
    '"norm":"layer","norm_position":"none","tokens":3,"unembedding_bias":false},"optimizer":{'
    '"beta1":0.9,"beta2":0.999,"epsilon":1e-08,"kind":"adamw","learning_rate":0.001,"warmup":0,'
    '"weight_decay":0.0},"precision":"float32","split":{"method":"python_shuffle","seed":0,'
    '"train_fraction":0.3},"task":{"operation":"add","p":113}}'
)
SMALL_JSON = (
    '{"batch":{"seed":2,"size":4},"init_seed":3,"loss":{"precision":"float64"},"model":{'
    '"activation":"relu","bias":true,"embedding":"one_hot","embedding_width":128,'
    '"hidden_layers":1,"kind":"mlp","width":8},"optimizer":{"kind":"sgd","learning_rate":0.1,'
    '"momentum":0.0,"warmup":0,"weight_decay":0.0},"precision":"float32","split":{'
    '"method":"python_shuffle","seed":1,"train_fraction":0.5},"task":{"operation":"multiply",'
    '"p":7}}'
)
CHANGED_JSON = (
    '{"batch":{"seed":0,"size":null},"init_seed":0,"interventions":[{"decay":0.0,'
    '"kind":"gradient_noise","std":0.5},{"kind":"grokfast_ma","lamb":5.0,"window":7}],'
    '"loss":{"precision":"float64"},"model":{"activation":"relu","bias":true,'
    '"embedding":"one_hot","embedding_width":128,"hidden_layers":1,"kind":"mlp","width":8},'
    '"optimizer":{"beta1":0.9,"beta2":0.999,"epsilon":1e-08,"kind":"adam","learning_rate":0.01,'
    '"warmup":0,"weight_decay":1.0},"precision":"float32","split":{"method":"python_shuffle",'
    '"seed":1,"train_fraction":0.5},"task":{"operation":"add","p":7}}'
)
PINNED = [(ADD, ADD_JSON), (SMALL, SMALL_JSON), (CHANGED, CHANGED_JSON)]


def made(kind, *items, **named):
    """A dataclass to be: built in the test, since its shape checks draw from `random`."""
    return st.tuples(st.just(kind), st.tuples(*items), st.fixed_dictionaries(named))


def build(drawn):
    """What `made` stands for; a list is a tuple of them."""
    if isinstance(drawn, list):
        return tuple(map(build, drawn))
    if not (isinstance(drawn, tuple) and len(drawn) == 3 and isinstance(drawn[0], type)):
        return drawn
    kind, items, named = drawn
    return kind(*map(build, items), **{name: build(value) for name, value in named.items()})


FLAGS, SEEDS = st.booleans(), st.integers(0, 2**40)
RATES = st.one_of(st.floats(0, 10), st.integers(0, 3))
MODELS = st.one_of(
    made(
        Transformer,
        d_model=st.sampled_from([8, 16]),
        heads=st.sampled_from([1, 2, 4]),
        tokens=st.sampled_from([2, 3]),
        norm_position=st.sampled_from(["none", "pre", "post"]),
        norm=st.sampled_from(["layer", "rms"]),
        final_norm=FLAGS,
        attention_bias=FLAGS,
        equals_is_class=FLAGS,
        init=st.sampled_from(["nanda23", "linear", "encoder"]),
    ),
    made(
        MLP,
        width=st.integers(1, 512),
        hidden_layers=st.integers(1, 3),
        embedding=st.sampled_from(["one_hot", "learned"]),
        bias=FLAGS,
    ),
)
OPTIMIZERS = st.one_of(
    made(AdamW, RATES, RATES, st.integers(0, 20), beta2=st.floats(0, 0.999)),
    made(Adam, RATES, RATES, st.integers(0, 20), beta1=st.floats(0, 0.999)),
    made(SGD, RATES, RATES, momentum=st.floats(0, 0.99)),
)
INTERVENTIONS = st.lists(
    st.one_of(
        made(GradientNoise, RATES, RATES),
        made(GrokfastMA, st.integers(1, 200), RATES),
        made(StableMax),
    ),
    max_size=3,
    unique_by=lambda drawn: drawn[0],
)
RUNS = made(
    Run,
    made(Task, st.sampled_from(["add", "multiply", "x3_plus_xy"]), st.integers(2, 200)),
    made(Split, st.floats(0.01, 0.99), seed=SEEDS),
    MODELS,
    OPTIMIZERS,
    made(Loss, st.sampled_from(["float64", "float32"])),
    made(Batch, st.none() | st.integers(1, 512), SEEDS),
    st.sampled_from(["float32", "float64"]),
    INTERVENTIONS,
    init_seed=SEEDS,
)


# -- names --------------------------------------------------------------------------------


@settings(max_examples=40)
@given(RUNS)
def test_json_reads_back_as_the_same_run(drawn):
    run = build(drawn)
    again = Run.from_json(run.to_json())
    assert again == run
    assert again.name == run.name
    assert type(again.model) is type(run.model)
    assert type(again.optimizer) is type(run.optimizer)
    assert list(map(type, again.interventions)) == list(map(type, run.interventions))


@pytest.mark.parametrize(("run", "text"), PINNED)
def test_json_and_name_are_pinned(run, text):
    assert run.to_json() == text
    assert run.name == hashlib.sha256(text.encode()).hexdigest()[:16]
    assert Run.from_json(text) == run


def test_name_is_pinned():
    assert ADD.name == "76c2d71421eab110"


# Runs had names before these fields were there, at what meant the same as now these values.
LATER = {
    "interventions": (),
    "epochs": False,
    "group": "",
    "function": "cross_entropy",
    "attention_rate": 1.0,
    "decay_until": None,
    "embedding_scale": 1.0,
    "after": 0,
    "norm": "none",
    "norm_affine": True,
    "unit": "sqrt_d",
    "at": "answer",
}


@pytest.mark.parametrize(
    ("changes", "part", "item"),
    [
        ({"operation": "compose", "group": "Z_2 x Z_2", "p": 4}, "task", "group"),
        ({"loss_function": "mean_squared_error"}, "loss", "function"),
        ({"attention_rate": 0}, "model", "attention_rate"),
        ({"embedding_scale": 2}, "model", "embedding_scale"),
        ({"decay_until": 0}, "optimizer", "decay_until"),
    ],
)
def test_what_came_later_is_named_where_it_differs(changes, part, item):
    before = Run(Task("add", 5), Split(0.5, seed=0), Transformer())
    after = before.replace(**changes)
    assert item not in json.loads(before.to_json())[part]
    assert item in json.loads(after.to_json())[part]
    assert after.name != before.name
    assert Run.from_json(after.to_json()) == after


def test_every_field_is_in_the_json():
    def check(value, plain):
        if isinstance(value, tuple):
            for each, one in zip(value, plain, strict=True):
                check(each, one)
            return
        if not dataclasses.is_dataclass(value):
            assert value == plain
            return
        names = {field.name for field in dataclasses.fields(value)}
        names -= {name for name in names & set(LATER) if getattr(value, name) == LATER[name]}
        assert set(plain) - {"kind"} == names
        for name in names:
            check(getattr(value, name), plain[name])

    for run in (ADD, SMALL, CHANGED):
        plain = json.loads(run.to_json())
        check(run, plain)
        assert plain["model"]["kind"] == run.model.kind
        assert plain["optimizer"]["kind"] == run.optimizer.kind
        kinds = [each["kind"] for each in plain.get("interventions", [])]
        assert kinds == [each.kind for each in run.interventions]


def test_no_interventions_are_written_as_before_there_were_any():
    assert SMALL.interventions == ()
    assert dataclasses.replace(CHANGED, interventions=()).to_json().count("interventions") == 0
    # Adam and AdamW are two runs, whatever else is equal.
    coupled, decoupled = (dataclasses.replace(SMALL, optimizer=kind()) for kind in (Adam, AdamW))
    assert coupled.name != decoupled.name


def test_whole_numbers_and_floats_give_one_name():
    whole = ADD.replace(learning_rate=1, weight_decay=1, beta1=0)
    assert whole.name == ADD.replace(learning_rate=1.0, weight_decay=1.0, beta1=0.0).name
    assert SMALL.replace(momentum=0, learning_rate=2).name == SMALL.replace(learning_rate=2.0).name


def test_order_of_keys_and_white_space_do_not_matter():
    plain = json.loads(ADD_JSON)
    turned = {
        key: dict(reversed(value.items())) if isinstance(value, dict) else value
        for key, value in reversed(plain.items())
    }
    shuffled = json.dumps(turned, indent=2)
    assert shuffled.index('"task"') < shuffled.index('"batch"')
    assert Run.from_json(shuffled).to_json() == ADD_JSON


def test_a_full_batch_ignores_its_seed():
    assert Batch(seed=7) == Batch()
    assert ADD.replace(batch_seed=7) == ADD
    assert SMALL.replace(batch_seed=7).name != SMALL.name
    assert Batch(epochs=True) == Batch()


def test_batches_by_epochs_are_named_in_the_json_and_others_as_before():
    dealt = SMALL.replace(batch_epochs=True)
    assert json.loads(dealt.to_json())["batch"] == {"epochs": True, "seed": 2, "size": 4}
    assert json.loads(SMALL.to_json())["batch"] == {"seed": 2, "size": 4}
    assert Run.from_json(dealt.to_json()) == dealt != SMALL


CHANGES = {
    "operation": "subtract", "p": 11, "train_fraction": 0.4, "split_seed": 9,
    "precision": "float64", "init_seed": 9, "loss_precision": "float32",
    "loss_function": "mean_squared_error",
    "batch_size": 3, "batch_seed": 9, "batch_epochs": True,
    "learning_rate": 0.5, "weight_decay": 0.5, "warmup": 5,
    "decay_until": 7,
}  # fmt: skip
ADAM_CHANGES = {"beta1": 0.5, "beta2": 0.5, "epsilon": 0.5}
MLP_CHANGES = {
    "width": 16, "hidden_layers": 2, "embedding": "learned", "embedding_width": 16,
    "activation": "gelu", "bias": False, "norm": "rms",
}  # fmt: skip
TRANSFORMER_CHANGES = {
    "d_model": 64, "heads": 2, "d_mlp": 16, "tokens": 2, "activation": "gelu",
    "norm_position": "pre", "norm": "rms", "final_norm": True, "attention_bias": True,
    "mlp_bias": False, "unembedding_bias": True, "equals_is_class": True, "init": "linear",
    "attention_rate": 0.5, "embedding_scale": 2.0,
}  # fmt: skip
NOISE_CHANGES = {
    "gradient_noise_std": 0.25, "gradient_noise_decay": 0.5,
    "grokfast_ma_window": 3, "grokfast_ma_lamb": 0.5,
}  # fmt: skip
# What a run is made of, and what has one value only, cannot be changed by a short name; the
# interventions are changed as a whole, and only named here; a group comes with its operation.
FIXED = {"model", "optimizer", "split_method", "interventions", "group"}


@pytest.mark.parametrize(
    ("run", "changes"),
    [
        (SMALL, CHANGES | MLP_CHANGES | {"momentum": 0.5}),
        (ADD.replace(batch_size=5), CHANGES | ADAM_CHANGES | TRANSFORMER_CHANGES),
        (CHANGED.replace(batch_size=5), CHANGES | ADAM_CHANGES | MLP_CHANGES | NOISE_CHANGES),
    ],
    ids=["mlp-sgd", "transformer-adamw", "mlp-adam-interventions"],
)
def test_every_hyper_parameter_can_be_changed_and_changes_the_name(run, changes):
    before = run.coordinates()
    assert set(changes) == set(before) - FIXED
    names = {run.name}
    for name, value in changes.items():
        changed = run.replace(**{name: value})
        assert changed.coordinates() == before | {name: value}
        assert before[name] != value
        names.add(changed.name)
    assert len(names) == 1 + len(changes)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "rubbish",
        "3",
        "null",
        "[]",
        "{}",
        '{"task": 3}',
        ADD_JSON[:-1],
        ADD_JSON.replace('"add"', '"sing"'),
        ADD_JSON.replace('"kind":"adamw"', '"kind":"lion"'),
        ADD_JSON.replace('"kind":"transformer",', ""),
        ADD_JSON.replace('"heads":4', '"heads":3'),
        ADD_JSON.replace('"heads":4', '"legs":4'),
        ADD_JSON.replace('"init_seed":0', '"init_seed":-1'),
        ADD_JSON.replace('"init_seed":0', '"init_seed":"x"'),
        ADD_JSON.replace('"init_seed":0', '"init_seed":0,"colour":1'),
        ADD_JSON.replace('"loss":{"precision":"float64"},', ""),
        ADD_JSON.replace('"learning_rate":0.001', '"learning_rate":NaN'),
        ADD_JSON.replace('"size":null', '"size":0'),
        CHANGED_JSON.replace('"gradient_noise"', '"gradient_song"'),
        CHANGED_JSON.replace('"kind":"gradient_noise",', ""),
        CHANGED_JSON.replace('"std":0.5', '"std":"loud"'),
        CHANGED_JSON.replace('"std":0.5', '"std":0.5,"colour":1'),
        CHANGED_JSON.replace('"grokfast_ma","lamb":5.0,"window":7', '"gradient_noise"'),
        ADD_JSON.replace('"init_seed":0', '"init_seed":0,"interventions":3'),
    ],
)
def test_json_that_is_no_run_is_refused(text):
    assert text not in (ADD_JSON, CHANGED_JSON)
    with pytest.raises(ValueError):
        Run.from_json(text)


# -- hyper-parameters by their short names ------------------------------------------------


def test_coordinates_are_flat_and_complete():
    assert SMALL.coordinates() == {
        "operation": "multiply",
        "p": 7,
        "group": "",
        "train_fraction": 0.5,
        "split_seed": 1,
        "split_method": "python_shuffle",
        "model": "mlp",
        "width": 8,
        "hidden_layers": 1,
        "embedding": "one_hot",
        "embedding_width": 128,
        "norm": "none",
        "activation": "relu",
        "bias": True,
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "weight_decay": 0.0,
        "warmup": 0,
        "decay_until": None,
        "momentum": 0.0,
        "loss_precision": "float64",
        "loss_function": "cross_entropy",
        "batch_size": 4,
        "batch_seed": 2,
        "batch_epochs": False,
        "precision": "float32",
        "init_seed": 3,
        "interventions": "",
    }
    found = CHANGED.coordinates()
    assert {name: found[name] for name in found if name not in SMALL.coordinates()} == {
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-8,
        "gradient_noise_std": 0.5,
        "gradient_noise_decay": 0.0,
        "grokfast_ma_window": 7,
        "grokfast_ma_lamb": 5.0,
    }
    assert (found["optimizer"], found["interventions"]) == ("adam", "gradient_noise+grokfast_ma")


def test_seed_sets_split_start_and_batches_at_once():
    changed = SMALL.replace(seed=5)
    assert (changed.split.seed, changed.init_seed, changed.batch.seed) == (5, 5, 5)
    named = SMALL.replace(seed=5, init_seed=6)
    assert (named.split.seed, named.init_seed, named.batch.seed) == (5, 6, 5)


def test_replace_leaves_the_original_alone():
    changed = SMALL.replace(p=11, width=16, learning_rate=0.3)
    assert (changed.task.p, changed.model.width, changed.optimizer.learning_rate) == (11, 16, 0.3)
    assert SMALL.to_json() == SMALL_JSON
    changed = CHANGED.replace(gradient_noise_std=2, interventions=(GradientNoise(1, 0.5),))
    assert changed.interventions == (GradientNoise(2.0, 0.5),)
    assert CHANGED.to_json() == CHANGED_JSON


@pytest.mark.parametrize("name", ["momentum", "wd", "size", "task", "optimizer", "model"])
def test_an_unknown_hyper_parameter_is_refused_with_those_there_are(name):
    with pytest.raises(ValueError, match=rf"a run has no '{name}': choose from ") as caught:
        ADD.replace(**{name: 1})
    offered = str(caught.value).partition("choose from ")[2].rstrip(".").split(", ")
    assert {"seed", "weight_decay", "d_model", "p", "batch_size"} <= set(offered)
    assert name not in offered


@pytest.mark.parametrize("name", ["std", "gradient_noise", "gradient_noise_", "grokfast_ma_std"])
def test_a_number_of_an_intervention_goes_by_its_kind_and_name(name):
    with pytest.raises(ValueError, match=rf"a run has no '{name}': choose from .*gradient_noise_"):
        CHANGED.replace(**{name: 1})


def test_grid_is_every_combination_the_last_name_fastest():
    runs = grid(ADD, weight_decay=[0.1, 1], p=(5, 7), seed=range(2))
    found = [(r.optimizer.weight_decay, r.task.p, r.split.seed, r.init_seed) for r in runs]
    assert found == [(w, p, s, s) for w in (0.1, 1.0) for p in (5, 7) for s in (0, 1)]
    assert len({run.name for run in runs}) == 8
    assert grid(ADD) == [ADD]
    assert grid(ADD, seed=[]) == []
    runs = grid(CHANGED, gradient_noise_std=[0, 1], interventions=[(), CHANGED.interventions])
    assert [run.interventions[:1] for run in runs] == [
        (), (GradientNoise(0),), (), (GradientNoise(1),)
    ]  # fmt: skip


def test_grid_takes_iterators():
    runs = grid(ADD, p=iter([5, 7]), weight_decay=(w for w in (0, 1)))
    assert [(r.task.p, r.optimizer.weight_decay) for r in runs] == [(5, 0), (5, 1), (7, 0), (7, 1)]


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_that_torch_cannot_take_is_refused(seed):
    with pytest.raises(ValueError, match=rf"init_seed = {seed} is no seed: give an integer"):
        ADD.replace(init_seed=seed)


def test_an_empty_batch_is_refused():
    with pytest.raises(ValueError, match=r"batch_size = 0 is no batch: give 1 or more, or none"):
        Batch(0)


def test_interventions_that_cannot_stand_together_are_refused():
    with pytest.raises(ValueError, match=r"\['gradient_noise', 'gradient_noise'\] name one kind"):
        dataclasses.replace(SMALL, interventions=(GradientNoise(), GradientNoise(2)))
