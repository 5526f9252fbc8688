"""Chapter 02's formulas in three forms: SymPy, float64 NumPy by hand, and PyTorch."""

import numpy as np
import pytest
import sympy as sp
import torch

from grokbook.measures.circuits import margin
from grokbook.models import Quadratic
from grokbook.theory import cyclic, max_margin, random_phases
from grokbook.theory.cyclic import clock_pizza_metrics
from grokbook.theory.random_phases import moments

GRID = 13  # phases on the circle: more than the order of a wave in the square of an output
P = 7


@pytest.mark.parametrize(
    ("frequencies", "weights", "n"), [((2, 3), (1, 1), 6), ((1, 4, 5), (2, 3, 1), 11)]
)
def test_the_margin_of_a_circuit(frequencies, weights, n):
    exact = [
        sum(
            2 * A * sp.sin(sp.pi * k * d / n) ** 2
            for A, k in zip(weights, frequencies, strict=True)
        )
        for d in range(1, n)
    ]
    by_hand = cyclic.margin(np.array(frequencies), np.array(weights), n)
    assert by_hand == pytest.approx(min(float(gap) for gap in exact), rel=1e-12)

    a = torch.arange(n, dtype=torch.float64)
    off = a[:, None, None] + a[None, :, None] - a
    turns = 2 * torch.pi / n * off
    table = sum(A * torch.cos(k * turns) for A, k in zip(weights, frequencies, strict=True))
    assert margin(table).smallest.item() == pytest.approx(by_hand.item(), abs=1e-12)


