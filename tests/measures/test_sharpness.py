"""Trace and largest eigenvalue of a Hessian against the dense one."""

import pytest
import torch
import torch.nn.functional as F
from torch.autograd.functional import hessian

from grokbook.measures.sharpness import (
    hessian_product,
    hessian_trace,
    preconditioned_sharpness,
    scaled_trace,
    top_eigenvalue,
)
from grokbook.models import MLP
from grokbook.training.layout import Layout

MODEL = MLP(6, hidden_layers=2)
PAIRS = torch.cartesian_prod(torch.arange(5), torch.arange(5))
LABELS = PAIRS.sum(-1) % 5
LAYOUT = Layout(MODEL.shapes(5))


def start():
    parameters = MODEL.initialise(5, seed=0)
    return torch.cat([w.double().flatten() for w in parameters.values()]) * 2


def loss(theta):
    return F.cross_entropy(MODEL.forward(LAYOUT.views(theta), PAIRS), LABELS)


@pytest.fixture(scope="module")
def dense():
    return hessian(loss, start())


def test_products_are_those_of_the_dense_hessian(dense):
    product = hessian_product(loss, start())
    v = torch.randn(len(dense), dtype=torch.float64)
    torch.testing.assert_close(product(v), dense @ v, rtol=1e-9, atol=1e-12)


def test_the_trace_is_within_its_error(dense):
    found = hessian_trace(loss, start(), probes=400)
    assert abs(found.value - dense.trace().item()) < 4 * found.error
    # Var zᵀHz = 2 (Σ H_ij² − Σ H_ii²) for signs.
    variance = 2 * (dense.square().sum() - dense.diag().square().sum()).item()
    assert found.error == pytest.approx((variance / 400) ** 0.5, rel=0.15)


def test_a_diagonal_needs_no_luck():
    weights = torch.arange(1.0, 6.0, dtype=torch.float64)
    found = hessian_trace(lambda t: (weights * t * t).sum() / 2, torch.ones(5).double(), probes=2)
    assert found.value == pytest.approx(15) and found.error == pytest.approx(0, abs=1e-12)


def test_the_scaled_trace_weighs_by_the_weights(dense):
    theta = start()
    found = scaled_trace(loss, theta, probes=400)
    assert abs(found.value - (theta.square() * dense.diag()).sum().item()) < 4 * found.error


def test_rescaling_two_layers_changes_the_trace_and_not_the_scaled_one():
    parameters = dict(LAYOUT.views(start()))
    for name in ("W_1", "b_1"):
        parameters[name] = parameters[name] * 3
    parameters["W_2"] = parameters["W_2"] / 3
    other = torch.cat([w.flatten() for w in parameters.values()])
    torch.testing.assert_close(loss(other), loss(start()), rtol=1e-12, atol=0)
    H, G = hessian(loss, start()).diag(), hessian(loss, other).diag()
    assert abs(G.sum() / H.sum() - 1) > 0.5
    scaled = [(t.square() * h).sum().item() for t, h in ((start(), H), (other, G))]
    assert scaled[0] == pytest.approx(scaled[1], rel=1e-9)
    found = scaled_trace(loss, other, probes=200)
    assert abs(found.value - scaled[0]) < 4 * found.error


def test_the_largest_eigenvalue(dense):
    exact = torch.linalg.eigvalsh(dense)[-1].item()
    assert top_eigenvalue(loss, start()) == pytest.approx(exact, rel=1e-5)
    for seed in (1, 2):
        assert top_eigenvalue(loss, start(), seed=seed) == pytest.approx(exact, rel=1e-5)


def test_the_largest_is_not_the_largest_in_size():
    values = torch.tensor([-10.0, -1.0, 0.5, 2.0], dtype=torch.float64)
    found = top_eigenvalue(lambda t: (values * t * t).sum() / 2, torch.ones(4).double())
    assert found == pytest.approx(2.0, rel=1e-9)


def test_it_ends_when_it_is_sure_and_after_the_products_that_were_allowed():
    calls = []

    def counted(theta):
        calls.append(1)
        return (torch.tensor([5.0, 1.0, 1.0, 1.0]).double() * theta * theta).sum() / 2

    # Two eigenvalues: a second product is the last, and none linearises the loss anew.
    assert top_eigenvalue(counted, torch.ones(4).double()) == pytest.approx(5.0)
    assert len(calls) == 1
    early = top_eigenvalue(loss, start(), iterations=1)
    assert early < top_eigenvalue(loss, start(), iterations=60)


def test_one_probe_has_no_error():
    with pytest.raises(ValueError, match="probes = 1 gives no standard error"):
        hessian_trace(loss, start(), probes=1)


def test_the_preconditioned_sharpness_is_that_of_the_dense_hessian(dense):
    theta = start()
    by = 10 ** torch.linspace(-4, 1, len(theta), dtype=torch.float64)
    expected = torch.linalg.eigvals(dense / by[:, None]).real.max().item()  # D⁻¹H has the same
    found = preconditioned_sharpness(loss, theta, by)
    assert found == pytest.approx(expected, rel=1e-6)
    plain = preconditioned_sharpness(loss, theta, torch.ones_like(theta))
    assert plain == pytest.approx(top_eigenvalue(loss, theta), rel=1e-6)
