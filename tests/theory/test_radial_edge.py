"""The edge of Adam and the way to it: SymPy, NumPy, and the optimiser's own steps."""

import numpy as np
import pytest
import sympy as sp
import torch

from grokbook.theory import radial
from grokbook.theory.radial import edge
from grokbook.training.optimizers import AdamW

RATE, TINY = 1e-3, 1e-60  # tiny: v stays what it is, however far a weight gets
LATE = 10**9  # steps, after which no moment is corrected any more


@pytest.mark.parametrize(("beta1", "beta2"), [(0.9, 0.999), (0.5, 0.98), (0.95, 0.9)])
def test_symbols_and_float64_agree(beta1, beta2):
    at = {edge.beta_1: beta1, edge.beta_2: beta2, edge.eta: RATE, edge.sharpness: 7.0}
    assert radial.adam_edge(beta1) == pytest.approx(float(edge.edge().subs(at)), rel=1e-12)
    found = radial.steps_to_edge(7.0, RATE, beta1, beta2)
    assert found == pytest.approx(float(edge.steps_to_edge(edge.sharpness).subs(at)), rel=1e-12)
    safe = float(edge.safe_curvature().subs(at | {edge.epsilon: 1e-6}))
    assert radial.safe_curvature(RATE, 1e-6, beta1) == pytest.approx(safe, rel=1e-12)


@pytest.mark.parametrize("beta1", [0.5, 0.9])
def test_roots_leave_the_circle_at_the_edge(beta1):
    polynomial = sp.Poly(edge.characteristic().subs({edge.beta_1: beta1, edge.eta: 1}), edge.z)
    for share, inside in ((0.99, True), (1.01, False)):
        values = [float(each.subs(edge.sharpness, share * radial.adam_edge(beta1)))
                  for each in polynomial.all_coeffs()]  # fmt: skip
        assert (np.abs(np.roots(values)) < 1).all() == inside


def stepped(optimizer, curvature, v, steps):
    """How far from 0 a weight is after steps of descent on a quadratic, and its state."""
    theta = torch.tensor([TINY, TINY], dtype=torch.float64)
    state = {"m": torch.zeros(2).double(), "v": torch.full((2,), v, dtype=torch.float64)}
    for done in range(steps):
        optimizer.step(theta, curvature * theta, state, LATE + done)
    return theta.abs().max().item(), state


@pytest.mark.parametrize("beta1", [0.5, 0.9])
def test_adamw_settles_below_the_edge_and_leaves_above_it(beta1):
    optimizer = AdamW(RATE, beta1=beta1, beta2=1 - 1e-7)
    ones = torch.ones(2).double()
    root = optimizer.preconditioner(ones, {"v": ones}, LATE)[0].item()
    for share, settles in ((0.95, True), (1.05, False)):
        curvature = share * radial.adam_edge(beta1) * root / RATE
        away, _ = stepped(optimizer, curvature, 1.0, 400)
        assert (away < TINY) == settles


def test_what_is_forgotten_takes_a_curvature_to_the_edge():
    optimizer = AdamW(RATE, beta2=0.99, epsilon=1e-12)
    curvature = 380.0  # with v = 1: s = 380, a hundredth of the edge
    steps = radial.steps_to_edge(curvature, RATE, beta2=0.99)
    _, state = stepped(optimizer, 0.0, 1.0, round(steps))
    root = optimizer.preconditioner(torch.ones(2).double(), state, LATE)
    assert RATE * curvature / root[0].item() == pytest.approx(radial.adam_edge(), rel=0.01)


@pytest.mark.parametrize(("share", "stays"), [(0.95, True), (1.05, False)])
def test_what_epsilon_keeps_safe_is_not_thrown_when_all_is_forgotten(share, stays):
    optimizer = AdamW(RATE, epsilon=1e-4)
    curvature = share * radial.safe_curvature(RATE, 1e-4)
    away, _ = stepped(optimizer, curvature, 0.0, 400)
    assert (away < TINY) == stays
