"""When a curve reaches a level: the onset of memorisation and of generalisation."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

Real = float | int


@dataclass(frozen=True)
class Rule:
    """An onset is the first of `sustained` evaluations in a row at or above `level`."""

    level: Real = 0.99
    sustained: int = 1  # evaluations

    def __post_init__(self) -> None:
        if not 0 < self.level <= 1:
            raise ValueError(f"level = {self.level!r} is no accuracy: give a share such as 0.99.")
        if self.sustained < 1:
            raise ValueError(
                f"sustained = {self.sustained} evaluations is too few: give 1 or more."
            )


# Beside a protocol's own rule every run carries these, so that papers can be compared.
COMMON_RULES = {percent: Rule(percent / 100, 3) for percent in (90, 95, 99)}


def onset(
    steps: Float[Tensor, " n"], accuracy: Float[Tensor, "*run n"], rule: Rule
) -> Float[Tensor, "*run"]:
    r"""Step of the first evaluation from which the accuracy holds the level.

    $t = \min\{s_i : a_i, \dots, a_{i+w-1} \ge \ell\}$ with the rule's level $\ell$ and $w$
    (chapter 01). NaN where there is none: the onset is then censored at the last step. An
    evaluation that is NaN is below every level.

    >>> steps = torch.tensor([0.0, 10.0, 20.0, 30.0])
    >>> accuracy = torch.tensor([[0.1, 1.0, 0.2, 1.0], [0.1, 0.2, 0.99, 1.0]])
    >>> onset(steps, accuracy, Rule(0.99)).tolist()
    [10.0, 20.0]
    >>> onset(steps, accuracy, Rule(0.99, sustained=2)).tolist()
    [nan, 20.0]
    """
    missing = torch.full(accuracy.shape[:-1], torch.nan, dtype=steps.dtype)
    if accuracy.shape[-1] < rule.sustained:
        return missing
    holds = (accuracy >= rule.level).unfold(-1, rule.sustained, 1).all(-1)
    first = steps[holds.to(torch.uint8).argmax(-1)]
    return torch.where(holds.any(-1), first, missing)


def onsets(
    steps: Float[Tensor, " n"],
    train_accuracy: Float[Tensor, "*run n"],
    test_accuracy: Float[Tensor, "*run n"],
    rule: Rule,
) -> dict[str, Float[Tensor, "*run"]]:
    """`t_mem` and `t_grok` by the protocol's rule; `t_*_90`, `_95`, `_99` by the common ones."""
    found = {}
    for name, accuracy in (("t_mem", train_accuracy), ("t_grok", test_accuracy)):
        found[name] = onset(steps, accuracy, rule)
        for percent, common in COMMON_RULES.items():
            found[f"{name}_{percent}"] = onset(steps, accuracy, common)
    return found


def truncated_mean(
    tau: Float[Tensor, "*#grid"], budget: Float[Tensor, "*#grid"]
) -> Float[Tensor, "*grid"]:
    r"""Mean onset of the runs that grok within a budget, in steps, for exponential onsets.

    $E[T \mid T \le B] = -\partial_\lambda \log Z(\lambda)$ at $\lambda = 1/\tau$, with
    $Z(\lambda) = \int_0^B e^{-\lambda t} dt = (1 - e^{-\lambda B}) / \lambda$ (chapter 01): the
    derivative is autograd's.

    >>> steps = torch.tensor(8000.0, dtype=torch.float64)
    >>> round(truncated_mean(steps, steps).item(), 1)
    3344.2
    """
    rate, budget = torch.broadcast_tensors(1 / tau, budget)
    rate = rate.detach().clone().requires_grad_()
    log_partition = (-torch.expm1(-rate * budget) / rate).log()
    (slope,) = torch.autograd.grad(log_partition.sum(), rate)
    return -slope
