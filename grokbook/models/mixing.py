"""Attention's weighted sum of values, in ordinary form and with a gradient written by hand."""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function


def mix(
    weights: Float[Tensor, "read n h"], values: Float[Tensor, "read n h e"], *, fused: bool = False
) -> Float[Tensor, "n h e"]:
    r"""Sum the values of the positions read, $\sum_i w_i V_i$, one weight a head.

    `fused` saves autograd's intermediate sums on a CPU; it has no second derivative.
    """
    if fused:
        return _Mix.apply(weights.contiguous(), values)
    return (weights[..., None] * values).sum(0)


class _Mix(Function):
    @staticmethod
    def forward(
        ctx: Any, weights: Float[Tensor, "read n h"], values: Float[Tensor, "read n h e"]
    ) -> Float[Tensor, "n h e"]:
        """Add up in place."""
        out = weights[0, ..., None] * values[0]
        for w, value in zip(weights[1:], values[1:], strict=True):
            out.addcmul_(w[..., None], value)
        ctx.save_for_backward(weights, values)
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Float[Tensor, "n h e"]) -> tuple[Tensor, Tensor]:
        """Gradients with respect to the weights and to the values."""
        weights, values = ctx.saved_tensors
        to_weights = torch.stack([(gradient * value).sum(-1) for value in values])
        return to_weights, weights[..., None] * gradient
