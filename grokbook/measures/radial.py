r"""How much of a gradient at an activation is radial, and what chance would make of it."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor


def radial_energy(
    h: Float[Tensor, "*batch d"], g: Float[Tensor, "*batch d"]
) -> Float[Tensor, "*batch"]:
    r"""$\tilde\Phi = d\,\langle\hat h, g\rangle^2/\|g\|^2$ of each activation (chapter 04).

    d along h, 0 across, 1 in the mean over isotropic g. NaN where the gradient is 0: it has no
    direction.

    >>> g = torch.tensor([[2.0, 0.0], [0.0, 1.0], [1.0, 1.0]])
    >>> radial_energy(torch.tensor([3.0, 0.0]).expand(3, 2), g).round(decimals=9).tolist()
    [2.0, 0.0, 1.0]
    """
    h, g = _unit(h.double()), _unit(g.double())
    return h.shape[-1] * (h * g).sum(-1).square()


def masked_null(
    h: Float[Tensor, "*batch d"], active: Bool[Tensor, "*batch d"]
) -> Float[Tensor, "*batch"]:
    r"""$\frac d{|S|}\|h_S\|^2/\|h\|^2$: the mean of $\tilde\Phi$ for g isotropic on S (chapter 04).

    The gradient behind a ReLU lives on the active units S alone; this is what it would be by
    chance, given h.
    """
    square = h.double().square()
    on = (square * active).sum(-1)
    return h.shape[-1] * on / (active.sum(-1) * square.sum(-1))


def balanced_ratio(
    gap: Float[Tensor, "*batch"], strength: float | Float[Tensor, "*batch"]
) -> Float[Tensor, "*batch"]:
    r"""$\frac12(1 + \sqrt{1 - 2(\mathrm{CE} - H)/\lambda})$: $\|h\|/\sqrt d$ of the last penalised
    layer at a stationary point, were all norms alike (chapter 04).

    `gap` is CE − H in nats. NaN where it is more than λ/2.

    >>> balanced_ratio(torch.tensor([0.0, -0.3]), 0.05).round(decimals=3).tolist()
    [1.0, 2.303]
    """
    return (1 + (1 - 2 * gap.double() / strength).sqrt()) / 2


def norm_ratio(h: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch"]:
    r"""$\|h\|/\sqrt d$ of each activation: 1 on the sphere of the radial penalty."""
    return torch.linalg.vector_norm(h, dim=-1, dtype=torch.float64) / h.shape[-1] ** 0.5


def _unit(x: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
    """Divide by the largest entry first: squares of a late gradient would be below the smallest
    number."""
    x = x / x.abs().amax(-1, keepdim=True)
    return x / torch.linalg.vector_norm(x, dim=-1, keepdim=True)
