"""The two linear maps of a transformer's MLP, in ordinary form and in the CPU's cache.

The hidden activations of a full batch do not fit a core's cache: at p = 113 they are 8 MB, and
writing them out and reading them back costs as much as a third of the products. The fused form
takes `ROWS` examples at a time through both maps, adds the biases and applies the activation while
they lie in cache, and does the same on the way back. A test holds the two forms together.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd import Function

from grokbook.models.layers import ACTIVATIONS, linear

ROWS = 512  # 512 · 512 floats are 1 MB, half of a second-level cache


def feed_forward(
    x: Float[Tensor, "*batch d"],
    W_in: Float[Tensor, "d m"],
    b_in: Float[Tensor, " m"] | None,
    W_out: Float[Tensor, "m d"],
    b_out: Float[Tensor, " d"] | None,
    *,
    activation: str,
    residual: bool = False,
    fused: bool = False,
) -> Float[Tensor, "*batch d"]:
    r"""The MLP block, $\mathrm{act}(x W_{in} + b_{in}) W_{out} + b_{out}$.

    `residual` adds x. `fused` computes the same on a CPU with a gradient written by hand, for rows
    of vectors with both biases; it has no second derivative and cannot be lifted by
    `torch.func.vmap`.
    """
    if fused and b_in is not None and b_out is not None and x.ndim == 2:
        return _InCache.apply(x, W_in, b_in, W_out, b_out, activation, residual)
    hidden = ACTIVATIONS[activation](linear(x, W_in, b_in))
    out = linear(hidden, W_out, b_out)
    return x + out if residual else out


class _InCache(Function):
    """The block a slice of rows at a time, forward and back."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Float[Tensor, "n d"],
        W_in: Float[Tensor, "d m"],
        b_in: Float[Tensor, " m"],
        W_out: Float[Tensor, "m d"],
        b_out: Float[Tensor, " d"],
        activation: str,
        residual: bool,
    ) -> Float[Tensor, "n d"]:
        """Keep what the way back needs: hidden activations, and for GELU what went into it."""
        out, hidden = torch.empty_like(x), x.new_empty(len(x), W_in.shape[1])
        before = hidden if activation == "relu" else torch.empty_like(hidden)
        slices = zip(*(t.split(ROWS) for t in (x, out, hidden, before)), strict=True)
        for x_rows, out_rows, h, u in slices:
            torch.mm(x_rows, W_in, out=u).add_(b_in)
            if activation == "relu":
                h.relu_()
            else:
                torch.ops.aten.gelu.out(u, out=h)
            torch.mm(h, W_out, out=out_rows).add_(b_out)
            if residual:
                out_rows += x_rows
        ctx.save_for_backward(x, W_in, W_out, hidden, before)
        ctx.activation, ctx.residual = activation, residual
        return out

    @staticmethod
    def backward(ctx: Any, gradient: Float[Tensor, "n d"]) -> tuple[Tensor | None, ...]:
        """Gradients with respect to x, W_in, b_in, W_out, b_out."""
        x, W_in, W_out, hidden, before = ctx.saved_tensors
        to_x, to_W_in = torch.empty_like(x), torch.empty_like(W_in)
        # Accumulated as its transpose, and W_in transposed once: the faster order of the products.
        to_W_out, to_b_in = torch.empty_like(W_out.T), x.new_zeros(W_in.shape[1])
        W_in_T = W_in.T.contiguous()
        room = x.new_empty(min(ROWS, len(x)), W_in.shape[1])
        tensors = (gradient.contiguous(), x, to_x, hidden, before)
        slices = zip(*(t.split(ROWS) for t in tensors), strict=True)
        for i, (g, x_rows, to_x_rows, h, u) in enumerate(slices):
            kept = min(i, 1)  # the first slice overwrites, the others add
            to_W_out.addmm_(g.T, h, beta=kept)
            to_u = torch.mm(g, W_out.T, out=room[: len(g)])
            if ctx.activation == "relu":
                # In place, since cache is short: autograd then refuses a second way back.
                to_u *= h.sign_()
            else:
                torch.ops.aten.gelu_backward.grad_input(to_u, u, grad_input=to_u)
            to_b_in += to_u.sum(0)
            to_W_in.addmm_(x_rows.T, to_u, beta=kept)
            torch.mm(to_u, W_in_T, out=to_x_rows)
            if ctx.residual:
                to_x_rows += g
        return to_x, to_W_in, to_b_in, to_W_out.T, gradient.sum(0), None, None
