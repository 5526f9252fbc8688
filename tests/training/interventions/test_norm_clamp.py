"""The norm clamp: where the weights lie after each step, and what is left of their direction."""

import json

import pytest
import torch

from grokbook.training.interventions.norm_clamp import NormClamp
from grokbook.training.run import Run
from grokbook.training.trajectory import Trajectory
from tests.training.interventions.steps import (
    LAYOUT,
    SIZE,
    assert_resumes,
    at,
    double,
    joined,
    walk,
    with_intervention,
)


def clamped(intervention, theta, begin=None):
    """Weights after the hook, in a run that began at `begin`."""
    state = intervention.start(theta if begin is None else begin, LAYOUT)
    after = theta.clone()
    intervention.weights(at(after, 0), state)
    return after


def expected(theta, radius, mode):
    """The definition, one number at a time."""
    norm = sum(x * x for x in theta.tolist()) ** 0.5
    factor = radius / norm if mode == "equal" else min(radius / norm, 1.0)
    return torch.tensor([x * factor for x in theta.tolist()], dtype=theta.dtype)


@pytest.mark.parametrize("mode", ["equal", "most"])
@pytest.mark.parametrize("radius", [0.1, 1, 3.0, 100.0])
def test_the_whole_vector_is_rescaled(radius, mode):
    theta = double(SIZE)
    found = clamped(NormClamp(radius, mode), theta)
    torch.testing.assert_close(found, expected(theta, radius, mode), rtol=1e-14, atol=0)


def test_by_hand():
    theta = torch.tensor([3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0])
    assert clamped(NormClamp(10.0), theta)[:2].tolist() == [6.0, 8.0]
    assert clamped(NormClamp(10.0, "most"), theta)[:2].tolist() == [3.0, 4.0]
    assert clamped(NormClamp(2.5, "most"), theta)[:2].tolist() == [1.5, 2.0]


@pytest.mark.parametrize("mode", ["equal", "most"])
def test_without_a_radius_it_is_that_of_the_start(mode):
    begin, theta = double(SIZE, seed=1), double(SIZE, seed=2) * 7
    found = clamped(NormClamp(mode=mode), theta, begin)
    torch.testing.assert_close(found, expected(theta, begin.norm().item(), mode))
    assert found.norm().item() == pytest.approx(begin.norm().item(), rel=1e-14)


def test_weights_inside_the_ball_are_left_bit_for_bit():
    theta = double(SIZE).float()
    assert torch.equal(clamped(NormClamp(50.0, "most"), theta), theta)


@pytest.mark.parametrize("mode", ["equal", "most"])
def test_weights_that_are_all_zero_stay(mode):
    theta = torch.zeros(SIZE)
    assert torch.equal(clamped(NormClamp(2.0, mode), theta), theta)


@pytest.mark.parametrize("mode", ["equal", "most"])
def test_run_by_run(mode):
    interventions = [NormClamp(radius, mode) for radius in (0.5, 2, 30.0)]
    thetas = double(3, SIZE, seed=1)
    together, state = joined(interventions, thetas)
    assert state["radius"].shape == (3, 1)
    for step in range(4):
        moved = thetas + double(3, SIZE, seed=step)
        found = moved.clone()
        together.weights(at(found, step), state)
        for i, each in enumerate(interventions):
            torch.testing.assert_close(found[i], clamped(each, moved[i]), rtol=1e-15, atol=0)


def test_run_by_run_from_their_own_starts():
    thetas = double(3, SIZE, seed=1) * torch.tensor([[1.0], [5.0], [0.2]])
    together, state = joined([NormClamp()] * 3, thetas)
    found = thetas * 3
    together.weights(at(found, 0), state)
    torch.testing.assert_close(found, thetas)


