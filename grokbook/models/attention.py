"""Causal attention for few positions and for many, and fixed positions."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def attention(
    q: Float[Tensor, "n asking h e"], k: Float[Tensor, "n read h e"], v: Float[Tensor, "n read h e"]
) -> Float[Tensor, "n asking h e"]:
    r"""Causal attention, $\mathrm{softmax}(QK^\top/\sqrt{e})V$; who asks stands at the end."""
    # On a CPU, batched matrix products take twice as long for so few positions.
    scores = (q[:, :, None] * k[:, None]).sum(-1) / math.sqrt(q.shape[-1])
    if (asking := q.shape[1]) > 1:
        read = k.shape[1]
        future = torch.ones(asking, read, device=q.device).triu(read - asking + 1) > 0
        scores = scores.masked_fill(future[..., None], -math.inf)
    return (scores.softmax(2)[..., None] * v[:, None]).sum(2)


def batched_attention(
    q: Float[Tensor, "n h position e"],
    k: Float[Tensor, "n h position e"],
    v: Float[Tensor, "n h position e"],
) -> Float[Tensor, "n h position e"]:
    r"""Causal attention, $\mathrm{softmax}(QK^\top/\sqrt{e})V$, as three products.

    Heads before positions, every position asking. PyTorch's own form cannot be lifted over runs.
    """
    scores = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
    future = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
    return scores.masked_fill(future, -math.inf).softmax(-1) @ v


def sinusoids(positions: int, table: Float[Tensor, "_ d"]) -> Float[Tensor, "position d"]:
    r"""Fixed positions of Vaswani et al., as wide as the table to which they are added.

    $P_{t,2i} = \sin(t\,10000^{-2i/d})$ and $P_{t,2i+1} = \cos(t\,10000^{-2i/d})$.

    >>> sinusoids(2, torch.zeros(1, 4))[1]
    tensor([0.8415, 0.5403, 0.0100, 0.9999])
    """
    column = torch.arange(table.shape[-1], dtype=torch.float64, device=table.device)
    t = torch.arange(positions, dtype=torch.float64, device=table.device)[:, None]
    angle = t * 10_000.0 ** (-(column - column % 2) / len(column))
    return torch.where(column % 2 == 0, angle.sin(), angle.cos()).to(table.dtype)
