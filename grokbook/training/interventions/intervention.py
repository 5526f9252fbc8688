"""What an intervention may do to a run, and when.

One step asks every intervention of the run, in the run's order, at six places:

1. `factors` multiplies hidden activations as the batch passes through them (not in evaluations);
2. `criterion` replaces the loss of the logits (one intervention of a run may);
3. `penalty` adds to the loss, and may look at the activations that the model names;
4. `gradient` changes the gradient before the optimiser sees it;
5. `update` changes what the optimiser is about to add to the weights;
6. `weights` changes the weights after the step.

What it must remember is its state: tensors by name, of this run alone, which are saved with every
checkpoint. The first three are written for ONE run, and an ensemble lifts them with
`torch.func.vmap`. The other three take flat vectors with any leading run axes, and the numbers of
the intervention are then tensors of one number a run that broadcast against them.
"""

from dataclasses import dataclass, fields
from typing import ClassVar, NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from grokbook.training.layout import Layout

Real = float | int
State = dict[str, Tensor]


class Look(NamedTuple):
    """What a penalty sees: the weights, the batch, and what the network made of it."""

    parameters: dict[str, Tensor]
    pairs: Int[Tensor, "n operands"]
    labels: Int[Tensor, "n *answer"]
    logits: Float[Tensor, "n *answer classes"]
    activations: dict[str, Tensor]


class Moment(NamedTuple):
    """What the flat hooks see: the weights, how they lie, how many steps were taken, the seeds."""

    theta: Float[Tensor, "*run P"]
    layout: Layout
    done: int
    seeds: list[int]  # the init seed of each run, for an intervention that draws


@dataclass(frozen=True)
class Intervention:
    """Does nothing at any of the six places; subclasses override what they change.

    `activations` names those that `penalty` asks the model for. Raises `ValueError` for a
    number that is not finite.
    """

    kind: ClassVar[str]
    activations: ClassVar[tuple[str, ...]] = ()

    def __post_init__(self) -> None:
        # 1 and 1.0 are the same run, so they must have the same JSON.
        for item in fields(self):
            value = getattr(self, item.name)
            if item.type in (float, Real):
                if not abs(value) < float("inf"):
                    raise ValueError(f"{item.name} = {value!r} is not a finite number: give one.")
                object.__setattr__(self, item.name, float(value))

    def start(self, theta: Float[Tensor, " P"], layout: Layout) -> State:
        """The state of one run before its first step."""
        return {}

    def begin(self, look: Look, seed: int) -> State:
        """State that depends on what the network makes of as many examples as a step sees.

        They are the first of the training set, met at the start and by the init seed.
        """
        return {}

    def factors(self, state: State) -> dict[str, Float[Tensor, "batch d"]]:
        """What a step's hidden activations are multiplied by, by name; a row for each example."""
        return {}

    def criterion(
        self, logits: Float[Tensor, "n *answer classes"], labels: Int[Tensor, "n *answer"]
    ) -> Float[Tensor, ""] | None:
        """The loss to minimise in place of cross-entropy, or None to leave it."""
        return None

    def penalty(self, look: Look, state: State) -> tuple[Float[Tensor, ""], State] | None:
        """What to add to the loss and the state from here on, or None; state is never changed."""
        return None

    def gradient(
        self, gradient: Float[Tensor, "*run P"], moment: Moment, state: State
    ) -> Float[Tensor, "*run P"]:
        """The gradient that the optimiser is given; `state` may be changed in place."""
        return gradient

    def update(
        self, update: Float[Tensor, "*run P"], moment: Moment, state: State
    ) -> Float[Tensor, "*run P"]:
        """What is added to the weights, given what the optimiser would add."""
        return update

    def weights(self, moment: Moment, state: State) -> None:
        """Change the weights, in place, after the step."""

    def changes(self, hook: str) -> bool:
        """Whether this intervention overrides one of the places, or `begin`."""
        return getattr(type(self), hook) is not getattr(Intervention, hook)
