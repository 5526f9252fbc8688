"""Following the norm: what single steps do to it, and the extremes over all steps in between.

At the steps of the evaluation grid every parameter group is logged. Between them two numbers of the
whole network are held step by step, since a bound that leans on a sampled maximum is none.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from grokbook.measures.contraction import OF_ONE_STEP, WINDOW, contraction_rate, of_one_step
from grokbook.training.layout import Layout

# Largest over the steps since the evaluation before: <θ, u>/|θ|, and |u|.
EXTREMES = ("radial_direction_max", "direction_norm_max")
ONSETS = ("t_mem", "t_grok")
SIDES = ("before", "after")


class Taken(NamedTuple):
    """One step: the weights on both sides of it, the loss gradient, the optimiser's direction."""

    before: Float[Tensor, "*run P"]
    after: Float[Tensor, "*run P"]
    gradient: Float[Tensor, "*run P"]
    direction: Float[Tensor, "*run P"]


class Follower:
    """The last step that was taken, and the extremes since the last evaluation."""

    def __init__(self, layout: Layout, theta: Float[Tensor, "*run P"]) -> None:
        self.layout = layout
        self.extremes = {name: _lowest(theta) for name in EXTREMES}
        self.taken: Taken | None = None

    def follow(self, taken: Taken) -> None:
        """Take note of one step."""
        self.taken = taken
        radial = (taken.before * taken.direction).sum(-1) / taken.before.norm(dim=-1)
        seen = radial, taken.direction.norm(dim=-1)
        for name, value in zip(EXTREMES, seen, strict=True):
            self.extremes[name] = torch.maximum(self.extremes[name], value.double())

    def row(self) -> dict[str, Float[Tensor, "*run"]]:
        """The extremes since the last call, and NaN for what the step to come will fill in."""
        found = {
            name: torch.where(value.isinf(), torch.nan, value)
            for name, value in self.extremes.items()
        }
        for name, value in self.extremes.items():
            self.extremes[name] = _lowest(value[..., None])
        empty = torch.full_like(next(iter(found.values())), torch.nan)
        return found | {
            f"{name}/{group}": empty for name in OF_ONE_STEP for group in self.layout.shapes
        }

    def step(self) -> dict[str, Float[Tensor, "*run"]]:
        """What the last step did to each parameter group; raises `RuntimeError` before any."""
        if self.taken is None:
            raise RuntimeError("no step was taken yet")
        parts = [self.layout.segments(vector) for vector in self.taken]
        found = {}
        for group in self.layout.shapes:
            for name, value in of_one_step(*(part[group] for part in parts)).items():
                found[f"{name}/{group}"] = value
        return found

    def state(self) -> dict[str, np.ndarray]:
        """What a checkpoint needs."""
        return {f"extreme_{name}": value.cpu().numpy() for name, value in self.extremes.items()}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Put back what `state` returned."""
        for name, value in self.extremes.items():
            if f"extreme_{name}" in arrays:
                self.extremes[name] = torch.from_numpy(arrays[f"extreme_{name}"]).to(value.device)


def of_onsets(
    steps: Float[Tensor, " n"], columns: dict[str, Float[Tensor, " n"]], found: dict[str, float]
) -> dict[str, tuple]:
    """What the whole grid says at the onsets and between them, before the curves are thinned.

    Squared norms and accuracies at t_mem and t_grok; the contraction rate over the 100 steps
    before and after each; the extremes over the delay. NaN where an onset is not reached.
    """
    groups = [name for name in columns if name.startswith("squared_norm/")]
    at = {
        name: [_at(steps, columns[name], found[onset]) for onset in ONSETS]
        for name in (*groups, "train_accuracy", "test_accuracy")
    }
    norm = torch.stack([columns[name] for name in groups]).sum(0)
    rates = [
        [contraction_rate(steps, norm, *_window(found[onset], side)).item() for side in SIDES]
        for onset in ONSETS
    ]
    late = (steps > found["t_mem"]) & (steps <= found["t_grok"])
    extremes = {name: columns[name][late] for name in EXTREMES}
    return {
        "squared_norm_at_onset": (
            ("run", "onset", "parameter"),
            np.array([at[name] for name in groups]).T[None],
        ),
        "rate_at_onset": (("run", "onset", "side"), np.array(rates)[None]),
        **{
            f"{name}_at_onset": (("run", "onset"), np.array(at[name])[None])
            for name in ("train_accuracy", "test_accuracy")
        },
        **{
            f"{name}_in_delay": ("run", [each.max().item() if len(each) else math.nan])
            for name, each in extremes.items()
        },
    }


def _at(steps: Float[Tensor, " n"], column: Float[Tensor, " n"], step: float) -> float:
    value = column[steps == step]
    return value[0].item() if len(value) else math.nan


def _window(onset: float, side: str) -> tuple[float, float]:
    return (onset - WINDOW, onset) if side == "before" else (onset, onset + WINDOW)


def _lowest(theta: Float[Tensor, "*run P"]) -> Float[Tensor, "*run"]:
    return torch.full(theta.shape[:-1], -math.inf, dtype=torch.float64, device=theta.device)
