"""The MLP block in the cache against the block written out, and against autograd."""

import itertools
import math

import numpy as np
import pytest
import torch

from grokbook.models import feed_forward as module
from grokbook.models.feed_forward import ROWS, feed_forward

D, M = 3, 5
# Nothing, less than one slice, one exactly, one row more, two exactly, two and a half.
COUNTS = [1, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS, 5 * ROWS // 2]
ACTIVATIONS = pytest.mark.parametrize("activation", ["relu", "gelu"])
RESIDUAL = pytest.mark.parametrize("residual", [False, True], ids=["block", "added"])


def block(n, dtype=torch.float64, d=D, m=M):
    """Rows and weights that want a gradient."""
    shapes = [(n, d), (d, m), (m,), (m, d), (d,)]
    return [torch.randn(shape, dtype=dtype).requires_grad_() for shape in shapes]


def by_hand(x, W_in, b_in, W_out, b_out, activation, residual=False):
    """The block in NumPy, one row at a time."""
    x, W_in, b_in, W_out, b_out = (t.detach().numpy() for t in (x, W_in, b_in, W_out, b_out))
    rows = []
    for row in x:
        hidden = row @ W_in + b_in
        if activation == "relu":
            hidden = np.maximum(hidden, 0)
        else:
            hidden = np.array([u * (1 + math.erf(u / math.sqrt(2))) / 2 for u in hidden])
        rows.append(hidden @ W_out + b_out + (row if residual else 0))
    return np.array(rows)


def both(tensors, activation, residual=False, answers=None):
    """Outputs of the plain form and of the fused one, each followed by its gradients."""
    found = []
    if answers is None:
        answers = torch.randn(tensors[0].shape, dtype=tensors[0].dtype)
    for fused in (False, True):
        out = feed_forward(*tensors, activation=activation, residual=residual, fused=fused)
        found.append([out.detach(), *torch.autograd.grad((out * answers).sum(), tensors)])
    return found


@ACTIVATIONS
@RESIDUAL
@pytest.mark.parametrize("n", COUNTS)
def test_both_forms_are_the_block_written_out(n, activation, residual):
    tensors = block(n)
    plain, fused = both(tensors, activation, residual)
    expected = by_hand(*tensors, activation, residual)
    np.testing.assert_allclose(fused[0].numpy(), expected, rtol=0, atol=1e-13)
    np.testing.assert_allclose(plain[0].numpy(), expected, rtol=0, atol=1e-13)
    for found, wanted in zip(fused[1:], plain[1:], strict=True):
        assert wanted.abs().max() > 0
        assert found.shape == wanted.shape
        torch.testing.assert_close(found, wanted, rtol=1e-12, atol=1e-11)


@ACTIVATIONS
@RESIDUAL
@pytest.mark.parametrize("n", [1, 3, 4, 5, 8, 11])
def test_the_gradient_is_that_of_finite_differences(n, activation, residual, monkeypatch):
    monkeypatch.setattr(module, "ROWS", 4)
    tensors, answers = block(n), torch.randn(n, D, dtype=torch.float64)
    # Away from 0, where ReLU has no derivative that differences could find.
    assert (tensors[0] @ tensors[1] + tensors[2]).abs().min() > 1e-4

    def value(*moved):
        out = feed_forward(*moved, activation=activation, residual=residual, fused=True)
        return (out * answers).sum()

    found = torch.autograd.grad(value(*tensors), tensors)
    for i, gradient in enumerate(found):
        for place in range(tensors[i].numel()):
            values = []
            for step in (1e-6, -1e-6):
                moved = [t.detach().clone() for t in tensors]
                moved[i].view(-1)[place] += step
                values.append(value(*moved).item())
            slope = (values[0] - values[1]) / 2e-6
            assert gradient.flatten()[place].item() == pytest.approx(slope, rel=1e-6, abs=1e-7)


@ACTIVATIONS
def test_relu_and_its_derivative_at_zero_are_those_of_autograd(activation):
    # The hidden values are exactly 0, -0, above and below.
    x = torch.tensor([[0.0], [-0.0], [1.0], [-1.0]], dtype=torch.float64).requires_grad_()
    weight, bias = torch.ones(1, 1, dtype=torch.float64), torch.zeros(1, dtype=torch.float64)
    tensors = [x, *(t.clone().requires_grad_() for t in (weight, bias, weight, bias))]
    plain, fused = both(tensors, activation)
    for found, wanted in zip(fused, plain, strict=True):
        assert torch.equal(found, wanted)


@ACTIVATIONS
def test_in_float32_both_are_as_close_to_float64_as_rounding_lets_them(activation):
    tensors, answers = block(ROWS + 7, torch.float32, d=32, m=64), torch.randn(ROWS + 7, 32)
    forms = both(tensors, activation, answers=answers)
    in_double = [t.detach().double().requires_grad_() for t in tensors]
    exact, _ = both(in_double, activation, answers=answers.double())
    for found in forms:
        for one, wanted in zip(found, exact, strict=True):
            assert one.dtype == torch.float32
            assert (one - wanted).abs().max() < 1e-5 * wanted.abs().max()


@ACTIVATIONS
def test_how_the_numbers_lie_in_memory_changes_nothing(activation):
    x, *weights = block(ROWS + 3)
    turned = x.detach().T.contiguous().T.requires_grad_()
    assert not turned.is_contiguous()
    # One number expanded: a gradient without memory of its own.
    answers = torch.ones(1, 1, dtype=torch.float64).expand(x.shape)
    expected, _ = both([x, *weights], activation, answers=answers)
    _, found = both([turned, *weights], activation, answers=answers)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-11)


