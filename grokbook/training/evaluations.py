"""What several runs make of their examples, one number a run, and how the numbers reach the host.

A read from a GPU makes the host wait for all that is queued: everything that an evaluation says
crosses in one transfer.
"""

from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.func import grad, vmap

from grokbook.training.lifting import Numbers, place
from grokbook.training.losses import collapsed
from grokbook.training.objective import criterion
from grokbook.training.run import Run
from grokbook.training.trajectory import Evaluation


def look(
    run: Run,
    values: Numbers,
    logits: Float[Tensor, "run n *answer classes"],
    labels: Int[Tensor, "run n *answer"],
    *,
    batch: int,
    collapse: bool,
) -> dict[str, Tensor]:
    """Mean loss (nats) and accuracy of each run over its `n` examples.

    With `collapse` also the shares of examples without a gradient, as the mean over a batch of that
    size gives it.
    """

    def loss(logits: Any, labels: Any, values: Numbers) -> Any:
        return criterion(place(run, values), logits, labels, fused=False)

    def collapse_of_one(logits: Any, labels: Any, values: Numbers) -> dict[str, Any]:
        share = len(labels) / batch
        gradient = grad(lambda z: loss(z, labels, values) * share)(logits)
        zero = collapsed(gradient, labels)
        return {name: examples.double().mean() for name, examples in zero.items()}

    right = logits.argmax(-1) == labels
    accuracy = right.view(*right.shape[:2], -1).all(-1).double().mean(-1)
    seen = {"loss": vmap(loss)(logits, labels, values).double(), "accuracy": accuracy}
    return seen | (vmap(collapse_of_one)(logits, labels, values) if collapse else {})


def on_host(columns: dict[str, Tensor]) -> list[dict[str, float]]:
    """Named vectors over the runs as one dictionary of numbers a run.

    >>> on_host({"loss": torch.tensor([1.0, 2.0]), "accuracy": torch.tensor([0.5, 0.25])})
    [{'loss': 1.0, 'accuracy': 0.5}, {'loss': 2.0, 'accuracy': 0.25}]
    """
    table = torch.stack([column.double() for column in columns.values()], dim=1).tolist()
    return [dict(zip(columns, row, strict=True)) for row in table]


def evaluations(columns: dict[str, Tensor]) -> list[Evaluation]:
    """What `look` returned, as one `Evaluation` a run."""
    return [Evaluation(row.pop("loss"), row.pop("accuracy"), row) for row in on_host(columns)]
