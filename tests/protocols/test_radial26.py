"""The grids that look for the radial penalty's protocol: their cells, their units of time."""

import math

import pytest
import torch

from grokbook.measures.onset import Rule
from grokbook.models import MLP
from grokbook.protocols import radial26_batches, radial26_full_batch
from grokbook.tasks import Task
from grokbook.training.interventions import RadialPenalty
from grokbook.training.run import Batch, Loss
from grokbook.training.trajectory import Trajectory, parts

BOTH = [(radial26_full_batch, 1), (radial26_batches, 19)]


@pytest.mark.parametrize(("make", "epoch"), BOTH, ids=["full", "batches"])
def test_eight_cells_of_two_by_two_by_two(make, epoch):
    found = make()
    cells = {
        (run.model.embedding, run.interventions[0].strength, run.optimizer.weight_decay)
        for run in found.runs
    }
    assert cells == {
        (encoding, strength, decay)
        for encoding in ("one_hot", "learned")
        for strength in (0.0, 0.05)
        for decay in (1e-3, 1e-1)
    }
    assert len(found.runs) == 8 and len(make(seeds=3).runs) == 24
    assert {run.init_seed for run in make(seeds=3).runs} == {42, 43, 44}
    for run in found.runs:
        assert run.task == Task("add", 97) and run.split.train_fraction == 0.5
        assert (run.model.width, run.model.hidden_layers, run.model.bias) == (512, 2, True)
        assert isinstance(run.model, MLP) and run.model.embedding_width == 128
        assert run.interventions == (RadialPenalty(run.interventions[0].strength),)
        assert (run.optimizer.beta1, run.optimizer.beta2) == (0.9, 0.999)
        assert run.optimizer.learning_rate == 1e-3 and run.loss == Loss("float64")
        assert run.precision == "float32" and run.init_seed == run.split.seed
    request = found.request
    assert request.steps == 4_000 * epoch and request.evaluate_every == 10 * epoch
    assert request.stop_after_grok == 200 * epoch and request.rule == Rule(0.9, 3)
    assert request.follow_radial


def test_an_epoch_of_batches_has_nineteen_steps():
    run = radial26_batches().runs[0]
    train = len(parts(run)[0][1])
    assert train == 4_704 and math.ceil(train / 256) == 19
    trajectory = Trajectory(run, "cpu")
    seen = [trajectory.batch() for _ in range(19)]
    assert [len(labels) for _, labels in seen] == [256] * 18 + [96]
    pairs = torch.cat([pairs for pairs, _ in seen])
    assert len({tuple(pair) for pair in pairs.tolist()}) == 4_704
    assert radial26_full_batch().runs[0].batch == Batch()


def test_what_is_changed_is_changed_in_every_cell():
    found = radial26_batches(beta2=0.98, p=23)
    assert len(found.runs) == 8
    assert {run.optimizer.beta2 for run in found.runs} == {0.98}
    assert len(radial26_full_batch(weight_decay=0.01).runs) == 4  # cells that are now one
