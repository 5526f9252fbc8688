"""The transformer's fast form against its textbook form; that one against loops and torch.nn."""

import itertools
import math

import numpy as np
import pytest
import torch

from grokbook.models import Transformer

P = 5
PAIRS = torch.cartesian_prod(torch.arange(P), torch.arange(P))
SMALL = {"d_model": 8, "heads": 2, "d_mlp": 12}


def draw(model, p=P):
    """Parameters whose every entry matters: biases that are not 0, norms that are not 1."""
    generator = torch.Generator().manual_seed(1)
    return {
        name: torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for name, shape in model.shapes(p).items()
    }


# -- forward is reference --------------------------------------------------------------------


@pytest.mark.parametrize("norm", ["layer", "rms"])
@pytest.mark.parametrize("norm_position", ["none", "pre", "post"])
@pytest.mark.parametrize("tokens", [2, 3])
def test_forward_is_reference(tokens, norm_position, norm):
    # What acts position by position (activation, MLP and read-out biases) changes together; what
    # touches the tables (tokens, norms, attention biases, the extra class) in every combination.
    for (activation, mlp, unembedding), final, attention, equals in itertools.product(
        [("relu", True, False), ("gelu", False, True)],
        [False, True],
        [False, True],
        [False, True] if tokens == 3 else [False],
    ):
        model = Transformer(
            **SMALL,
            tokens=tokens,
            activation=activation,
            norm_position=norm_position,
            norm=norm,
            final_norm=final,
            attention_bias=attention,
            mlp_bias=mlp,
            unembedding_bias=unembedding,
            equals_is_class=equals,
        )
        theta = draw(model)
        reference = model.reference(theta, PAIRS)
        assert reference.shape == (P * P, P + equals)
        answers = torch.randn(reference.shape, dtype=torch.float64)
        wanted = torch.autograd.grad((reference * answers).sum(), list(theta.values()))
        for fused in (False, True):
            fast = model.forward(theta, PAIRS, fused=fused)
            exact = 1e-14 * reference.abs().max().item()  # rounding grows with the logits
            torch.testing.assert_close(fast, reference, rtol=0, atol=exact, msg=str(model))
            found = torch.autograd.grad((fast * answers).sum(), list(theta.values()))
            for name, expected, gradient in zip(theta, wanted, found, strict=True):
                assert expected.abs().max() > 0, f"{name} does nothing in {model}"
                close = torch.allclose(gradient, expected, rtol=1e-10, atol=1e-10)
                assert close, f"gradient of {name} in {model}, fused: {fused}"


@pytest.mark.parametrize("rate", [0, 0.4])
@pytest.mark.parametrize("tokens", [2, 3])
def test_attention_mixes_softmax_with_ones(tokens, rate):
    model = Transformer(**SMALL, tokens=tokens, attention_bias=True, attention_rate=rate)
    theta = draw(model)
    reference = model.reference(theta, PAIRS)
    for fused in (False, True):
        fast = model.forward(theta, PAIRS, fused=fused)
        torch.testing.assert_close(fast, reference, rtol=1e-12, atol=1e-10)
    with_softmax = Transformer(**SMALL, tokens=tokens, attention_bias=True).reference(theta, PAIRS)
    assert (reference - with_softmax).abs().max() > 0.1
    if rate == 0:  # every position is added as it is: queries and keys do nothing
        gradients = torch.autograd.grad(reference.sum(), [theta[n] for n in ("W_Q", "W_K", "W_V")])
        assert [g.abs().max() > 0 for g in gradients] == [False, False, True]


@pytest.mark.parametrize("rate", [-0.1, 1.5, float("nan")])
def test_an_attention_rate_is_a_share(rate):
    with pytest.raises(ValueError, match=f"attention_rate = {rate} is no share: give a number"):
        Transformer(attention_rate=rate)


