"""The radial share of a gradient: three forms, its nulls, and what a network shows."""

import numpy as np
import pytest
import sympy as sp
import torch

from grokbook.measures.calibration import calibration_gap
from grokbook.measures.radial import balanced_ratio, masked_null, norm_ratio, radial_energy
from grokbook.models import MLP
from grokbook.theory import radial
from grokbook.theory.radial import balance, flow, split
from grokbook.training.interventions.radial_penalty import off_sphere


def double(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def test_three_forms_of_the_split_and_the_penalty():
    h, g = (1, 2, 2), (3, -1, 4)
    values = dict(zip([*split.h, *split.g], (*h, *g), strict=True))
    values |= {split.d: 3, split.lam: sp.Rational(1, 3)}
    part = split.projection(split.h) * split.g
    exact = float((3 * part.dot(part) / split.g.dot(split.g)).subs(values))
    x, y = np.array(h, dtype=float), np.array(g, dtype=float)
    assert radial.radial_energy(x, y) == pytest.approx(exact, rel=1e-14)
    found = radial_energy(torch.tensor(x), torch.tensor(y)).item()
    assert found == pytest.approx(exact, rel=1e-14)

    exact = float(split.penalty(split.h).subs(values))
    assert radial.penalty(x, 1 / 3) == pytest.approx(exact, rel=1e-14)
    assert off_sphere(torch.tensor(x)).item() / 3 == pytest.approx(exact, rel=1e-14)
    slope = [float(each) for each in split.penalty_gradient(split.h).subs(values)]
    np.testing.assert_allclose(radial.penalty_gradient(x, 1 / 3), slope, rtol=1e-14)
    curvature = np.array(split.penalty_hessian(split.h).subs(values).evalf(), dtype=float)
    np.testing.assert_allclose(radial.penalty_hessian(x, 1 / 3), curvature, rtol=1e-13)
    free = {flow.push: sp.Rational(1, 10), split.d: 3, split.lam: sp.Rational(1, 3)}
    assert radial.excess(0.1, 3, 1 / 3) == pytest.approx(float(flow.excess().subs(free)))
    time = float(flow.relaxation_time().subs(free))
    assert radial.relaxation_time(3, 1 / 3) == pytest.approx(time)


def test_both_forms_agree_on_random_activations_and_masks():
    h, g = double(200, 32, seed=1), double(200, 32, seed=2)
    np.testing.assert_allclose(
        radial_energy(h, g), radial.radial_energy(h.numpy(), g.numpy()), rtol=1e-12
    )
    active = h > 0
    np.testing.assert_allclose(
        masked_null(h, active), radial.masked_null(h.numpy(), active.numpy()), rtol=1e-12
    )
    np.testing.assert_allclose(norm_ratio(h), np.linalg.norm(h, axis=-1) / 32**0.5, rtol=1e-13)


def test_extremes_and_gradients_of_any_size():
    h, g = double(4, 16, seed=1), double(4, 16, seed=2)
    torch.testing.assert_close(radial_energy(h, h), torch.full((4,), 16.0, dtype=torch.float64))
    across = g - (g * h).sum(-1, keepdim=True) / h.square().sum(-1, keepdim=True) * h
    assert radial_energy(h, across).abs().max() < 1e-25
    expected = radial_energy(h, g)
    for size in (1e-200, 1e-30, 1e30):
        torch.testing.assert_close(radial_energy(h, g * size), expected, rtol=1e-12, atol=0)
    assert radial_energy(h, torch.zeros_like(g)).isnan().all()


def test_random_gradients_are_isotropic_in_the_mean_and_not_in_the_median():
    h, g = double(4_000, 512, seed=3), double(4_000, 512, seed=4)
    found = radial_energy(h, g)
    assert found.mean().item() == pytest.approx(1, abs=4 * (2 / 4_000) ** 0.5)
    assert found.median().item() == pytest.approx(radial.null_quantile(0.5, 512), abs=0.04)


def test_behind_relus_without_biases_the_radial_gradient_is_the_calibration_gap():
    model = MLP(24, hidden_layers=2, bias=False)
    theta = {name: w.double() for name, w in model.initialise(7, seed=0).items()}
    theta["W_U"] = theta["W_U"] * 20
    pairs = torch.cartesian_prod(torch.arange(7), torch.arange(7))
    labels = pairs.sum(-1) % 7
    theta = {name: w.requires_grad_() for name, w in theta.items()}
    seen = {}
    logits = model.forward(theta, pairs, watch=seen)
    loss = torch.nn.functional.cross_entropy(logits, labels, reduction="none")
    entropy = -(logits.softmax(-1) * logits.log_softmax(-1)).sum(-1)
    layers = [seen["pre_1"], seen["pre_2"]]
    gap = (loss - entropy).detach()
    for h, g in zip(layers, torch.autograd.grad(loss.sum(), layers), strict=True):
        torch.testing.assert_close((h * g).sum(-1).detach(), gap, rtol=0, atol=1e-12)
        by_gap = radial.confidence_energy(gap.numpy(), h.detach().numpy(), g.numpy())
        np.testing.assert_allclose(radial_energy(h, g).detach(), by_gap, rtol=1e-8)
    assert calibration_gap(logits, labels).item() == pytest.approx(gap.mean().item(), rel=1e-10)


# -- where penalised layers rest --------------------------------------------------------------


def test_three_forms_of_the_balanced_ratio():
    for gap, lam in ((-0.3, 0.05), (0.02, 0.05), (0.0, 2.0)):
        values = {balance.gap: sp.Rational(str(gap)), balance.lam: sp.Rational(str(lam))}
        exact = float(balance.balanced_ratio().subs(values))
        assert radial.balanced_ratio(gap, lam) == pytest.approx(exact, rel=1e-14)
        found = balanced_ratio(torch.tensor(gap, dtype=torch.float64), lam).item()
        assert found == pytest.approx(exact, rel=1e-14)
    beyond = np.array([0.03, -0.1])
    np.testing.assert_array_equal(np.isnan(radial.balanced_ratio(beyond, 0.05)), [True, False])
    assert balanced_ratio(torch.tensor(0.03), 0.05).isnan()


@pytest.mark.parametrize("layer", [1, 2])
def test_what_weights_and_biases_hold_is_what_penalties_and_confidence_do(layer):
    """At any weights, ReLUs and biases and all; where the left side is 0 layers are at rest."""
    network = MLP(16, hidden_layers=2, bias=True)
    read = {name: 3 * w.double() for name, w in network.initialise(7, seed=1).items()}
    read = {name: w.requires_grad_() for name, w in read.items()}
    pairs, seen = torch.cartesian_prod(torch.arange(7), torch.arange(7)), {}
    logits = network.forward(read, pairs, watch=seen)
    labels = pairs.sum(1) % 5
    total = torch.nn.functional.cross_entropy(logits, labels)
    for i in (1, 2):
        total = total + 0.3 * off_sphere(seen[f"pre_{i}"]).mean()
    slopes = dict(zip(read, torch.autograd.grad(total, list(read.values())), strict=True))
    names = [f"W_{layer}", *(f"b_{i}" for i in range(layer, 3)), "b_U"]
    held = sum((read[name] * slopes[name]).sum() for name in names).item()
    ratios = [norm_ratio(seen[f"pre_{i}"]) for i in range(layer, 3)]
    penalties = sum(2 * 0.3 * (ratio * (ratio - 1)).mean() for ratio in ratios).item()
    gap = calibration_gap(logits.detach(), labels).item()
    assert held == pytest.approx(penalties + gap, rel=1e-12) and abs(gap) > 0.01
    of_read_out = sum((read[name] * slopes[name]).sum() for name in ("W_U", "b_U")).item()
    assert of_read_out == pytest.approx(gap, rel=1e-12)
