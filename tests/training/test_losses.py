"""Cross-entropy in both forms against NumPy and autograd; its floor; which examples collapse."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from grokbook.training import losses as module
from grokbook.training.losses import (
    FUSED_FROM,
    ROWS,
    collapsed,
    cross_entropy,
    mean_squared_error,
)
from grokbook.training.trajectory import Trajectory
from tests.tiny import tiny

# Less than one slice, one exactly, one row more, two exactly, two and a half.
COUNTS = [1, ROWS - 1, ROWS, ROWS + 1, 2 * ROWS, 5 * ROWS // 2]
EITHER = pytest.mark.parametrize("fused", [False, True], ids=["plain", "fused"])


@pytest.fixture(autouse=True)
def slices_at_any_size(monkeypatch):
    """Use the fused form where it is asked for, however few the logits."""
    monkeypatch.setattr(module, "FUSED_FROM", 0)


def draw(n, classes=7, dtype=torch.float64, scale=3.0):
    logits = torch.randn(n, classes, dtype=torch.float64) * scale
    return logits.to(dtype).requires_grad_(), torch.randint(classes, (n,))


def by_hand(logits, labels):
    """Mean loss and its gradient in NumPy, from the softmax written out."""
    z, y = logits.detach().double().numpy(), labels.numpy()
    z = z - z.max(1, keepdims=True)
    total = np.exp(z).sum(1, keepdims=True)
    right = np.eye(z.shape[1])[y]
    loss = (np.log(total[:, 0]) - z[np.arange(len(y)), y]).mean()
    return loss, (np.exp(z) / total - right) / len(y)


def loss_and_gradient(logits, labels, **how):
    loss = cross_entropy(logits, labels, **how)
    return loss, torch.autograd.grad(loss, logits)[0]


# -- value and gradient ---------------------------------------------------------------------------


@EITHER
@pytest.mark.parametrize("n", COUNTS)
def test_loss_and_gradient_are_those_written_out(n, fused):
    logits, labels = draw(n)
    loss, gradient = loss_and_gradient(logits, labels, fused=fused)
    expected, slope = by_hand(logits, labels)
    assert (loss.shape, loss.dtype) == ((), torch.float64)
    assert loss.item() == pytest.approx(expected, rel=1e-13)
    np.testing.assert_allclose(gradient.numpy(), slope, rtol=0, atol=1e-15)


@pytest.mark.parametrize("n", COUNTS)
def test_fused_is_torch_s_own(n):
    logits, labels = draw(n)
    loss, gradient = loss_and_gradient(logits, labels, fused=True)
    theirs = F.cross_entropy(logits, labels)
    assert loss.item() == pytest.approx(theirs.item(), rel=1e-13)
    (slope,) = torch.autograd.grad(theirs, logits)
    torch.testing.assert_close(gradient, slope, rtol=1e-12, atol=1e-16)


@EITHER
def test_float32_logits_have_a_float64_loss_and_a_float32_gradient(fused):
    logits, labels = draw(ROWS + 3, dtype=torch.float32)
    loss, gradient = loss_and_gradient(logits, labels, fused=fused)
    expected, slope = by_hand(logits, labels)
    assert (loss.dtype, gradient.dtype) == (torch.float64, torch.float32)
    assert loss.item() == pytest.approx(expected, rel=1e-13)
    # Rounded once, at the end.
    np.testing.assert_allclose(gradient.numpy(), slope, rtol=2**-23, atol=0)


@EITHER
def test_a_float32_loss_is_computed_in_float32(fused):
    logits, labels = draw(50, dtype=torch.float32)
    loss, gradient = loss_and_gradient(logits, labels, precision="float32", fused=fused)
    expected, slope = by_hand(logits, labels)
    assert (loss.dtype, gradient.dtype) == (torch.float32, torch.float32)
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    np.testing.assert_allclose(gradient.numpy(), slope, rtol=0, atol=1e-7)


@EITHER
@pytest.mark.parametrize("factor", [0.0, 1.0, -2.5, 1e-3])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_what_is_made_of_the_loss_scales_the_gradient(dtype, factor, fused):
    logits, labels = draw(9, dtype=dtype)
    loss = cross_entropy(logits, labels, fused=fused)
    (gradient,) = torch.autograd.grad(loss * factor + logits.sum() * 0, logits)
    expected = by_hand(logits, labels)[1] * factor
    np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-6, atol=1e-15)


def test_the_gradient_reaches_what_made_the_logits():
    x, labels = torch.randn(6, 4, dtype=torch.float64), torch.randint(3, (6,))
    weight = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
    found, expected = (
        torch.autograd.grad(cross_entropy(x @ weight, labels, fused=fused), weight)[0]
        for fused in (True, False)
    )
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_logits_are_not_changed_and_the_way_back_can_be_gone_twice(dtype):
    logits, labels = draw(ROWS + 1, dtype=dtype)
    before = logits.detach().clone()
    loss = cross_entropy(logits, labels, fused=True)
    assert torch.equal(logits, before)
    loss.backward(retain_graph=True)
    first = logits.grad.clone()
    loss.backward()  # adds up: what was kept for the way back must not have grown with it
    assert torch.equal(logits.grad, 2 * first)
    assert torch.equal(logits, before)


@pytest.mark.parametrize(
    ("n", "precision", "fused", "sliced"),
    [
        (FUSED_FROM // 8, "float64", True, True),
        (FUSED_FROM // 8 - 1, "float64", True, False),
        (FUSED_FROM // 8, "float64", False, False),
        (FUSED_FROM // 8, "float32", True, False),
    ],
)
def test_the_fused_form_is_for_many_logits_in_float64(n, precision, fused, sliced, monkeypatch):
    monkeypatch.setattr(module, "FUSED_FROM", FUSED_FROM)
    logits, labels = draw(n, classes=8)
    loss = cross_entropy(logits, labels, precision=precision, fused=fused)
    assert ("InCache" in str(loss.grad_fn)) == sliced
    assert loss.item() == pytest.approx(by_hand(logits, labels)[0], rel=1e-5)


# -- extremes -------------------------------------------------------------------------------------


@EITHER
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_huge_logits_do_not_overflow(dtype, fused):
    logits = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0], [1e4, 1e4, -1e4]], dtype=dtype)
    labels = torch.tensor([0, 0, 1])
    loss, gradient = loss_and_gradient(logits.requires_grad_(), labels, fused=fused)
    assert loss.item() == pytest.approx((0 + 2e4 + np.log(2)) / 3, rel=1e-14)
    expected = np.array([[0, 0, 0], [-1, 1, 0], [0.5, -0.5, 0]]) / 3
    np.testing.assert_allclose(gradient.numpy(), expected, rtol=1e-6, atol=0)


@EITHER
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_a_logit_that_is_not_finite_is_not_hidden(bad, fused):
    logits, labels = draw(2 * ROWS)
    with torch.no_grad():
        logits[3, 2] = bad
    assert not cross_entropy(logits, labels, fused=fused).isfinite()


@pytest.mark.parametrize(
    ("precision", "fused", "last_above", "first_zero", "least"),
    [
        ("float64", False, 36.0, 37.0, 2.0**-52),
        ("float64", True, 36.0, 37.0, 2.0**-52),
        ("float32", False, 16.0, 17.0, 2.0**-23),
        ("float32", True, 16.0, 17.0, 2.0**-23),
    ],
)
def test_the_loss_has_a_floor_and_below_it_is_exactly_zero(
    precision, fused, last_above, first_zero, least
):
    # 1 + e⁻ᵍ rounds to 1 once e⁻ᵍ is below half the distance from 1 to the next number.
    def loss(gap):
        logits = torch.tensor([[gap, 0.0]])
        return cross_entropy(logits, torch.tensor([0]), precision=precision, fused=fused).item()

    assert loss(last_above) == pytest.approx(least, rel=1e-6)
    assert loss(first_zero) == 0
    assert loss(200.0) == 0


# -- collapse -------------------------------------------------------------------------------------

# Gap of the right logit above the one other, and whether the gradient of the right logit, and of
# both, is exactly 0. Below e⁻¹⁰³·³ no float32 is left, above e⁻⁸⁷·³ it is a normal one.
GAPS = {
    "float32": [
        (10.0, False, False),
        (20.0, True, False),
        (80.0, True, False),
        (110.0, True, True),
    ],
    "float64": [
        (20.0, False, False),
        (40.0, True, False),
        (80.0, True, False),
        (110.0, True, True),
    ],
}


@pytest.mark.parametrize(
    ("precision", "fused"), [("float32", False), ("float64", False), ("float64", True)]
)
def test_collapse_begins_where_the_softmax_rounds_to_one(precision, fused):
    gaps, correct, every = zip(*GAPS[precision], strict=True)
    logits = torch.tensor([[0.0, gap] for gap in gaps], requires_grad=True)
    labels = torch.ones(len(gaps), dtype=torch.int64)
    _, gradient = loss_and_gradient(logits, labels, precision=precision, fused=fused)
    found = collapsed(gradient, labels)
    assert list(found) == ["correct_logit", "all_logits"]
    assert found["correct_logit"].tolist() == list(correct)
    assert found["all_logits"].tolist() == list(every)
    # The loss of those that have collapsed is exactly 0, and of no other.
    losses = [
        cross_entropy(logits[i : i + 1], labels[:1], precision=precision, fused=fused).item()
        for i in range(len(gaps))
    ]
    assert [loss == 0 for loss in losses] == list(correct)


def test_collapsed_reads_the_right_logit_of_each_example():
    gradient = torch.tensor(
        [[0.0, 1.0, -1.0], [1e-40, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, -1e-45], [0.5, 0.0, -0.5]]
    )
    labels = torch.tensor([0, 1, 2, 2, 2])
    found = collapsed(gradient, labels)
    assert found["correct_logit"].tolist() == [True, True, True, False, False]
    assert found["all_logits"].tolist() == [False, False, True, False, False]


def test_an_example_that_is_wrong_or_unsure_never_collapses():
    logits = torch.tensor([[0.0, 500.0], [500.0, 500.0], [0.0, 0.0]], requires_grad=True)
    labels = torch.zeros(3, dtype=torch.int64)
    _, gradient = loss_and_gradient(logits, labels, fused=True)
    assert not any(share.any() for share in collapsed(gradient, labels).values())


def test_a_gradient_that_is_not_a_number_is_no_collapse():
    gradient = torch.full((2, 3), torch.nan)
    labels = torch.tensor([0, 1])
    assert not any(share.any() for share in collapsed(gradient, labels).values())


# -- mean squared error ---------------------------------------------------------------------------


def test_mean_squared_error_is_the_distance_from_one_hot_answers():
    logits, labels = draw(5, classes=3)
    z, right = logits.detach().numpy(), np.eye(3)[labels.numpy()]
    loss = mean_squared_error(logits, labels)
    assert loss.dtype == torch.float64
    np.testing.assert_allclose(loss.item(), ((z - right) ** 2).sum() / 15, rtol=1e-14)
    (gradient,) = torch.autograd.grad(loss, logits)
    np.testing.assert_allclose(gradient, 2 * (z - right) / 15, rtol=1e-14)
    torch.testing.assert_close(loss, F.mse_loss(logits, F.one_hot(labels, 3).double()))


def test_mean_squared_error_lifts_over_runs_and_rounds_to_its_precision():
    logits, labels = draw(5, classes=3)
    several, answers = torch.stack([logits, 2 * logits]).detach(), labels.expand(2, -1)
    lifted = torch.func.vmap(mean_squared_error)(several, answers)
    alone = torch.stack([mean_squared_error(z, labels) for z in several])
    torch.testing.assert_close(lifted, alone)
    assert mean_squared_error(several[0], labels, precision="float32").dtype == torch.float32


def test_a_run_is_trained_on_the_loss_that_it_names():
    run = tiny()
    squared = run.replace(loss_function="mean_squared_error")
    one, other = (Trajectory(each, "cpu") for each in (run, squared))
    pairs, labels = other.train
    logits = squared.model.reference(other.parameters, pairs)
    loss, gradient = other.gradient()
    answers = F.one_hot(labels, 5).double()
    expected = ((logits.double() - answers) ** 2).mean()
    assert loss == pytest.approx(expected.item(), rel=1e-6)
    wanted = torch.autograd.grad(expected, list(other.parameters.values()))
    torch.testing.assert_close(gradient, torch.cat([g.flatten() for g in wanted]))
    assert one.gradient()[0] != pytest.approx(loss, rel=0.1)
