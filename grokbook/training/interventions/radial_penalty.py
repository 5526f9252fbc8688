r"""The radial penalty: hold the norm of hidden activations near $\sqrt d$."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from grokbook.training.interventions.intervention import Intervention, Look, Real, State

# How the names of penalised activations begin: an MLP's pre-activations, and what the blocks of a
# decoder add to the residual stream, before they are added.
SITES = ("pre_", "attention_out_", "mlp_out_")


@dataclass(frozen=True)
class RadialPenalty(Intervention):
    r"""Add $\lambda\sum_l \overline{\frac1d(\|h_l\| - \varrho\sqrt d)^2}$ to the loss.

    The sum is over the pre-activations of an MLP's hidden layers, or over what each block of a
    decoder adds to the residual stream at "="; the mean over the batch {cite}`radial2026`. h has d
    components, `strength` is λ, `radius` $\varrho$ in units of $\sqrt d$; a radius of 0 is the
    penalty $\|h\|^2/d$. Raises `ValueError` for a negative strength or radius, and for a model that
    shows none of these.

    >>> from grokbook.training.interventions import Look
    >>> h = {"pre_1": torch.tensor([[0.0, 0.0, 0.0, 4.0]])}
    >>> look = Look({}, torch.zeros(1, 2), torch.zeros(1), torch.zeros(1, 2), h)
    >>> RadialPenalty(0.5).penalty(look, {})[0].item()
    0.5
    """

    kind: ClassVar[str] = "radial_penalty"
    activations: ClassVar[tuple[str, ...]] = SITES

    strength: Real = 0.05
    radius: Real = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("strength", "radius"):
            if (value := getattr(self, name)) < 0:
                raise ValueError(f"{name} = {value!r} is negative: give 0 or more.")

    def penalty(self, look: Look, state: State) -> tuple[Float[Tensor, ""], State]:
        """Its value on the batch, in float64 as the losses are; there is nothing to remember."""
        layers = [at_answer(h) for h in sites(look.activations).values()]
        means = [off_sphere(h, self.radius).mean() for h in layers]
        return self.strength * torch.stack(means).sum(), state


def sites(activations: dict[str, Tensor]) -> dict[str, Float[Tensor, "n *position d"]]:
    """The activations that the penalty holds; raises `ValueError` where a model shows none."""
    found = {name: h for name, h in activations.items() if name.startswith(SITES)}
    if not found:
        raise ValueError(
            "this model shows no pre-activations and nothing that its blocks add to a stream: use "
            "an MLP or a Decoder."
        )
    return found


def at_answer(h: Float[Tensor, "n *position d"]) -> Float[Tensor, "n d"]:
    """Activations where the answer is read: the last position, where there are several."""
    return h if h.ndim == 2 else h[:, -1]


def off_sphere(
    h: Float[Tensor, "*batch d"], radius: Real | Float[Tensor, ""] = 1.0
) -> Float[Tensor, "*batch"]:
    r"""$\frac1d(\|h\| - \varrho\sqrt d)^2$ of each vector (chapter 04)."""
    d = h.shape[-1]
    norm = torch.linalg.vector_norm(h, dim=-1, dtype=torch.float64)
    return (norm - radius * d**0.5).square() / d
