"""Clock or pizza: hand-made circuits, whose values are known exactly, and independent gradients."""

import numpy as np
import pytest
import torch

from grokbook.measures.clock_pizza import (
    circularity,
    distance_irrelevance,
    from_embeddings,
    gradient_symmetricity,
    triples,
)
from grokbook.models import MLP, Decoder, Transformer
from grokbook.theory.cyclic import clock_pizza_metrics as theory
from grokbook.theory.cyclic.clock_pizza_networks import clock_logits, pizza_logits, pizza_network

N = 59
FREQUENCIES, RADII = np.array([4, 11, 17, 26]), np.array([1.3, 1.0, 0.8, 0.6])
PHASES = 24


def circles(n=N, frequencies=FREQUENCIES, radii=RADII):
    """Return the embedding of n tokens on circles, cosine and sine of each frequency in turn."""
    angles = 2 * np.pi / n * (np.arange(n)[:, None] * frequencies % n)
    return torch.tensor(np.stack([radii * np.cos(angles), radii * np.sin(angles)], 2)).flatten(1)


def clock(left, right):
    """Multiply the two operands' complex numbers, and compare the product with every class."""
    left, right, classes = (
        torch.view_as_complex(x.unflatten(1, (-1, 2)).contiguous())
        for x in (left, right, circles(radii=np.ones(len(FREQUENCIES))))
    )
    return (left * right @ classes.conj().T).real


def pizza_network_of_ours():
    """Return a transformer whose attention means, whose neurons rectify, and its parameters."""
    K = len(FREQUENCIES)
    model = Transformer(d_model=4 * K, heads=1, d_mlp=2 * K * PHASES, tokens=3)
    θ = {name: torch.zeros(shape).double() for name, shape in model.shapes(N).items()}
    ones = np.ones(K)
    θ["W_E"][:N, : 2 * K] = circles(radii=ones)  # "=" stays 0, and W_Q = W_K = 0 weighs thirds
    θ["W_V"][0], θ["W_O"][0] = torch.eye(4 * K), 1.5 * torch.eye(4 * K)
    thetas = torch.pi * torch.arange(PHASES, dtype=torch.float64) / PHASES
    see = torch.stack([thetas.cos(), thetas.sin()])
    tell = torch.stack([(2 * thetas).cos(), (2 * thetas).sin()], dim=1) * 3 * torch.pi / 2 / PHASES
    for k in range(K):
        inputs, outputs = slice(2 * k, 2 * k + 2), slice(2 * (K + k), 2 * (K + k) + 2)
        for sign in (0, 1):
            neurons = slice((2 * k + sign) * PHASES, (2 * k + sign + 1) * PHASES)
            θ["W_in"][inputs, neurons] = (-1) ** sign * see
            θ["W_out"][neurons, outputs] = tell
    θ["W_U"][2 * K :] = circles(radii=RADII).T  # the amplitudes A_k
    return model, θ


def all_pairs(n=N):
    return torch.cartesian_prod(torch.arange(n), torch.arange(n))


def correct_of(cube):
    """Return the logit of a + b for every (a, b)."""
    tokens = np.arange(len(cube))
    return torch.tensor(cube[tokens[:, None], tokens, (tokens[:, None] + tokens) % len(cube)])


# -- gradient symmetricity ------------------------------------------------------------------------


def test_the_hand_made_clock_is_the_clock_and_has_the_predicted_symmetricity():
    embedding, drawn = circles(), triples(N, 100, seed=0)
    left, right = all_pairs().T
    cube = clock(embedding[left], embedding[right]).reshape(N, N, N)
    np.testing.assert_allclose(cube, clock_logits(FREQUENCIES, RADII**2, N), atol=1e-12)
    measured = gradient_symmetricity(clock, embedding, drawn).item()
    predicted = theory.clock_symmetricity(FREQUENCIES, RADII, drawn.numpy(), N)
    assert measured == pytest.approx(predicted, abs=1e-13)
    assert abs(predicted) < 0.15  # 0 for all triples, and these are a hundred
    swapped = theory.clock_symmetricity(FREQUENCIES, RADII, drawn.numpy()[:, [0, 2, 1]], N)
    assert abs(swapped - measured) > 1e-3

    every = torch.cat([all_pairs(), torch.zeros(N * N, 1, dtype=torch.long)], dim=1)
    assert abs(gradient_symmetricity(clock, embedding, every).item()) < 1e-14


