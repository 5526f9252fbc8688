"""The last look: curvature against a dense Hessian, ranks, alone and together, stored and cut."""

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.autograd.functional import hessian

from grokbook import experiments, pack
from grokbook.archive.lookup import concatenate, cut, serves
from grokbook.theory import radial
from grokbook.training.closing import BATCHES, CURVATURE, closing_look, sharpness
from grokbook.training.engine import train_run
from grokbook.training.interventions import RadialPenalty
from grokbook.training.interventions.radial_penalty import off_sphere
from grokbook.training.optimizers import SGD
from grokbook.training.request import Request
from grokbook.training.together import train_together
from grokbook.training.trajectory import Trajectory
from tests.tiny import assert_same, tiny
from tests.training.ensembles import assert_close

RUN = tiny(precision="float64", interventions=(RadialPenalty(0.7),)).replace(
    hidden_layers=2, width=6
)
REQUEST = Request(20, evaluate_every=10, closing=True)


@pytest.fixture(scope="module")
def looked():
    trajectory = Trajectory(RUN, "cpu")
    for _ in range(20):
        trajectory.step(trajectory.gradient()[1])
    return closing_look(trajectory), trajectory


def test_the_curvature_is_that_of_the_training_loss_without_its_penalty(looked):
    found, trajectory = looked
    pairs, labels = trajectory.train

    def loss(theta):
        logits = RUN.model.reference(trajectory.layout.views(theta), pairs)
        return F.cross_entropy(logits, labels)

    theta = trajectory.theta.detach()
    dense = hessian(loss, theta)
    trace, scaled = dense.trace(), (theta.square() * dense.diag()).sum()
    for name, expected in (("hessian_trace", trace), ("scaled_trace", scaled)):
        assert found[name].item() == pytest.approx(
            expected.item(), abs=4 * found[f"{name}_error"].item()
        )
        assert found[f"{name}_error"].item() < abs(expected.item())
    top = torch.linalg.eigvalsh(dense)[-1].item()
    assert found["hessian_eigenvalue"].item() == pytest.approx(top, rel=1e-3)


def test_the_preconditioned_sharpness_is_of_all_that_is_minimised(looked):
    found, trajectory = looked
    pairs, labels = trajectory.train
    theta = trajectory.theta.detach()

    def penalised(theta, strength):
        seen = {}
        logits = RUN.model.forward(trajectory.layout.views(theta), pairs, watch=seen)
        penalty = sum(off_sphere(seen[site]).mean() for site in ("pre_1", "pre_2"))
        return F.cross_entropy(logits, labels) + strength * penalty

    v = trajectory.moments["v"] / (1 - RUN.optimizer.beta2**trajectory.done)
    by = (v.sqrt() + RUN.optimizer.epsilon)[:, None]
    for name, strength in (("preconditioned_sharpness", 0.7), ("task_sharpness", 0.0)):
        dense = hessian(lambda theta, of=strength: penalised(theta, of), theta)
        top = torch.linalg.eigvals(dense / by).real.max().item()
        assert found[name].item() == pytest.approx(top, rel=1e-3)
    assert found["preconditioned_sharpness"].item() != found["task_sharpness"].item()


def test_before_the_first_step_there_is_no_preconditioner():
    assert all(np.isnan(value) for value in sharpness(Trajectory(RUN, "cpu")).values())


def test_plain_descent_sees_the_plain_curvature():
    trajectory = Trajectory(dataclasses.replace(RUN, optimizer=SGD(0.1), interventions=()), "cpu")
    trajectory.step(trajectory.gradient()[1])
    found = closing_look(trajectory)
    for name in ("preconditioned_sharpness", "task_sharpness"):
        assert found[name].item() == pytest.approx(found["hessian_eigenvalue"].item(), rel=1e-3)


def test_ranks_are_those_of_every_layer_for_both_batches(looked):
    found, trajectory = looked
    seen = {}
    RUN.model.forward(trajectory.parameters, trajectory.train[0], watch=seen)
    assert found["layer"].values.tolist() == ["pre_1", "hidden_1", "pre_2", "hidden_2"]
    for layer, h in seen.items():
        for size in BATCHES:
            expected = radial.ranks(h.detach().numpy()[:size])
            for name, value in expected.items():
                one = found[name].sel(rank_batch=size, layer=layer)
                assert one.item() == pytest.approx(value, rel=1e-8)


def test_a_rank_of_the_small_batch_reads_its_first_examples_only():
    run = tiny(p=23, interventions=()).replace(hidden_layers=1)
    trajectory = Trajectory(run, "cpu")
    assert len(trajectory.train[1]) > 256
    found, seen = closing_look(trajectory), {}
    run.model.forward(trajectory.parameters, trajectory.train[0][:256], watch=seen)
    expected = radial.ranks(seen["pre_1"].detach().double().numpy())["stable_rank"]
    one = found["stable_rank"].sel(layer="pre_1")
    assert one.sel(rank_batch=256).item() == pytest.approx(expected, rel=1e-5)
    assert one.sel(rank_batch=2048).item() != one.sel(rank_batch=256).item()


def test_it_is_stored_beside_the_curves_and_changes_none(looked):
    found = train_run(RUN, REQUEST)
    plain = train_run(RUN, dataclasses.replace(REQUEST, closing=False))
    assert_same(found[list(plain.data_vars)], plain)
    for name in looked[0].data_vars:
        np.testing.assert_array_equal(found[name], looked[0][name], err_msg=str(name))


def test_runs_together_say_what_each_says_alone():
    runs = [RUN.replace(seed=seed) for seed in range(2)]
    for run, found in zip(runs, train_together(runs, REQUEST), strict=True):
        alone, leave_out = train_run(run, REQUEST), ("wall_seconds", "peak_memory_bytes")
        assert_close(found, alone, leave_out=(*leave_out, *CURVATURE))
        for name in CURVATURE:
            assert found[name].item() == pytest.approx(alone[name].item(), rel=1e-6)


def test_it_is_of_the_end_alone():
    found = train_run(RUN, REQUEST)
    plain = dataclasses.replace(REQUEST, closing=False)
    assert serves(found, REQUEST) and serves(found, plain)
    assert not serves(found, dataclasses.replace(REQUEST, steps=10))
    assert not serves(train_run(RUN, plain), REQUEST)
    for shown in (cut(found, plain), cut(found, dataclasses.replace(plain, steps=10))):
        assert set(CURVATURE) & set(shown.data_vars) == set()
        assert {"layer", "rank_batch"} & set(shown.dims) == set()


def test_it_is_archived(tmp_path):
    runs = [train_run(RUN.replace(seed=seed), REQUEST) for seed in range(2)]
    pack("some", concatenate(runs), tmp_path)
    for run in runs:
        assert_same(experiments(tmp_path)[run["name"].item()], run)


def test_a_network_without_hidden_sites_still_has_curvature():
    found = train_run(tiny(precision="float64"), REQUEST)
    assert np.isfinite(found["hessian_trace"]).all()
