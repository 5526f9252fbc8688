"""Which runs can share a step, and how the numbers in which they differ take their place in it.

Runs fit together if their JSON is the same but for the seeds and the real numbers of optimiser and
interventions. In the shared step each of these numbers is a float64 tensor, one entry a run, in a
copy of the frozen part that held it.
"""

import copy
import dataclasses
import json
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from grokbook.training.interventions import Intervention, Moment
from grokbook.training.interventions.intervention import Real, State
from grokbook.training.optimizers import SGD, Adam, AdamW
from grokbook.training.run import Run

Numbers = list[dict[str, Tensor]]  # of the optimiser, then of each intervention


def structure(run: Run) -> str:
    """What must be equal for two runs to fit together: the JSON less seeds and real numbers."""
    plain = json.loads(run.to_json())
    del plain["init_seed"], plain["split"]["seed"], plain["batch"]["seed"]
    parts = [plain["optimizer"], *plain.get("interventions", ())]
    for owner, values in zip(_owners(run), parts, strict=True):
        for name in _liftable(owner):
            del values[name]
    return json.dumps(plain, sort_keys=True)


def numbers(runs: list[Run], device: str) -> Numbers:
    """The real numbers of runs that fit together, each as a vector over the runs."""
    return [
        {
            name: torch.tensor([getattr(owner, name) for owner in same], dtype=torch.float64).to(
                device
            )
            for name in _liftable(same[0])
        }
        for same in zip(*(_owners(run) for run in runs), strict=True)
    ]


def place(run: Run, values: Numbers) -> Run:
    """The run with tensors in the place of its real numbers; it is never validated or named."""
    owners = [_replaced(o, v) for o, v in zip(_owners(run), values, strict=True)]
    return _replaced(run, {"optimizer": owners[0], "interventions": tuple(owners[1:])})


def place_flat(run: Run, values: Numbers) -> Run:
    """The run as the flat hooks take it: its numbers are columns that broadcast against vectors."""
    columns = [{name: vector[:, None] for name, vector in each.items()} for each in values]
    placed = place(run, columns)
    return _replaced(placed, {"interventions": tuple(map(InDtype, placed.interventions))})


@dataclasses.dataclass(frozen=True)
class InDtype(Intervention):
    """An intervention whose flat hooks leave vectors in the dtype in which they met them.

    One number for each of several runs is a tensor with axes, which would turn float32 vectors into
    float64 ones, where a plain number does not.
    """

    kind: ClassVar[str] = "in_dtype"

    of: Intervention

    def gradient(
        self, gradient: Float[Tensor, "*run P"], moment: Moment, state: State
    ) -> Float[Tensor, "*run P"]:
        """The gradient in its own dtype."""
        return self.of.gradient(gradient, moment, state).to(gradient.dtype)

    def update(
        self, update: Float[Tensor, "*run P"], moment: Moment, state: State
    ) -> Float[Tensor, "*run P"]:
        """The update in its own dtype."""
        return self.of.update(update, moment, state).to(update.dtype)

    def weights(self, moment: Moment, state: State) -> None:
        """The weights are changed in place, which keeps their dtype."""
        self.of.weights(moment, state)

    def changes(self, hook: str) -> bool:
        """Whether the intervention itself does."""
        return self.of.changes(hook)


def _owners(run: Run) -> list[AdamW | Adam | SGD | Intervention]:
    """The parts of a run whose real numbers may differ."""
    return [run.optimizer, *run.interventions]


def _liftable(owner: AdamW | Adam | SGD | Intervention) -> list[str]:
    return [item.name for item in dataclasses.fields(owner) if item.type in (float, Real)]


def _replaced(frozen: Any, values: dict[str, Any]) -> Any:
    """A copy of a frozen dataclass with other values, which its `__post_init__` does not see."""
    copied = copy.copy(frozen)
    for name, value in values.items():
        object.__setattr__(copied, name, value)
    return copied
