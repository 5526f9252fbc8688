"""A last look at a network: how curved its loss is, and how many directions its layers use."""

import itertools
from collections.abc import Callable

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from grokbook.measures.ranks import RANKS, ranks
from grokbook.measures.sharpness import (
    hessian_trace,
    preconditioned_sharpness,
    scaled_trace,
    top_eigenvalue,
)
from grokbook.training.interventions.radial_penalty import at_answer
from grokbook.training.objective import criterion, objective
from grokbook.training.run import Run
from grokbook.training.trajectory import Trajectory

PROBES = 100  # as published
CURVATURE = ("hessian_trace", "hessian_trace_error", "scaled_trace", "scaled_trace_error",
             "hessian_eigenvalue", "preconditioned_sharpness", "task_sharpness")  # fmt: skip
LANCZOS = {"iterations": 40, "tolerance": 1e-3}
BATCHES = (256, 2048)  # examples of a rank: the published number, and more than the width
LAYERS = ("pre_", "hidden_", "attention_out_", "mlp_out_")


def closing_look(trajectory: Trajectory) -> xr.Dataset:
    r"""Curvature of the training loss, penalties left out, and ranks of activations.

    Trace of the Hessian by 100 probes with its standard error, the same in units of the weights'
    own sizes, $\sum_i\theta_i^2 H_{ii}$, and the largest eigenvalue; the same seen through the
    optimiser's preconditioner, of all that is minimised and of the task alone; for batches of 256
    and 2,048 training examples the stable rank, participation ratio and entropy rank of every
    layer.
    """
    run, theta = trajectory.run, trajectory.theta.detach()
    loss = _loss(trajectory)
    traces = [look(loss, theta, probes=PROBES) for look in (hessian_trace, scaled_trace)]
    top = top_eigenvalue(loss, theta, **LANCZOS)
    values = (*itertools.chain(*traces), top, *sharpness(trajectory).values())
    found = {name: ("run", [value]) for name, value in zip(CURVATURE, values, strict=True)}
    layers = _layers(run, trajectory)
    table = np.array(
        [
            [[rank.item() for rank in ranks(h[:size]).values()] for h in layers.values()]
            for size in BATCHES
        ]
    )
    for i, name in enumerate(RANKS):
        found[name] = (("run", "rank_batch", "layer"), table[None, :, :, i])
    return xr.Dataset(found, {"rank_batch": list(BATCHES), "layer": list(layers)})


def sharpness(trajectory: Trajectory) -> dict[str, float]:
    r"""$\lambda_{max}(D^{-1/2}HD^{-1/2})$ of what is minimised on all examples, and of the task.

    D is the preconditioner of the last step; without one there is nothing to see, and both are NaN.
    """
    theta, done = trajectory.theta.detach(), trajectory.done
    losses = {
        "preconditioned_sharpness": _minimised(trajectory),
        "task_sharpness": _loss(trajectory),
    }
    if not done:
        return dict.fromkeys(losses, float("nan"))
    by = trajectory.run.optimizer.preconditioner(theta, trajectory.moments, done)
    return {
        name: preconditioned_sharpness(loss, theta, by, **LANCZOS) for name, loss in losses.items()
    }


def _minimised(trajectory: Trajectory) -> Callable[[Tensor], Tensor]:
    """The training loss with every penalty, as a function of one flat vector."""
    run, (pairs, labels) = trajectory.run, trajectory.train

    def minimised(theta: Tensor) -> Tensor:
        parameters = trajectory.layout.views(theta)
        return objective(run, parameters, pairs, labels, trajectory.states, fused=False).minimised

    return minimised


def _loss(trajectory: Trajectory) -> Callable[[Tensor], Tensor]:
    """The training loss as a function of one flat vector, twice differentiable."""
    run, (pairs, labels) = trajectory.run, trajectory.train

    def loss(theta: Tensor) -> Tensor:
        logits = run.model.forward(trajectory.layout.views(theta), pairs, fused=False)
        return criterion(run, logits, labels, fused=False)

    return loss


@torch.no_grad()
def _layers(run: Run, trajectory: Trajectory) -> dict[str, Tensor]:
    seen: dict[str, Tensor] = {}
    pairs = trajectory.train[0][: max(BATCHES)]
    run.model.forward(trajectory.parameters, pairs, watch=seen)
    return {name: at_answer(h) for name, h in seen.items() if name.startswith(LAYERS)}
