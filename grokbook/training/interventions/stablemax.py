"""StableMax: a softmax whose exponential is replaced by something that grows linearly."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grokbook.training.interventions.intervention import Intervention


@dataclass(frozen=True)
class StableMax(Intervention):
    r"""Minimise $-\overline{\log(s(z_y)/\sum_c s(z_c))}$ in place of cross-entropy, in float64.

    $s(x) = x + 1$ for $x \ge 0$ and $1/(1-x)$ for $x < 0$ {cite}`prieto2025grokking`. The sum
    absorbs a wrong class where $e^{z_c - z_y}$ is below the rounding of 1, a margin of 37 in
    float64; here that takes logits of $10^8$. The run's own loss precision has no effect.

    >>> loss = StableMax().criterion(torch.tensor([[1.0, 0.0, -1.0]]), torch.tensor([0]))
    >>> round(loss.exp().item(), 6)  # s = 2, 1 and 1/2
    1.75
    """

    kind: ClassVar[str] = "stablemax"

    def criterion(
        self, logits: Float[Tensor, "n classes"], labels: Int[Tensor, " n"]
    ) -> Float[Tensor, ""]:
        """Its mean over the examples, in nats."""
        s = _s(logits.double())
        right = s.gather(-1, labels[:, None])[:, 0]
        return (s.sum(-1).log() - right.log()).mean()


def _s(x: Float[Tensor, "n classes"]) -> Float[Tensor, "n classes"]:
    """Both branches at once: a choice between them would give NaN as the gradient at x = 1.

    At 0 the derivative is 1 on both sides; of the two terms only the second counts there.
    """
    return torch.relu(x) + 1 / (1 - x.clamp(max=0))
