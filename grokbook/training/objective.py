"""What a step minimises: the loss of the batch, and what the interventions add to it."""

from typing import Any, NamedTuple

from jaxtyping import Float, Int
from torch import Tensor

from grokbook.training.interventions import Look
from grokbook.training.interventions.intervention import State
from grokbook.training.losses import cross_entropy, mean_squared_error
from grokbook.training.run import Run


class Objective(NamedTuple):
    """What is minimised, its part that a curve records, the logits, the interventions' states."""

    minimised: Float[Tensor, ""]
    loss: Float[Tensor, ""]
    logits: Float[Tensor, "n *answer classes"]
    states: list[State]


def objective(
    run: Run,
    parameters: dict[str, Tensor],
    pairs: Int[Tensor, "n operands"],
    labels: Int[Tensor, "n *answer"],
    states: list[State],
    *,
    fused: bool,
) -> Objective:
    """Loss in nats of one batch, plus every penalty. Pure: new states are returned."""
    asked = {name for each in run.interventions for name in each.activations}
    activations: dict[str, Tensor] = {}
    wishes: dict[str, Any] = {"watch": activations} if asked else {}
    if factors := _factors(run, states):
        wishes["factors"] = factors
    logits = run.model.forward(parameters, pairs, fused=fused, **wishes)
    loss = minimised = criterion(run, logits, labels, fused=fused)
    states = list(states)
    look = Look(parameters, pairs, labels, logits, activations)
    for i, each in enumerate(run.interventions):
        if (added := each.penalty(look, states[i])) is not None:
            minimised, states[i] = minimised + added[0], added[1]
    return Objective(minimised, loss, logits, states)


def begun(
    run: Run,
    parameters: dict[str, Tensor],
    pairs: Int[Tensor, "n operands"],
    labels: Int[Tensor, "n *answer"],
) -> list[State]:
    """What interventions take from the first examples, as many as a step sees; one dict each."""
    if not any(each.changes("begin") for each in run.interventions):
        return [{} for _ in run.interventions]
    size, activations = run.batch.size, {}
    logits = run.model.forward(parameters, pairs[:size], watch=activations)
    look = Look(parameters, pairs[:size], labels[:size], logits, activations)
    states = [each.begin(look, run.init_seed) for each in run.interventions]
    return [{name: value.detach() for name, value in state.items()} for state in states]


def _factors(run: Run, states: list[State]) -> dict[str, Tensor]:
    """The product of what all interventions multiply each activation by."""
    factors: dict[str, Tensor] = {}
    for each, state in zip(run.interventions, states, strict=True):
        for name, factor in each.factors(state).items():
            factors[name] = factors[name] * factor if name in factors else factor
    return factors


def criterion(
    run: Run,
    logits: Float[Tensor, "n *answer classes"],
    labels: Int[Tensor, "n *answer"],
    *,
    fused: bool = False,
) -> Float[Tensor, ""]:
    """The loss of the logits: the run's own, or what an intervention puts in its place."""
    for each in run.interventions:
        if (replaced := each.criterion(logits, labels)) is not None:
            return replaced
    precision = run.loss.precision
    if run.loss.function == "mean_squared_error":
        return mean_squared_error(logits, labels, precision=precision)
    return cross_entropy(logits, labels, precision=precision, fused=fused)
