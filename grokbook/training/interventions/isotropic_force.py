r"""A control of the radial penalty: the same force, turned at random."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from grokbook.training.interventions.draws import ISOTROPIC_FORCE, everywhere, normals
from grokbook.training.interventions.intervention import Intervention, Look, Moment, Real, State
from grokbook.training.interventions.radial_penalty import SITES, at_answer, sites


@dataclass(frozen=True)
class IsotropicForce(Intervention):
    r"""Push the activations as hard as the radial penalty does, but in no particular direction.

    Adds $\sum_l\overline{\frac{2\lambda}d(\|h_l\| - \sqrt d)\,\langle Q_l\hat h_l, h_l\rangle}$,
    its factors before the last $h_l$ held constant in the gradient; the mean over the batch
    (chapter 04). $Q_l$ permutes the units and turns the signs of some, at random, for every layer
    and step and alike for the whole batch. It is orthogonal: what a layer's own term adds to the
    gradient of its weights $W_l$ is $Q_l$ times what the penalty's adds, as large and with its
    singular values. Directions drawn for each example would cancel there. What a layer's term adds
    to the weights below it may be smaller. The force has the mean 0 and the same variance in every
    direction. `strength` is λ. Raises `ValueError` for a negative one, and for a model that shows
    none of the activations that the penalty holds.
    """

    kind: ClassVar[str] = "isotropic_force"
    activations: ClassVar[tuple[str, ...]] = SITES

    strength: Real = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.strength < 0:
            raise ValueError(f"strength = {self.strength!r} is negative: give 0 or more.")

    def begin(self, look: Look, seed: int) -> State:
        """A normal number for each unit, from which the first step has its Q."""
        found = {name: at_answer(h)[0] for name, h in sites(look.activations).items()}
        return everywhere(normals, found, [seed], 0, ISOTROPIC_FORCE)

    def penalty(self, look: Look, state: State) -> tuple[Float[Tensor, ""], State]:
        """The sum whose gradient at each activation is the force, its mean in float64."""
        added = []
        for name, h in sites(look.activations).items():
            h = at_answer(h)
            d, radial = h.shape[-1], torch.nn.functional.normalize(h.detach(), dim=-1)
            # The order of sizes and the signs of normal numbers are independent and uniform.
            turned = radial[:, state[name].abs().argsort()] * state[name].sign()
            norm = torch.linalg.vector_norm(h.detach(), dim=-1)
            added.append((2 / d * (norm - d**0.5) * (turned * h).sum(-1)).double().mean())
        return self.strength * torch.stack(added).sum(), state

    def weights(self, moment: Moment, state: State) -> None:
        """The weights stay; the Q of the next step are drawn."""
        state |= everywhere(normals, state, moment.seeds, moment.done + 1, ISOTROPIC_FORCE)
