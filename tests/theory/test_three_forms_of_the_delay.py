"""Chapter 03's formulas in three forms: SymPy, float64 NumPy by hand, and PyTorch."""

import numpy as np
import pytest
import sympy as sp
import torch

from grokbook.measures.calibration import calibration_gap
from grokbook.measures.contraction import contraction_rate, next_squared_norm
from grokbook.models import BitMLP
from grokbook.theory import contraction
from grokbook.theory.contraction import adam, lower, one_step, upper
from grokbook.theory.contraction import kappa as shares
from grokbook.training.optimizers import SGD, AdamW

ETA, LAM = 0.02, 0.7
EXACT = {one_step.eta: sp.Rational(1, 50), one_step.lam: sp.Rational(7, 10)}


def test_one_step():
    values = {one_step.V: 25, one_step.dot: -3, one_step.square: 4}
    exact = float(one_step.next_squared_norm().subs(values | EXACT))
    by_hand = contraction.next_squared_norm(25, -3, 4, ETA, LAM)
    V, dot, square = (torch.tensor(float(x), dtype=torch.float64) for x in (25, -3, 4))
    by_torch = next_squared_norm(V, dot, square, ETA, LAM).item()
    assert by_hand == pytest.approx(exact, rel=1e-14)
    assert by_torch == pytest.approx(exact, rel=1e-14)


@pytest.mark.parametrize("optimizer", [SGD(ETA, LAM), AdamW(ETA, LAM)], ids=["sgd", "adamw"])
def test_one_step_of_an_optimiser(optimizer):
    generator = torch.Generator().manual_seed(0)
    theta = torch.randn(50, generator=generator, dtype=torch.float64)
    state = optimizer.start(theta)
    for done in range(5):
        g = torch.randn(50, generator=generator, dtype=torch.float64)
        before = theta.clone()
        optimizer.step(theta, g, state, done)
        u = optimizer.direction(before, state, done)
        said = contraction.next_squared_norm(
            (before @ before).item(), (before @ u).item(), (u @ u).item(), ETA, LAM
        )
        assert said == pytest.approx((theta @ theta).item(), rel=1e-12)
        if optimizer.kind == "sgd":
            torch.testing.assert_close(u, g)


def test_the_floor_and_the_time_to_escape():
    """Where decay with noise ends, as the mean over many walks that PyTorch takes."""
    exact = float(upper.noise_floor().subs(EXACT | {one_step.noise: 9}))
    assert contraction.noise_floor(9.0, ETA, LAM) == pytest.approx(exact, rel=1e-14)
    generator = torch.Generator().manual_seed(0)
    theta = torch.zeros(4_000, 9, dtype=torch.float64)
    for _ in range(600):
        noise = torch.randn(theta.shape, generator=generator, dtype=torch.float64)
        theta = (1 - ETA * LAM) * theta - ETA * noise
    assert theta.square().sum(-1).mean().item() == pytest.approx(exact, rel=0.02)

    values = {one_step.V_mem: 100, one_step.V_post: 10, upper.V_inf: 2}
    time = float(upper.escape_time().subs(values | EXACT))
    assert contraction.delay(98.0, 8.0, ETA, LAM) == pytest.approx(time, rel=1e-12)
    steps = torch.tensor([0.0, 1.0], dtype=torch.float64)
    decayed = torch.tensor([98.0, 98.0 * (1 - ETA * LAM) ** 2], dtype=torch.float64)
    rate = contraction_rate(steps, decayed, 0, 1).item()
    assert np.log(98 / 8) / rate == pytest.approx(time, rel=1e-12)


def test_kappa_and_the_corrected_law():
    values = {one_step.V: 25, one_step.dot: -3, one_step.square: 4}
    exact = float(shares.kappa_of_one_step().subs(values | EXACT))
    after = contraction.next_squared_norm(25, -3, 4, ETA, LAM)
    assert contraction.measured_kappa(25, after, 1, ETA, LAM) == pytest.approx(exact, rel=1e-12)
    steps = torch.tensor([0.0, 1.0], dtype=torch.float64)
    norms = torch.tensor([25.0, after], dtype=torch.float64)
    by_torch = contraction_rate(steps, norms, 0, 1).item() / (-2 * np.log1p(-ETA * LAM))
    assert by_torch == pytest.approx(exact, rel=1e-12)
    law = {one_step.V_mem: 3900, one_step.V_post: 1100, shares.kappa: sp.Rational(3, 5)}
    time = float(shares.corrected_delay().subs(law | EXACT))
    assert contraction.delay(3900, 1100, ETA, LAM, 0.6) == pytest.approx(time, rel=1e-12)


