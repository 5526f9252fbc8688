"""PerpGrad: descend without the part of the gradient that only scales the weights."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from grokbook.training.interventions.intervention import Intervention, Moment, State

ROUNDING = 1e-12  # of a projection in float64, relative to the gradient


@dataclass(frozen=True)
class PerpGrad(Intervention):
    r"""Project each parameter's gradient off its weights, and give it its norm back.

    $g_\perp = g - \frac{w \cdot g}{w \cdot w + 10^{-30}} w$ and
    $g \leftarrow \frac{\|g\|}{\|g_\perp\|} g_\perp$, parameter tensor by parameter tensor
    {cite}`prieto2025grokking`, the sums in float64. A gradient that has no part across the weights
    becomes 0. The optimiser is the run's own, with all its numbers; the released wrapper drops
    $\beta_2$ and $\epsilon$ of the one that it is given.
    """

    kind: ClassVar[str] = "perpgrad"

    def gradient(
        self, gradient: Float[Tensor, "*run P"], moment: Moment, state: State
    ) -> Float[Tensor, "*run P"]:
        """Project it, tensor by tensor."""
        weights = moment.layout.segments(moment.theta)
        parts = moment.layout.segments(gradient)
        return torch.cat([_across(g, weights[name]) for name, g in parts.items()], dim=-1)


def _across(g: Float[Tensor, "*run n"], w: Float[Tensor, "*run n"]) -> Float[Tensor, "*run n"]:
    exact, w = g.double(), w.double()
    share = (w * exact).sum(-1, keepdim=True) / (w.square().sum(-1, keepdim=True) + 1e-30)
    across = exact - share * w
    whole, left = (x.norm(dim=-1, keepdim=True) for x in (exact, across))
    # What is left of a gradient along the weights is rounding: scaled up, it would be a direction.
    scale = torch.where(left > ROUNDING * whole, whole / left, 0.0)
    return (across * scale).to(g.dtype)
