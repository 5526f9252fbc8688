r"""Grokfast: add to the gradient a multiple of its own slow part {cite}`lee2024grokfast`.

Both filters act on the gradient before the optimiser sees it. There is no second optimiser around
the run's own, so that every number of that one ($\beta$, $\epsilon$, the decay) stays what it is.
Adam does not see the scale of a gradient, so that the slow part turns its steps more than it
lengthens them.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from grokbook.training.interventions.intervention import Intervention, Moment, Real, State
from grokbook.training.layout import Layout


@dataclass(frozen=True)
class GrokfastEMA(Intervention):
    r"""Amplify an exponential moving average of the gradient.

    $\mu \leftarrow \alpha\mu + (1-\alpha)g$, $g \leftarrow g + \lambda\mu$; the first $\mu$ is the
    first gradient, as in the paper's code (its algorithm 2 starts from the weights, a slip). Raises
    `ValueError` for an `alpha` outside $[0, 1)$.
    """

    kind: ClassVar[str] = "grokfast_ema"

    alpha: Real = 0.98
    lamb: Real = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.alpha < 1:
            raise ValueError(f"alpha = {self.alpha!r} is no memory: give 0 or more, and below 1.")

    def start(self, theta: Float[Tensor, " P"], layout: Layout) -> State:
        """Room for the average, which the first gradient fills."""
        return {"mu": torch.zeros_like(theta)}

    def gradient(
        self, gradient: Float[Tensor, "*run P"], moment: Moment, state: State
    ) -> Float[Tensor, "*run P"]:
        """Update the average and add it."""
        mu = state["mu"]
        if moment.done == 0:
            mu.copy_(gradient)
        else:
            mu.mul_(self.alpha).add_(gradient * (1 - self.alpha))
        return gradient + mu * self.lamb


@dataclass(frozen=True)
class GrokfastMA(Intervention):
    r"""Amplify the mean of the last `window` gradients, the present one included.

    $g_t \leftarrow g_t + \frac{\lambda}{w}\sum_{s=t-w+1}^{t} g_s$ once there are $w$ of them, and
    nothing before. It remembers $w$ gradients, in memory and in every checkpoint; a step costs the
    same for any $w$. Raises `ValueError` for a window below 1.
    """

    kind: ClassVar[str] = "grokfast_ma"

    window: int = 100  # steps
    lamb: Real = 5.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window < 1:
            raise ValueError(f"window = {self.window} holds no gradient: give 1 step or more.")

    def start(self, theta: Float[Tensor, " P"], layout: Layout) -> State:
        """An empty ring of gradients, and their sum."""
        total = torch.zeros_like(theta, dtype=torch.float64)
        return {"ring": theta.new_zeros(self.window, len(theta)), "total": total}

    def gradient(
        self, gradient: Float[Tensor, "*run P"], moment: Moment, state: State
    ) -> Float[Tensor, "*run P"]:
        """Take up the gradient in place of the oldest, and add the mean of a full window."""
        ring, total = state["ring"], state["total"]
        place = moment.done % self.window
        # A sum that is only ever updated keeps the rounding errors of the largest gradients it has
        # held, and the first are about 1e8 times the late ones: in float32 those errors outgrow
        # the late mean itself. In float64 they stay 1e-8 of it, and each lap starts without them.
        total.add_(gradient).sub_(ring[..., place, :])
        ring[..., place, :] = gradient  # a copy: the next step may reuse the gradient's memory
        if place == self.window - 1:
            total.zero_()
            for kept in ring.unbind(-2):
                total.add_(kept)
        if moment.done + 1 < self.window:
            return gradient
        return gradient + (total / self.window).to(gradient.dtype) * self.lamb