def test_the_hand_made_pizza_is_a_transformer_of_ours_and_has_symmetricity_one():
    model, θ = pizza_network_of_ours()
    for form in (model.reference, model.forward):
        cube = form(θ, all_pairs()).reshape(N, N, N)
        predicted = pizza_network(FREQUENCIES, RADII, N, phases=PHASES)
        np.testing.assert_allclose(cube, predicted, atol=1e-12)
    assert (cube.argmax(2).flatten() == all_pairs().sum(1) % N).all()
    read, drawn = from_embeddings(model, θ, N), triples(N, 100, seed=0)
    assert gradient_symmetricity(read, θ["W_E"][:N], drawn).item() == pytest.approx(1, abs=1e-13)

    θ["W_E"][N] = 0.3 * torch.randn(model.d_model, generator=torch.Generator().manual_seed(0))
    assert gradient_symmetricity(read, θ["W_E"][:N], drawn).item() == pytest.approx(1, abs=1e-13)
    θ["W_Q"][0], θ["W_K"][0] = torch.eye(model.d_model), 2 * torch.eye(model.d_model)
    attending = from_embeddings(model, θ, N)
    assert gradient_symmetricity(attending, θ["W_E"][:N], drawn).item() < 0.99


MODELS = [
    Transformer(d_model=8, heads=2, d_mlp=16, tokens=2),
    Transformer(d_model=8, heads=2, d_mlp=16, tokens=3, norm_position="pre", equals_is_class=True),
    MLP(width=16, embedding="learned", embedding_width=8),
    Decoder(d_model=8, heads=2, d_mlp=16),
]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.kind)
def test_the_operands_gradients_are_those_of_two_rows_of_the_table(model):
    """By backward on the network as it is: rows a and b of the shared table, for a ≠ b."""
    n, θ = 7, model.initialise(7, seed=3)
    drawn = torch.tensor([[a, b, c] for a, b, c in triples(n, 60, seed=1).tolist() if a != b])
    cosines = []
    for a, b, c in drawn.tolist():
        table = θ["W_E"].double().requires_grad_()
        weights = {name: weight.double() for name, weight in θ.items()} | {"W_E": table}
        logits = model.forward(weights, torch.tensor([[a, b]]))
        (gradient,) = torch.autograd.grad(logits[0, c], table)
        u, v = gradient.numpy()[[a, b]]
        cosines.append(u @ v / np.sqrt((u @ u) * (v @ v)))
    measured = gradient_symmetricity(from_embeddings(model, θ, n), θ["W_E"][:n], drawn)
    assert measured.dtype == torch.float64
    assert measured.item() == pytest.approx(np.mean(cosines), abs=1e-12)
    assert np.ptp(cosines) > 0.05  # not one number for all


def test_gradients_by_finite_differences():
    """Symmetricity of a function that is no network of ours."""
    generator = np.random.default_rng(0)
    first, second = generator.standard_normal((2, 3, 5))
    embedding = generator.standard_normal((5, 3))
    drawn = triples(5, 30, seed=2)

    def function(left, right):
        return np.tanh(left @ first) * np.sin(right @ second) + left @ second

    cosines = []
    for a, b, c in drawn.tolist():
        steps = 1e-6 * np.eye(3)
        at = embedding[[a]], embedding[[b]]
        slopes = [
            (function(at[0] + u, at[1] + v) - function(at[0] - u, at[1] - v))[:, c]
            for u, v in ((steps, 0), (0, steps))
        ]
        cosines.append(
            slopes[0] @ slopes[1] / np.linalg.norm(slopes[0]) / np.linalg.norm(slopes[1])
        )

    def in_torch(left, right):
        A, B = torch.tensor(first), torch.tensor(second)
        return torch.tanh(left @ A) * torch.sin(right @ B) + left @ B

    measured = gradient_symmetricity(in_torch, torch.tensor(embedding), drawn).item()
    assert measured == pytest.approx(np.mean(cosines), abs=1e-8)


