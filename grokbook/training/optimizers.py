"""Optimisers as frozen numbers and pure steps over one flat parameter vector.

`torch.optim` keeps its numbers inside; here the learning rate and the weight decay are one number a
run, so that runs that differ in numbers only can share a step: in an ensemble the vectors have a
leading run axis and each number is a float64 tensor that broadcasts against it. A test holds each
optimiser to `torch.optim`, step for step.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, fields
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim import adam, adamw

Real = float | int
State = dict[str, Tensor]


@dataclass(frozen=True)
class _Optimizer:
    r"""What every optimiser has: step size, decoupled or coupled decay, a linear warm-up.

    With decoupled decay, and for plain descent with either, a step is
    $\theta' = (1 - \eta\lambda)\theta - \eta u$ with `direction` u.
    """

    kind: ClassVar[str]

    learning_rate: Real = 1e-3
    weight_decay: Real = 0.0
    warmup: int = 0  # steps
    _: KW_ONLY
    decay_until: int | None = None  # steps

    def __post_init__(self) -> None:
        for name in ("learning_rate", "weight_decay"):
            value = getattr(self, name)
            if not 0 <= value < float("inf"):
                raise ValueError(f"{name} = {value!r} is not a rate: give a number of at least 0.")
        if self.decay_until is not None and self.decay_until < 0:
            raise ValueError(f"decay_until = {self.decay_until} is no step: give 0 or more.")
        # 1 and 1.0 are the same run, so they must have the same JSON.
        for item in fields(self):
            if item.type in (float, Real):
                object.__setattr__(self, item.name, float(getattr(self, item.name)))

    def factor(self, done: int) -> float:
        r"""Share of the learning rate in step `done` + 1, $\min(\text{done}/\text{warm-up}, 1)$.

        The very first step of a warm-up is therefore empty, as in Nanda et al.'s released code.
        """
        return min(done / self.warmup, 1.0) if self.warmup else 1.0

    def decay(self, done: int) -> Real | Tensor:
        """Weight decay in step `done` + 1: none once `decay_until` steps are taken."""
        over = self.decay_until is not None and done >= self.decay_until
        return 0.0 if over else self.weight_decay


@dataclass(frozen=True)
class _Adaptive(_Optimizer):
    """What Adam and AdamW share: two moments, and torch's fused kernel for a run on a CPU."""

    beta1: Real = 0.9
    beta2: Real = 0.999
    epsilon: Real = 1e-8

    def start(self, theta: Float[Tensor, "*run P"]) -> State:
        """Both moments at zero."""
        return {"m": torch.zeros_like(theta), "v": torch.zeros_like(theta)}

    def _move(
        self,
        theta: Float[Tensor, "*run P"],
        gradient: Float[Tensor, "*run P"],
        state: State,
        done: int,
        rate: Real | Tensor,
    ) -> None:
        r"""Update the moments and subtract $\eta\,\hat m/(\sqrt{\hat v}+\epsilon)$."""
        m, v = state["m"], state["v"]
        m.mul_(_beside(self.beta1, m)).add_(gradient * _beside(1 - self.beta1, m))
        v.mul_(_beside(self.beta2, v)).add_(gradient.square() * _beside(1 - self.beta2, v))
        root = self.preconditioner(theta, state, done + 1)
        theta.sub_(m / root * _beside(rate / (1 - self.beta1 ** (done + 1)), m))

    def direction(
        self, before: Float[Tensor, "*run P"], state: State, done: int
    ) -> Float[Tensor, "*run P"]:
        r"""$u = \hat m/(\sqrt{\hat v}+\epsilon)$ of step `done` + 1, by the state that it left."""
        m, root = state["m"], self.preconditioner(before, state, done + 1)
        return (m / _beside(1 - self.beta1 ** (done + 1), m)).div_(root)

    def preconditioner(
        self, theta: Float[Tensor, "*run P"], state: State, done: int
    ) -> Float[Tensor, "*run P"]:
        r"""$\sqrt{\hat v}+\epsilon$ by the state that `done` steps left; there is none after 0."""
        root = (state["v"] / _beside(1 - self.beta2**done, theta)).sqrt_()
        return root.add_(_beside(self.epsilon, theta))

    def _fused(
        self,
        kernel: Callable[..., None],
        theta: Float[Tensor, " P"],
        gradient: Float[Tensor, " P"],
        state: State,
        done: int,
    ) -> None:
        """One pass over the memory in place of eight."""
        kernel(
            [theta],
            [gradient],
            [state["m"]],
            [state["v"]],
            [],
            [torch.tensor(float(done))],
            fused=True,
            amsgrad=False,
            maximize=False,
            beta1=self.beta1,
            beta2=self.beta2,
            eps=self.epsilon,
            lr=self.learning_rate * self.factor(done),
            weight_decay=float(self.decay(done)),
        )


