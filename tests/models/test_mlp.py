"""The MLP: fast form against textbook form, that against NumPy, its start against torch."""

import math

import numpy as np
import pytest
import torch

from grokbook.models import MLP

P = 5
PAIRS = torch.cartesian_prod(torch.arange(P), torch.arange(P))
FORMS = [
    pytest.param(embedding, layers, bias, id=f"{embedding}-{layers}-{'bias' if bias else 'plain'}")
    for embedding in ("one_hot", "learned")
    for layers in (1, 2, 3)
    for bias in (True, False)
]


def draw(model):
    """Parameters whose every entry matters: no zeros, no ones."""
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for name, shape in model.shapes(P).items()
    }


def by_hand(model, theta, a, b):
    """Logits of one pair in NumPy."""
    theta = {name: weight.detach().numpy() for name, weight in theta.items()}
    if model.embedding == "learned":
        x = np.concatenate([theta["W_E"][a], theta["W_E"][b]])
    else:
        x = np.concatenate([np.eye(P)[a], np.eye(P)[b]])
    for layer in range(1, model.hidden_layers + 1):
        x = x @ theta[f"W_{layer}"] + theta.get(f"b_{layer}", 0)
        if model.norm == "layer":
            x = (x - x.mean()) / np.sqrt(x.var() + 1e-5)
        if model.norm == "rms":
            x = x / np.sqrt((x**2).mean() + 1e-8)
        if model.activation == "relu":
            x = np.maximum(x, 0)
        else:
            x = np.array([v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in x])
    return x @ theta["W_U"] + theta.get("b_U", 0)


