"""Dropout: hidden units left out at random while training."""

from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Float
from torch import Tensor

from grokbook.training.interventions.draws import DROPOUT, everywhere, uniforms
from grokbook.training.interventions.intervention import Intervention, Look, Moment, Real, State


@dataclass(frozen=True)
class Dropout(Intervention):
    r"""Set each hidden unit to 0 with probability `rate` while training, the others grow for it.

    $h \leftarrow h \odot m/(1 - q)$ with $m_i = [u_i \ge q]$, $u_i \sim U(0, 1)$ for every example,
    unit and step {cite}`srivastava2014dropout`; evaluations use all units. Raises `ValueError` for
    a rate outside [0, 1), and for a model that shows no hidden layer.
    """

    kind: ClassVar[str] = "dropout"

    rate: Real = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.rate < 1:
            raise ValueError(f"rate = {self.rate!r} is no share of units: give 0 or more, below 1.")

    def begin(self, look: Look, seed: int) -> State:
        """The numbers that decide whom the first step keeps."""
        hidden = {name: h for name, h in look.activations.items() if name.startswith("hidden_")}
        if not hidden:
            raise ValueError("this model shows no hidden layer to drop units of: use an MLP.")
        return everywhere(uniforms, hidden, [seed], 0, DROPOUT)

    def factors(self, state: State) -> dict[str, Float[Tensor, "batch d"]]:
        """1/(1 − rate) where a unit is kept, 0 elsewhere."""
        return {name: (u >= self.rate).to(u.dtype) / (1 - self.rate) for name, u in state.items()}

    def weights(self, moment: Moment, state: State) -> None:
        """The weights stay; what the next step needs is drawn."""
        state |= everywhere(uniforms, state, moment.seeds, moment.done + 1, DROPOUT)
