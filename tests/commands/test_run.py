"""`grokbook run`: trains by name, and refuses in one sentence what cannot be."""

import re

import pytest
import xarray as xr

from grokbook import protocols
from grokbook.__main__ import main
from grokbook.commands.run import literal, sweep
from grokbook.training.engine import train_run
from tests.tiny import assert_same, tiny

pytestmark = pytest.mark.usefixtures("book_runs", "store")

SMALL = "--set p=5 --set d_model=16 --set d_mlp=16 --set heads=2 --steps 20 --seeds 2".split()


def test_a_paper_s_protocol_runs_from_end_to_end(store, capsys):
    assert main(["run", "nanda23", *SMALL, "--processes", "1"]) == 0
    said = capsys.readouterr()
    first, *onsets, last = said.out.splitlines()
    assert first == f"nanda23: 2 runs of at most 20 steps, kept in {store.folder}"
    expected = protocols.nanda23(seeds=2, steps=20, p=5, d_model=16, d_mlp=16, heads=2)
    assert [line.split()[0] for line in onsets] == [run.name for run in expected.runs]
    assert all("not grokked in 20 steps" in line for line in onsets)
    assert re.fullmatch(r"2 runs in \d+ s", last)
    assert said.err.count("finished") == 2
    kept = store.read(expected.runs[1].name)
    assert kept is not None
    assert_same(kept, train_run(expected.runs[1], expected.request))


def test_several_protocols_run_one_after_the_other(capsys, monkeypatch):
    asked = []

    def train(runs, *, request, **_):
        asked.append((request.steps, len(runs)))
        return xr.Dataset(coords={"run": []})

    monkeypatch.setattr("grokbook.archive.train", train)
    names = ["norm_separation26_sgd", "norm_separation26_sgd_tuned"]
    assert main(["run", *names, "--seeds", "1"]) == 0
    assert asked == [(50_000, 2), (20_000, 4)]
    said = capsys.readouterr().out
    assert said.startswith(f"{', '.join(names)}: 6 runs of at most 50,000 steps")


def test_several_values_make_a_sweep(protocol, store, capsys):
    assert main(["run", "tiny", "--set", "p=5,7", "--set", "weight_decay=0", "--seeds", "1"]) == 0
    names = {tiny(p=p, weight_decay=0).name for p in (5, 7)}
    assert set(store.names()) == names
    assert "tiny: 2 runs" in capsys.readouterr().out


def test_the_arms_of_a_protocol_keep_their_own_budgets(capsys, monkeypatch):
    asked = []

    def train(runs, *, request, **_):
        asked.append((request.steps, [run.interventions[:1] for run in runs]))
        return xr.Dataset(coords={"run": []})

    monkeypatch.setattr("grokbook.archive.train", train)
    assert main(["run", "prieto25", "--set", "arm=perpgrad,stablemax", "--seeds", "2"]) == 0
    (short, perpgrad), (long, stablemax) = asked
    assert (short, long) == (300, 80_000)
    assert {each.kind for run in perpgrad for each in run} == {"perpgrad"}
    assert {each.kind for run in stablemax for each in run} == {"stablemax"}
    assert capsys.readouterr().out.startswith("prieto25: 4 runs of at most 80,000 steps")


def test_a_number_of_an_intervention_is_set_by_its_short_name(store, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "grokbook.archive.train",
        lambda runs, **_: asked.extend(runs) or xr.Dataset(coords={"run": []}),
    )
    assert main(["run", "grokfast24", "--set", "grokfast_ema_lamb=5.0", "--seeds", "1"]) == 0
    assert asked[0].interventions[0].lamb == 5.0


@pytest.mark.parametrize(
    ("word", "named"),
    [
        ("arm=slow", "slow"),
        ("grokfast_ema_lamb=much", "much"),
        ("grokfast_ma_lamb=1", "grokfast_ma"),
    ],
)
def test_an_arm_or_a_number_that_cannot_be_is_refused(word, named, capsys):
    assert main(["run", "grokfast24", "--set", word]) == 2
    said = capsys.readouterr().err
    assert named in said
    assert said.count("\n") == 1


def test_what_is_stored_is_not_trained_again_unless_asked(protocol, store, capsys):
    for words, trained in (([], 1), ([], 0), (["--recompute"], 1)):
        assert main(["run", "tiny", "--seeds", "1", *words]) == 0
        assert capsys.readouterr().err.count("finished") == trained


def test_an_outcome_is_told_in_words(protocol, capsys):
    assert main(["run", "tiny", "--seeds", "1", "--set", "learning_rate=1e30"]) == 0
    assert re.search(r"seed 0  diverged at step \d", capsys.readouterr().out)


@pytest.mark.parametrize(
    "words, sentence",
    [
        ("nanda24", "no protocol 'nanda24': choose from power22, nanda23, "),
        ("nanda23 --seeds 0", "seeds = 0 is no number of runs"),
        ("tiny --steps -1", "steps = -1 is too small: give 0 or more."),
        ("tiny --device mps", "device = 'mps' has no float64, which the losses need: choose cpu"),
        ("tiny --device tpu", "device = 'tpu' is not known: choose cpu, cuda or auto."),
        ("tiny --set weight_decya=1", "a run has no 'weight_decya': choose from activation, "),
        ("tiny --set p=1", "p = 1"),
        ("tiny --set p=7.5", "p = 7.5 is not of type int."),
        ("tiny --set p=many", "p = 'many' is not of type int."),
        ("tiny --set learning_rate=fast", "learning_rate = 'fast' is not of type float | int."),
        ("tiny --set learning_rate=-1", "learning_rate = -1 is not a rate"),
        ("tiny --set learning_rate=nan", "learning_rate = nan is not a rate"),
        ("tiny --set bias=1", "bias = 1 is not of type bool."),
        ("tiny --set activation=tanh", "activation = 'tanh' is not one of 'relu', 'gelu'."),
        ("tiny --set train_fraction=1.5", "train_fraction = 1.5 is not a share of the data"),
        ("tiny --set operation=divide --set p=12", "division modulo 12 is not defined"),
        ("tiny --set operation=power", "operation = 'power' is not known"),
        ("tiny --set batch_size=0", "batch_size = 0 is no batch"),
        ("tiny --set seed=3", "--set seed has no effect: --seeds N sets it for the protocol."),
        ("tiny --set steps=3", "--set steps has no effect: --steps N sets it for the protocol."),
        ("tiny --set p", "--set 'p' is not understood: write it as KEY=VALUE."),
        ("tiny --set =3", "--set '=3' is not understood: write it as KEY=VALUE."),
        (
            "tiny --seeds 1 --set train_fraction=.001",
            "leaves none for training: give a larger share",
        ),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(protocol, refusal, store, words, sentence):
    assert sentence in refusal("run", *words.split())
    assert store.names() == []


def test_words_become_values():
    assert [literal(word) for word in ("7", "-7", "1e-3", "TRUE", "False", "None", "none")] == [
        7, -7, 0.001, True, False, None, "none",
    ]  # fmt: skip
    assert type(literal("7.0")) is float


def test_a_sweep_is_every_combination():
    assert sweep([]) == [{}]
    assert sweep(["a=1,2", "b=x"]) == [{"a": 1, "b": "x"}, {"a": 2, "b": "x"}]
