"""`grokbook onsets`: one flat row a run, in plain JSON."""

import pytest

from grokbook import pack
from grokbook.__main__ import main
from grokbook.training.interventions import GradientNoise, NormClamp
from tests.tiny import followed, plain, tiny

KEYS = (
    "run protocol experiment arm operation p train_fraction optimizer learning_rate weight_decay "
    "interventions split_seed init_seed batch_seed t_mem t_grok censored diverged budget device "
    "archive"
).split()
GROKKED = {step: (1.0, float(step >= 20)) for step in range(0, 41, 10)}
NEVER = {step: (0.5, 0.0) for step in GROKKED}


@pytest.fixture
def filled(store, protocol, book_runs):
    """Put one run into the book, the same and two others into the store."""
    request = protocol(steps=40).request
    pack("some", followed(request, GROKKED))
    store.write(followed(request, GROKKED))
    store.write(followed(request, NEVER, seed=1))
    diverged = followed(request, NEVER, seed=2, weight_decay=0)
    store.write(diverged.assign(diverged_at=("run", [40.0])))


def listed(capsys, *words: str) -> list[dict]:
    """Return the rows that the command prints as JSON."""
    assert main(["onsets", "--json", *words]) == 0
    return plain(capsys.readouterr().out)


def test_rows_are_flat_and_plain_and_have_the_keys_of_the_design(filled, capsys):
    rows = listed(capsys)
    assert all(list(row) == KEYS for row in rows)
    (book,) = [row for row in rows if row["archive"]]
    assert book == {
        "run": tiny().name, "protocol": "tiny", "experiment": "some", "arm": "baseline",
        "operation": "add", "p": 5, "train_fraction": 0.6, "optimizer": "adamw",
        "learning_rate": 0.01, "weight_decay": 1.0, "interventions": [],
        "split_seed": 0, "init_seed": 0, "batch_seed": 0,
        "t_mem": 0, "t_grok": 20, "censored": False, "diverged": False, "budget": 40,
        "device": "cpu", "archive": "some.nc",
    }  # fmt: skip
    mine = {row["init_seed"]: row for row in rows if not row["archive"]}
    assert sorted(mine) == [1, 2]  # the run that the book holds too is listed once
    assert mine[1] | {"run": ""} == book | {
        "run": "", "experiment": None, "split_seed": 1, "init_seed": 1, "t_mem": None,
        "t_grok": None, "censored": True, "archive": None,
    }  # fmt: skip
    assert (mine[2]["diverged"], mine[2]["weight_decay"]) == (True, 0.0)


def test_interventions_make_an_arm(store, protocol, book_runs, capsys):
    request = protocol(steps=40).request
    both = (GradientNoise(1e-3), NormClamp(2.0))
    store.write(followed(request, GROKKED, interventions=both))
    (row,) = listed(capsys)
    assert row["arm"] == "gradient_noise+norm_clamp"
    assert row["interventions"] == ["gradient_noise", "norm_clamp"]


def test_rows_are_chosen_by_protocol_experiment_or_run(filled, capsys, refusal):
    one = tiny(seed=1).name
    assert [row["run"] for row in listed(capsys, "some")] == [tiny().name]
    assert [row["run"] for row in listed(capsys, one)] == [one]
    assert {row["run"] for row in listed(capsys, "some", one)} == {tiny().name, one}
    assert len(listed(capsys, "tiny")) == 3
    assert refusal("onsets", "some", "nanda24") == (
        "no run carries the name 'nanda24'; `grokbook onsets` lists all runs."
    )


def test_rows_are_shown_as_a_table(filled, capsys):
    assert main(["onsets"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split()[-2:] == ["t_mem", "t_grok"]
    assert lines[0].split()[-2:] == ["0", "20"]
    censored = next(line for line in lines if tiny(seed=1).name in line)
    assert censored.split()[-2:] == [">40", ">40"]


def test_nothing_is_an_empty_list(store, book_runs, capsys):
    assert listed(capsys) == []


def test_a_damaged_run_is_named(filled, store, refusal):
    store.path(tiny(seed=1).name).write_bytes(b"half a run")
    assert f"{store.path(tiny(seed=1).name)} is damaged" in refusal("onsets", "--json")
