"""A causal decoder of several layers that reads `a b =`, `a op b =` or `<eos> a op b =`.

Two forms compute the same logits. `reference` is the textbook: every position of every example.
`forward` is the engine's: under a causal mask a position depends on what stands before it alone, so
that the positions before b have one row for each first operand instead of one for each example; the
first layer projects elements instead of examples, and the last one answers at "=" only.
"""

import math
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grokbook.models.attention import attention, sinusoids
from grokbook.models.feed_forward import feed_forward
from grokbook.models.layers import (
    fan_in_bound,
    layer_norm,
    linear,
    normal,
    plain_norm,
    rows,
    uniform,
)

Parameters = dict[str, Tensor]

SPECIAL = ("=", "op", "<eos>")  # the rows of W_E after the operands, as far as the prefix has them


@dataclass(frozen=True)
class Decoder:
    r"""Layers of causal attention and MLP over the `prefix`; the answer is read at its "=".

    The defaults are Power et al.'s, without the end of sequence that their loss asks for after the
    answer. `norm_position` places a LayerNorm after ("post") or before ("pre") each block; "lee24"
    is "pre" except that the attention block adds to the normed stream, as Lee et al.'s code does;
    without `norm_affine` the norms have no weights.
    `positions` are parameters or fixed sines. `special_classes` lets the special tokens of the
    prefix be predicted too. `init` "linear" is `torch.nn.Linear` and `Embedding` at their defaults,
    U(±1/√fan-in) and N(0, 1); "encoder" starts attention as `torch.nn.MultiheadAttention` does.
    """

    kind: ClassVar[str] = "decoder"

    layers: int = 2
    d_model: int = 128
    heads: int = 4
    d_mlp: int = 512
    prefix: Literal["a b =", "a op b =", "<eos> a op b ="] = "<eos> a op b ="
    activation: Literal["relu", "gelu"] = "relu"
    norm_position: Literal["pre", "post", "lee24"] = "post"
    final_norm: bool = False
    norm_affine: bool = True
    positions: Literal["learned", "sinusoidal"] = "sinusoidal"
    attention_bias: bool = False
    mlp_bias: bool = False
    unembedding_bias: bool = False
    special_classes: bool = False
    init: Literal["linear", "encoder"] = "linear"

    def __post_init__(self) -> None:
        for item in fields(self):
            value, known = getattr(self, item.name), get_args(item.type)
            if item.type is int and value < 1:
                raise ValueError(f"{item.name} = {value} is too few: give 1 or more.")
            if known and value not in known:
                choices = ", ".join(map(repr, known))
                raise ValueError(f"{item.name} = {value!r} is not known: choose from {choices}.")
        if self.d_model % self.heads:
            raise ValueError(
                f"d_model = {self.d_model} does not divide into {self.heads} heads: "
                "choose a multiple of the number of heads."
            )

    # -- parameters -----------------------------------------------------------------------------

    def shapes(self, order: int) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter for a task on `order` elements, in the order they are drawn."""
        d, h, m = self.d_model, self.heads, self.d_mlp
        vocabulary = order + len(self._words) - 2
        classes = vocabulary if self.special_classes else order
        block = {f"W_{name}": (h, d, d // h) for name in "QKV"} | {"W_O": (h, d // h, d)}
        block |= {"W_in": (d, m), "W_out": (m, d)}
        if self.attention_bias:
            block |= {f"b_{name}": (h, d // h) for name in "QKV"} | {"b_O": (d,)}
        if self.mlp_bias:
            block |= {"b_in": (m,), "b_out": (d,)}
        if self.norm_affine:
            block |= {f"{norm}_{part}": (d,) for norm in ("norm1", "norm2") for part in "wb"}
        shapes = {"W_E": (vocabulary, d)}
        if self.positions == "learned":
            shapes["W_pos"] = (len(self._words), d)
        for layer in range(1, self.layers + 1):
            shapes |= {f"{name}_{layer}": shape for name, shape in block.items()}
        if self.final_norm and self.norm_affine:
            shapes |= {"norm_w_final": (d,), "norm_b_final": (d,)}
        shapes["W_U"] = (d, classes)
        return shapes | ({"b_U": (classes,)} if self.unembedding_bias else {})

    def initialise(self, order: int, *, seed: int) -> Parameters:
        """Draw the parameters of one run in float32, on the CPU whatever the device."""
        generator = torch.Generator().manual_seed(seed)
        return {
            name: self._start(name, shape, generator) for name, shape in self.shapes(order).items()
        }

    def _start(self, name: str, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        if name.startswith("norm"):
            return torch.ones(shape) if "_w_" in name else torch.zeros(shape)
        if name in ("W_E", "W_pos"):
            return normal(shape, 1.0, generator)
        if self.init == "encoder" and name[:3] in ("W_Q", "W_K", "W_V"):
            # torch.nn.MultiheadAttention draws the three as one (3d, d) matrix, Xavier-uniform.
            return uniform(shape, math.sqrt(6 / (4 * self.d_model)), generator)
        if self.init == "encoder" and name[:3] in ("b_Q", "b_K", "b_V", "b_O"):
            return torch.zeros(shape)
        fan_in = self.d_mlp if "_out_" in name else self.d_model
        return uniform(shape, fan_in_bound(fan_in), generator)

    # -- the two forms --------------------------------------------------------------------------

    def reference(self, θ: Parameters, pairs: Int[Tensor, "n 2"]) -> Float[Tensor, "n classes"]:
        """Logits at "=", computed at every position of every example as a textbook would."""
        tokens = [
            pairs[:, "ab".index(word)] if row is None else torch.full_like(pairs[:, 0], row)
            for word, row in self._prefix(θ)
        ]
        x = θ["W_E"][torch.stack(tokens, dim=1)] + self._places(θ)
        for layer in range(1, self.layers + 1):
            x, read = self._read(θ, layer, x)
            q, k, v = (self._project(θ, f"{name}_{layer}", read) for name in "QKV")
            x = self._blocks(θ, layer, x, attention(q, k, v))
        return self._read_out(θ, x[:, -1])

    def forward(
        self,
        θ: Parameters,
        pairs: Int[Tensor, "n 2"],
        *,
        fused: bool = False,
        watch: dict[str, Tensor] | None = None,
    ) -> Float[Tensor, "n classes"]:
        """The same logits, the positions before b computed once for each first operand.

        `fused` uses the MLP whose gradient is written by hand for a CPU. `watch` is given what each
        layer's blocks add to the residual stream ("attention_out_1", "mlp_out_1", …) and the stream
        after both, before a norm ("residual_1", …): of each example the positions that are read
        above, the last of which is "=". A gradient can be taken at them.
        """
        a, b = pairs.unbind(1)
        # One row for each element: as first operand in the head, as second in the tail.
        head, tail = self._table(θ).tensor_split([-2], dim=1)
        for layer in range(1, self.layers + 1):
            top = layer == self.layers  # where nothing but "=" is read any more
            head, read = self._read(θ, layer, head)
            before = [self._project(θ, f"{name}_{layer}", read) for name in "KV"]
            if not top:
                q = self._project(θ, f"Q_{layer}", read)
                head = self._blocks(θ, layer, head, attention(q, *before), fused=fused)
            tail, read = self._read(θ, layer, tail)
            here = [self._project(θ, f"{name}_{layer}", read) for name in "KV"]
            if top:
                tail, read = tail[:, -1:], read[:, -1:]
            q = self._project(θ, f"Q_{layer}", read)
            if layer == 1:
                tail, q, *here = (rows(each, b) for each in (tail, q, *here))
            k, v = (torch.cat([rows(x, a), y], 1) for x, y in zip(before, here, strict=True))
            tail = self._blocks(θ, layer, tail, attention(q, k, v), fused=fused, watch=watch)
        return self._read_out(θ, tail[:, -1])

    # -- pieces of both -------------------------------------------------------------------------

    @property
    def _words(self) -> list[str]:
        return self.prefix.split()

    def _prefix(self, θ: Parameters) -> list[tuple[str, int | None]]:
        """Each word of the prefix and its row of `W_E`, None for an operand."""
        order = len(θ["W_E"]) - len(self._words) + 2
        return [(w, None if w in "ab" else order + SPECIAL.index(w)) for w in self._words]

    def _table(self, θ: Parameters) -> Float[Tensor, "order position d"]:
        """The prefix once for each element, which stands for both operands."""
        W_E, prefix = θ["W_E"], self._prefix(θ)
        order = dict(prefix)["="]
        columns = [W_E[:order] if row is None else W_E[row].expand(order, -1) for _, row in prefix]
        return torch.stack(columns, dim=1) + self._places(θ)

    def _places(self, θ: Parameters) -> Float[Tensor, "position d"]:
        return θ["W_pos"] if self.positions == "learned" else sinusoids(len(self._words), θ["W_E"])

    def _read(
        self, θ: Parameters, layer: int, x: Float[Tensor, "n position d"]
    ) -> tuple[Float[Tensor, "n position d"], Float[Tensor, "n position d"]]:
        """What attention adds to, and what it reads."""
        if self.norm_position == "post":
            return x, x
        read = self._norm(θ, "norm1", layer, x)
        return (read if self.norm_position == "lee24" else x), read

    def _project(
        self, θ: Parameters, name: str, x: Float[Tensor, "n position d"]
    ) -> Float[Tensor, "n position h e"]:
        """Queries, keys or values."""
        weight = θ[f"W_{name}"].transpose(0, 1).flatten(1)
        bias = θ[f"b_{name}"].flatten() if self.attention_bias else None
        return linear(x, weight, bias).unflatten(-1, (self.heads, -1))

    def _blocks(
        self,
        θ: Parameters,
        layer: int,
        x: Float[Tensor, "n position d"],
        z: Float[Tensor, "n position h e"],
        *,
        fused: bool = False,
        watch: dict[str, Tensor] | None = None,
    ) -> Float[Tensor, "n position d"]:
        """The two blocks of a layer from the mixed values `z` on, each position alone."""
        post = self.norm_position == "post"
        attended = linear(z.flatten(-2), θ[f"W_O_{layer}"].flatten(0, 1), θ.get(f"b_O_{layer}"))
        x = x + attended
        if post:
            x = self._norm(θ, "norm1", layer, x)
        y = x if post else self._norm(θ, "norm2", layer, x)
        weights = [θ.get(f"{name}_{layer}") for name in ("W_in", "b_in", "W_out", "b_out")]
        added = feed_forward(y.flatten(0, 1), *weights, activation=self.activation, fused=fused)
        x = x + (added := added.view_as(x))
        if watch is not None:
            met = {"attention_out": attended, "mlp_out": added, "residual": x}
            watch |= {f"{name}_{layer}": activations for name, activations in met.items()}
        return self._norm(θ, "norm2", layer, x) if post else x

    def _norm(
        self, θ: Parameters, name: str, layer: int | str, x: Float[Tensor, "*batch d"]
    ) -> Float[Tensor, "*batch d"]:
        if not self.norm_affine:
            return plain_norm(x, "layer")
        return layer_norm(x, θ[f"{name}_w_{layer}"], θ[f"{name}_b_{layer}"])

    def _read_out(self, θ: Parameters, x: Float[Tensor, "n d"]) -> Float[Tensor, "n classes"]:
        x = self._norm(θ, "norm", "final", x) if self.final_norm else x
        return linear(x, θ["W_U"], θ.get("b_U"))