def test_forward_takes_any_examples_in_any_order():
    model = Transformer(**SMALL)
    theta = draw(model)
    pairs = torch.tensor([[4, 0], [0, 4], [4, 0], [2, 2]])
    torch.testing.assert_close(
        model.forward(theta, pairs), model.forward(theta, PAIRS)[pairs[:, 0] * P + pairs[:, 1]]
    )


# -- reference is the textbook ---------------------------------------------------------------


def by_hand(model, theta, a, b, *, position=-1, masked):
    """Logits of one example at one position, with loops over positions and heads."""
    theta = {name: weight.detach().numpy() for name, weight in theta.items()}
    tokens = [a, b, P][: model.tokens]
    stream = [theta["W_E"][token] + theta["W_pos"][i] for i, token in enumerate(tokens)]

    def norm(name, x):
        if model.norm == "rms":
            return x / np.sqrt(np.mean(x**2) + 1e-8) * theta[f"{name}_w"]
        x = (x - x.mean()) / np.sqrt(x.var() + 1e-5)
        return x * theta[f"{name}_w"] + theta[f"{name}_b"]

    def bias(name, head):
        return theta[name][head] if name in theta else 0

    read = [norm("norm1", x) if model.norm_position == "pre" else x for x in stream]
    asking = range(len(tokens))[position]
    attended = np.zeros(model.d_model)
    for head in range(model.heads):
        query = read[asking] @ theta["W_Q"][head] + bias("b_Q", head)
        scores, values = [], []
        for other in range(asking + 1 if masked else len(tokens)):
            key = read[other] @ theta["W_K"][head] + bias("b_K", head)
            scores.append(query @ key / math.sqrt(len(query)))
            values.append(read[other] @ theta["W_V"][head] + bias("b_V", head))
        weights = np.exp(scores) / np.exp(scores).sum()
        attended = attended + (weights @ np.array(values)) @ theta["W_O"][head]
    x = stream[asking] + attended + theta.get("b_O", 0)
    if model.norm_position == "post":
        x = norm("norm1", x)
    hidden = (norm("norm2", x) if model.norm_position == "pre" else x) @ theta["W_in"]
    hidden = hidden + theta.get("b_in", 0)
    if model.activation == "relu":
        hidden = np.maximum(hidden, 0)
    else:
        hidden = np.array([v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in hidden])
    x = x + hidden @ theta["W_out"] + theta.get("b_out", 0)
    if model.norm_position == "post":
        x = norm("norm2", x)
    if model.final_norm:
        x = norm("norm_final", x)
    return x @ theta["W_U"] + theta.get("b_U", 0)


KINDS = [
    Transformer(**SMALL),
    Transformer(**SMALL, tokens=2, norm_position="pre", norm="rms", final_norm=True),
    Transformer(
        **SMALL,
        norm_position="post",
        activation="gelu",
        attention_bias=True,
        unembedding_bias=True,
        equals_is_class=True,
    ),
    Transformer(**SMALL, norm_position="pre", attention_bias=True, mlp_bias=False, final_norm=True),
]


@pytest.mark.parametrize("model", KINDS, ids=["nanda23", "pre-rms", "post-layer", "pre-layer"])
def test_reference_is_the_textbook_and_a_causal_mask_changes_nothing(model):
    theta = draw(model)
    logits = model.reference(theta, PAIRS).detach().numpy()
    for masked in (False, True):
        expected = [by_hand(model, theta, a, b, masked=masked) for a, b in PAIRS.tolist()]
        np.testing.assert_allclose(logits, expected, rtol=1e-11, atol=1e-11)


def test_a_causal_mask_does_change_the_first_position():
    theta = draw(KINDS[0])
    masked = by_hand(KINDS[0], theta, 1, 2, position=0, masked=True)
    assert not np.allclose(masked, by_hand(KINDS[0], theta, 1, 2, position=0, masked=False))


