"""Chapter 04's formulas against autograd, simulation, brute force and SciPy."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.stats import beta

from grokbook.measures.calibration import confidence, mean_margin
from grokbook.theory import radial
from grokbook.theory.radial import coupling


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def penalty_of(h, lam):
    d = h.shape[-1]
    return lam / d * (torch.linalg.vector_norm(h, dim=-1) - d**0.5) ** 2


@pytest.mark.parametrize("size", [0.1, 1.0, 3.0], ids=["inside", "near", "outside"])
def test_gradient_and_hessian_are_those_of_autograd(size):
    for seed in range(5):
        h = torch.from_numpy(size * drawn(7, seed=seed)).requires_grad_()
        value = penalty_of(h, 0.3)
        (slope,) = torch.autograd.grad(value, h, create_graph=True)
        rows = [torch.autograd.grad(each, h, retain_graph=True)[0] for each in slope]
        x = h.detach().numpy()
        assert radial.penalty(x, 0.3) == pytest.approx(value.item(), rel=1e-13)
        np.testing.assert_allclose(radial.penalty_gradient(x, 0.3), slope.detach(), rtol=1e-12)
        np.testing.assert_allclose(
            radial.penalty_hessian(x, 0.3), torch.stack(rows), rtol=1e-10, atol=1e-14
        )


def test_curvature_changes_sign_with_the_push():
    h = drawn(16)
    for size, sign in ((0.5, -1), (2.0, 1)):
        inside = size * 4 * h / np.linalg.norm(h)
        values = np.linalg.eigvalsh(radial.penalty_hessian(inside, 1.0))
        assert values[-1] == pytest.approx(2 / 16)
        np.testing.assert_allclose(values[:-1], 2 / 16 * (1 - 1 / size), rtol=1e-12)
        assert np.sign(values[0]) == sign == np.sign(radial.penalty_gradient(inside, 1.0) @ inside)


def test_a_free_activation_rests_at_the_excess_and_gets_there_in_time():
    d, lam, push = 32, 0.5, 0.01
    rest, time = radial.excess(push, d, lam), radial.relaxation_time(d, lam)
    flow = solve_ivp(
        lambda t, u: [push - 2 * lam / d * u[0]],
        (0, 20 * time),
        [0.0],
        rtol=1e-10,
        atol=1e-12,
        dense_output=True,
    )
    assert flow.y[0, -1] == pytest.approx(rest, rel=1e-6)
    assert flow.sol(time)[0] == pytest.approx(rest * (1 - np.exp(-1)), rel=1e-6)


def test_the_direction_of_a_free_activation_ignores_the_penalty_and_a_shared_one_does_not():
    weights = torch.tensor(coupling.PAIR["W"].evalf().tolist(), dtype=torch.float64)
    inputs = torch.tensor(
        [each.evalf().T.tolist()[0] for each in coupling.PAIR["x"]], dtype=torch.float64
    )
    weights.requires_grad_()
    total = penalty_of(inputs @ weights.T, 1.0).sum()
    (slope,) = torch.autograd.grad(total, weights)
    velocity = -(inputs @ slope.T)[0].numpy()
    np.testing.assert_allclose(velocity, [-0.585786, -0.414214], atol=1e-6)
    np.testing.assert_allclose((inputs @ weights.T)[0].detach(), [2, 0], atol=1e-12)


def test_an_excess_is_drawn_into_the_tube_of_a_bounded_push():
    d, lam, most = 32, 0.5, 0.01
    flow = solve_ivp(
        lambda t, u: [most * np.sign(np.sin(t / 9)) - 2 * lam / d * u[0]],
        (0, 40 * radial.relaxation_time(d, lam)),
        [5 * radial.excess(most, d, lam)],
        max_step=1.0,
    )
    late = np.abs(flow.y[0, len(flow.t) // 2 :]).max()
    assert 0 < late < radial.excess(most, d, lam) * 1.001


def jacobians(inputs):
    """Of h = W_2 relu(W_1 x), by weight, for each of three inputs; and the activations."""
    weights = (
        torch.from_numpy(drawn(6, 3)),
        torch.from_numpy(drawn(4, 6, seed=1)),
    )

    def flat(theta, x):
        first, second = theta[:18].view(6, 3), theta[18:].view(4, 6)
        return second @ torch.relu(first @ x)

    theta = torch.cat([each.flatten() for each in weights])
    J = [torch.func.jacrev(flat)(theta, x) for x in inputs]
    return J, [flat(theta, x) for x in inputs]


def test_radial_forces_turn_as_angular_ones_move_norms():
    J, h = jacobians(torch.from_numpy(drawn(3, 3, seed=2)))
    for i in range(3):
        for j in range(3):
            radials = [torch.outer(each, each) / each.square().sum() for each in (h[i], h[j])]
            across = torch.eye(4).double() - radials[0]
            turned = across @ (J[i] @ J[j].T) @ radials[1]
            moved = radials[1] @ (J[j] @ J[i].T) @ across
            torch.testing.assert_close(moved, turned.T)
            assert turned.norm() > 1e-3  # one example in two layers is turned by itself, too


def test_a_step_of_adamw_turns_what_the_flow_of_one_layer_does_not():
    W = torch.from_numpy(drawn(5, 3)).requires_grad_()
    x, D = torch.from_numpy(drawn(3, seed=1)), torch.from_numpy(0.5 + drawn(5, 3, seed=2) ** 2)
    h = W @ x
    (slope,) = torch.autograd.grad(penalty_of(h, 1.0), W)
    pull = radial.penalty_gradient(h.detach().numpy(), 1.0)
    kernel = (x.square() / D).sum(dim=1).numpy()
    velocity = -(slope / D) @ x
    np.testing.assert_allclose(velocity.numpy(), -kernel * pull, rtol=1e-12)
    along = (h / h.norm()).detach()
    for moved, turns in ((-slope @ x, False), (velocity, True)):
        share = (moved - (moved @ along) * along).norm() / moved.norm()
        assert (share > 0.1) == turns


def test_turning_in_two_layers():
    """One sample, h = Ua, a = Vx: tangential over radial speed, by autograd."""
    U = torch.diag(torch.tensor([2.0, 1.0], dtype=torch.float64)).requires_grad_()
    V = torch.tensor([[1.0, 0.0], [1.0, 0.0]], dtype=torch.float64, requires_grad=True)
    x = torch.tensor([1.0, 0.0], dtype=torch.float64)
    h = U @ (V @ x)
    slopes = torch.autograd.grad(penalty_of(h, 1.0), (U, V))
    speed = -(slopes[0] @ (V @ x) + U @ slopes[1] @ x).detach().numpy()
    along = h.detach().numpy() / np.linalg.norm(h.detach().numpy())
    share = np.linalg.norm(speed - (speed @ along) * along) / abs(speed @ along)
    assert share == pytest.approx(float(coupling.turning_share()), rel=1e-12)


@pytest.mark.parametrize("scale", [0.05, 0.3, 10.0])
def test_the_mean_penalty_is_exact_and_the_published_form_is_not(scale):
    W, x = scale * drawn(20, 6), drawn(400, 6, seed=1)
    exact, published = radial.mean_penalty(W, x)
    assert exact == pytest.approx(radial.penalty(x @ W.T, 1.0).mean(), rel=1e-12)
    ratio = np.linalg.norm(x @ W.T, axis=-1) / np.sqrt(20)
    assert published == pytest.approx((ratio**2).mean(), rel=1e-12)
    assert abs(published / exact - 1) > 0.1 or ratio.min() > 2


def test_the_published_form_is_right_to_a_tenth_beyond_21_and_a_half():
    ratio = np.array([0.5, 2.0, 11 + np.sqrt(110), 30.0])
    np.testing.assert_allclose(
        radial.relative_error(ratio), (ratio**2 - (ratio - 1) ** 2) / (ratio - 1) ** 2
    )
    np.testing.assert_allclose(radial.relative_error(ratio)[[0, 1, 2]], [0, 3, 0.1], atol=1e-12)
    assert radial.relative_error(30.0) < 0.1


@pytest.mark.parametrize(("share", "low", "high"), [(0.5, 0.69, 1.29), (0.3, 0.58, 1.52)])
def test_half_of_the_pairs_leave_the_covariance_nearly_flat(share, low, high):
    p = 97
    order = np.random.default_rng(0).permutation(p * p)[: int(share * p * p)]
    values = radial.one_hot_spectrum(np.stack(np.divmod(order, p), -1), p)
    bulk = values[1:-1]
    assert values[0] == pytest.approx(0, abs=1e-9) and values[-1] == pytest.approx(2, abs=0.15)
    assert bulk[0] == pytest.approx(low, abs=0.05) and bulk[-1] == pytest.approx(high, abs=0.05)


@pytest.mark.parametrize("width", [2, 3, 128, 512])
def test_the_null_is_a_beta_law(width):
    for share in (0.05, 0.5, 0.95):
        exact = width * beta(0.5, (width - 1) / 2).ppf(share)
        assert radial.null_quantile(share, width) == pytest.approx(exact, rel=1e-4)


def test_random_gradients_have_a_mean_of_one_and_a_median_below_a_half():
    h, g = drawn(4_000, 64), drawn(4_000, 64, seed=1)
    energy = radial.radial_energy(h, g)
    assert energy.mean() == pytest.approx(1, abs=4 * np.sqrt(2 / 4_000))
    assert energy.var() == pytest.approx(2 * 63 / 66, rel=0.15)
    assert np.median(energy) == pytest.approx(radial.null_quantile(0.5, 64), abs=0.04)
    assert radial.radial_energy(h[:1], h[:1])[0] == pytest.approx(64)
    assert np.isnan(radial.radial_energy(h[:1], 0 * h[:1])[0])


def test_the_null_behind_a_relu_depends_on_what_is_active():
    h = drawn(1, 64) + 0.5
    active = h > 0
    g = np.where(active, drawn(20_000, 64, seed=2), 0.0)
    expected = radial.masked_null(h, active)[0]
    assert expected > 1.1
    energy = radial.radial_energy(np.repeat(h, len(g), axis=0), g)
    assert energy.mean() == pytest.approx(expected, abs=4 * energy.std() / np.sqrt(20_000))


def test_the_radial_gradient_behind_relus_is_confidence():
    generator = torch.Generator().manual_seed(0)

    def matrix(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    h, labels = matrix(50, 12).requires_grad_(), torch.arange(50) % 5
    upper = torch.relu(torch.relu(h) @ matrix(12, 12)) @ matrix(12, 5) / 4
    loss = torch.nn.functional.cross_entropy(upper, labels, reduction="none")
    (g,) = torch.autograd.grad(loss.sum(), h)
    p = upper.softmax(-1)
    gap = (loss + (p * p.log()).sum(-1)).detach().numpy()
    h, g = h.detach().numpy(), g.numpy()
    np.testing.assert_allclose((h * g).sum(-1), gap, atol=1e-13)
    np.testing.assert_allclose(
        radial.confidence_energy(gap, h, g), radial.radial_energy(h, g), rtol=1e-9
    )


@pytest.mark.parametrize("scale", [0.1, 1.0, 8.0], ids=["unsure", "half sure", "sure"])
def test_the_radial_share_behind_relus_is_a_margin(scale):
    lower, upper = (torch.from_numpy(scale**0.5 * drawn(*s)) for s in ((12, 12), (12, 5)))
    h, labels = torch.from_numpy(drawn(50, 12, seed=1)).requires_grad_(), torch.arange(50) % 5

    def logits(h):
        return torch.relu(torch.relu(h) @ lower) @ upper / 4

    z = logits(h)
    loss = torch.nn.functional.cross_entropy(z, labels, reduction="none")
    (g,) = torch.autograd.grad(loss.sum(), h, retain_graph=True)
    margin = mean_margin(z, labels)
    (across,) = torch.autograd.grad(margin.sum(), h, retain_graph=True)
    left = 1 - z.softmax(-1).gather(1, labels[:, None])
    torch.testing.assert_close(g, -left * across, rtol=1e-9, atol=1e-14)
    torch.testing.assert_close(confidence(z, labels), -left[:, 0] * margin, rtol=1e-9, atol=1e-13)
    J = torch.func.vmap(torch.func.jacrev(logits))(h.detach())
    share = radial.margin_energy(*(each.detach().numpy() for each in (z, labels, h, J)))
    np.testing.assert_allclose(share, radial.radial_energy(h.detach().numpy(), g.numpy()), 1e-7)
    # The linearised boundary lies that far away: a step there takes the mean margin to 0.
    foot = h - margin[:, None] * across / across.square().sum(-1, keepdim=True)
    torch.testing.assert_close((across * foot).sum(-1), torch.zeros(50).double(), atol=1e-9, rtol=0)
    far = (h - foot).norm(dim=-1) / h.norm(dim=-1)
    np.testing.assert_allclose(share, 12 * far.detach().numpy() ** 2, rtol=1e-7)