@ACTIVATIONS
def test_nothing_that_it_was_given_is_changed(activation):
    tensors, answers = block(ROWS + 1), torch.randn(ROWS + 1, D, dtype=torch.float64)
    before, kept = [t.detach().clone() for t in tensors], answers.clone()
    out = feed_forward(*tensors, activation=activation, fused=True)
    torch.autograd.grad(out, tensors, answers)
    assert all(torch.equal(*pair) for pair in zip(tensors, before, strict=True))
    assert torch.equal(answers, kept)


@ACTIVATIONS
def test_a_second_way_back_is_the_same_or_refused(activation):
    tensors, answers = block(ROWS + 1), torch.randn(ROWS + 1, D, dtype=torch.float64)
    out = feed_forward(*tensors, activation=activation, fused=True)
    first = torch.autograd.grad(out, tensors, answers, retain_graph=True)
    if activation == "relu":  # its hidden activations have been used up
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            torch.autograd.grad(out, tensors, answers)
    else:
        again = torch.autograd.grad(out, tensors, answers)
        assert all(torch.equal(*pair) for pair in zip(first, again, strict=True))


@ACTIVATIONS
@pytest.mark.parametrize(("first", "second"), [(False, True), (True, False), (False, False)])
def test_without_both_biases_the_plain_form_answers(activation, first, second):
    x, W_in, b_in, W_out, b_out = block(4)
    zeros_in, zeros_out = torch.zeros_like(b_in), torch.zeros_like(b_out)
    biases = (b_in if first else None), (b_out if second else None)
    found = feed_forward(x, W_in, biases[0], W_out, biases[1], activation=activation, fused=True)
    written = (b_in if first else zeros_in), (b_out if second else zeros_out)
    expected = by_hand(x, W_in, written[0], W_out, written[1], activation)
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=0, atol=1e-13)
    assert "InCache" not in str(found.grad_fn)


def test_more_than_rows_of_vectors_take_the_plain_form():
    x, *weights = block(6)
    cube = feed_forward(x.view(2, 3, D), *weights, activation="gelu", fused=True)
    flat = feed_forward(x, *weights, activation="gelu", fused=True)
    assert "InCache" in str(flat.grad_fn)  # or the tests above compare the plain form with itself
    assert "InCache" not in str(cube.grad_fn)
    torch.testing.assert_close(cube.view(6, D), flat, rtol=0, atol=1e-13)


@ACTIVATIONS
def test_the_plain_form_is_lifted_over_runs(activation):
    runs = [block(4) for _ in range(3)]
    stacked = [torch.stack([run[i].detach() for run in runs]) for i in range(5)]

    def one(*tensors):
        return feed_forward(*tensors, activation=activation)

    lifted = torch.func.vmap(one)(*stacked)
    slopes = torch.func.vmap(torch.func.grad(lambda *t: one(*t).square().sum(), argnums=1))(
        *stacked
    )
    for run, out, slope in zip(runs, lifted, slopes, strict=True):
        expected = by_hand(*run, activation)
        np.testing.assert_allclose(out.numpy(), expected, rtol=0, atol=1e-13)
        alone = feed_forward(*run, activation=activation, fused=True).square().sum()
        (wanted,) = torch.autograd.grad(alone, run[1])
        torch.testing.assert_close(slope, wanted, rtol=1e-12, atol=1e-11)


def test_only_what_is_asked_for_wants_a_gradient():
    tensors = block(4)
    for wanted in itertools.combinations(range(5), 2):
        partial = [t.detach().requires_grad_(i in wanted) for i, t in enumerate(tensors)]
        chosen = [partial[i] for i in wanted]
        outs = [
            feed_forward(*partial, activation="relu", fused=fused).square().sum()
            for fused in (True, False)
        ]
        found, expected = (torch.autograd.grad(out, chosen) for out in outs)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-11)