def test_mean_and_variance_of_the_output_with_random_phases():
    """One neuron for each frequency and each pair of phases of a grid: its mean is the integral."""
    phases = 2 * torch.pi / GRID * torch.arange(GRID, dtype=torch.float64)
    frequency, first, second = (
        axis.flatten()[:, None]
        for axis in torch.meshgrid(
            torch.arange(1.0, (P + 1) / 2).double(), phases, phases, indexing="ij"
        )
    )
    angles = 2 * torch.pi / P * frequency * torch.arange(P)
    W_1 = torch.cat([(angles + first).cos(), (angles + second).cos()], dim=1)
    W_2 = (angles + first + second).cos()
    pair = torch.tensor([[2, 4]])
    answers = torch.tensor([(2 + 4 - c) % P for c in range(P)])

    network = Quadratic(len(W_1)).forward({"W_1": W_1.T, "W_2": W_2}, pair)[0]
    squares = (W_1[:, 2] + W_1[:, P + 4]) ** 2
    each = (squares[:, None] * W_2).reshape((P - 1) // 2, -1, P)
    variance = each.var(dim=1, correction=0).mean(dim=0) / (4 * P**2 * len(W_1))

    p, N, hit = moments.p, moments.N, moments.hit
    for formula, by_hand, by_network in (
        (moments.mean_formula(), random_phases.output_mean(P, len(W_1)), network),
        (moments.variance_formula(), random_phases.output_variance(P, len(W_1)), variance),
    ):
        exact = formula.subs({p: P, N: len(W_1)})
        expected = [float(exact.subs(hit, int(off == 0))) for off in answers]
        np.testing.assert_allclose(by_hand[answers.numpy()], expected, rtol=1e-12, atol=1e-18)
        np.testing.assert_allclose(by_network.numpy(), expected, rtol=1e-10, atol=1e-16)


@pytest.mark.parametrize("p", [3, 5, 7])
def test_the_largest_margin_is_where_ascent_ends(p):
    """The mean margin of one neuron of norm 1, followed uphill by its gradient."""
    c = torch.arange(p)
    sums = (c[:, None] + c) % p

    def value(neuron):
        u, v, w = neuron / neuron.norm()
        right = (u[:, None] + v) ** 2 * (w[sums] - w.mean())
        return right.mean() * p / (p - 1)

    ends = []
    for seed in range(8):
        generator = torch.Generator().manual_seed(seed)
        neuron = torch.randn(3, p, dtype=torch.float64, generator=generator).requires_grad_()
        climb = torch.optim.LBFGS([neuron], max_iter=500, line_search_fn="strong_wolfe")

        def descend(climb=climb, neuron=neuron):
            climb.zero_grad()
            loss = -value(neuron) / max_margin.max_margin(p)
            loss.backward()
            return loss

        climb.step(descend)
        ends.append(value(neuron).item())
        u, v, w = (neuron / neuron.norm()).detach().numpy()
        assert max_margin.single_neuron_value(u, v, w) == pytest.approx(ends[-1], rel=1e-12)
    exact = float(max_margin.gamma().subs(sp.Symbol("p", positive=True), p))
    assert max_margin.max_margin(p) == pytest.approx(exact, rel=1e-14)
    assert max(ends) == pytest.approx(exact, rel=1e-9)
    assert max(ends) < exact * (1 + 1e-12)


@pytest.mark.parametrize("size", [1, 3, 6])
def test_the_tail_of_a_gap_and_the_estimate_of_the_margin(size):
    K, m, N = sp.symbols("K m N", positive=True)
    half, two = torch.tensor([size / 2 + 1, 1 + 2 / size], dtype=torch.float64).lgamma()
    ball = size / 2 * torch.tensor(0.25 / (2 * torch.pi), dtype=torch.float64).log() - half
    least = 2 / size * (half - torch.tensor(56.0).double().log()) + two
    for exact, by_hand, by_tensors in (
        (cyclic.tail_identity().right, cyclic.gap_tail(0.25, size), ball.exp()),
        (
            cyclic.asymptotic_identity().right,
            cyclic.asymptotic_margin(113, size),
            2 * torch.pi * least.exp(),
        ),
    ):
        value = float(exact.subs({K: size, m: sp.Rational(1, 4), N: 56}))
        assert by_hand == pytest.approx(value, rel=1e-12)
        assert by_tensors.item() == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(("p", "d"), [(59, 128), (113, 128), (113, 32)])
def test_the_nulls_of_the_phase_locking_order_and_of_the_circularity(p, d):
    exact = cyclic.null_formula().subs(sp.Symbol("kappa", positive=True), sp.Rational(2 * d, p))
    kappa = torch.tensor(2 * d / p, dtype=torch.float64)
    bessel = torch.special.i0e(kappa / 4) + torch.special.i1e(kappa / 4)
    assert cyclic.locking_null(p, d) == pytest.approx(float(exact.evalf(20)), rel=1e-12)
    assert ((torch.pi * kappa / 8).sqrt() * bessel).item() == pytest.approx(
        cyclic.locking_null(p, d), rel=1e-12
    )

    m = (p - 1) // 2
    harmonic = torch.digamma(torch.tensor(m + 1.0).double()) - torch.digamma(torch.ones(1).double())
    by_hand = clock_pizza_metrics.circularity_null(p)
    assert by_hand == pytest.approx(float(sp.harmonic(m) / m), rel=1e-14)
    assert harmonic.item() / m == pytest.approx(by_hand, rel=1e-12)


def test_the_logits_of_characters_of_a_product():
    moduli, characters, amplitudes = (3, 4), [(1, 0), (2, 3), (0, 2)], [2, 1, 3]
    by_hand = cyclic.product_logits(characters, np.array(amplitudes, dtype=float), moduli)
    dual = torch.zeros(moduli, dtype=torch.complex128)
    for character, amplitude in zip(characters, amplitudes, strict=True):
        dual[character] = amplitude
    transform = (12 * torch.fft.ifft2(dual)).real
    np.testing.assert_allclose(by_hand, transform.flatten().numpy(), atol=1e-13)
    for element, value in zip(cyclic.elements(moduli).tolist(), by_hand, strict=True):
        turns = [
            sum(sp.Rational(k * a, n) for k, a, n in zip(one, element, moduli, strict=True))
            for one in characters
        ]
        waves = [sp.cos(2 * sp.pi * turn) for turn in turns]
        exact = sum(A * wave for A, wave in zip(amplitudes, waves, strict=True))
        assert value == pytest.approx(float(exact), abs=1e-13)
