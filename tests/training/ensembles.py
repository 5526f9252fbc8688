"""Runs that can form ensembles, and comparisons of what becomes of them."""

import dataclasses
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F

from grokbook.models import MLP, Transformer
from grokbook.tasks import Split, Task
from grokbook.training.interventions import Intervention
from grokbook.training.interventions.gradient_noise import GradientNoise
from grokbook.training.interventions.intervention import Real
from grokbook.training.optimizers import SGD, Adam, AdamW
from grokbook.training.run import Batch, Run


@dataclass(frozen=True)
class Everything(Intervention):
    """Acts at every place but the activations, by numbers of its own, and remembers at two."""

    kind: ClassVar[str] = "everything"
    activations: ClassVar[tuple[str, ...]] = ("hidden_1",)

    temperature: Real = 1.1
    strength: Real = 1e-2
    memory: Real = 0.9
    gain: Real = 0.5
    shrink: Real = 1e-3
    every: int = 3

    def start(self, theta, layout):
        return {
            "slow": torch.zeros_like(theta),
            "level": torch.zeros((), dtype=theta.dtype, device=theta.device),
        }

    def criterion(self, logits, labels):
        return F.cross_entropy(logits.double() / self.temperature, labels)

    def penalty(self, look, state):
        size = look.activations["hidden_1"].square().mean()
        level = state["level"] * self.memory + size * (1 - self.memory)
        weights = sum(w.square().sum() for w in look.parameters.values())
        return self.strength * (size - state["level"]).square() + 1e-3 * weights, state | {
            "level": level
        }

    def gradient(self, gradient, moment, state):
        state["slow"] = self.memory * state["slow"] + (1 - self.memory) * gradient
        return gradient + self.gain * state["slow"]

    def update(self, update, moment, state):
        return update * (1 + self.gain / (1 + moment.done)) - self.shrink * moment.theta

    def weights(self, moment, state):
        if moment.done % self.every == 0:
            moment.theta.mul_(1 - self.shrink)


FULL = Run(
    Task("add", 7),
    Split(0.5, seed=1),
    Transformer(d_model=16, heads=2, d_mlp=24, equals_is_class=True),
    AdamW(1e-2, 1.0, warmup=10, beta2=0.98),
    precision="float64",
    interventions=(GradientNoise(1e-3),),
    init_seed=2,
)
DRAWN = Run(
    Task("subtract", 7),
    Split(0.5, seed=1),
    MLP(16),
    SGD(0.1, 0.01, momentum=0.9),
    batch=Batch(5, seed=3),
    precision="float64",
    interventions=(Everything(),),
    init_seed=2,
)
# Of its training set a short batch is left at the end of an epoch.
DEALT = DRAWN.replace(batch_epochs=True)
OPTIMIZERS = [
    AdamW(2e-2, 1.0, warmup=5),
    Adam(2e-2, 1e-2, beta1=0.8),
    SGD(0.05, 0.01, momentum=0.8),
]


def several(run, n=4):
    """Return n runs with seeds and numbers of their own."""
    runs = []
    for i in range(n):
        rates = {
            "learning_rate": run.optimizer.learning_rate * (1 + i / 4),
            "weight_decay": run.optimizer.weight_decay * (i + 1) / 2,
        }
        inner = tuple(
            dataclasses.replace(each, **{name: value * (1 + i / 3) for name, value in small})
            for each in run.interventions
            for small in [[(k, v) for k, v in vars(each).items() if k in ("std", "gain", "shrink")]]
        )
        runs.append(run.replace(seed=i, interventions=inner, **rates))
    return runs


def assert_close(found, expected, tolerance=1e-9, leave_out=("wall_seconds",)):
    """Compare two datasets of one run: equal labels, onsets and nothing missing; close numbers."""
    assert set(found.variables) == set(expected.variables)
    for name in set(expected.variables) - set(leave_out):
        ours, theirs = found[name], expected[name]
        assert ours.dims == theirs.dims, name
        assert ours.dtype == theirs.dtype, name
        exact = theirs.dtype.kind != "f" or name.startswith("t_") or theirs.ndim < 2
        if exact:
            np.testing.assert_array_equal(ours, theirs, err_msg=name)
        else:
            np.testing.assert_allclose(
                ours, theirs, rtol=tolerance, atol=tolerance, err_msg=name, equal_nan=True
            )
