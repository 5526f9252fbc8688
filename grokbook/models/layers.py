"""Pieces that the architectures share: activations, norms, and the ways their weights start."""

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}

LAYER_NORM_EPSILON = 1e-5  # torch.nn.LayerNorm's default, which every protocol of the book uses
RMS_NORM_EPSILON = 1e-8


def layer_norm(
    x: Float[Tensor, "*batch d"], weight: Float[Tensor, " d"], bias: Float[Tensor, " d"]
) -> Float[Tensor, "*batch d"]:
    r"""Centre and scale a vector, $(x - \bar x)/\sqrt{\mathrm{var}\,x + \epsilon}\cdot w + b$."""
    return F.layer_norm(x, x.shape[-1:], weight, bias, LAYER_NORM_EPSILON)


def rms_norm(
    x: Float[Tensor, "*batch d"], weight: Float[Tensor, " d"]
) -> Float[Tensor, "*batch d"]:
    r"""Scale each vector to root mean square 1, $x/\sqrt{\overline{x^2} + \epsilon}\cdot w$."""
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + RMS_NORM_EPSILON) * weight


def plain_norm(x: Float[Tensor, "*batch d"], kind: str) -> Float[Tensor, "*batch d"]:
    r"""A norm without weights: "layer", "rms", or "none".

    "tangent" leaves every value as it is, and takes the radial part out of what flows back:
    $\hat x \cdot \mathrm{stop}(\|x\|)$.
    """
    if kind == "layer":
        return F.layer_norm(x, x.shape[-1:], eps=LAYER_NORM_EPSILON)
    if kind == "rms":
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + RMS_NORM_EPSILON)
    if kind == "tangent":
        length = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
        return x / length * length.detach()
    return x


def linear(
    x: Float[Tensor, "*batch d"],
    weight: Float[Tensor, "d m"],
    bias: Float[Tensor, " m"] | None = None,
) -> Float[Tensor, "*batch m"]:
    """Multiply and shift, $xW + b$, in one pass over the memory."""
    return F.linear(x, weight.T, bias)


def multiplied(
    h: Float[Tensor, "*batch d"], factor: Float[Tensor, "*some d"] | None
) -> Float[Tensor, "*batch d"]:
    """Multiply by the first of as many factors as the largest batch needs, or by nothing."""
    return h if factor is None else h * factor[: len(h)].to(h.dtype)


def rows(table: Float[Tensor, "entry *rest"], index: Int[Tensor, " n"]) -> Float[Tensor, "n *rest"]:
    """Gather rows of a table, one an example; its gradient adds up what the examples send back."""
    return table.index_select(0, index)


def normal(shape: tuple[int, ...], std: float, generator: torch.Generator) -> Tensor:
    r"""Draw $N(0, \mathrm{std}^2)$ in float32, on the CPU, so that a seed is one start anywhere."""
    return torch.randn(shape, generator=generator) * std


def uniform(shape: tuple[int, ...], bound: float, generator: torch.Generator) -> Tensor:
    r"""Draw $U(-\mathrm{bound}, \mathrm{bound})$ in float32, on the CPU."""
    return (torch.rand(shape, generator=generator) * 2 - 1) * bound


def fan_in_bound(fan_in: int) -> float:
    r"""The bound $1/\sqrt{\text{fan in}}$ of `torch.nn.Linear`'s default start."""
    return 1 / math.sqrt(fan_in)