@pytest.mark.parametrize("tokens", [2, 3])
@pytest.mark.parametrize("norm_position", ["post", "pre"])
@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_reference_is_torch_encoder_layer(activation, norm_position, tokens):
    model = Transformer(
        d_model=16,
        heads=4,
        d_mlp=24,
        tokens=tokens,
        activation=activation,
        norm_position=norm_position,
        final_norm=True,
        attention_bias=True,
        unembedding_bias=True,
        init="encoder",
    )
    theta = {name: w.detach() for name, w in draw(model).items()}
    layer, final, head = torch_modules(model, theta)
    words = PAIRS
    if tokens == 3:
        words = torch.cat([PAIRS, torch.full((len(PAIRS), 1), P)], dim=1)
    with torch.no_grad():
        expected = head(final(layer(theta["W_E"][words] + theta["W_pos"])))[:, -1]
    torch.testing.assert_close(model.reference(theta, PAIRS), expected, rtol=1e-12, atol=1e-12)


def torch_modules(model, theta):
    """torch's own encoder layer, final norm and read-out, with these weights."""
    d = model.d_model
    layer = torch.nn.TransformerEncoderLayer(
        d,
        model.heads,
        model.d_mlp,
        dropout=0.0,
        activation=model.activation,
        batch_first=True,
        norm_first=model.norm_position == "pre",
        dtype=torch.float64,
    )
    final = torch.nn.LayerNorm(d, dtype=torch.float64)
    head = torch.nn.Linear(d, P, dtype=torch.float64)
    attention = layer.self_attn
    stacked = [theta[f"W_{name}"].transpose(1, 2).reshape(d, d) for name in "QKV"]
    copies = [
        (attention.in_proj_weight, torch.cat(stacked)),
        (attention.in_proj_bias, torch.cat([theta[f"b_{name}"].flatten() for name in "QKV"])),
        (attention.out_proj.weight, theta["W_O"].reshape(d, d).T),
        (attention.out_proj.bias, theta["b_O"]),
        (layer.linear1.weight, theta["W_in"].T),
        (layer.linear1.bias, theta["b_in"]),
        (layer.linear2.weight, theta["W_out"].T),
        (layer.linear2.bias, theta["b_out"]),
        (head.weight, theta["W_U"].T),
        (head.bias, theta["b_U"]),
    ]
    for module, name in ((layer.norm1, "norm1"), (layer.norm2, "norm2"), (final, "norm_final")):
        copies += [(module.weight, theta[f"{name}_w"]), (module.bias, theta[f"{name}_b"])]
    owned = [*layer.parameters(), *final.parameters(), *head.parameters()]
    assert {id(target) for target, _ in copies} == {id(weight) for weight in owned}
    with torch.no_grad():
        for target, weight in copies:
            target.copy_(weight)
    return layer, final, head


# -- starts ----------------------------------------------------------------------------------


def test_nanda23_shapes_and_deviations():
    start = Transformer(equals_is_class=True).initialise(113, seed=0)
    assert {name: tuple(w.shape) for name, w in start.items()} == {
        "W_E": (114, 128),
        "W_pos": (3, 128),
        "W_Q": (4, 128, 32),
        "W_K": (4, 128, 32),
        "W_V": (4, 128, 32),
        "W_O": (4, 32, 128),
        "W_in": (128, 512),
        "W_out": (512, 128),
        "W_U": (128, 114),
        "b_in": (512,),
        "b_out": (128,),
    }
    assert sum(w.numel() for w in start.values()) == 226_816
    for name, weight in start.items():
        assert weight.dtype == torch.float32
        if name.startswith("b_"):
            assert not weight.any()
            continue
        expected = 114**-0.5 if name == "W_U" else 128**-0.5
        # Five standard errors of a deviation; 114 and 128 are 6 % apart, eight errors for W_U.
        tolerance = 5 / math.sqrt(2 * weight.numel())
        assert weight.std().item() == pytest.approx(expected, rel=tolerance), name
        assert weight.abs().max() > 2.5 * expected, name  # Gaussian: a uniform draw ends at 1.7


