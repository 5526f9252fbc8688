"""Gaussian noise on the gradient."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from grokbook.training.interventions.draws import GRADIENT_NOISE, normals
from grokbook.training.interventions.intervention import Intervention, Moment, Real, State


@dataclass(frozen=True)
class GradientNoise(Intervention):
    r"""Add noise to every component of the gradient, $g \leftarrow g + \sigma_t \xi$.

    $\xi \sim N(0, 1)$ and $\sigma_t = \mathrm{std} / (1 + t)^{\mathrm{decay}}$ in step $t + 1$
    {cite}`neelakantan2015adding`; `decay` = 0 keeps it constant. The noise of a step is a function
    of (init seed, step) alone, drawn on the CPU: a resumed run, and a run on another device, meets
    the same.
    """

    kind: ClassVar[str] = "gradient_noise"

    std: Real = 1e-3
    decay: Real = 0.0

    def gradient(
        self, gradient: Float[Tensor, "*run P"], moment: Moment, state: State
    ) -> Float[Tensor, "*run P"]:
        """Add this step's noise."""
        noise = normals(gradient, moment.seeds, moment.done, GRADIENT_NOISE)
        return gradient + noise * (self.std / (1 + moment.done) ** self.decay)
