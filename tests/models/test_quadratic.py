"""Gromov's network: fast form against the textbook form, that against plain loops."""

import numpy as np
import pytest
import torch

from grokbook.models import MODELS, Quadratic

P, WIDTH = 5, 7
PAIRS = torch.cartesian_prod(torch.arange(P), torch.arange(P))


def test_both_forms_agree_with_each_other_and_with_the_formula():
    model = Quadratic(WIDTH)
    theta = {
        name: weight.double().requires_grad_()
        for name, weight in model.initialise(P, seed=1).items()
    }
    reference, watched = model.reference(theta, PAIRS), {}
    fast = model.forward(theta, PAIRS, watch=watched)
    torch.testing.assert_close(fast, reference, rtol=0, atol=1e-14)
    first, second = (theta[name].detach().numpy() for name in ("W_1", "W_2"))
    expected = [
        [
            sum(second[k, q] * (first[a, k] + first[P + b, k]) ** 2 for k in range(WIDTH))
            / (2 * P * WIDTH)
            for q in range(P)
        ]
        for a, b in PAIRS.tolist()
    ]
    np.testing.assert_allclose(reference.detach().numpy(), expected, atol=1e-14)
    np.testing.assert_allclose(
        watched["hidden_1"].detach()[3, 2], (first[0, 2] + first[P + 3, 2]) ** 2
    )
    answers = torch.randn(P * P, P, dtype=torch.float64)
    wanted = torch.autograd.grad((reference * answers).sum(), list(theta.values()))
    found = torch.autograd.grad((fast * answers).sum(), list(theta.values()))
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-14)


def test_the_start_is_standard_normal_and_a_function_of_the_seed():
    model = Quadratic(400)
    drawn = [model.initialise(97, seed=seed) for seed in (0, 0, 1)]
    assert {name: tuple(w.shape) for name, w in drawn[0].items()} == model.shapes(97)
    for name, weight in drawn[0].items():
        assert weight.dtype == torch.float32
        assert abs(weight.mean()) < 4 / weight.numel() ** 0.5
        assert abs(weight.std() - 1) < 4 / (2 * weight.numel()) ** 0.5
        assert torch.equal(weight, drawn[1][name])
        assert not torch.equal(weight, drawn[2][name])


def test_it_has_a_name_and_refuses_no_neurons():
    assert MODELS["quadratic"] is Quadratic
    with pytest.raises(ValueError, match="width = 0 leaves no neuron: give 1 or more"):
        Quadratic(0)
