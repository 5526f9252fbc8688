"""StableMax against its definition in plain Python, its gradient against finite differences."""

import math

import pytest
import torch
from torch.func import grad, vmap

from grokbook.training.interventions.stablemax import StableMax
from grokbook.training.run import Run
from grokbook.training.trajectory import Trajectory
from tests.training.interventions.steps import assert_resumes, double, with_intervention


def s(x):
    """The definition, one number at a time."""
    return x + 1 if x >= 0 else 1 / (1 - x)


def by_hand(logits, labels):
    rows = zip(logits.tolist(), labels.tolist(), strict=True)
    losses = [-math.log(s(row[label]) / sum(map(s, row))) for row, label in rows]
    return sum(losses) / len(losses)


LABELS = torch.tensor([0, 2, 1, 2, 0])


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3, 1e6])
def test_the_loss_is_its_definition(scale):
    logits = double(5, 3) * scale
    assert StableMax().criterion(logits, LABELS).item() == pytest.approx(
        by_hand(logits, LABELS), rel=1e-13
    )


def test_by_hand():
    # s = 4, 1, 1/3: the shares are 3/4, 3/16 and 1/16
    logits = torch.tensor([[3.0, 0.0, -2.0]]).expand(3, 3)
    found = StableMax().criterion(logits, torch.tensor([0, 1, 2])).item()
    assert found == pytest.approx(-math.log(3 / 4 * 3 / 16 / 16) / 3, rel=1e-14)


def test_the_gradient_is_the_difference_quotient():
    logits = double(5, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda z: StableMax().criterion(z, LABELS), logits)


@pytest.mark.parametrize("x", [0.0, 1.0, -1.0, 1e30, -1e30])
def test_the_gradient_is_finite_where_a_branch_is_not(x):
    logits = torch.tensor([[x, 0.5]], dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(StableMax().criterion(logits, torch.tensor([1])), logits)
    slope = 1.0 if x >= 0 else 1 / (1 - x) ** 2
    assert found[0, 0].item() == pytest.approx(slope / (s(x) + 1.5), rel=1e-13)


def test_it_is_taken_in_float64_whatever_the_logits():
    logits = torch.tensor([[3e4, -3e4, 0.0]])
    loss = StableMax().criterion(logits, torch.tensor([0]))
    assert loss.dtype == torch.float64
    assert loss.item() == pytest.approx(by_hand(logits.double(), torch.tensor([0])), rel=1e-12)
    in_float32 = -math.log(torch.tensor(1 / (1 + 1 / 3e4**2), dtype=torch.float32).item())
    assert in_float32 == 0  # what float32 makes of the share that a logit of -30,000 leaves


def test_no_class_is_absorbed_where_softmax_has_collapsed():
    logits = torch.tensor([[60.0, 0.0, -40.0]], dtype=torch.float64, requires_grad=True)
    label = torch.tensor([0])
    softmax = torch.nn.functional.cross_entropy(logits, label)
    (collapsed,) = torch.autograd.grad(softmax, logits)
    assert collapsed[0, 0] == 0
    (found,) = torch.autograd.grad(StableMax().criterion(logits, label), logits)
    assert (found.abs() > 1e-6).all()


def test_a_run_minimises_it_and_records_it():
    run = with_intervention(StableMax(), precision="float64", loss_precision="float32")
    trajectory = Trajectory(run, "cpu")
    pairs, labels = trajectory.train
    logits = run.model.reference(trajectory.parameters, pairs)
    expected = by_hand(logits.detach(), labels)
    loss, gradient = trajectory.gradient()
    assert loss == pytest.approx(expected, rel=1e-12)
    assert trajectory.evaluate("train").loss == pytest.approx(expected, rel=1e-12)
    bumped = trajectory.theta[5].item()
    quotient = []
    for step in (1e-5, -1e-5):
        trajectory.theta[5] = bumped + step
        quotient.append(trajectory.evaluate("train").loss)
    assert gradient[5].item() == pytest.approx((quotient[0] - quotient[1]) / 2e-5, rel=1e-5)


def test_it_can_be_lifted_over_runs():
    logits = double(4, 5, 3)
    labels = torch.stack([LABELS.roll(i) for i in range(4)])
    found = vmap(StableMax().criterion)(logits, labels)
    slopes = vmap(grad(StableMax().criterion))(logits, labels)
    for i in range(4):
        torch.testing.assert_close(found[i], StableMax().criterion(logits[i], labels[i]))
        torch.testing.assert_close(slopes[i], grad(StableMax().criterion)(logits[i], labels[i]))


def test_a_resumed_run_is_the_uninterrupted_one():
    assert_resumes(with_intervention(StableMax()))
    assert_resumes(with_intervention(StableMax(), batch_size=4))


def test_json_reads_back():
    run = with_intervention(StableMax())
    assert Run.from_json(run.to_json()) == run
