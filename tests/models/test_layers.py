"""The shared pieces against the same formulas in NumPy, written out."""

import math

import numpy as np
import pytest
import torch

from grokbook.models.layers import (
    ACTIVATIONS,
    fan_in_bound,
    layer_norm,
    linear,
    normal,
    rms_norm,
    rows,
    uniform,
)


def vectors(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_layer_norm_centres_scales_and_shifts():
    # Small vectors, so that the epsilon inside the root shows.
    x, weight, bias = vectors(3, 4, 5) / 100, vectors(5), vectors(5)
    centred = x.numpy() - x.numpy().mean(-1, keepdims=True)
    variance = (centred**2).mean(-1, keepdims=True)
    expected = centred / np.sqrt(variance + 1e-5) * weight.numpy() + bias.numpy()
    np.testing.assert_allclose(layer_norm(x, weight, bias).numpy(), expected, atol=1e-13)


def test_rms_norm_scales_and_does_not_centre():
    x, weight = vectors(3, 4, 5) / 10_000, vectors(5)
    mean_square = (x.numpy() ** 2).mean(-1, keepdims=True)
    expected = x.numpy() / np.sqrt(mean_square + 1e-8) * weight.numpy()
    np.testing.assert_allclose(rms_norm(x, weight).numpy(), expected, atol=1e-13)


@pytest.mark.parametrize("with_bias", [True, False])
def test_linear_multiplies_from_the_right(with_bias):
    x, weight, bias = vectors(2, 3, 5), vectors(5, 4), vectors(4) if with_bias else None
    expected = np.einsum("abd,dm->abm", x.numpy(), weight.numpy())
    if bias is not None:
        expected = expected + bias.numpy()
    np.testing.assert_allclose(linear(x, weight, bias).numpy(), expected, atol=1e-13)


def test_rows_gathers_and_its_gradient_adds_up():
    table = vectors(4, 2, 3).requires_grad_()
    index = torch.tensor([1, 3, 1, 1])
    gathered = rows(table, index)
    assert torch.equal(gathered, torch.stack([table[1], table[3], table[1], table[1]]))
    (gradient,) = torch.autograd.grad(gathered.sum(), table)
    assert gradient[:, 0, 0].tolist() == [0.0, 3.0, 0.0, 1.0]


def test_gelu_is_the_exact_one():
    x = np.linspace(-4, 4, 33)
    expected = [value * 0.5 * (1 + math.erf(value / math.sqrt(2))) for value in x]
    found = ACTIVATIONS["gelu"](torch.from_numpy(x))
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-14)
    np.testing.assert_array_equal(ACTIVATIONS["relu"](torch.from_numpy(x)), np.maximum(x, 0))


def test_normal_has_the_asked_deviation():
    draws = normal((100, 200), 0.3, generator()).double()
    assert draws.std().item() == pytest.approx(0.3, rel=0.02)
    assert draws.mean().item() == pytest.approx(0, abs=0.01)
    # A Gaussian leaves 4.55 % outside two deviations, a uniform draw none.
    assert (draws.abs() > 0.6).double().mean().item() == pytest.approx(0.0455, rel=0.1)


def test_uniform_fills_the_interval():
    draws = uniform((100, 200), 0.3, generator()).double()
    assert 0.2999 < draws.max().item() <= 0.3
    assert -0.3 <= draws.min().item() < -0.2999
    assert draws.std().item() == pytest.approx(0.3 / math.sqrt(3), rel=0.02)


@pytest.mark.parametrize("draw", [normal, uniform])
def test_draws_depend_on_the_given_generator_alone(draw):
    first = draw((5, 3), 1.0, generator(seed=1))
    torch.manual_seed(99)
    before = torch.get_rng_state()
    again, other = draw((5, 3), 1.0, generator(seed=1)), draw((5, 3), 1.0, generator(seed=2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)
    assert (first.dtype, first.device.type) == (torch.float32, "cpu")


def test_fan_in_bound_is_that_of_torch_linear():
    weight = torch.nn.Linear(64, 500).weight
    assert fan_in_bound(64) == 1 / 8
    assert weight.abs().max().item() == pytest.approx(fan_in_bound(64), rel=1e-3)
