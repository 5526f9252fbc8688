"""The judges of the two bounds: what steps that hold and steps that fail lead to."""

import numpy as np
import pytest
import sympy as sp
import torch

from grokbook.claims.norm_separation26_bounds import (
    CLAIMS,
    judge_lower_bound,
    judge_upper_bound,
)
from grokbook.theory import contraction
from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality

x = sp.symbols("x", real=True)
TRUE = Identity("x + x = 2x", x + x, 2 * x, wrong=3 * x)
FALSE = Identity("x + x = 3x", x + x, 3 * x, wrong=4 * x)
IDLE = Inequality(
    "x ≥ 1 ⟹ x² + x ≥ −1", x**2 + x >= -1, needs=x >= 1
)  # it follows without its premise
BOTH = pytest.mark.parametrize("judge", [judge_upper_bound, judge_lower_bound])


@BOTH
def test_steps_that_hold_leave_the_counter_example(judge):
    found = judge(steps=(TRUE, TRUE))
    assert found.verdict == "refuted" and found.measured > 0
    assert "2 steps hold" in found.note


@BOTH
@pytest.mark.parametrize("step", [FALSE, IDLE], ids=["identity", "inequality"])
def test_a_step_that_fails_is_named(judge, step):
    found = judge(steps=(TRUE, step))
    assert (found.verdict, found.measured) == ("refuted", None)
    assert found.note.startswith(f"{step.name}: ")


@BOTH
def test_without_steps_there_is_nothing_to_judge(judge):
    assert judge(steps=()).verdict == "not yet run"


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_the_derivations_of_the_chapter_hold(claim):
    found = claim.verdict(None)
    assert found.verdict == "refuted" and found.measured > 0
    rooms = {
        "norm_separation26.upper_bound": ("one_step", "upper", "calibration"),
        "norm_separation26.lower_bound": ("adam", "lower"),
    }[claim.id]
    count = sum(len(getattr(contraction, room).identities()) for room in rooms)
    assert f"{count} steps hold" in found.note


@pytest.mark.parametrize("excess", [sp.Integer(0), sp.Rational(-1, 10**9)])
def test_an_upper_bound_that_nothing_breaks_still_has_its_premise(monkeypatch, excess):
    monkeypatch.setattr(contraction.calibration, "excess", lambda: excess)
    found = judge_upper_bound(steps=(TRUE,))
    assert found.verdict == "not testable as stated"
    assert "not among its assumptions" in found.note


def test_the_named_step_breaks_the_recursion_in_numbers():
    theta = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    logits = torch.stack([theta, -theta])
    loss = torch.nn.functional.cross_entropy(logits[None], torch.tensor([0]))
    (slope,) = torch.autograd.grad(loss, theta)
    assert logits.argmax() == 0  # training accuracy is 100 %
    eta, lam = 0.1, 0.01
    after = (1 - eta * lam) * theta.item() - eta * slope.item()
    excess = after**2 - (1 - eta * lam) * theta.item() ** 2
    assert excess > eta**2 * slope.item() ** 2  # a σ² as large as the gradient would not help
    assert judge_upper_bound(steps=(TRUE,)).measured == pytest.approx(excess)


def falling(steps: int, after: int) -> np.ndarray:
    """V from 100 to 50 at one step."""
    V = np.where(np.arange(steps + 1) < after, 100.0, 50.0)
    return np.stack([V, 0 * V], axis=1)


STATED = np.log((100 + 1e-6) / 60) / (0.03 * 1e-3)  # 17,028 steps


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        (1_702, "refuted"),
        (1_703, "not testable as stated"),
        (17_000, "not testable as stated"),
        (99_999, "not testable as stated"),
    ],
)
def test_descent_has_to_pass_in_a_tenth_of_the_stated_order(monkeypatch, after, verdict):
    monkeypatch.setattr(
        contraction, "catapult", lambda start, eta, lam, steps: falling(steps, after)
    )
    found = judge_lower_bound(steps=(TRUE,))
    assert found.verdict == verdict
    assert found.measured == (pytest.approx(after / STATED) if verdict == "refuted" else None)


def test_the_named_descent_passes_as_it_is_said_to():
    theta = torch.tensor([10.0, 1e-3], dtype=torch.float64, requires_grad=True)
    steps = 0
    while (V := (theta**2).sum().item()) > 60:
        loss = (theta[0] * theta[1]) ** 2 / 2
        (slope,) = torch.autograd.grad(loss, theta)
        theta = ((1 - 0.03 * 1e-3) * theta - 0.03 * slope).detach().requires_grad_()
        steps += 1
    found = judge_lower_bound(steps=(TRUE,))
    assert V <= 60 and found.measured == pytest.approx(steps / STATED)
    assert f"falls from V = 100 to 60 in {steps} steps" in found.note
