"""The delay law's protocols: their cells, and what is changed from the base in each."""

import dataclasses

import pytest
import torch

from grokbook import protocols
from grokbook.protocols import SWEEPS, norm_separation26
from grokbook.tasks import SparseParity
from grokbook.training.interventions import NormClamp
from grokbook.training.optimizers import SGD

BASE = norm_separation26(seeds=1).runs[0]
# Of each sweep: cells, runs at its default seeds, budget, grid.
SIZES = {
    "weight_decay": (5, 15, 150_000, 50),
    "small_decay": (1, 2, 150_000, 100),
    "large_decay": (1, 3, 20_000, 50),
    "learning_rate": (4, 12, 200_000, 100),
    "small_rate": (1, 2, 200_000, 100),
    "joint": (9, 18, 20_000, 100),
    "modulus": (7, 21, 50_000, 50),
    "multiplication": (4, 12, 50_000, 50),
    "sgd": (2, 4, 50_000, 50),
    "sgd_tuned": (4, 8, 20_000, 50),
    "parity": (6, 18, 20_000, 50),
    "necessity": (6, 18, 20_000, 50),
}


@pytest.mark.parametrize("name", SIZES)
def test_every_cell_has_all_seeds_and_one_request(name):
    cells, runs, steps, every = SIZES[name]
    sweep = SWEEPS[f"norm_separation26_{name}"]
    found = sweep()
    assert len(found.runs) == len({run.name for run in found.runs}) == runs
    assert (found.request.steps, found.request.evaluate_every) == (steps, every)
    assert found.request.follow_norm
    assert len(sweep(seeds=1).runs) == cells
    assert {run.init_seed for run in sweep(seeds=2).runs} == {42, 43}
    for run in found.runs:
        assert run.init_seed == run.split.seed == run.batch.seed


def test_the_sweeps_share_the_base_cell():
    for name in ("weight_decay", "learning_rate", "joint", "modulus"):
        assert BASE in SWEEPS[f"norm_separation26_{name}"](seeds=1).runs


def test_a_sweep_changes_its_own_number_alone():
    for name, field in (("weight_decay", "weight_decay"), ("modulus", "p")):
        for run in SWEEPS[f"norm_separation26_{name}"](seeds=1).runs:
            assert (
                run.replace(
                    **{field: BASE.optimizer.weight_decay} if field == "weight_decay" else {"p": 97}
                )
                == BASE
            )


def test_what_is_given_wins_over_the_cell():
    (run,) = protocols.norm_separation26_weight_decay(seeds=1, weight_decay=0.2).runs
    assert run.optimizer.weight_decay == 0.2


def test_the_predictor_reads_two_tokens_and_then_three():
    runs = protocols.norm_separation26_predictor(seeds=12).runs
    assert [run.model.tokens for run in runs] == [2] * 10 + [3] * 2
    assert [run.init_seed for run in runs] == list(range(42, 54))
    assert runs[:10] == norm_separation26(seeds=10).runs


def test_sgd_as_published_and_tuned():
    plain = [run.optimizer for run in protocols.norm_separation26_sgd(seeds=1).runs]
    assert plain == [SGD(1e-3, 2.0), SGD(1e-3, 1.0)]
    for run in protocols.norm_separation26_sgd_tuned(seeds=1).runs:
        optimizer = run.optimizer
        effective = optimizer.learning_rate / (1 - optimizer.momentum)
        assert round(effective, 9) in (0.3, 1.0)
        assert effective * optimizer.weight_decay == pytest.approx(3e-4)
        assert dataclasses.replace(run, optimizer=BASE.optimizer) == BASE


def test_the_controls_change_one_thing_each():
    off, held, *scaled, bare = protocols.norm_separation26_necessity(seeds=1).runs
    assert off.replace(decay_until=None) == BASE and off.optimizer.decay_until == 800
    assert held.interventions == (NormClamp(after=800),)
    assert held.replace(interventions=()) == BASE
    assert [run.model.embedding_scale for run in scaled] == [0.1, 0.3, 2.0]
    assert not any(name.startswith("norm") for name in bare.model.shapes(97))


def test_scaled_embeddings_start_in_the_same_direction():
    start = BASE.model.initialise(97, seed=42)
    other = BASE.replace(embedding_scale=0.3).model.initialise(97, seed=42)
    for name, weight in start.items():
        factor = 0.3 if name in ("W_E", "W_pos") else 1.0
        torch.testing.assert_close(other[name], factor * weight)
    assert "embedding_scale" not in BASE.to_json()
    with pytest.raises(ValueError, match="embedding_scale = 0 is no scale: give a positive number"):
        BASE.replace(embedding_scale=0)


def test_parity_has_the_published_words_and_few():
    runs = protocols.norm_separation26_parity(seeds=1).runs
    sizes = [len(run.split.indices(run.task.examples)[0]) for run in runs]
    assert sizes == [25_000] * 3 + [1_000] * 3
    assert all(isinstance(run.task, SparseParity) for run in runs)
    assert protocols.norm_separation26_parity().request.rule.level == 0.95