def test_no_measure_alone_tells_a_circuit_from_the_start_of_training():
    """Random weights: gradients alike where "=" asks, less so at b; the distance irrelevant."""
    drawn = triples(N, 100, seed=0)
    for tokens, least, most in ((2, 0.3, 0.6), (3, 0.99, 1.0)):
        model = Transformer(tokens=tokens)
        θ = model.initialise(N, seed=0)
        found = gradient_symmetricity(from_embeddings(model, θ, N), θ["W_E"][:N], drawn).item()
        assert least < found < most
        logits = model.forward(θ, all_pairs()).detach().reshape(N, N, N)
        assert distance_irrelevance(correct_of(logits.numpy())).item() > 0.98
        assert circularity(θ["W_E"][:N]).item() < 0.25


def test_triples_without_a_gradient_are_left_out():
    def first_class_is_silent(left, right):
        return torch.stack([0 * left[:, 0], (left * right).sum(1)], dim=1)

    embedding = torch.tensor([[1.0, 2.0], [2.0, 1.0]])
    drawn = torch.tensor([[0, 1, 0], [0, 1, 1]])
    found = gradient_symmetricity(first_class_is_silent, embedding, drawn).item()
    assert found == pytest.approx(0.8)  # (2, 1) and (1, 2)
    assert gradient_symmetricity(first_class_is_silent, embedding, drawn[:1]).isnan()


def test_triples_are_drawn_once_each_from_all():
    drawn = triples(4, 64, seed=5)
    assert sorted(map(tuple, drawn.tolist())) == [tuple(x) for x in np.ndindex(4, 4, 4)]
    assert (triples(4, 10, seed=5) == drawn[:10]).all()
    assert not (triples(4, 10, seed=6) == drawn[:10]).all()


# -- distance irrelevance -------------------------------------------------------------------------


def test_ideal_circuits_are_at_the_two_ends():
    pizza = correct_of(pizza_logits(FREQUENCIES, RADII, N))
    assert distance_irrelevance(pizza).item() < 1e-14
    assert distance_irrelevance(correct_of(clock_logits(FREQUENCIES, RADII, N))).isnan()
    # Along the other axis, over distances at a fixed sum, the pizza too would be at 1.
    by_sum = np.array([[pizza[a, (s - a) % N] for a in range(N)] for s in range(N)])
    assert by_sum.std(axis=1).mean() / pizza.numpy().std() == pytest.approx(1, abs=1e-12)

    network = correct_of(pizza_network(FREQUENCIES, RADII, N, phases=PHASES))
    assert distance_irrelevance(network).item() < 0.02


def test_a_clock_whose_embedding_is_inexact_is_near_one():
    generator = torch.Generator().manual_seed(0)
    embedding = circles() + 0.02 * torch.randn(N, 8, generator=generator, dtype=torch.float64)
    left, right = all_pairs().T
    cube = clock(embedding[left], embedding[right]).reshape(N, N, N)
    assert 0.95 < distance_irrelevance(correct_of(cube.numpy())).item() < 1


@pytest.mark.parametrize("noise", [0.05, 0.5, 5.0])
def test_noise_on_a_pizza_and_on_a_clock_is_as_predicted(noise):
    rng = np.random.default_rng(1)
    for cube in (pizza_logits(FREQUENCIES, RADII, N), clock_logits(FREQUENCIES, RADII, N)):
        correct = correct_of(cube)
        noisy = correct + noise * torch.tensor(rng.standard_normal((N, N)))
        predicted = theory.noisy_irrelevance(correct[:, 0].numpy(), noise)
        assert distance_irrelevance(noisy).item() == pytest.approx(predicted, rel=0.03)


