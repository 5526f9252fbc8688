"""Optimisers as frozen numbers and two pure steps over one flat parameter vector.

`torch.optim` keeps its numbers inside; here the learning rate and the weight decay are one number a
run, so that runs that differ in numbers only can share a step. A test holds each optimiser to
`torch.optim`, step for step.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

Real = float | int
State = dict[str, Tensor]


@dataclass(frozen=True)
class _Optimizer:
    """What every optimiser has: step size, decoupled or coupled decay, a linear warm-up."""

    kind: ClassVar[str]

    learning_rate: Real = 1e-3
    weight_decay: Real = 0.0
    warmup: int = 0  # steps

    def __post_init__(self) -> None:
        for name in ("learning_rate", "weight_decay"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} = {value!r} is not a rate: give a number of at least 0.")
        # 1 and 1.0 are the same run, so they must have the same JSON.
        for name, value in vars(self).items():
            if name != "warmup":
                object.__setattr__(self, name, float(value))

    def factor(self, done: int) -> float:
        r"""Share of the learning rate in step `done` + 1, $\min(\text{done}/\text{warm-up}, 1)$.

        The very first step of a warm-up is therefore empty, as in Nanda et al.'s released code.
        """
        return min(done / self.warmup, 1.0) if self.warmup else 1.0


@dataclass(frozen=True)
class AdamW(_Optimizer):
    r"""Adam with decoupled weight decay {cite}`loshchilov2019decoupled`.

    $\theta \leftarrow (1-\eta\lambda)\theta - \eta\,\hat m/(\sqrt{\hat v}+\epsilon)$, the decay on
    every parameter.
    """

    kind: ClassVar[str] = "adamw"

    beta1: Real = 0.9
    beta2: Real = 0.999
    epsilon: Real = 1e-8

    def start(self, theta: Float[Tensor, "*run P"]) -> State:
        """Both moments at zero."""
        return {"m": torch.zeros_like(theta), "v": torch.zeros_like(theta)}

    def step(
        self,
        theta: Float[Tensor, "*run P"],
        gradient: Float[Tensor, "*run P"],
        state: State,
        done: int,
    ) -> None:
        """Update `theta` and `state` in place; `done` counts the steps already taken."""
        rate = self.learning_rate * self.factor(done)
        state["m"].lerp_(gradient, 1 - self.beta1)
        state["v"].mul_(self.beta2).addcmul_(gradient, gradient, value=1 - self.beta2)
        root = (state["v"] / (1 - self.beta2 ** (done + 1))).sqrt_().add_(self.epsilon)
        theta.mul_(1 - rate * self.weight_decay)
        theta.addcdiv_(state["m"], root, value=-rate / (1 - self.beta1 ** (done + 1)))


@dataclass(frozen=True)
class SGD(_Optimizer):
    r"""Gradient descent with heavy-ball momentum and the coupled ($\ell_2$) decay of `torch.optim`.

    $u \leftarrow \mu u + (g + \lambda\theta)$, $\theta \leftarrow \theta - \eta u$.
    """

    kind: ClassVar[str] = "sgd"

    momentum: Real = 0.0

    def start(self, theta: Float[Tensor, "*run P"]) -> State:
        """The velocity, where there is momentum."""
        return {"u": torch.zeros_like(theta)} if self.momentum else {}

    def step(
        self,
        theta: Float[Tensor, "*run P"],
        gradient: Float[Tensor, "*run P"],
        state: State,
        done: int,
    ) -> None:
        """Update `theta` and `state` in place; `done` counts the steps already taken."""
        update = gradient.add(theta, alpha=self.weight_decay)
        if self.momentum:
            update = state["u"].mul_(self.momentum).add_(update)
        theta.sub_(update, alpha=self.learning_rate * self.factor(done))


OPTIMIZERS = {optimizer.kind: optimizer for optimizer in (AdamW, SGD)}
