"""PerpGrad against its definition in NumPy, parameter by parameter."""

import numpy as np
import pytest
import torch

from grokbook.training.interventions.perpgrad import PerpGrad
from grokbook.training.layout import Layout
from grokbook.training.run import Run
from tests.training.interventions.steps import (
    LAYOUT,
    SIZE,
    assert_gradient_feeds_the_run_s_own_optimizer,
    assert_gradients_run_by_run,
    assert_resumes,
    at,
    double,
    with_intervention,
)


def across(g, w):
    """The definition on one parameter tensor, of any shape."""
    left = g - np.sum(w * g) / (np.sum(w * w) + 1e-30) * w
    return left * np.sqrt(np.sum(g**2)) / np.sqrt(np.sum(left**2))


def turned(gradient, theta):
    """One gradient through the hook."""
    return PerpGrad().gradient(gradient, at(theta, 0), {})


def test_it_is_its_definition_on_each_parameter():
    gradient, theta = double(SIZE, seed=1), double(SIZE, seed=2)
    found = LAYOUT.views(turned(gradient, theta))
    gradients, weights = LAYOUT.views(gradient), LAYOUT.views(theta)
    for name in ("W", "b"):
        expected = across(gradients[name].numpy(), weights[name].numpy())
        np.testing.assert_allclose(found[name].numpy(), expected, rtol=1e-13)
        assert (found[name] * weights[name]).sum().abs() < 1e-14
        assert found[name].norm().item() == pytest.approx(gradients[name].norm().item(), rel=1e-14)


def test_it_is_not_the_projection_of_the_whole_vector():
    gradient, theta = double(SIZE, seed=1), double(SIZE, seed=2)
    whole = across(gradient.numpy(), theta.numpy())
    assert not np.allclose(turned(gradient, theta).numpy(), whole, rtol=1e-2)


def test_by_hand():
    # W: the gradient (3, 4, 0, …) across w = (1, 0, 0, …) is (0, 4, 0, …), scaled back to norm 5.
    gradient = torch.tensor([3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    theta = torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0])
    assert turned(gradient, theta).tolist() == [0.0, 5.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0]


@pytest.mark.parametrize("scale", [1e-30, 1e-12, 1.0, 1e12])
def test_a_float32_gradient_of_any_size_is_turned_exactly(scale):
    gradient, theta = double(SIZE, seed=1).float() * scale, double(SIZE, seed=2).float()
    found = turned(gradient, theta)
    assert found.dtype == torch.float32
    weights = LAYOUT.segments(theta)
    for name, g in LAYOUT.segments(gradient).items():
        expected = across(g.double().numpy(), weights[name].double().numpy())
        np.testing.assert_allclose(LAYOUT.segments(found)[name].numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_gradient_along_the_weights_becomes_zero(dtype):
    theta = double(SIZE, seed=2).to(dtype)
    for multiple in (4.0, -0.125, 0.0):  # exact in any precision
        assert torch.equal(turned(theta * multiple, theta), torch.zeros(SIZE, dtype=dtype))
    # Rounding leaves 1e-17 of it, which must not be scaled up to the size of the gradient.
    assert torch.equal(turned(theta.double() * 0.1, theta.double()), torch.zeros(SIZE).double())


def test_a_parameter_of_one_number_never_moves():
    layout = Layout({"scale": (1,), "W": (3,)})
    theta, gradient = double(4, seed=2), double(4, seed=1)
    found = PerpGrad().gradient(gradient, at(theta, 0)._replace(layout=layout), {})
    assert found[0] == 0 and found[1:].norm() > 0


def test_without_weights_there_is_nothing_to_project():
    gradient = double(SIZE, seed=1)
    torch.testing.assert_close(turned(gradient, torch.zeros(SIZE).double()), gradient)
    assert torch.equal(turned(gradient * 0, double(SIZE)), torch.zeros(SIZE).double())


def test_run_by_run():
    assert_gradients_run_by_run([PerpGrad()] * 3)


def test_one_run_s_zero_leaves_the_others_alone():
    theta, gradient = double(2, SIZE, seed=1), double(2, SIZE, seed=2)
    gradient[0] = theta[0]
    found = turned(gradient, theta)
    assert torch.equal(found[0], torch.zeros(SIZE).double())
    torch.testing.assert_close(found[1], turned(gradient[1], theta[1]))


def test_the_optimizer_behind_it_keeps_its_numbers():
    def change(history, weights):
        parts = history[-1].split([w.numel() for w in weights.values()])
        pairs = zip(parts, weights.values(), strict=True)
        return torch.cat([torch.from_numpy(across(g.numpy(), w.numpy())) for g, w in pairs])

    assert_gradient_feeds_the_run_s_own_optimizer(PerpGrad(), change)


def test_a_resumed_run_is_the_uninterrupted_one():
    assert_resumes(with_intervention(PerpGrad()))
    assert_resumes(with_intervention(PerpGrad(), batch_size=4))


def test_json_reads_back():
    run = with_intervention(PerpGrad())
    assert Run.from_json(run.to_json()) == run