def test_irrelevance_is_numpys_and_below_its_bound():
    rng = np.random.default_rng(2)
    for n in (3, 7, 59):
        correct = torch.tensor(rng.standard_normal((n, n)) + 3)
        measured = distance_irrelevance(correct).item()
        assert measured == pytest.approx(theory.irrelevance(correct.numpy()), rel=1e-12)
        assert distance_irrelevance(correct.T).item() == pytest.approx(measured, rel=1e-12)
        columns = np.array([[correct[a, (a - d) % n] for a in range(n)] for d in range(n)])
        explained = columns.mean(axis=1).var() / columns.var()
        assert measured <= np.sqrt(1 - explained)
        in_float32 = distance_irrelevance(correct.float() + 1000)
        assert in_float32.dtype == torch.float64


# -- circularity ----------------------------------------------------------------------------------


def test_circularity_of_circles_lines_and_noise():
    assert circularity(circles()).item() == pytest.approx(1, abs=1e-12)
    assert circularity(circles()[:, :2]).item() == pytest.approx(1, abs=1e-12)  # two components
    generator = torch.Generator().manual_seed(0)
    plane = torch.linalg.qr(torch.randn(8, 8, generator=generator, dtype=torch.float64))[0]
    rotated = circles() @ plane + 5
    assert circularity(rotated).item() == pytest.approx(1, abs=1e-12)

    two = circles(frequencies=np.array([3, 8]), radii=np.array([2.0, 1.0]))
    mixed = two.clone()
    mixed[:, 0] += 0.5 * two[:, 2]  # a quarter of frequency 8's power on one axis
    assert 0.8 < circularity(mixed).item() < 0.999
    assert circularity(torch.arange(59.0)[:, None]).item() == pytest.approx(0.608, abs=2e-3)  # 6/π²

    noise = torch.randn(60, N, 128, generator=generator)
    mean = torch.func.vmap(circularity)(noise).mean().item()
    assert mean == pytest.approx(theory.circularity_null(N), abs=0.01)


def test_circularity_is_numpys_by_sums():
    rng = np.random.default_rng(3)
    for n, d in ((7, 5), (8, 20), (59, 12)):
        embedding = rng.standard_normal((n, d)) + 1
        expected = theory.circularity(embedding)
        assert circularity(torch.tensor(embedding)).item() == pytest.approx(expected, rel=1e-11)


# -- all ------------------------------------------------------------------------------------------


def test_many_runs_at_once_are_what_one_at_a_time_gives():
    n, model = 7, Transformer(d_model=8, heads=2, d_mlp=16, tokens=3)
    runs = [model.initialise(n, seed=seed) for seed in range(3)]
    drawn = triples(n, 20, seed=0)

    def measured(θ):
        cube = model.reference(θ, all_pairs(n)).reshape(n, n, n)
        tokens = torch.arange(n)
        correct = cube[tokens[:, None], tokens, (tokens[:, None] + tokens) % n]
        embedding = θ["W_E"][:n]
        symmetricity = gradient_symmetricity(from_embeddings(model, θ, n), embedding, drawn)
        return symmetricity, distance_irrelevance(correct), circularity(embedding)

    stacked = {name: torch.stack([θ[name] for θ in runs]) for name in runs[0]}
    together = torch.stack(torch.func.vmap(measured)(stacked), dim=1)
    alone = torch.stack([torch.stack(measured(θ)) for θ in runs])
    torch.testing.assert_close(together, alone, rtol=1e-5, atol=1e-6)  # correct logits in float32
    torch.testing.assert_close(together[:, [0, 2]], alone[:, [0, 2]], rtol=1e-10, atol=1e-10)
    assert (together.std(0) > 1e-3).all()


def test_bad_input_is_refused_by_value():
    with pytest.raises(ValueError, match="n = 4: sum and distance name a pair for odd n"):
        distance_irrelevance(torch.zeros(4, 4))
    with pytest.raises(
        ValueError, match="count = 28 different triples of 3 elements: give 1 to 27"
    ):
        triples(3, 28, seed=0)
    with pytest.raises(ValueError, match="has no embedding W_E"):
        from_embeddings(MLP(), MLP().initialise(5, seed=0), 5)
    with pytest.raises(ValueError, match="2 tokens have no frequency"):
        circularity(torch.zeros(2, 3))
    with pytest.raises(ValueError, match="n = 8 has more than pairs"):
        theory.circularity_null(8)
