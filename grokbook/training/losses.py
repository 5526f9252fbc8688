"""Cross-entropy at a stated precision, and what a training example still feels of it.

On a CPU a float64 log-softmax over a full batch costs as much as the attention; the fused form
takes it through the cache a slice of rows at a time and computes one exponential, not two.
"""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.autograd import Function

ROWS = 960  # 960 · 114 float64 logits are 0.9 MB
FUSED_FROM = 2**16  # logits; fewer lie in cache anyway, and slices would cost more than they save


def cross_entropy(
    logits: Float[Tensor, "n *answer classes"],
    labels: Int[Tensor, "n *answer"],
    *,
    precision: str = "float64",
    fused: bool = False,
) -> Float[Tensor, ""]:
    r"""Mean cross-entropy in nats, $\frac1n\sum_i [\log\sum_c e^{z_{ic}} - z_{iy_i}]$.

    The mean is over the examples, and over the places of an answer that has several. The
    log-softmax is taken in `precision`, the gradient comes back in that of the logits. `fused`
    needs a CPU and float64, and is used from 65,536 logits on; it has no second derivative.
    """
    logits, labels = logits.flatten(0, -2), labels.flatten()
    if fused and precision == "float64" and logits.numel() >= FUSED_FROM:
        return _InCache.apply(logits, labels)
    return F.cross_entropy(logits.to(getattr(torch, precision)), labels)


def mean_squared_error(
    logits: Float[Tensor, "n classes"], labels: Int[Tensor, " n"], *, precision: str = "float64"
) -> Float[Tensor, ""]:
    r"""Mean squared distance from one-hot answers, $\frac1{nC}\sum_{ic}(z_{ic} - 1[c = y_i])^2$."""
    logits = logits.to(getattr(torch, precision))
    answers = labels[:, None] == torch.arange(logits.shape[-1], device=logits.device)
    return (logits - answers.to(logits.dtype)).square().mean()


class _InCache(Function):
    """Loss and gradient in one pass over slices of rows."""

    @staticmethod
    def forward(
        ctx: Any, logits: Float[Tensor, "n classes"], labels: Int[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        """Keep the gradient, already in the precision of the logits."""
        gradient, loss = torch.empty_like(logits), logits.new_zeros((), dtype=torch.float64)
        each = 1 / len(labels)
        room = logits.new_empty(min(ROWS, len(logits)), logits.shape[1], dtype=torch.float64)
        slices = zip(*(t.split(ROWS) for t in (logits, gradient, labels[:, None])), strict=True)
        for z, g, label in slices:
            p = room[: len(z)].copy_(z)
            p -= p.amax(-1, keepdim=True)
            right = p.gather(1, label)
            total = p.exp_().sum(-1, keepdim=True)
            loss += (total.log() - right).sum()
            p *= each / total
            p.scatter_add_(1, label, p.new_full((len(p), 1), -each))
            g.copy_(p)
        ctx.save_for_backward(gradient)
        return loss * each

    @staticmethod
    def backward(ctx: Any, upstream: Float[Tensor, ""]) -> tuple[Tensor, None]:
        """Scale it, by 1 wherever the loss is what is minimised."""
        (gradient,) = ctx.saved_tensors
        return gradient * upstream.to(gradient.dtype) if upstream.item() != 1 else gradient, None


def collapsed(
    gradient: Float[Tensor, "n *answer classes"], labels: Int[Tensor, "n *answer"]
) -> dict[str, Bool[Tensor, "n *answer"]]:
    r"""Which examples have exactly zero loss gradient, by the gradient of the logits.

    `correct_logit` is softmax collapse {cite}`prieto2025grokking`: $\sum_c e^{z_c}$ rounds to
    $e^{z_y}$, so that the loss and its derivative in $z_y$ are 0. `all_logits` asks it of every
    class: such an example moves nothing at all.
    """
    right = gradient.gather(-1, labels[..., None])[..., 0]
    return {"correct_logit": right == 0, "all_logits": (gradient == 0).all(-1)}
