"""The decoder's fast form against its textbook form; that one against loops and torch.nn."""

import dataclasses
import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import grad, vmap
from torch.utils.flop_counter import FlopCounterMode

from grokbook.models import MODELS
from grokbook.models.attention import attention, sinusoids
from grokbook.models.decoder import Decoder
from grokbook.tasks import Split, Task
from grokbook.training.run import Run

P = 5
PAIRS = torch.cartesian_prod(torch.arange(P), torch.arange(P))
SMALL = {"d_model": 8, "heads": 2, "d_mlp": 12}
PREFIXES = ["a b =", "a op b =", "<eos> a op b ="]
BIASES = ("attention_bias", "mlp_bias", "unembedding_bias")

POWER = {}  # the defaults
LEE = {
    "prefix": "a op b =",
    "activation": "gelu",
    "norm_position": "lee24",
    "final_norm": True,
    "positions": "learned",
    "attention_bias": True,
    "mlp_bias": True,
    "special_classes": True,
    "init": "encoder",
}
GPT = LEE | {"norm_position": "pre", "prefix": "a b =", "unembedding_bias": True, "layers": 3}
PAPERS = pytest.mark.parametrize("options", [POWER, LEE, GPT], ids=["power22", "lee24", "gpt"])


def draw(model, seed=1, p=P):
    """Parameters whose every entry matters: biases that are not 0, norms that are not 1."""
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(shape, generator=generator, dtype=torch.float64).requires_grad_()
        for name, shape in model.shapes(p).items()
    }


# -- forward is reference --------------------------------------------------------------------


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("norm_position", ["pre", "post", "lee24"])
@pytest.mark.parametrize("prefix", PREFIXES)
def test_forward_is_reference(prefix, norm_position, layers):
    # What acts position by position (activation, biases, classes) changes together; what decides
    # which rows are shared (prefix, norms, positions, layers) in every combination.
    for (activation, final, *flags), positions in itertools.product(
        [
            ("relu", False, False, False, False),
            ("gelu", True, True, True, True),
            ("relu", True, False, True, False),
        ],
        ["learned", "sinusoidal"],
    ):
        model = Decoder(
            **SMALL,
            **dict(zip(BIASES, flags, strict=True)),
            layers=layers,
            prefix=prefix,
            activation=activation,
            norm_position=norm_position,
            final_norm=final,
            positions=positions,
            special_classes=final,
        )
        theta = draw(model)
        reference = model.reference(theta, PAIRS)
        assert reference.shape == (P * P, P + final * (len(prefix.split()) - 2))
        answers = torch.randn(reference.shape, dtype=torch.float64)
        wanted = torch.autograd.grad((reference * answers).sum(), list(theta.values()))
        exact = 1e-12 * reference.abs().max().item()  # rounding grows with the logits
        for fused in (False, True):
            fast = model.forward(theta, PAIRS, fused=fused)
            torch.testing.assert_close(fast, reference, rtol=0, atol=exact, msg=str(model))
            found = torch.autograd.grad((fast * answers).sum(), list(theta.values()))
            for name, expected, gradient in zip(theta, wanted, found, strict=True):
                close = torch.allclose(gradient, expected, rtol=1e-9, atol=1e-9)
                assert close, f"gradient of {name} in {model}, fused: {fused}"


@PAPERS
def test_every_parameter_gets_gradient(options):
    model = Decoder(**{**options, **SMALL})
    theta = draw(model)
    answers = torch.randn(P * P, model.shapes(P)["W_U"][1], dtype=torch.float64)
    for name, gradient in zip(
        theta,
        torch.autograd.grad((model.forward(theta, PAIRS) * answers).sum(), list(theta.values())),
        strict=True,
    ):
        if name.startswith("b_K"):  # it shifts all scores of a query alike
            assert gradient.abs().max() < 1e-10, name
        elif name in ("W_E", "W_pos"):
            assert (gradient.abs() > 1e-6).any(-1).all(), name  # every token, every position
        else:
            assert (gradient.abs() > 1e-6).any(), name


