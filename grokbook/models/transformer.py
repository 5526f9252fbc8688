"""A transformer of one layer that reads `a b` or `a b =` and answers at the last position.

Two forms compute the same logits. `reference` is the textbook, written to be read. `forward` is
the engine's: keys, values and queries depend on (token, position) alone, so they are computed once
per table entry (2p + 1 rows) instead of once per example (3αp² rows), gathered, and only the last
position goes through the MLP. A mask changes nothing at the last position, so there is none.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grokbook.models.layers import (
    ACTIVATIONS,
    fan_in_bound,
    layer_norm,
    linear,
    normal,
    rms_norm,
    rows,
    uniform,
)

Parameters = dict[str, Tensor]


@dataclass(frozen=True)
class Transformer:
    """One layer of attention and MLP, with the options that the papers of the book differ in.

    `tokens` = 3 appends "=", 2 reads out at b. `norm_position` places `norm` nowhere ("none"),
    before ("pre") or after ("post") each of the two blocks; `final_norm` adds one before the
    unembedding. `equals_is_class` lets "=" be predicted too (114 logits at p = 113), as Nanda et
    al.'s code does. `init` names whose start: "nanda23" draws N(0, 1/d_model) (unembedding
    N(0, 1/vocabulary)) and zero biases; "linear" is `torch.nn.Linear` and `Embedding` at their
    defaults; "encoder" is `torch.nn.TransformerEncoderLayer` at its defaults.
    """

    kind: ClassVar[str] = "transformer"

    d_model: int = 128
    heads: int = 4
    d_mlp: int = 512
    tokens: Literal[2, 3] = 3
    activation: Literal["relu", "gelu"] = "relu"
    norm_position: Literal["none", "pre", "post"] = "none"
    norm: Literal["layer", "rms"] = "layer"
    final_norm: bool = False
    attention_bias: bool = False
    mlp_bias: bool = True
    unembedding_bias: bool = False
    equals_is_class: bool = False
    init: Literal["nanda23", "linear", "encoder"] = "nanda23"

    def __post_init__(self) -> None:
        if self.d_model % self.heads:
            raise ValueError(
                f"d_model = {self.d_model} does not divide into {self.heads} heads: "
                "choose a multiple of the number of heads."
            )

    # -- parameters -----------------------------------------------------------------------------

    def shapes(self, order: int) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter for a task on `order` elements, in the order they are drawn."""
        d, h, m = self.d_model, self.heads, self.d_mlp
        vocabulary = order + (self.tokens == 3)
        classes = vocabulary if self.equals_is_class else order
        shapes = {"W_E": (vocabulary, d), "W_pos": (self.tokens, d)}
        shapes |= {f"W_{name}": (h, d, d // h) for name in "QKV"} | {"W_O": (h, d // h, d)}
        shapes |= {"W_in": (d, m), "W_out": (m, d), "W_U": (d, classes)}
        if self.attention_bias:
            shapes |= {f"b_{name}": (h, d // h) for name in "QKV"} | {"b_O": (d,)}
        if self.mlp_bias:
            shapes |= {"b_in": (m,), "b_out": (d,)}
        if self.unembedding_bias:
            shapes["b_U"] = (classes,)
        for name in self._norm_names():
            shapes |= {f"{name}_w": (d,)} | ({f"{name}_b": (d,)} if self.norm == "layer" else {})
        return shapes

    def initialise(self, order: int, *, seed: int) -> Parameters:
        """Draw the parameters of one run in float32, on the CPU whatever the device."""
        generator = torch.Generator().manual_seed(seed)
        return {
            name: self._start(name, shape, generator) for name, shape in self.shapes(order).items()
        }

    def _start(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        if name.startswith("norm"):
            return torch.ones(shape) if name.endswith("_w") else torch.zeros(shape)
        if self.init == "nanda23":
            if name.startswith("b_"):
                return torch.zeros(shape)
            width = shape[1] if name == "W_U" else self.d_model
            return normal(shape, width**-0.5, generator)
        if name in ("W_E", "W_pos"):
            return normal(shape, 1.0, generator)
        if self.init == "encoder" and name in ("W_Q", "W_K", "W_V"):
            # torch.nn.MultiheadAttention draws the three as one (3d, d) matrix, Xavier-uniform.
            return uniform(shape, math.sqrt(6 / (4 * self.d_model)), generator)
        if self.init == "encoder" and name in ("b_Q", "b_K", "b_V", "b_O"):
            return torch.zeros(shape)
        fan_in = self.d_mlp if name in ("W_out", "b_out") else self.d_model
        return uniform(shape, fan_in_bound(fan_in), generator)

    def _norm_names(self) -> tuple[str, ...]:
        blocks = () if self.norm_position == "none" else ("norm1", "norm2")
        return blocks + (("norm_final",) if self.final_norm else ())

    def _norm(self, θ: Parameters, name: str, x: Tensor) -> Tensor:
        if self.norm == "layer":
            return layer_norm(x, θ[f"{name}_w"], θ[f"{name}_b"])
        return rms_norm(x, θ[f"{name}_w"])

    # -- the two forms --------------------------------------------------------------------------

    def reference(self, θ: Parameters, pairs: Int[Tensor, "n 2"]) -> Float[Tensor, "n classes"]:
        """Logits at the last position, computed position by position as a textbook would."""
        tokens = pairs
        if self.tokens == 3:
            equals = torch.full_like(pairs[:, :1], θ["W_E"].shape[0] - 1)
            tokens = torch.cat([pairs, equals], dim=1)
        x = θ["W_E"][tokens] + θ["W_pos"]
        y = self._norm(θ, "norm1", x) if self.norm_position == "pre" else x
        q, k, v = (self._project(θ, name, y) for name in "QKV")
        scores = torch.einsum("hnqe,hnke->hnqk", q, k) / math.sqrt(self.d_model // self.heads)
        z = torch.einsum("hnqk,hnke->hnqe", scores.softmax(-1), v)
        x = x + torch.einsum("hnqe,hed->nqd", z, θ["W_O"]) + θ.get("b_O", 0)
        return self._after_attention(θ, x)[:, -1]

    def forward(self, θ: Parameters, pairs: Int[Tensor, "n 2"]) -> Float[Tensor, "n classes"]:
        """The same logits from tables of keys, values and scores, gathered per example."""
        order = θ["W_E"].shape[0] - (self.tokens == 3)
        operands = θ["W_E"][:order]
        tables = [operands + θ["W_pos"][0], operands + θ["W_pos"][1]]
        index = [pairs[:, 0], pairs[:, 1]]
        if self.tokens == 3:
            tables.append(θ["W_E"][order:] + θ["W_pos"][2])
            index.append(torch.zeros_like(index[0]))
        normed = tables
        if self.norm_position == "pre":
            normed = [self._norm(θ, "norm1", x) for x in tables]

        q = self._project(θ, "Q", normed[-1]) / math.sqrt(self.d_model // self.heads)
        scores, values = [], []
        for x, token in zip(normed, index, strict=True):
            # One score for each (token read, token asking, head); examples pick theirs.
            table = torch.einsum("hqe,hke->kqh", q, self._project(θ, "K", x))
            scores.append(rows(table.flatten(0, 1), token * q.shape[1] + index[-1]))
            # Heads side by side, so that one gather serves them all.
            value = self._project(θ, "V", x).transpose(0, 1).flatten(1)
            values.append(rows(value, token) if len(value) > 1 else value)
        attention = torch.stack(scores, dim=-1).softmax(-1)
        z = sum(
            attention[:, :, i, None] * value.view(-1, self.heads, self.d_model // self.heads)
            for i, value in enumerate(values)
        )
        last = rows(tables[-1], index[-1]) if len(tables[-1]) > 1 else tables[-1]
        x = last + linear(z.flatten(1), θ["W_O"].flatten(0, 1), θ.get("b_O"))
        return self._after_attention(θ, x)

    def _project(self, θ: Parameters, name: str, x: Tensor) -> Tensor:
        """Queries, keys or values, the head first."""
        projected = torch.einsum("...d,hde->h...e", x, θ[f"W_{name}"])
        if not self.attention_bias:
            return projected
        bias = θ[f"b_{name}"]
        return projected + bias.view(self.heads, *[1] * (x.ndim - 1), -1)

    def _after_attention(self, θ: Parameters, x: Tensor) -> Tensor:
        """MLP, norms and unembedding: they act on each position alone."""
        if self.norm_position == "post":
            x = self._norm(θ, "norm1", x)
        y = self._norm(θ, "norm2", x) if self.norm_position == "pre" else x
        hidden = ACTIVATIONS[self.activation](linear(y, θ["W_in"], θ.get("b_in")))
        x = x + linear(hidden, θ["W_out"], θ.get("b_out"))
        if self.norm_position == "post":
            x = self._norm(θ, "norm2", x)
        if self.final_norm:
            x = self._norm(θ, "norm_final", x)
        return linear(x, θ["W_U"], θ.get("b_U"))
