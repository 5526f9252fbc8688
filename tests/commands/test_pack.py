"""`grokbook pack`: puts a whole experiment into the book, or nothing."""

import sys

import numpy as np
import pytest

from grokbook import experiments
from grokbook.__main__ import main
from grokbook.archive import pack
from grokbook.archive.experiments import held
from grokbook.protocols import PROTOCOLS, SWEEPS
from grokbook.training.engine import train_run
from tests.tiny import assert_same, tiny


@pytest.fixture
def finished(protocol, store):
    """Store both runs of the tiny protocol."""
    runs = [train_run(run, protocol().request) for run in protocol().runs]
    for run in runs:
        store.write(run)
    return runs


def test_a_finished_experiment_is_packed(finished, book_runs, capsys):
    assert main(["pack", "tiny"]) == 0
    assert capsys.readouterr().out.startswith("tiny.nc: 2 runs, 0.")
    assert [path.name for path in book_runs.iterdir()] == ["tiny.nc"]
    for run, expected in zip(experiments().values(), finished, strict=True):
        assert_same(run, expected)
    assert main(["pack", "tiny", "--seeds", "1"]) == 0
    assert list(experiments()) == [tiny().name]


def test_an_experiment_with_a_missing_run_is_refused(finished, store, book_runs, refusal):
    store.remove(tiny(seed=1).name)
    assert refusal("pack", "tiny") == (
        "1 of 2 runs of tiny are missing: `python -m grokbook run tiny` trains them."
    )
    assert list(book_runs.iterdir()) == []


def test_what_there_is_so_far_is_packed_when_asked(finished, store, book_runs, capsys, refusal):
    store.remove(tiny(seed=1).name)
    assert main(["pack", "tiny", "--partial"]) == 0
    assert capsys.readouterr().out.startswith("tiny.nc: 1 runs, 0.")
    assert list(experiments()) == [tiny().name]
    store.remove(tiny().name)
    (book_runs / "tiny.nc").unlink()
    assert refusal("pack", "tiny", "--partial") == (
        "no run of tiny is stored: there is nothing to archive."
    )


def test_a_run_of_another_experiment_is_not_archived_twice(finished, book_runs, capsys):
    pack("other", finished[0])
    assert main(["pack", "tiny"]) == 0
    assert capsys.readouterr().out.startswith("tiny.nc: 1 runs, 0.")
    assert [run["archive"].item() for run in experiments().values()] == ["other.nc", "tiny.nc"]


def test_what_another_processor_made_of_a_run_is_kept_where_it_is(finished, book_runs, capsys):
    first, second = finished
    rounded = first.assign(test_loss=first["test_loss"] * (1 + 1e-7))
    pack("tiny", rounded)
    pack("other", first)
    assert main(["pack", "tiny"]) == 0
    assert capsys.readouterr().out.startswith("tiny.nc: 2 runs, 0.")
    of_two = {run["archive"].item(): run["test_loss"].values for run in held(tiny().name)}
    assert np.array_equal(of_two["tiny.nc"], rounded["test_loss"].values)
    assert np.array_equal(of_two["other.nc"], first["test_loss"].values)
    # The same numbers are still not written twice.
    pack("tiny", first)
    assert main(["pack", "tiny"]) == 0
    assert capsys.readouterr().out.startswith("tiny.nc: 1 runs, 0.")
    assert list(experiments())[-1] == second["name"].item()


def test_a_longer_budget_than_was_trained_is_missing(finished, book_runs, refusal):
    assert refusal("pack", "tiny", "--steps", "999", "--seeds", "1") == (
        "1 of 1 runs of tiny are missing: `python -m grokbook run tiny --seeds 1 --steps 999` "
        "trains them."
    )


def test_an_experiment_that_is_too_large_is_refused(finished, book_runs, refusal, monkeypatch):
    monkeypatch.setattr(sys.modules["grokbook.archive.experiments"], "LARGEST", 1000)
    assert "MB: an experiment stays under 3 MB" in refusal("pack", "tiny")
    assert list(book_runs.iterdir()) == []


def test_an_unknown_experiment_is_refused(protocol, store, refusal):
    known = ", ".join(PROTOCOLS | SWEEPS)
    assert ", tiny, " in known
    assert refusal("pack", "nanda24") == f"no experiment 'nanda24': choose from {known}."


def test_a_run_is_archived_again_where_more_is_asked_of_it(
    finished, book_runs, protocol, monkeypatch, capsys
):
    pack("other", finished[0])

    def closer(**changes):
        return protocol(**changes).replace(evaluate_every=1, frames=4)

    monkeypatch.setitem(SWEEPS, "closer", closer)
    assert main(["run", "closer", "--processes", "1"]) == 0
    assert main(["pack", "closer"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("closer.nc: 2 runs, 0.")