@pytest.mark.parametrize("activation", ["relu", "gelu"])
@pytest.mark.parametrize(("embedding", "layers", "bias"), FORMS)
def test_both_forms_agree_with_each_other_and_with_numpy(embedding, layers, bias, activation):
    model = MLP(7, layers, embedding, 6, activation, bias)
    theta = draw(model)
    reference, fast = model.reference(theta, PAIRS), model.forward(theta, PAIRS)
    assert reference.shape == (P * P, P)
    torch.testing.assert_close(fast, reference, rtol=0, atol=1e-12)
    expected = [by_hand(model, theta, a, b) for a, b in PAIRS.tolist()]
    np.testing.assert_allclose(reference.detach().numpy(), expected, atol=1e-11)

    answers = torch.randn(reference.shape, dtype=torch.float64)
    wanted = torch.autograd.grad((reference * answers).sum(), list(theta.values()))
    found = torch.autograd.grad((fast * answers).sum(), list(theta.values()))
    for name, expected_gradient, gradient in zip(theta, wanted, found, strict=True):
        assert expected_gradient.abs().max() > 0, name
        torch.testing.assert_close(gradient, expected_gradient, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize(("embedding", "layers", "bias"), FORMS)
def test_start_is_that_of_torch_linear(embedding, layers, bias):
    model = MLP(40, layers, embedding, 30, bias=bias)
    inputs = 60 if embedding == "learned" else 2 * P
    widths = [inputs, *[40] * layers, P]
    names = [*(str(layer) for layer in range(1, layers + 1)), "U"]
    starts = [model.initialise(P, seed=seed) for seed in range(30)]
    for name, fan_in, width in zip(names, widths, widths[1:], strict=False):
        fresh = [torch.nn.Linear(fan_in, width, bias=bias) for _ in range(30)]
        assert starts[0][f"W_{name}"].shape == fresh[0].weight.T.shape
        same_law([s[f"W_{name}"] for s in starts], [f.weight for f in fresh])
        if bias:
            assert starts[0][f"b_{name}"].shape == fresh[0].bias.shape
            same_law([s[f"b_{name}"] for s in starts], [f.bias for f in fresh])
    expected = {f"W_{name}" for name in names} | (
        {f"b_{name}" for name in names} if bias else set()
    )
    assert set(starts[0]) == expected | ({"W_E"} if embedding == "learned" else set())
    if embedding == "learned":
        table = torch.stack([s["W_E"] for s in starts])
        fresh_table = torch.stack([torch.nn.Embedding(P, 30).weight for _ in range(30)])
        assert table.shape == fresh_table.shape
        assert table.std().item() == pytest.approx(fresh_table.std().item(), rel=0.05)
        assert table.abs().max().item() > 3  # Gaussian, and not uniform with the same deviation


def same_law(found, expected):
    """Two samples of a uniform law share their bound and their deviation."""
    found, expected = torch.stack(found).detach(), torch.stack(expected).detach()
    assert found.abs().max().item() == pytest.approx(expected.abs().max().item(), rel=0.04)
    assert found.std().item() == pytest.approx(expected.std().item(), rel=0.12)


def test_seed_fixes_the_start():
    model = MLP(8, 2, "learned", 4)
    first, again, other = (model.initialise(P, seed=seed) for seed in (3, 3, 4))
    assert {name: w.shape for name, w in first.items()} == model.shapes(P)
    assert list(first) == list(model.shapes(P))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not any(torch.equal(first[name], other[name]) for name in first)
    assert all(w.dtype == torch.float32 for w in first.values())


def test_no_hidden_layer_is_refused():
    with pytest.raises(ValueError, match=r"hidden_layers = 0 leaves no hidden layer: give 1"):
        MLP(hidden_layers=0)


@pytest.mark.parametrize("norm", ["layer", "rms", "tangent"])
def test_norms_stand_before_every_activation(norm):
    model = MLP(7, 2, norm=norm)
    theta = draw(model)
    reference, fast = model.reference(theta, PAIRS), model.forward(theta, PAIRS)
    torch.testing.assert_close(fast, reference, rtol=0, atol=1e-12)
    expected = [by_hand(model, theta, a, b) for a, b in PAIRS.tolist()]
    np.testing.assert_allclose(reference.detach().numpy(), expected, atol=1e-11)


@pytest.mark.parametrize(("norm", "size"), [("layer", 1.0), ("rms", 1.0), ("none", None)])
def test_what_is_watched_stands_before_the_norm(norm, size):
    model, watch = MLP(64, 2, norm=norm), {}
    theta = {name: 3 * w.detach() for name, w in draw(model).items()}
    model.forward(theta, PAIRS, watch=watch)
    assert set(watch) == {"pre_1", "hidden_1", "pre_2", "hidden_2"}
    for layer in (1, 2):
        before, after = watch[f"pre_{layer}"], watch[f"hidden_{layer}"]
        if size is None:
            torch.testing.assert_close(after, torch.relu(before))
        else:
            assert before.square().mean(-1).min() > 4 * size
            assert after.square().mean(-1).max() < size


def test_a_tangent_norm_changes_no_value_and_stops_the_radial_gradient():
    theta, grown = draw(MLP(7, 2)), {}
    for norm in ("none", "tangent"):
        watch = {}
        z = MLP(7, 2, norm=norm).forward(theta, PAIRS, watch=watch)
        loss = torch.nn.functional.cross_entropy(z, PAIRS.sum(-1) % P)
        layers = [watch["pre_1"], watch["pre_2"]]
        grown[norm] = (z, layers, torch.autograd.grad(loss, layers))
    torch.testing.assert_close(grown["tangent"][0], grown["none"][0], rtol=1e-12, atol=1e-12)
    for h, g in zip(*grown["tangent"][1:], strict=True):
        assert (h * g).sum(-1).abs().max() < 1e-15
    # Above it nothing differs, so that the last layer keeps the tangential part as it was.
    h, g = grown["none"][1][1], grown["none"][2][1]
    across = g - (h * g).sum(-1, keepdim=True) * h / h.square().sum(-1, keepdim=True)
    torch.testing.assert_close(grown["tangent"][2][1], across)
    assert (h * g).sum(-1).abs().max() > 1e-6


def test_an_unknown_norm_is_refused():
    model = MLP()
    object.__setattr__(model, "norm", "batch")  # past the type checks of the tests
    with pytest.raises(ValueError, match="norm = 'batch' is not known: choose 'none', 'layer'"):
        model.__post_init__()