@pytest.mark.parametrize("steps", [1, 2, 7])
def test_the_largest_update_is_reached_by_the_optimiser(steps):
    values = {adam.beta1: sp.Rational(9, 10), adam.beta2: sp.Rational(999, 1000)}
    exact = float(adam.largest_update(steps).subs(values))
    by_hand = float(contraction.largest_update(steps, 0.9, 0.999))
    assert by_hand == pytest.approx(exact, rel=1e-10)
    optimizer = AdamW(1e-3, 0.0, epsilon=0.0)
    theta = torch.zeros(1, dtype=torch.float64)
    state = optimizer.start(theta)
    for done in range(steps):
        g = torch.tensor([(0.9 / 0.999) ** (steps - done)], dtype=torch.float64)
        optimizer.step(theta, g, state, done)
    u = optimizer.direction(theta, state, steps - 1)
    assert u.item() == pytest.approx(exact, rel=1e-10)


def test_the_largest_update_ever():
    values = {adam.beta1: sp.Rational(9, 10), adam.beta2: sp.Rational(999, 1000)}
    exact = float(adam.limit_of_largest().subs(values))
    assert float(contraction.largest_update(np.inf, 0.9, 0.999)) == pytest.approx(exact, rel=1e-12)


def test_the_shortest_delay_is_that_of_the_strongest_push():
    values = {lower.s_mem: 60, lower.s_post: 30, lower.B: 5}
    exact = float(lower.shortest_delay().subs(values | EXACT))
    by_hand = float(contraction.shortest_delay(3600.0, 900.0, 5.0, ETA, LAM))
    assert by_hand == pytest.approx(exact, rel=1e-12)
    theta, steps = torch.tensor([60.0, 0.0], dtype=torch.float64), 0
    while theta.norm() > 30:
        theta, steps = (1 - ETA * LAM) * theta - ETA * 5 * theta / theta.norm(), steps + 1
    assert exact <= steps < exact + 1


def test_the_inner_product_of_a_homogeneous_network_is_its_calibration():
    """Without biases a ReLU network of three layers has degree 3, and its last layer degree 1."""
    model = BitMLP(16)
    theta = {
        name: w.double().requires_grad_()
        for name, w in model.initialise(6, seed=0).items()
        if name.startswith("W")
    }
    silent = {name: torch.zeros(shape[-1:]) for name, shape in model.shapes(6).items()}
    zero = {name: w.double() for name, w in silent.items() if name.startswith("b")}
    words = torch.arange(64)[:, None] >> torch.arange(6) & 1
    labels = words.sum(-1) % 2
    logits = model.reference(theta | zero, words) * 1.0
    loss = torch.nn.functional.cross_entropy(logits, labels)
    gradient = dict(zip(theta, torch.autograd.grad(loss, list(theta.values())), strict=True))
    inner = {name: (theta[name] * g).sum().item() for name, g in gradient.items()}
    gap = calibration_gap(logits.detach(), labels).item()
    assert sum(inner.values()) == pytest.approx(3 * gap, rel=1e-10)
    assert inner["W_U"] == pytest.approx(gap, rel=1e-10)


@pytest.mark.parametrize("classes", [2, 7, 97])
def test_no_logits_go_below_the_largest_gap_and_some_reach_it(classes):
    bound = contraction.largest_gap(classes)
    w = sp.LambertW((classes - 1) / sp.E).evalf(20)
    assert bound == pytest.approx(float(w), rel=1e-12)
    logits = torch.zeros(1, classes, dtype=torch.float64)
    logits[0, 0] = 1 + bound
    assert calibration_gap(logits, torch.tensor([0])).item() == pytest.approx(-bound, rel=1e-10)
    generator = torch.Generator().manual_seed(0)
    drawn = 3 * torch.randn(500, 1, classes, generator=generator, dtype=torch.float64)
    gaps = [calibration_gap(each, torch.tensor([0])).item() for each in drawn]
    assert min(gaps) >= -bound
