r"""A network of one hidden layer that squares: Gromov's, which has an exact solution.

`reference` multiplies one-hot vectors, as the formula is written; `forward` adds one row of a table
for each operand.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from grokbook.models.layers import multiplied, normal, rows

Parameters = dict[str, Tensor]


@dataclass(frozen=True)
class Quadratic:
    r"""$f(x) = \frac{1}{DN}\,W_2\,(W_1 x)^2$ of two one-hot operands, D = 2p, no biases.

    {cite:t}`gromov2023grokking`: N = `width` neurons, all weights drawn from N(0, 1). `W_1` is
    stored as (2p, N) and `W_2` as (N, p), inputs first, as in the other architectures.
    """

    kind: ClassVar[str] = "quadratic"

    width: int = 500

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"width = {self.width} leaves no neuron: give 1 or more.")

    def shapes(self, order: int) -> dict[str, tuple[int, ...]]:
        """Shape of each parameter for a task on `order` elements, in the order they are drawn."""
        return {"W_1": (2 * order, self.width), "W_2": (self.width, order)}

    def initialise(self, order: int, *, seed: int) -> Parameters:
        """Draw the parameters of one run in float32, on the CPU whatever the device."""
        generator = torch.Generator().manual_seed(seed)
        return {name: normal(shape, 1.0, generator) for name, shape in self.shapes(order).items()}

    def reference(self, θ: Parameters, pairs: Int[Tensor, "n 2"]) -> Float[Tensor, "n classes"]:
        """Outputs from one-hot vectors and plain matrix products."""
        inputs, width = len(θ["W_1"]), θ["W_1"].shape[1]
        x = F.one_hot(pairs, inputs // 2).to(θ["W_1"].dtype).flatten(1)
        return (x @ θ["W_1"]) ** 2 @ θ["W_2"] / (inputs * width)

    def forward(
        self,
        θ: Parameters,
        pairs: Int[Tensor, "n 2"],
        *,
        fused: bool = False,
        watch: dict[str, Tensor] | None = None,
        factors: dict[str, Tensor] | None = None,
    ) -> Float[Tensor, "n classes"]:
        """The same outputs from two tables of rows.

        It has no pieces to fuse, so that `fused` changes nothing; `watch` is given the squares
        ("hidden_1"), multiplied by `factors` of that name first.
        """
        first, second = θ["W_1"].chunk(2)
        squares = (rows(first, pairs[:, 0]) + rows(second, pairs[:, 1])).square()
        squares = multiplied(squares, (factors or {}).get("hidden_1"))
        if watch is not None:
            watch |= {"hidden_1": squares}
        return squares @ θ["W_2"] / θ["W_1"].numel()
