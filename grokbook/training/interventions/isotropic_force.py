r"""A control of the radial penalty: the same force on every activation, in a random direction."""

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
    r"""Push each activation as hard as the radial penalty does, but in no particular direction.

    Adds $\sum_l\overline{\frac{2\lambda}d\,\bigl|\|h_l\| - \sqrt d\bigr|\,\langle e, h_l\rangle}$,
    e a random unit vector for every example, layer and step, and its factor held constant in the
    gradient; the mean over the batch (chapter 04). `strength` is λ. Raises `ValueError` for a
    negative one, and for a model that shows none of the activations that the penalty holds.
    """

    kind: ClassVar[str] = "isotropic_force"
    activations: ClassVar[tuple[str, ...]] = SITES

    strength: Real = 0.05

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.strength < 0:
            raise ValueError(f"strength = {self.strength!r} is negative: give 0 or more.")

    def begin(self, look: Look, seed: int) -> State:
        """The directions of the first step, not yet of length 1."""
        found = {name: at_answer(h) for name, h in sites(look.activations).items()}
        return everywhere(normals, found, [seed], 0, ISOTROPIC_FORCE)

    def penalty(self, look: Look, state: State) -> tuple[Float[Tensor, ""], State]:
        """The sum whose gradient at each activation is the force, its mean in float64."""
        added = []
        for name, h in sites(look.activations).items():
            h = at_answer(h)
            # A look at more examples than a step has goes round.
            rows = torch.arange(len(h), device=h.device) % len(state[name])
            direction = torch.nn.functional.normalize(state[name][rows], dim=-1)
            d, norm = h.shape[-1], torch.linalg.vector_norm(h.detach(), dim=-1)
            force = 2 / d * (norm - d**0.5).abs() * (direction * h).sum(-1)
            added.append(force.double().mean())
        return self.strength * torch.stack(added).sum(), state

    def weights(self, moment: Moment, state: State) -> None:
        """The weights stay; the directions of the next step are drawn."""
        state |= everywhere(normals, state, moment.seeds, moment.done + 1, ISOTROPIC_FORCE)
