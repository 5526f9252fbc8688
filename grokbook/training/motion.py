r"""How a few examples move in activation space: out and in, and round.

Along a run the activations of the first training examples are held; at its end each is read as a
radius, $\|h\|/\sqrt d$, and as an angle from where its direction will be at the end.
"""

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int
from torch import Tensor

from grokbook.measures.radial import norm_ratio
from grokbook.training.frames import Frames
from grokbook.training.interventions.radial_penalty import at_answer, sites
from grokbook.training.run import Run

SHOWN = 8  # examples


@torch.no_grad()
def held(
    run: Run, parameters: dict[str, Tensor], pairs: Int[Tensor, "n operands"]
) -> Float[Tensor, " numbers"]:
    """The activations of the examples that are shown, site after site, end to end."""
    return torch.cat([h.flatten() for h in _activations(run, parameters, pairs).values()])


def moved(
    run: Run,
    frames: Frames,
    parameters: dict[str, Tensor],
    pairs: Int[Tensor, "n operands"],
    step: int,
) -> xr.Dataset:
    """Radius and angle (radians) of each example at every frame, the last of them the end."""
    last = _activations(run, parameters, pairs)
    steps = [each for each in frames.steps if each < step]
    rows = [frames.tensor(index) for index in range(len(steps))]
    rows.append(held(run, parameters, pairs).cpu())
    parts = torch.stack(rows).split([h.numel() for h in last.values()], dim=1)
    radius, angle = [], []
    for part, h in zip(parts, last.values(), strict=True):
        h = part.unflatten(1, h.shape).double()
        radius.append(norm_ratio(h))
        angle.append(angles(h, h[-1:].expand_as(h)))
    dims = ("run", "frame", "site", "sample")
    return xr.Dataset(
        {
            "frame_radius": (dims, torch.stack(radius, 1).float().numpy()[None]),
            "frame_angle": (dims, torch.stack(angle, 1).float().numpy()[None]),
        },
        {
            "frame": np.array([*steps, step]),
            "site": list(last),
            "sample": np.arange(radius[0].shape[1]),
        },
    )


def angles(x: Float[Tensor, "*batch d"], y: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch"]:
    r"""$2\arctan(\|\hat x - \hat y\|/\|\hat x + \hat y\|)$, radians, exact where they are close.

    >>> angles(torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 2.0]])).div(torch.pi).item()
    0.5
    """
    x, y = (v / torch.linalg.vector_norm(v, dim=-1, keepdim=True) for v in (x, y))
    apart, together = (torch.linalg.vector_norm(v, dim=-1) for v in (x - y, x + y))
    return 2 * torch.atan2(apart, together)


@torch.no_grad()
def _activations(
    run: Run, parameters: dict[str, Tensor], pairs: Int[Tensor, "n operands"]
) -> dict[str, Float[Tensor, "shown d"]]:
    seen: dict[str, Tensor] = {}
    device = next(iter(parameters.values())).device
    run.model.forward(parameters, pairs[:SHOWN].to(device), watch=seen)
    return {name: at_answer(h) for name, h in sites(seen).items()}
