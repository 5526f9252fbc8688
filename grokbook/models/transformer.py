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

from grokbook.models.feed_forward import feed_forward
from grokbook.models.layers import (
    fan_in_bound,
    layer_norm,
    linear,
    normal,
    rms_norm,
    rows,
    uniform,
)
from grokbook.models.mixing import mix

Parameters = dict[str, Tensor]


@dataclass(frozen=True)
class Transformer:
    """One layer of attention and MLP, with the options that the papers of the book differ in.

    `tokens` = 3 appends "=", 2 reads out at b. `norm_position` places `norm` nowhere ("none"),
    before ("pre") or after ("post") each of the two blocks; `final_norm` adds one before the
    unembedding. `equals_is_class` lets "=" be predicted too (114 logits at p = 113), as Nanda et
    al.'s code does. `attention_rate` is the α of Zhong et al.: the attention weights are α softmax
    + (1 − α), so that at 0 every position is added as it is. `init` names whose start: "nanda23"
    draws N(0, 1/d_model) (unembedding N(0, 1/vocabulary)) and zero biases, "zhong23" the same but
    N(0, 1/d_mlp) for `W_in`; "linear" is `torch.nn.Linear` and `Embedding` at their defaults;
    "encoder" is `torch.nn.TransformerEncoderLayer` at its defaults. `embedding_scale` multiplies
    the start of `W_E` and `W_pos`.
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
    init: Literal["nanda23", "zhong23", "linear", "encoder"] = "nanda23"
    attention_rate: float | int = 1.0
    embedding_scale: float | int = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.embedding_scale < math.inf:
            raise ValueError(
                f"embedding_scale = {self.embedding_scale!r} is no scale: give a positive number."
            )
        object.__setattr__(self, "embedding_scale", float(self.embedding_scale))
        if not 0 <= self.attention_rate <= 1:
            raise ValueError(
                f"attention_rate = {self.attention_rate!r} is no share: give a number from 0 to 1."
            )
        object.__setattr__(self, "attention_rate", float(self.attention_rate))
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
        start = {
            name: self._start(name, shape, generator) for name, shape in self.shapes(order).items()
        }
        for name in ("W_E", "W_pos"):
            start[name] *= self.embedding_scale
        return start

    def _start(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        if name.startswith("norm"):
            return torch.ones(shape) if name.endswith("_w") else torch.zeros(shape)
        if self.init in ("nanda23", "zhong23"):
            if name.startswith("b_"):
                return torch.zeros(shape)
            wide = name == "W_U" or (name == "W_in" and self.init == "zhong23")
            width = shape[1] if wide else self.d_model
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
        y = self._norm(θ, "norm1", x) if self._pre else x
        q, k, v = (self._project(θ, name, y) for name in "QKV")
        scores = torch.einsum("hnqe,hnke->hnqk", q, k) / math.sqrt(self.d_model // self.heads)
        attention = self.attention_rate * scores.softmax(-1) + (1 - self.attention_rate)
        z = torch.einsum("hnqk,hnke->hnqe", attention, v)
        x = x + torch.einsum("hnqe,hed->nqd", z, θ["W_O"]) + θ.get("b_O", 0)
        return self._after_attention(θ, x)[:, -1]

    def forward(
        self,
        θ: Parameters,
        pairs: Int[Tensor, "n 2"],
        *,
        fused: bool = False,
        watch: dict[str, Tensor] | None = None,
    ) -> Float[Tensor, "n classes"]:
        """The same logits from tables of keys, values and scores, gathered per example.

        `fused` uses the pieces whose gradients are written by hand for a CPU; `watch` is given what
        the MLP reads ("mlp_in"), what it adds to the residual stream ("mlp_out") and the stream
        after it ("residual").
        """
        table = self._table(θ)
        order, heads = (len(table) - (self.tokens == 3)) // 2, self.heads
        read = self._norm(θ, "norm1", table) if self._pre else table
        asking = slice(2 * order, None) if self.tokens == 3 else slice(order, None)
        query = self._heads(θ, "Q", read[asking]).unflatten(-1, (heads, -1))
        query = (query / math.sqrt(query.shape[-1])).permute(1, 2, 0)
        key, value = self._heads(θ, "KV", read).chunk(2, dim=-1)
        # One score for each (head, entry read, entry asking); examples pick theirs.
        scores = key.unflatten(-1, (heads, -1)).transpose(0, 1) @ query

        entries = pairs.T + order * torch.arange(2, device=pairs.device)[:, None]
        asked = entries * scores.shape[-1] + (pairs[:, 1] if self.tokens == 2 else 0)
        picked = scores.flatten(1).index_select(1, asked.flatten()).unflatten(1, asked.shape)
        base = table[asking] + θ["b_O"] if self.attention_bias else table[asking]
        W_O = θ["W_O"].flatten(0, 1)
        if self.tokens == 3:
            # What the weights sum to is known: the value of "=" goes into the base, the others are
            # what differs from it, and one gather and one product less are needed.
            picked = torch.cat([picked, scores[:, -1:].expand(-1, -1, len(pairs))], dim=1)
            total = self.attention_rate + 3 * (1 - self.attention_rate)
            value, base = value[:-1] - value[-1], base + value[-1:] @ W_O * total
        attention = picked.softmax(1).permute(1, 2, 0)[:2]
        if self.attention_rate != 1:
            attention = self.attention_rate * attention + (1 - self.attention_rate)
        gathered = rows(value, entries.flatten()).unflatten(0, entries.shape)
        z = mix(attention, gathered.unflatten(-1, (heads, -1)), fused=fused).flatten(-2)
        if self.tokens == 3:
            x = linear(z, W_O, base[0])
        else:
            x = linear(z, W_O) + rows(base, pairs[:, 1])
        return self._after_attention(θ, x, fused=fused, watch=watch)

    def _table(self, θ: Parameters) -> Float[Tensor, "entry d"]:
        """What enters attention: each element at the first place, at the second, and "="."""
        order = θ["W_E"].shape[0] - (self.tokens == 3)
        operands, position = θ["W_E"][:order], θ["W_pos"].unbind(0)
        entries = [operands + position[0], operands + position[1]]
        if self.tokens == 3:
            entries.append(θ["W_E"][order:] + position[2])
        return torch.cat(entries)

    @property
    def _pre(self) -> bool:
        return self.norm_position == "pre"

    def _heads(
        self, θ: Parameters, names: str, x: Float[Tensor, "entry d"]
    ) -> Float[Tensor, "entry _"]:
        """Queries, or keys and values, of a table: the heads side by side, one product for all."""
        weight = torch.cat([θ[f"W_{name}"] for name in names]).transpose(0, 1).flatten(1)
        if not self.attention_bias:
            return linear(x, weight)
        return linear(x, weight, torch.cat([θ[f"b_{name}"] for name in names]).flatten())

    def _project(
        self, θ: Parameters, name: str, x: Float[Tensor, "n position d"]
    ) -> Float[Tensor, "h n position e"]:
        """Queries, keys or values of every position, the head first."""
        projected = torch.einsum("npd,hde->hnpe", x, θ[f"W_{name}"])
        if not self.attention_bias:
            return projected
        return projected + θ[f"b_{name}"][:, None, None]

    def _after_attention(
        self,
        θ: Parameters,
        x: Float[Tensor, "*n d"],
        *,
        fused: bool = False,
        watch: dict[str, Tensor] | None = None,
    ) -> Float[Tensor, "*n classes"]:
        """MLP, norms and unembedding: they act on each position alone."""
        if self.norm_position == "post":
            x = self._norm(θ, "norm1", x)
        block = θ["W_in"], θ.get("b_in"), θ["W_out"], θ.get("b_out")
        y = self._norm(θ, "norm2", x) if self._pre else x
        if self._pre:
            after = x + feed_forward(y, *block, activation=self.activation, fused=fused)
        else:
            after = feed_forward(y, *block, activation=self.activation, residual=True, fused=fused)
        if watch is not None:
            watch |= {"mlp_in": y, "mlp_out": after - x, "residual": after}
        x = after
        if self.norm_position == "post":
            x = self._norm(θ, "norm2", x)
        if self.final_norm:
            x = self._norm(θ, "norm_final", x)
        return linear(x, θ["W_U"], θ.get("b_U"))