@dataclass(frozen=True)
class AdamW(_Adaptive):
    r"""Adam with decoupled weight decay {cite}`loshchilov2019decoupled`.

    $\theta \leftarrow (1-\eta\lambda)\theta - \eta\,\hat m/(\sqrt{\hat v}+\epsilon)$, the decay on
    every parameter.
    """

    kind: ClassVar[str] = "adamw"

    def step(
        self,
        theta: Float[Tensor, "*run P"],
        gradient: Float[Tensor, "*run P"],
        state: State,
        done: int,
    ) -> None:
        """Update `theta` and `state` in place; `done` counts the steps already taken."""
        if theta.ndim == 1 and theta.device.type == "cpu":
            self._fused(adamw.adamw, theta, gradient, state, done)
            return
        rate = self.learning_rate * self.factor(done)
        theta.mul_(_beside(1 - rate * self.decay(done), theta))
        self._move(theta, gradient, state, done, rate)


@dataclass(frozen=True)
class Adam(_Adaptive):
    r"""Adam with `torch.optim.Adam`'s coupled ($\ell_2$) decay: moments of $g + \lambda\theta$."""

    kind: ClassVar[str] = "adam"

    def step(
        self,
        theta: Float[Tensor, "*run P"],
        gradient: Float[Tensor, "*run P"],
        state: State,
        done: int,
    ) -> None:
        """Update `theta` and `state` in place; `done` counts the steps already taken."""
        if theta.ndim == 1 and theta.device.type == "cpu":
            self._fused(adam.adam, theta, gradient, state, done)
            return
        decayed = gradient + theta * _beside(self.decay(done), theta)
        self._move(theta, decayed, state, done, self.learning_rate * self.factor(done))


@dataclass(frozen=True)
class SGD(_Optimizer):
    r"""Gradient descent with heavy-ball momentum and the coupled ($\ell_2$) decay of `torch.optim`.

    $u \leftarrow \mu u + (g + \lambda\theta)$, $\theta \leftarrow \theta - \eta u$.
    """

    kind: ClassVar[str] = "sgd"

    momentum: Real = 0.0

    def start(self, theta: Float[Tensor, "*run P"]) -> State:
        """The velocity, which plain descent leaves at zero."""
        return {"u": torch.zeros_like(theta)}

    def step(
        self,
        theta: Float[Tensor, "*run P"],
        gradient: Float[Tensor, "*run P"],
        state: State,
        done: int,
    ) -> None:
        """Update `theta` and `state` in place; `done` counts the steps already taken."""
        u = state["u"].mul_(_beside(self.momentum, theta)).add_(gradient)
        u.add_(theta * _beside(self.decay(done), theta))
        theta.sub_(u * _beside(self.learning_rate * self.factor(done), theta))

    def preconditioner(
        self, theta: Float[Tensor, "*run P"], state: State, done: int
    ) -> Float[Tensor, "*run P"]:
        """Ones: descent divides by nothing."""
        return torch.ones_like(theta)

    def direction(
        self, before: Float[Tensor, "*run P"], state: State, done: int
    ) -> Float[Tensor, "*run P"]:
        """The velocity of step `done` + 1 less the decay in it: without momentum the gradient."""
        return state["u"] - before * _beside(self.decay(done), before)


def _beside(number: Real | Tensor, vector: Tensor) -> Real | Tensor:
    r"""A number ready to meet a vector: rounded to its dtype only now, after its own arithmetic.

    A tensor of one number a run would otherwise take float32 vectors through float64; and $\beta^t$
    or $1 - \beta$ taken in float32 would be off where they matter.
    """
    return number.to(vector.dtype) if isinstance(number, Tensor) else number


OPTIMIZERS = {optimizer.kind: optimizer for optimizer in (AdamW, Adam, SGD)}
