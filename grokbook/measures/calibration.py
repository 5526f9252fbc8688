r"""How far a network is under-confident: cross-entropy less the entropy of its predictions."""

from jaxtyping import Float, Int
from torch import Tensor


def calibration_gap(
    logits: Float[Tensor, "*batch classes"], labels: Int[Tensor, "*batch"]
) -> Float[Tensor, ""]:
    r"""$CE - H$ in nats, the means over the examples; negative where it is under-confident.

    $\frac1n\sum_{ic} z_{ic}(p_{ic} - y_{ic})$ (chapter 03): times the degree it is
    $\langle\theta,\nabla L\rangle$ of the weights in which the logits are homogeneous. It is at
    least $-W((C-1)/e)$, W Lambert's function.

    >>> import torch
    >>> gap = calibration_gap(torch.tensor([[1.0, -1.0]]), torch.tensor([0]))
    >>> round(gap.item(), 4)
    -0.2384
    """
    return confidence(logits, labels).mean()


def confidence(
    logits: Float[Tensor, "*batch classes"], labels: Int[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    r"""$\ell - H$ of each example in nats; negative where its prediction is under-confident.

    $\sum_c z_c(p_c - y_c)$, and $\langle h, \nabla_h\ell\rangle$ of an activation h behind which
    there are ReLUs and no biases (chapter 04).
    """
    logits = logits.double()
    right = logits.gather(-1, labels[..., None])[..., 0]
    return (logits.softmax(-1) * logits).sum(-1) - right


def mean_margin(
    logits: Float[Tensor, "*batch classes"], labels: Int[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    r"""$\gamma = z_y - \sum_{c \ne y}w_cz_c$, w the softmax of the wrong classes (chapter 04).

    w stands still in the gradient, so that $\nabla\ell = -(1 - p_y)\nabla\gamma$;
    $\ell - H = -(1 - p_y)\gamma$.

    >>> import torch
    >>> mean_margin(torch.tensor([[3.0, 1.0, 1.0]]), torch.tensor([0])).tolist()
    [2.0]
    """
    logits, right = logits.double(), labels[..., None]
    w = logits.detach().scatter(-1, right, float("-inf")).softmax(-1)
    return logits.gather(-1, right)[..., 0] - (w * logits).sum(-1)
