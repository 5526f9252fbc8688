"""Attention's weighted sum against loops, in both forms."""

import numpy as np
import pytest
import torch

from grokbook.models.mixing import mix

N, H, E = 4, 2, 3
READ = pytest.mark.parametrize("read", [1, 2, 3])
FUSED = pytest.mark.parametrize("fused", [False, True])


def draw(read, dtype=torch.float64):
    """Weights and values of the positions read; the weights lie in memory as attention's do."""
    weights = torch.randn(H, read, N, dtype=dtype).permute(1, 2, 0)
    return weights.requires_grad_(), torch.randn(read, N, H, E, dtype=dtype).requires_grad_()


def by_loop(weights, values):
    out = np.zeros((N, H, E))
    for i, n, h, e in np.ndindex(len(values), N, H, E):
        out[n, h, e] += weights[i, n, h].item() * values[i][n, h, e].item()
    return out


@READ
@FUSED
def test_the_sum_is_that_of_a_loop(read, fused):
    weights, values = draw(read)
    found = mix(weights, values, fused=fused).detach().numpy()
    np.testing.assert_allclose(found, by_loop(weights, values), rtol=0, atol=1e-14)


@READ
@FUSED
def test_the_gradient_is_that_of_finite_differences(read, fused):
    weights, values = draw(read)
    assert torch.autograd.gradcheck(lambda *t: mix(*t, fused=fused), (weights, values))


@READ
def test_both_forms_send_back_the_same(read):
    weights, values = draw(read)
    answers = torch.randn(N, H, E, dtype=torch.float64)
    plain, fused = (
        torch.autograd.grad(mix(weights, values, fused=f), [weights, values], answers)
        for f in (False, True)
    )
    for found, expected in zip(fused, plain, strict=True):
        assert expected.abs().max() > 0
        torch.testing.assert_close(found, expected, rtol=1e-13, atol=1e-13)


def test_in_float32_both_forms_are_close_and_stay_in_float32():
    weights, values = draw(3, torch.float32)
    found = mix(weights, values, fused=True)
    assert found.dtype == torch.float32
    np.testing.assert_allclose(found.detach().numpy(), by_loop(weights, values), atol=1e-6)
    torch.testing.assert_close(found, mix(weights, values, fused=False), rtol=0, atol=1e-6)


def test_fused_changes_nothing_that_it_was_given_and_goes_back_twice():
    weights, values = draw(3)
    before = [t.detach().clone() for t in (weights, values)]
    out, answers = mix(weights, values, fused=True), torch.randn(N, H, E, dtype=torch.float64)
    kept = answers.clone()
    first = torch.autograd.grad(out, [weights, values], answers, retain_graph=True)
    again = torch.autograd.grad(out, [weights, values], answers)
    assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))
    assert all(torch.equal(*pair) for pair in zip((weights, values), before, strict=True))
    assert torch.equal(answers, kept)


def test_the_plain_form_is_lifted_over_runs():
    runs = [draw(2) for _ in range(3)]
    stacked = [torch.stack([run[i].detach() for run in runs]) for i in range(2)]
    lifted = torch.func.vmap(mix)(*stacked)
    for (alone_weights, alone_values), found in zip(runs, lifted, strict=True):
        expected = by_loop(alone_weights, alone_values)
        np.testing.assert_allclose(found.numpy(), expected, rtol=0, atol=1e-14)