@PAPERS
def test_forward_takes_any_examples_in_any_order(options):
    model = Decoder(**{**options, **SMALL})
    theta = draw(model)
    every = model.forward(theta, PAIRS)
    for pairs in ([[4, 0], [0, 4], [4, 0], [2, 2]], [[1, 3]]):
        pairs = torch.tensor(pairs)
        expected = every[pairs[:, 0] * P + pairs[:, 1]]
        torch.testing.assert_close(model.forward(theta, pairs), expected)


@PAPERS
def test_vmap_and_grad_lift_forward(options):
    model = Decoder(**{**options, **SMALL})
    runs = [{name: w.detach() for name, w in draw(model, seed).items()} for seed in range(3)]
    stacked = {name: torch.stack([run[name] for run in runs]) for name in runs[0]}
    answers = torch.randn(P * P, model.shapes(P)["W_U"][1], dtype=torch.float64)

    def score(theta):
        return (model.forward(theta, PAIRS) * answers).sum()

    logits = vmap(lambda theta: model.forward(theta, PAIRS))(stacked)
    gradients = vmap(grad(score))(stacked)
    for i, run in enumerate(runs):
        torch.testing.assert_close(logits[i], model.reference(run, PAIRS), rtol=1e-10, atol=1e-10)
        own = {name: w.clone().requires_grad_() for name, w in run.items()}
        reference = (model.reference(own, PAIRS) * answers).sum()
        expected = torch.autograd.grad(reference, list(own.values()))
        for name, wanted in zip(own, expected, strict=True):
            torch.testing.assert_close(gradients[name][i], wanted, rtol=1e-9, atol=1e-9)


def test_forward_saves_work():
    model, pairs = Decoder(), torch.cartesian_prod(torch.arange(31), torch.arange(31))
    theta, counts = model.initialise(31, seed=0), []
    for form in (model.reference, model.forward):
        with FlopCounterMode(display=False) as counter:
            form(theta, pairs)
        counts.append(counter.get_total_flops())
    # Per example and in squares of the width: 18 of 24 in the first layer's two last positions,
    # 14 of 24 in the last layer's, and next to nothing before b; the textbook takes 120.
    assert counts[1] / counts[0] == pytest.approx(32 / 120, rel=0.12)


# -- reference is the textbook ---------------------------------------------------------------


def by_hand(model, theta, a, b, *, masked=True):
    """Logits of one example and what `watch` is given, with loops over positions and heads."""
    theta = {name: weight.detach().numpy() for name, weight in theta.items()}
    tokens = [
        {"a": a, "b": b, "=": P, "op": P + 1, "<eos>": P + 2}[w] for w in model.prefix.split()
    ]
    d, met = model.d_model, {}
    stream = []
    for t, token in enumerate(tokens):
        place = theta["W_pos"][t] if "W_pos" in theta else by_formula(t, d)
        stream.append(theta["W_E"][token] + place)

    def norm(name, x):
        x = (x - x.mean()) / np.sqrt(x.var() + 1e-5)
        weight, bias = (theta[name.replace("_", f"_{part}_")] for part in "wb")
        return x * weight + bias

    for layer in range(1, model.layers + 1):
        weights = {
            name: theta.get(f"{name}_{layer}", np.zeros((model.heads, 1)))
            for name in ("W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V")
        }
        read = stream
        if model.norm_position != "post":
            read = [norm(f"norm1_{layer}", x) for x in stream]
        new = []
        for i, x in enumerate(read if model.norm_position == "lee24" else stream):
            attended = theta.get(f"b_O_{layer}", np.zeros(d))
            for h in range(model.heads):
                query = read[i] @ weights["W_Q"][h] + weights["b_Q"][h]
                seen = range(i + 1 if masked else len(read))
                keys = [read[j] @ weights["W_K"][h] + weights["b_K"][h] for j in seen]
                values = [read[j] @ weights["W_V"][h] + weights["b_V"][h] for j in seen]
                scores = np.exp([query @ key / math.sqrt(len(query)) for key in keys])
                attended = attended + (scores / scores.sum() @ values) @ weights["W_O"][h]
            x = x + attended
            if model.norm_position == "post":
                x = y = norm(f"norm1_{layer}", x)
            else:
                y = norm(f"norm2_{layer}", x)
            hidden = y @ theta[f"W_in_{layer}"] + theta.get(f"b_in_{layer}", 0)
            if model.activation == "relu":
                hidden = np.maximum(hidden, 0)
            else:
                hidden = np.array([v * (1 + math.erf(v / math.sqrt(2))) / 2 for v in hidden])
            added = hidden @ theta[f"W_out_{layer}"] + theta.get(f"b_out_{layer}", 0)
            x = x + added
            met |= {f"attention_out_{layer}": attended, f"mlp_out_{layer}": added}
            met[f"residual_{layer}"] = x
            new.append(norm(f"norm2_{layer}", x) if model.norm_position == "post" else x)
        stream = new
    x = norm("norm_final", stream[-1]) if model.final_norm else stream[-1]
    return x @ theta["W_U"] + theta.get("b_U", 0), met


