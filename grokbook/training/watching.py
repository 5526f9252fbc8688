"""Watching activations: how large they are, and how much of their gradient is radial.

At the steps of the evaluation grid the first `SAMPLE` training examples are looked at, site by
site: the pre-activations of an MLP's hidden layers, or what a decoder's blocks add to the stream,
position by position.
"""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Float, Int
from torch import Tensor

from grokbook.measures.calibration import confidence
from grokbook.measures.radial import masked_null, norm_ratio, radial_energy
from grokbook.training.interventions import Look
from grokbook.training.interventions.intervention import State
from grokbook.training.interventions.radial_penalty import sites
from grokbook.training.objective import criterion
from grokbook.training.run import Run

SAMPLE = 1_000  # examples: a mean of fewer than 500 says little, its null having a deviation of 1.4
# Means over the examples, each at every site (chapter 04).
AT_SITES = (
    "norm_ratio",  # ‖h‖/√d
    "radial_energy",  # d⟨ĥ, g⟩²/‖g‖², g the gradient of the task alone
    "radial_energy_total",  # the same with the penalties in g
    "radial_null",  # the first's mean if g were isotropic where it is not 0
    "radial_product",  # ⟨h, g⟩ of the task, nats
    "radial_product_error",  # root mean square of ⟨h, g⟩ − (ℓ − H), nats
    "radial_energy_error",  # standard error of radial_energy, over the examples
)
OVERALL = ("calibration_gap", "calibration_spread")  # mean and root mean square of ℓ − H, nats


@torch.enable_grad()
def watched(
    run: Run,
    parameters: dict[str, Tensor],
    pairs: Int[Tensor, "n operands"],
    labels: Int[Tensor, "n *answer"],
    states: list[State],
) -> dict[str, Float[Tensor, ""]]:
    """What activations and their gradients say at these weights; nothing is changed.

    A gradient of 0 has no direction and is left out of the mean energy, NaN where all are. Raises
    `ValueError` for a model that shows no activations.
    """
    pairs, labels = pairs[:SAMPLE], labels[:SAMPLE]
    parameters = {name: w.detach().requires_grad_() for name, w in parameters.items()}
    activations: dict[str, Tensor] = {}
    logits = run.model.forward(parameters, pairs, watch=activations)
    places = sites(activations)
    n = len(labels)
    task = n * criterion(run, logits, labels)
    look = Look(parameters, pairs, labels, logits, activations)
    added = [
        each.penalty(look, state) for each, state in zip(run.interventions, states, strict=True)
    ]
    total = task + n * sum(each[0] for each in added if each is not None)
    layers = list(places.values())
    of_task = torch.autograd.grad(task, layers, retain_graph=True)
    of_total = torch.autograd.grad(total, layers)
    # Of an answer of several places the mean over them, as the loss is.
    gap = confidence(logits.detach(), labels).reshape(n, -1).mean(-1)
    found = {"calibration_gap": gap.mean(), "calibration_spread": gap.square().mean().sqrt()}
    for name, h, g, g_total in _by_position(places, of_task, of_total):
        product = (h.double() * g.double()).sum(-1)
        energy = radial_energy(h, g)
        directed = energy[energy.isfinite()]
        values = (
            norm_ratio(h).mean(),
            energy.nanmean(),
            radial_energy(h, g_total).nanmean(),
            masked_null(h, g != 0).nanmean(),
            product.mean(),
            (product - gap).square().mean().sqrt(),
            directed.std() / len(directed) ** 0.5
            if len(directed) > 1
            else energy.new_tensor(math.nan),
        )
        found |= {f"{what}/{name}": value for what, value in zip(AT_SITES, values, strict=True)}
    return found


def _by_position(
    places: dict[str, Tensor], of_task: tuple[Tensor, ...], of_total: tuple[Tensor, ...]
) -> Iterator[tuple[str, Float[Tensor, "n d"], Float[Tensor, "n d"], Float[Tensor, "n d"]]]:
    """Each activation with its gradients, position by position.

    Where the answer is read, at the last one, a site has its own name; "[-2]" is the one before.
    """
    for (name, h), *slopes in zip(places.items(), of_task, of_total, strict=True):
        each = [x.detach().reshape(len(h), -1, h.shape[-1]) for x in (h, *slopes)]
        for place in range(-each[0].shape[1], 0):
            yield name if place == -1 else f"{name}[{place}]", *(x[:, place] for x in each)
