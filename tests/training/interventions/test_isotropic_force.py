"""The isotropic force: as strong as the penalty's, at activations and weights, in no direction."""

import pytest
import torch

from grokbook.theory import radial
from grokbook.training.interventions import IsotropicForce, Look
from grokbook.training.trajectory import Trajectory
from grokbook.training.watching import watched
from tests.training.interventions.steps import assert_resumes, assert_trains_as_alone, double, walk
from tests.training.interventions.test_radial_penalty import RUN as PENALISED

RUN = PENALISED.replace(interventions=(IsotropicForce(0.3),), batch_size=10)


def forces(size, seed=0, n=400, d=32):
    """Inputs, activations of a layer without bias, and the force on each."""
    x = double(n, 12, seed=3)
    h = x @ double(12, d, seed=4)
    h = (size * d**0.5 * h / h.norm(dim=-1, keepdim=True)).requires_grad_()
    force = IsotropicForce(0.3)
    seen = Look({}, torch.zeros(1, 2).int(), torch.zeros(1).int(), torch.zeros(1, 2), {"pre_1": h})
    state = force.begin(seen, seed)
    (g,) = torch.autograd.grad(force.penalty(seen, state)[0], h)
    return x, h.detach(), g * n


@pytest.mark.parametrize("size", [0.2, 1.0, 3.0])
def test_it_is_as_large_as_the_penalty_s_gradient_at_activations_and_weights(size):
    x, h, g = forces(size)
    expected = torch.from_numpy(radial.penalty_gradient(h.numpy(), 0.3))
    torch.testing.assert_close(g.norm(dim=-1), expected.norm(dim=-1), rtol=1e-9, atol=1e-15)
    at_weights, of_penalty = x.T @ g, x.T @ expected  # h = x W
    torch.testing.assert_close(
        torch.linalg.svdvals(at_weights), torch.linalg.svdvals(of_penalty), rtol=1e-9, atol=1e-13
    )


def test_it_turns_the_penalty_s_gradient_alike_for_every_example():
    _, h, g = forces(3.0)
    expected = torch.from_numpy(radial.penalty_gradient(h.numpy(), 0.3))
    torch.testing.assert_close(g @ g.T, expected @ expected.T, rtol=0, atol=1e-12)
    sizes, penalty_s = g.abs().sort().values, expected.abs().sort().values
    torch.testing.assert_close(sizes, penalty_s, rtol=0, atol=1e-12)
    assert not torch.allclose(g.abs(), expected.abs())  # units change places
    assert not torch.allclose(g.sum(dim=-1), expected.sum(dim=-1))  # and some their signs


def test_it_has_no_direction_of_its_own():
    energy, sides, found = [], [], []
    for seed in range(60):
        _, h, g = forces(3.0, seed)
        cosine = (h * g).sum(-1) / h.norm(dim=-1) / g.norm(dim=-1)
        energy.append((h.shape[-1] * cosine.square()).mean().item())
        sides.append(cosine.sign().mean().item())
        found.append(g)
    assert sum(energy) / 60 == pytest.approx(1, abs=0.25)  # of the penalty it is d = 32
    assert abs(sum(sides) / 60) < 0.15
    assert len({each.numpy().tobytes() for each in found}) == 60
    first = torch.stack([g[0] for g in found])
    variance = 32 * first.square().mean(dim=0) / first.square().sum(dim=-1).mean()
    assert variance.std().item() < 0.5  # of the units of one example; of the penalty's gradient 1.4


def test_directions_are_drawn_anew_at_every_step():
    trajectory, seen = Trajectory(RUN, "cpu"), []
    for _ in range(4):
        seen += [e.clone() for e in trajectory.states[0].values()]
        walk(trajectory, 1)
    assert len({each.numpy().tobytes() for each in seen}) == 8  # two layers, four steps


def test_a_resumed_run_is_the_uninterrupted_one():
    assert_resumes(RUN)


def test_runs_of_several_strengths_form_an_ensemble():
    runs = [RUN.replace(isotropic_force_strength=s, seed=i) for i, s in enumerate((0.0, 0.3, 2.0))]
    assert_trains_as_alone(runs)


def test_a_look_at_more_examples_than_a_step_has_is_pushed_alike():
    trajectory = Trajectory(RUN, "cpu")
    found = watched(RUN, trajectory.parameters, *trajectory.train, trajectory.states)
    assert len(trajectory.train[1]) > 10 and all(value.isfinite() for value in found.values())


def test_a_negative_strength_is_refused():
    with pytest.raises(ValueError, match=r"strength = -0.5 is negative: give 0 or more"):
        IsotropicForce(-0.5)
