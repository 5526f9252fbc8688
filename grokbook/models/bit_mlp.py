"""A multi-layer perceptron that reads a word of bits."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grokbook.models.layers import ACTIVATIONS, fan_in_bound, linear, multiplied, uniform

Parameters = dict[str, Tensor]


@dataclass(frozen=True)
class BitMLP:
    r"""Hidden layers of equal width over the signs $1 - 2x_i$ of the bits, and two logits.

    Weights and biases start as `torch.nn.Linear` does, U(±1/√fan-in).
    """

    kind: ClassVar[str] = "bit_mlp"

    width: int = 128
    hidden_layers: int = 2
    activation: Literal["relu", "gelu"] = "relu"

    def __post_init__(self) -> None:
        if self.hidden_layers < 1:
            raise ValueError(
                f"hidden_layers = {self.hidden_layers} leaves no hidden layer: give 1 or more."
            )

    def shapes(self, order: int) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter for words of `order` bits, in the order they are drawn."""
        shapes, fan_in = {}, order
        for layer in range(1, self.hidden_layers + 1):
            shapes |= {f"W_{layer}": (fan_in, self.width), f"b_{layer}": (self.width,)}
            fan_in = self.width
        return shapes | {"W_U": (fan_in, 2), "b_U": (2,)}

    def initialise(self, order: int, *, seed: int) -> Parameters:
        """Draw the parameters of one run in float32, on the CPU whatever the device."""
        generator = torch.Generator().manual_seed(seed)
        parameters, bound = {}, 0.0
        for name, shape in self.shapes(order).items():
            if name.startswith("W_"):
                bound = fan_in_bound(shape[0])  # a bias takes the fan-in of its weights
            parameters[name] = uniform(shape, bound, generator)
        return parameters

    def reference(self, θ: Parameters, words: Int[Tensor, "n bits"]) -> Float[Tensor, "n 2"]:
        """Logits from the signs of the bits, written out."""
        activation, x = ACTIVATIONS[self.activation], 1.0 - 2.0 * words.to(θ["W_1"].dtype)
        for layer in range(1, self.hidden_layers + 1):
            x = activation(x @ θ[f"W_{layer}"] + θ[f"b_{layer}"])
        return x @ θ["W_U"] + θ["b_U"]

    def forward(
        self,
        θ: Parameters,
        words: Int[Tensor, "n bits"],
        *,
        fused: bool = False,
        watch: dict[str, Tensor] | None = None,
        factors: dict[str, Tensor] | None = None,
    ) -> Float[Tensor, "n 2"]:
        """The same logits; `fused` changes nothing, `watch` is given "hidden_1" and so on.

        They are multiplied by `factors` of their name first.
        """
        activation, hidden = ACTIVATIONS[self.activation], 1.0 - 2.0 * words.to(θ["W_1"].dtype)
        watch, factors = {} if watch is None else watch, factors or {}
        for layer in range(1, self.hidden_layers + 1):
            hidden = activation(linear(hidden, θ[f"W_{layer}"], θ[f"b_{layer}"]))
            hidden = multiplied(hidden, factors.get(f"hidden_{layer}"))
            watch[f"hidden_{layer}"] = hidden
        return linear(hidden, θ["W_U"], θ["b_U"])
