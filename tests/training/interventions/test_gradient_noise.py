"""Gradient noise: its size, and that it is a function of (seed, step) alone."""

import numpy as np
import pytest
import torch

from grokbook.training.interventions.gradient_noise import GradientNoise
from grokbook.training.run import Run
from grokbook.training.trajectory import Trajectory
from tests.training.interventions.steps import (
    SIZE,
    assert_gradients_run_by_run,
    assert_resumes,
    at,
    double,
    with_intervention,
)


def noise(intervention, done, seed, size=SIZE):
    """What is added in one step of one run."""
    gradient = torch.zeros(size, dtype=torch.float64)
    return intervention.gradient(gradient, at(gradient, done, [seed]), {})


def test_it_is_the_scaled_draw_of_its_seed_and_step():
    gradient = double(SIZE)
    for done in (0, 1, 5):
        generator = np.random.Generator(np.random.Philox(key=[3, done]))
        drawn = generator.standard_normal(SIZE, dtype=np.float32).astype(np.float64)
        found = GradientNoise(0.2, 0.5).gradient(gradient, at(gradient, done, [3]), {})
        expected = gradient.numpy() + drawn * 0.2 / np.sqrt(1 + done)
        np.testing.assert_allclose(found.numpy(), expected, rtol=1e-14)


def test_mean_and_spread():
    drawn = torch.stack([noise(GradientNoise(0.5), done, 7, 2000) for done in range(50)])
    n = drawn.numel()
    assert abs(drawn.mean().item()) < 4 * 0.5 / n**0.5
    assert drawn.std().item() == pytest.approx(0.5, rel=4 / (2 * n) ** 0.5)
    # Steps are independent, and so are neighbours in a step.
    assert np.abs(np.corrcoef(drawn[:6].numpy())[np.triu_indices(6, 1)]).max() < 0.1
    flat = drawn.flatten().numpy()
    assert abs(np.corrcoef(flat[1:], flat[:-1])[0, 1]) < 4 / n**0.5


@pytest.mark.parametrize(("decay", "factor"), [(0, 1), (0.5, 1 / 3), (1, 1 / 9)])
def test_it_decays_with_the_step(decay, factor):
    constant, decaying = noise(GradientNoise(0.1), 8, 7), noise(GradientNoise(0.1, decay), 8, 7)
    torch.testing.assert_close(decaying, constant * factor, rtol=1e-14, atol=0)


def test_it_differs_by_step_and_by_seed_and_comes_again():
    found = {(seed, done): noise(GradientNoise(1.0), done, seed) for seed in (0, 1, 2**40)
             for done in (0, 1, 2, 1000)}  # fmt: skip
    for key, one in found.items():
        assert torch.equal(one, noise(GradientNoise(1.0), key[1], key[0]))
        assert all((one != other).any() for at_, other in found.items() if at_ != key)


def test_no_global_generator_has_a_say():
    before = noise(GradientNoise(), 3, 5)
    torch.manual_seed(99)
    np.random.seed(99)
    state = np.random.get_state()[1].copy()
    assert torch.equal(noise(GradientNoise(), 3, 5), before)
    assert (np.random.get_state()[1] == state).all()


def test_the_gradient_that_came_in_is_left_alone():
    gradient = double(SIZE)
    before = gradient.clone()
    GradientNoise(1.0).gradient(gradient, at(gradient, 0), {})
    assert torch.equal(gradient, before)


def test_run_by_run():
    assert_gradients_run_by_run(
        [GradientNoise(0.1, 0.5), GradientNoise(2, 0), GradientNoise(1.0, 1)]
    )


def test_a_resumed_run_meets_the_same_noise():
    assert_resumes(with_intervention(GradientNoise(0.1)))
    assert_resumes(with_intervention(GradientNoise(0.1, 0.55), batch_size=4))


def test_a_run_is_noisy_by_its_init_seed():
    def first_step(**changes):
        trajectory = Trajectory(with_intervention(GradientNoise(0.5)).replace(**changes), "cpu")
        before = trajectory.theta.clone()
        _, gradient = trajectory.gradient()
        trajectory.step(gradient * 0)
        return trajectory.theta - before

    assert torch.equal(first_step(), first_step())
    plain = {"weight_decay": 0.0, "learning_rate": 0.01}
    # Adam's first step is the sign of its gradient, which is nothing but noise here.
    drawn = noise(GradientNoise(0.5), 0, 0, len(first_step()))
    assert torch.equal(first_step(**plain).sign(), -drawn.sign().float())


def test_json_reads_back():
    run = with_intervention(GradientNoise(1, 0.55))
    assert Run.from_json(run.to_json()) == run
    assert with_intervention(GradientNoise(1)).name == with_intervention(GradientNoise(1.0)).name
