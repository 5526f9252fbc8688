"""A multi-layer perceptron on two operands, as one-hot vectors or as learned embeddings.

`reference` multiplies one-hot vectors by the first weight matrix, as a textbook would; `forward`
looks the product up, row by row, since a one-hot vector only selects one.
"""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from grokbook.models.layers import (
    ACTIVATIONS,
    fan_in_bound,
    linear,
    multiplied,
    normal,
    plain_norm,
    rows,
    uniform,
)

Parameters = dict[str, Tensor]


@dataclass(frozen=True)
class MLP:
    """Hidden layers of equal width over the two operands, side by side, and a linear read-out.

    `embedding` "one_hot" feeds 2p inputs; "learned" gives each element a vector of
    `embedding_width` numbers, drawn from N(0, 1), shared by both operands. Weights and biases start
    as `torch.nn.Linear` does, U(±1/√fan-in). `norm` acts on the pre-activations of every hidden
    layer and has no weights; "tangent" changes no value, and lets no radial gradient through.
    """

    kind: ClassVar[str] = "mlp"

    width: int = 128
    hidden_layers: int = 1
    embedding: Literal["one_hot", "learned"] = "one_hot"
    embedding_width: int = 128
    activation: Literal["relu", "gelu"] = "relu"
    bias: bool = True
    norm: Literal["none", "layer", "rms", "tangent"] = "none"

    def __post_init__(self) -> None:
        if self.norm not in ("none", "layer", "rms", "tangent"):
            raise ValueError(
                f"norm = {self.norm!r} is not known: choose 'none', 'layer', 'rms' or 'tangent'."
            )
        if self.hidden_layers < 1:
            raise ValueError(
                f"hidden_layers = {self.hidden_layers} leaves no hidden layer: give 1 or more."
            )

    def shapes(self, order: int) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter for a task on `order` elements, in the order they are drawn."""
        learned = self.embedding == "learned"
        shapes = {"W_E": (order, self.embedding_width)} if learned else {}
        fan_in = 2 * (self.embedding_width if learned else order)
        for layer in range(1, self.hidden_layers + 1):
            shapes[f"W_{layer}"] = (fan_in, self.width)
            if self.bias:
                shapes[f"b_{layer}"] = (self.width,)
            fan_in = self.width
        shapes["W_U"] = (self.width, order)
        return shapes | ({"b_U": (order,)} if self.bias else {})

    def initialise(self, order: int, *, seed: int) -> Parameters:
        """Draw the parameters of one run in float32, on the CPU whatever the device."""
        generator = torch.Generator().manual_seed(seed)
        parameters, bound = {}, 0.0
        for name, shape in self.shapes(order).items():
            if name == "W_E":
                parameters[name] = normal(shape, 1.0, generator)
                continue
            if name.startswith("W_"):
                bound = fan_in_bound(shape[0])  # a bias takes the fan-in of its weights
            parameters[name] = uniform(shape, bound, generator)
        return parameters

    def reference(self, θ: Parameters, pairs: Int[Tensor, "n 2"]) -> Float[Tensor, "n classes"]:
        """Logits from one-hot vectors and plain matrix products."""
        if self.embedding == "learned":
            inputs = θ["W_E"][pairs]
        else:
            inputs = F.one_hot(pairs, θ["W_1"].shape[0] // 2).to(θ["W_1"].dtype)
        return self._above(θ, inputs.flatten(1) @ θ["W_1"])

    def forward(
        self,
        θ: Parameters,
        pairs: Int[Tensor, "n 2"],
        *,
        fused: bool = False,
        watch: dict[str, Tensor] | None = None,
        factors: dict[str, Tensor] | None = None,
    ) -> Float[Tensor, "n classes"]:
        """The same logits: each operand's share of the first layer is a row of a table.

        It has no pieces to fuse, so that `fused` changes nothing; `watch` is given each hidden
        layer before norm and activation ("pre_1", …) and after ("hidden_1", …); the latter are
        multiplied by `factors` of their name first.
        """
        first, second = θ["W_1"].chunk(2)
        if self.embedding == "learned":
            first, second = θ["W_E"] @ first, θ["W_E"] @ second
        return self._above(θ, rows(first, pairs[:, 0]) + rows(second, pairs[:, 1]), watch, factors)

    def _above(
        self,
        θ: Parameters,
        hidden: Float[Tensor, "n width"],
        watch: dict[str, Tensor] | None = None,
        factors: dict[str, Tensor] | None = None,
    ) -> Float[Tensor, "n classes"]:
        """Everything after the first product."""
        activation, factors = ACTIVATIONS[self.activation], factors or {}
        watch = {} if watch is None else watch
        before = hidden + θ.get("b_1", 0)
        for layer in range(1, self.hidden_layers + 1):
            if layer > 1:
                before = linear(hidden, θ[f"W_{layer}"], θ.get(f"b_{layer}"))
            hidden = activation(plain_norm(before, self.norm))
            hidden = multiplied(hidden, factors.get(f"hidden_{layer}"))
            watch |= {f"pre_{layer}": before, f"hidden_{layer}": hidden}
        return linear(hidden, θ["W_U"], θ.get("b_U"))