def test_a_run_stays_on_the_sphere_of_its_start():
    trajectory = Trajectory(with_intervention(NormClamp(), learning_rate=0.1), "cpu")
    start = trajectory.theta.double().norm().item()
    for _ in range(20):
        walk(trajectory, 1)
        assert trajectory.theta.double().norm().item() == pytest.approx(start, rel=1e-6)
    free = Trajectory(with_intervention(learning_rate=0.1), "cpu")
    walk(free, 20)
    assert abs(free.theta.double().norm().item() / start - 1) > 0.1


def test_a_run_stays_in_the_ball_that_it_entered():
    trajectory = Trajectory(with_intervention(NormClamp(2.0, "most"), weight_decay=0), "cpu")
    for _ in range(20):
        walk(trajectory, 1)
        assert trajectory.theta.double().norm().item() <= 2.0 * (1 + 1e-6)


def test_the_radius_is_part_of_the_state():
    run = with_intervention(NormClamp())
    trajectory = Trajectory(run, "cpu")
    walk(trajectory, 3)
    kept = trajectory.state()["intervention_0_radius"]
    assert kept.dtype == "float64" and kept.shape == (1,)
    assert kept[0] == Trajectory(run, "cpu").theta.double().norm().item()


@pytest.mark.parametrize("mode", ["equal", "most"])
@pytest.mark.parametrize("radius", [None, 2.5])
def test_a_resumed_run_is_the_uninterrupted_one(radius, mode):
    assert_resumes(with_intervention(NormClamp(radius, mode)))
    assert_resumes(with_intervention(NormClamp(radius, mode), batch_size=4))


@pytest.mark.parametrize("radius", [0, -1.5, float("nan"), float("inf")])
def test_a_radius_that_is_no_norm_is_refused(radius):
    with pytest.raises(ValueError, match=rf"radius = {radius} is no norm: give a positive number"):
        NormClamp(radius)


def test_another_mode_is_refused():
    clamp = NormClamp()
    object.__setattr__(clamp, "mode", "least")  # past the type checks of the tests
    with pytest.raises(ValueError, match="mode = 'least' is no clamp: choose 'equal' or 'most'"):
        clamp.__post_init__()


def test_json_reads_back_and_whole_numbers_are_floats():
    for radius in (None, 3, 3.5):
        run = with_intervention(NormClamp(radius, "most"))
        assert Run.from_json(run.to_json()) == run
    assert with_intervention(NormClamp(3)).name == with_intervention(NormClamp(3.0)).name
    plain = json.loads(with_intervention(NormClamp()).to_json())
    assert plain["interventions"] == [{"kind": "norm_clamp", "mode": "equal", "radius": None}]


@pytest.mark.parametrize(("radius", "mode"), [(None, "equal"), (None, "most"), (1.5, "equal")])
def test_the_first_steps_are_left_alone(radius, mode):
    run = with_intervention(NormClamp(radius, mode, after=5), learning_rate=0.1)
    clamped_later, free = (Trajectory(each, "cpu") for each in (run, run.replace(interventions=())))
    for trajectory in (clamped_later, free):
        walk(trajectory, 5)
    assert torch.equal(clamped_later.theta, free.theta)
    norm = radius or free.theta.double().norm().item()
    for _ in range(10):
        walk(clamped_later, 1)
        walk(free, 1)
        found = clamped_later.theta.double().norm().item()
        if mode == "equal":
            assert found == pytest.approx(norm, rel=1e-6)
        else:
            assert found <= norm * (1 + 1e-6)
    assert not torch.equal(clamped_later.theta, free.theta)


def test_a_resumed_run_knows_the_norm_that_it_began_to_hold():
    assert_resumes(with_intervention(NormClamp(after=2)))
    assert_resumes(with_intervention(NormClamp(after=30)))


def test_a_negative_beginning_is_refused_and_none_is_no_part_of_the_name():
    with pytest.raises(ValueError, match="after = -1 is no number of steps: give 0 or more"):
        NormClamp(after=-1)
    plain = with_intervention(NormClamp())
    assert "after" not in plain.to_json()
    assert "after" in with_intervention(NormClamp(after=1)).to_json()
