r"""The radial penalty: hold the norm of hidden activations near $\sqrt d$."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor

from grokbook.measures.radial import norm_ratio
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
    penalty $\|h\|^2/d$. In the `unit` "start" the radius is measured in the mean norm with which
    the layer starts, over as many training examples as a step sees; `at` "all" takes the mean over
    the positions that a sequence shows, too. Raises `ValueError` for a negative strength or radius,
    for an unknown word, and for a model that shows none of these.

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
    unit: Literal["sqrt_d", "start"] = "sqrt_d"
    at: Literal["answer", "all"] = "answer"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, known in (("unit", ("sqrt_d", "start")), ("at", ("answer", "all"))):
            if (value := getattr(self, name)) not in known:
                raise ValueError(
                    f"{name} = {value!r} is not known: choose {known[0]!r} or {known[1]!r}."
                )
        for name in ("strength", "radius"):
            if (value := getattr(self, name)) < 0:
                raise ValueError(f"{name} = {value!r} is negative: give 0 or more.")

    def begin(self, look: Look, seed: int) -> State:
        r"""In the unit "start", each layer's $\overline{\|h\|}/\sqrt d$."""
        if self.unit == "sqrt_d":
            return {}
        return {name: norm_ratio(h).mean() for name, h in self._held(look).items()}

    def penalty(self, look: Look, state: State) -> tuple[Float[Tensor, ""], State] | None:
        """Its value on the batch, in float64 as the losses are; there is nothing to remember."""
        held = self._held(look)
        if isinstance(self.strength, float) and self.strength == 0:
            return None  # a baseline need not pay for what is multiplied by 0
        means = [
            off_sphere(h, self.radius * state.get(name, 1.0)).mean() for name, h in held.items()
        ]
        return self.strength * torch.stack(means).sum(), state

    def _held(self, look: Look) -> dict[str, Float[Tensor, "*batch d"]]:
        found = sites(look.activations)
        if self.at == "all":
            return found
        return {name: at_answer(h) for name, h in found.items()}


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
    # A norm summed in float64 would cost a quarter of a step, and its gradient is in h's precision.
    norm = torch.linalg.vector_norm(h, dim=-1).double()
    return (norm - radius * d**0.5).square() / d
