"""Chapter 02's formulas in three forms: SymPy, float64 NumPy by hand, and PyTorch."""

import numpy as np
import pytest
import sympy as sp
import torch

from grokbook.measures.circuits import margin
from grokbook.models import Quadratic
from grokbook.theory import cyclic, max_margin, random_phases
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