def by_formula(t, d):
    """The fixed position t, entry by entry."""
    angles = [t / 10_000 ** (2 * (i // 2) / d) for i in range(d)]
    return np.array([math.cos(x) if i % 2 else math.sin(x) for i, x in enumerate(angles)])


@PAPERS
@pytest.mark.parametrize("prefix", PREFIXES)
def test_reference_is_the_textbook_and_causal(prefix, options):
    model = Decoder(**{**options, **SMALL, "prefix": prefix})
    theta = draw(model)
    logits = model.reference(theta, PAIRS).detach().numpy()
    expected = [by_hand(model, theta, a, b)[0] for a, b in PAIRS.tolist()]
    np.testing.assert_allclose(logits, expected, rtol=1e-10, atol=1e-10)
    # From the second layer on, "=" would read what b had seen of it.
    unmasked = [by_hand(model, theta, a, b, masked=False)[0] for a, b in PAIRS.tolist()]
    assert not np.allclose(logits, unmasked, rtol=1e-2)


@PAPERS
def test_watch_is_given_the_activations(options):
    model = Decoder(**{**options, **SMALL})
    theta, watch = draw(model), {}
    logits = model.forward(theta, PAIRS, watch=watch)
    torch.testing.assert_close(logits, model.forward(theta, PAIRS))
    met = [by_hand(model, theta, a, b)[1] for a, b in PAIRS.tolist()]
    assert set(watch) == set(met[0])
    assert len(watch) == 3 * model.layers
    for name, activations in watch.items():
        expected = [each[name] for each in met]
        answer = activations[:, -1].detach().numpy()
        np.testing.assert_allclose(answer, expected, rtol=1e-9, atol=1e-9)
    # They lie on the way to the logits: what is added to them moves these.
    for slope in torch.autograd.grad(logits.square().sum(), list(watch.values())):
        assert slope[:, -1].abs().max() > 0


def torch_layers(model, theta):
    """torch's own encoder layers with these weights; a bias that the model lacks is 0."""
    d, layers = model.d_model, []
    for n in range(1, model.layers + 1):
        layer = nn.TransformerEncoderLayer(
            d,
            model.heads,
            model.d_mlp,
            dropout=0.0,
            activation=model.activation,
            batch_first=True,
            norm_first=model.norm_position == "pre",
            dtype=torch.float64,
        )
        zero = {"b_Q": d, "b_K": d, "b_V": d, "b_O": d, "b_in": model.d_mlp, "b_out": d}
        zero = {f"{name}_{n}": torch.zeros(size) for name, size in zero.items()}
        w = zero | theta
        copies = {
            "self_attn.in_proj_weight": torch.cat(
                [w[f"W_{name}_{n}"].transpose(1, 2).reshape(d, d) for name in "QKV"]
            ),
            "self_attn.in_proj_bias": torch.cat([w[f"b_{name}_{n}"].flatten() for name in "QKV"]),
            "self_attn.out_proj.weight": w[f"W_O_{n}"].reshape(d, d).T,
            "self_attn.out_proj.bias": w[f"b_O_{n}"],
            "linear1.weight": w[f"W_in_{n}"].T,
            "linear1.bias": w[f"b_in_{n}"],
            "linear2.weight": w[f"W_out_{n}"].T,
            "linear2.bias": w[f"b_out_{n}"],
        }
        for norm in ("norm1", "norm2"):
            copies |= {f"{norm}.weight": w[f"{norm}_w_{n}"], f"{norm}.bias": w[f"{norm}_b_{n}"]}
        layer.load_state_dict(copies, strict=True)
        layers.append(layer)
    return layers


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("norm_position", ["post", "pre", "lee24"])
@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_reference_is_torch_encoder_layers_under_a_causal_mask(activation, norm_position, bias):
    model = Decoder(
        layers=2,
        d_model=16,
        heads=4,
        d_mlp=24,
        prefix="a op b =",
        activation=activation,
        norm_position=norm_position,
        positions="learned",
        attention_bias=bias,
        mlp_bias=bias,
    )
    theta = {name: weight.detach() for name, weight in draw(model).items()}
    one = torch.ones(len(PAIRS), dtype=torch.int64)
    tokens = torch.stack([PAIRS[:, 0], one * (P + 1), PAIRS[:, 1], one * P], dim=1)
    x = theta["W_E"][tokens] + theta["W_pos"]
    mask = nn.Transformer.generate_square_subsequent_mask(4, dtype=torch.float64)
    with torch.no_grad():
        for layer in torch_layers(model, theta):
            if norm_position == "lee24":
                x = layer.norm1(x)
                x = x + layer.self_attn(x, x, x, attn_mask=mask, need_weights=False)[0]
                hidden = layer.activation(layer.linear1(layer.norm2(x)))
                x = x + layer.linear2(hidden)
            else:
                x = layer(x, src_mask=mask, is_causal=True)
    expected = x[:, -1] @ theta["W_U"]
    torch.testing.assert_close(model.reference(theta, PAIRS), expected, rtol=1e-11, atol=1e-11)


def test_attention_sees_no_future():
    q, k, v = torch.randn(3, 6, 5, 2, 4, dtype=torch.float64)
    expected = nn.functional.scaled_dot_product_attention(
        *(x.transpose(1, 2) for x in (q, k, v)), is_causal=True
    ).transpose(1, 2)
    torch.testing.assert_close(attention(q, k, v), expected)
    for asking in (1, 2, 3):  # the last positions alone
        found = attention(q[:, -asking:], k, v)
        torch.testing.assert_close(found, expected[:, -asking:])
    k[:, 3], v[:, 3] = 7.0, -7.0
    changed = attention(q, k, v)
    assert torch.equal(changed[:, :3], attention(q[:, :3], k[:, :3], v[:, :3]))
    assert not torch.isclose(changed[:, 3:], expected[:, 3:]).any()


@pytest.mark.parametrize("d", [1, 7, 8, 128])
def test_sinusoids_by_formula(d):
    found = sinusoids(5, torch.zeros(3, d, dtype=torch.float64))
    np.testing.assert_allclose(found, [by_formula(t, d) for t in range(5)], rtol=1e-12, atol=1e-15)
    assert sinusoids(5, torch.zeros(3, d)).dtype == torch.float32


# -- starts ----------------------------------------------------------------------------------


def test_power22_has_four_hundred_thousand_parameters():
    shapes = Decoder().shapes(97)
    assert shapes["W_E"] == (100, 128)
    assert shapes["W_U"] == (128, 97)
    assert Decoder(special_classes=True).shapes(97)["W_U"] == (128, 100)
    assert list(shapes) == [
        "W_E",
        *(
            f"{name}_{layer}"
            for layer in (1, 2)
            for name in "W_Q W_K W_V W_O W_in W_out norm1_w norm1_b norm2_w norm2_b".split()
        ),
        "W_U",
    ]
    layers = sum(math.prod(s) for name, s in shapes.items() if name not in ("W_E", "W_U"))
    assert layers == 2 * (4 * 128**2 + 2 * 128 * 512 + 4 * 128)
    assert 3.9e5 < layers < 4.1e5


def test_lee24_shapes_are_those_of_its_modules():
    # Lee et al.'s fifth position, which no example reaches, is left out.
    count = sum(math.prod(shape) for shape in Decoder(**LEE).shapes(97).values())
    layer = nn.TransformerEncoderLayer(128, 4, 512)
    modules = [nn.Embedding(99, 128), nn.Embedding(4, 128), layer, layer, nn.LayerNorm(128)]
    modules.append(nn.Linear(128, 99, bias=False))
    assert count == sum(w.numel() for module in modules for w in module.parameters())


def fresh_torch(model, p):
    """The parameters of torch's modules as they are made, under our names."""
    d, m, h = model.d_model, model.d_mlp, model.heads
    tables = [nn.Embedding(p + 2, d), nn.Embedding(4, d)]
    read_out = nn.Linear(d, p)
    weights = {"W_E": tables[0].weight, "W_pos": tables[1].weight}
    weights |= {"W_U": read_out.weight.T, "b_U": read_out.bias}
    for n in range(1, model.layers + 1):
        layer = nn.TransformerEncoderLayer(d, h, m)
        if model.init == "linear":
            parts = {name: nn.Linear(d, d) for name in "QKVO"}
            matrices = {name: part.weight for name, part in parts.items()}
            biases = {name: part.bias for name, part in parts.items()}
        else:
            inner = layer.self_attn
            matrices = dict(zip("QKV", inner.in_proj_weight.chunk(3), strict=True))
            biases = dict(zip("QKV", inner.in_proj_bias.chunk(3), strict=True))
            matrices["O"], biases["O"] = inner.out_proj.weight, inner.out_proj.bias
        for name in "QKV":
            weights[f"W_{name}_{n}"] = matrices[name].reshape(h, d, d // h)
            weights[f"b_{name}_{n}"] = biases[name].reshape(h, d // h)
        weights[f"W_O_{n}"], weights[f"b_O_{n}"] = matrices["O"].reshape(h, -1, d), biases["O"]
        for name, part in (("in", layer.linear1), ("out", layer.linear2)):
            weights |= {f"W_{name}_{n}": part.weight.T, f"b_{name}_{n}": part.bias}
        for name in ("norm1", "norm2"):
            part = getattr(layer, name)
            weights |= {f"{name}_w_{n}": part.weight, f"{name}_b_{n}": part.bias}
    norm = nn.LayerNorm(d)
    return weights | {"norm_w_final": norm.weight, "norm_b_final": norm.bias}


@pytest.mark.parametrize("init", ["linear", "encoder"])
def test_starts_are_those_of_fresh_torch_modules(init):
    options = LEE | {"unembedding_bias": True, "special_classes": False, "init": init}
    model = Decoder(**options, d_model=24, heads=4, d_mlp=72)
    starts = [model.initialise(13, seed=seed) for seed in range(25)]
    fresh = [fresh_torch(model, 13) for _ in range(25)]
    assert set(starts[0]) == set(fresh[0]) == set(model.shapes(13))
    for name, shape in model.shapes(13).items():
        found = torch.stack([start[name] for start in starts])
        expected = torch.stack([weights[name] for weights in fresh]).detach()
        assert found.shape == expected.shape == (25, *shape), name
        assert found.dtype == torch.float32
        if name.startswith("norm") or not expected.any():
            assert torch.equal(found, expected), name
            continue
        assert found.std().item() == pytest.approx(expected.std().item(), rel=0.08), name
        if name in ("W_E", "W_pos"):
            assert found.abs().max() > 2.5, name  # Gaussian: a uniform draw ends at 1.7
        else:
            bound = expected.abs().max().item()
            assert found.abs().max().item() == pytest.approx(bound, rel=0.02), name


@PAPERS
def test_seed_fixes_the_start(options):
    model = Decoder(**{**options, **SMALL})
    first, again, other = (model.initialise(P, seed=seed) for seed in (3, 3, 4))
    assert list(first) == list(model.shapes(P))
    assert all(torch.equal(first[name], again[name]) for name in first)
    drawn = [name for name in first if name.startswith("W_")]
    assert not any(torch.equal(first[name], other[name]) for name in drawn)
    assert not torch.equal(first["W_in_1"], first["W_in_2"])


# -- values ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("layers", 0, r"layers = 0 is too few: give 1 or more\."),
        ("heads", 0, r"heads = 0 is too few"),
        ("d_model", -4, r"d_model = -4 is too few"),
        ("d_mlp", 0, r"d_mlp = 0 is too few"),
        ("d_model", 10, r"d_model = 10 does not divide into 4 heads: choose a multiple"),
        ("prefix", "a =", r"prefix = 'a =' is not known: choose from 'a b =', 'a op b ='"),
        ("norm_position", "none", r"norm_position = 'none' is not known: choose from 'pre'"),
        ("positions", "rotary", r"positions = 'rotary' is not known: choose from 'learned'"),
        ("activation", "silu", r"activation = 'silu' is not known: choose from 'relu', 'gelu'"),
        ("init", "nanda23", r"init = 'nanda23' is not known: choose from 'linear', 'encoder'"),
    ],
)
def test_bad_values_are_refused(name, value, message):
    model = Decoder()
    object.__setattr__(model, name, value)  # past the type checks of the tests
    with pytest.raises(ValueError, match=message):
        model.__post_init__()


@pytest.mark.parametrize("wrong", [{"heads": 3}, {"layers": 0}])
def test_bad_values_are_refused_where_they_are_given(wrong):
    with pytest.raises(ValueError, match=r"too few|does not divide"):
        Decoder(**wrong)


@PAPERS
def test_a_run_with_a_decoder_reads_back_from_its_json(options):
    run = Run(Task("add", 97), Split(0.5, seed=0), Decoder(**options))
    again = Run.from_json(run.to_json())
    assert again == run
    assert again.name == run.name
    assert isinstance(again.model, MODELS["decoder"])
    assert run.replace(layers=4, prefix="a b =").model.layers == 4
    assert run.name != run.replace(layers=4).name


def test_norms_without_weights_are_norms_with_weights_of_one():
    plain = Decoder(d_model=16, heads=2, d_mlp=24, norm_position="pre", final_norm=True,
                    norm_affine=False)  # fmt: skip
    affine = dataclasses.replace(plain, norm_affine=True)
    theta = {name: w.double() for name, w in affine.initialise(7, seed=1).items()}
    bare = {name: w for name, w in theta.items() if not name.startswith("norm")}
    assert set(bare) == set(plain.shapes(7))
    pairs = torch.cartesian_prod(torch.arange(7), torch.arange(7))
    for form in ("forward", "reference"):
        with_weights, without = (
            getattr(model, form)(weights, pairs)
            for model, weights in ((affine, theta), (plain, bare))
        )
        torch.testing.assert_close(without, with_weights, rtol=0, atol=1e-12)