def test_nanda23_norms_start_as_the_identity():
    model = Transformer(**SMALL, norm_position="pre", final_norm=True, attention_bias=True)
    start = model.initialise(P, seed=0)
    norms = {name: w for name, w in start.items() if name.startswith("norm")}
    assert len(norms) == 6
    for name, weight in norms.items():
        assert torch.equal(weight, torch.full((8,), float(name.endswith("_w"))))
    assert not any(start[f"b_{name}"].any() for name in ("Q", "K", "V", "O", "in", "out"))


@pytest.mark.parametrize("init", ["linear", "encoder"])
def test_starts_are_those_of_fresh_torch_modules(init):
    model = Transformer(
        d_model=24,
        heads=4,
        d_mlp=72,
        norm_position="post",
        attention_bias=True,
        unembedding_bias=True,
        init=init,
    )
    starts = [model.initialise(13, seed=seed) for seed in range(25)]
    fresh = [fresh_torch(model, 13, init) for _ in range(25)]
    assert set(starts[0]) == set(fresh[0])
    for name in starts[0]:
        found = torch.stack([start[name] for start in starts])
        expected = torch.stack([weights[name] for weights in fresh]).detach()
        assert found.numel() == expected.numel(), name
        if name.startswith("norm") or not expected.any():
            assert torch.equal(found, expected), name
            continue
        assert found.std().item() == pytest.approx(expected.std().item(), rel=0.08), name
        if name in ("W_E", "W_pos"):
            assert found.abs().max() > 2.5, name  # Gaussian: a uniform draw ends at 1.7
        else:
            bound = expected.abs().max().item()
            assert found.abs().max().item() == pytest.approx(bound, rel=0.02), name


def fresh_torch(model, p, init):
    """The parameters of torch's modules as they are made, under our names."""
    d, m = model.d_model, model.d_mlp
    table, places = torch.nn.Embedding(p + 1, d), torch.nn.Embedding(3, d)
    head, layer = torch.nn.Linear(d, p), torch.nn.TransformerEncoderLayer(d, model.heads, m)
    weights = {
        "W_E": table.weight,
        "W_pos": places.weight,
        "W_in": layer.linear1.weight.T,
        "b_in": layer.linear1.bias,
        "W_out": layer.linear2.weight.T,
        "b_out": layer.linear2.bias,
        "W_U": head.weight.T,
        "b_U": head.bias,
    }
    for name in ("norm1", "norm2"):
        norm = getattr(layer, name)
        weights |= {f"{name}_w": norm.weight, f"{name}_b": norm.bias}
    if init == "linear":
        modules = {name: torch.nn.Linear(d, d) for name in "QKVO"}
        matrices = {name: module.weight for name, module in modules.items()}
        biases = {name: module.bias for name, module in modules.items()}
    else:
        attention = layer.self_attn
        matrices = dict(zip("QKV", attention.in_proj_weight.chunk(3), strict=True))
        biases = dict(zip("QKV", attention.in_proj_bias.chunk(3), strict=True))
        matrices["O"], biases["O"] = attention.out_proj.weight, attention.out_proj.bias
    split = (model.heads, d, d // model.heads)
    for name in "QKV":
        weights |= {f"W_{name}": matrices[name].reshape(split)}
        weights |= {f"b_{name}": biases[name].reshape(model.heads, -1)}
    weights["W_O"] = matrices["O"].reshape(model.heads, d // model.heads, d)
    return weights | {"b_O": biases["O"]}


def test_seed_fixes_the_start():
    model = Transformer(**SMALL, norm_position="pre")
    first, again, other = (model.initialise(P, seed=seed) for seed in (3, 3, 4))
    assert list(first) == list(model.shapes(P))
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["W_E"], other["W_E"])


def test_heads_must_divide_the_width():
    message = r"d_model = 10 does not divide into 4 heads: choose a multiple"
    with pytest.raises(ValueError, match=message):
        Transformer(d_model=10)
