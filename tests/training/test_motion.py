"""How examples move: radius and angle against weights read again, resumed, together, archived."""

import dataclasses

import numpy as np
import pytest
import torch

from grokbook import experiments, pack
from grokbook.archive.lookup import concatenate, cut, serves
from grokbook.training.engine import StoppedError, train_run
from grokbook.training.interventions import RadialPenalty
from grokbook.training.motion import SHOWN, angles
from grokbook.training.request import Request
from grokbook.training.together import train_together
from grokbook.training.trajectory import Trajectory
from grokbook.training.watching import AT_SITES, OVERALL
from tests.tiny import assert_same, tiny
from tests.training.ensembles import assert_close

RUN = tiny(precision="float64", interventions=(RadialPenalty(0.7),)).replace(hidden_layers=2)
REQUEST = Request(40, evaluate_every=5, follow_radial=True, frames=6)


def test_radius_and_angle_are_those_of_the_weights_at_each_frame():
    found, trajectory, there = train_run(RUN, REQUEST), Trajectory(RUN, "cpu"), {}
    for step in range(41):
        seen = {}
        RUN.model.forward(trajectory.parameters, trajectory.train[0][:SHOWN], watch=seen)
        there[step] = {name: h.detach().numpy() for name, h in seen.items()}
        trajectory.step(trajectory.gradient()[1])
    assert found["frame"].values.tolist() == [0, 10, 20, 30, 40]
    assert found["site"].values.tolist() == ["pre_1", "pre_2"]
    for step in found["frame"].values:
        for site in ("pre_1", "pre_2"):
            h, end = there[step][site], there[40][site]
            one = found.sel(frame=step, site=site).isel(run=0)
            radius = np.linalg.norm(h, axis=-1) / np.sqrt(h.shape[-1])
            np.testing.assert_allclose(one["frame_radius"], radius, rtol=1e-6)
            cosine = (h * end).sum(-1) / np.linalg.norm(h, axis=-1) / np.linalg.norm(end, axis=-1)
            angle = np.arccos(np.clip(cosine, -1, 1))
            np.testing.assert_allclose(one["frame_angle"], angle, atol=1e-6)
    assert (found["frame_angle"].sel(frame=40) == 0).all()
    assert (found["frame_angle"].sel(frame=0) > 0.05).all()


def test_angles_are_exact_where_they_are_small():
    x = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    turned = torch.tensor([[1.0, 1e-9]], dtype=torch.float64)
    assert angles(x, turned).item() == pytest.approx(1e-9, rel=1e-6)
    assert angles(x, -3 * x).item() == pytest.approx(np.pi)


def test_a_resumed_run_is_the_uninterrupted_one(tmp_path):
    path, calls = tmp_path / "state.npz", iter(range(1_000))
    with pytest.raises(StoppedError):
        train_run(RUN, REQUEST, checkpoint_path=path, stop=lambda: next(calls) == 25)
    assert_same(train_run(RUN, REQUEST, checkpoint_path=path), train_run(RUN, REQUEST))


def test_frames_of_weights_and_of_activations_do_not_serve_each_other(tmp_path):
    run, path = RUN.replace(hidden_layers=1), tmp_path / "state.npz"
    weights = dataclasses.replace(REQUEST, follow_radial=False)
    found = {request: train_run(run, request) for request in (REQUEST, weights)}
    for request, other in ((REQUEST, weights), (weights, REQUEST)):
        assert serves(found[request], request) and not serves(found[request], other)
        path.unlink(missing_ok=True)
        half = dataclasses.replace(other, steps=20)
        train_run(run, half, checkpoint_path=path)  # what it left is not taken up
        assert_same(train_run(run, request, checkpoint_path=path), found[request])


def test_runs_together_say_what_each_says_alone():
    runs = [RUN.replace(seed=seed) for seed in range(2)]
    for run, found in zip(runs, train_together(runs, REQUEST), strict=True):
        assert_close(
            found, train_run(run, REQUEST), leave_out=("wall_seconds", "peak_memory_bytes")
        )


def test_runs_of_unequal_length_are_archived_with_their_own_frames(tmp_path):
    runs = [
        train_run(RUN.replace(seed=seed), dataclasses.replace(REQUEST, steps=steps))
        for seed, steps in enumerate((20, 40))
    ]
    pack("some", concatenate(runs), tmp_path)
    rounded = [*AT_SITES, *OVERALL]  # to 24 bits: tests/archive/test_experiments.py
    for run in runs:
        kept = experiments(tmp_path)[run["name"].item()]
        assert_same(kept.drop_vars(rounded), run.drop_vars(rounded))


def test_it_is_read_with_the_end_and_not_cut():
    found = train_run(RUN, REQUEST)
    shorter = dataclasses.replace(REQUEST, steps=20)
    assert serves(found, REQUEST) and not serves(found, shorter)
    plain = dataclasses.replace(shorter, frames=0)
    assert serves(found, plain)
    assert "frame" not in cut(found, plain).dims and "site" in cut(found, plain).dims
