"""Prieto et al. 2025: softmax collapse, and two ways around it."""

from dataclasses import dataclass
from typing import Any

from grokbook.measures.onset import Rule
from grokbook.models import MLP
from grokbook.protocols.protocol import Protocol, refuse_unknown_arm, repeated
from grokbook.tasks import Split, Task
from grokbook.training.interventions import Intervention
from grokbook.training.interventions.perpgrad import PerpGrad
from grokbook.training.interventions.stablemax import StableMax
from grokbook.training.optimizers import SGD, AdamW
from grokbook.training.request import Request
from grokbook.training.run import Loss, Run


@dataclass(frozen=True)
class _Arm:
    steps: int
    evaluate_every: int
    optimizer: AdamW | SGD
    loss: str = "float32"
    interventions: tuple[Intervention, ...] = ()
    precision: str = "float32"


def _adamw(learning_rate: float, beta2: float = 0.99, epsilon: float = 1e-25) -> AdamW:
    """AdamW without decay; beta2 and epsilon are the defaults of the paper's code."""
    return AdamW(learning_rate, 0.0, beta2=beta2, epsilon=epsilon)


def _behind_perpgrad(learning_rate: float) -> AdamW:
    """What the released wrapper leaves of AdamW: PyTorch's own beta2 and epsilon."""
    return _adamw(learning_rate, beta2=0.999, epsilon=1e-8)


ARMS = {
    # Figure 1
    "stablemax": _Arm(80_000, 100, _adamw(1e-2, beta2=0.999), "float64", (StableMax(),)),
    "perpgrad": _Arm(300, 10, _behind_perpgrad(1e-2), interventions=(PerpGrad(),)),
    "softmax": _Arm(80_000, 100, _adamw(1e-2), "float64"),
    # Figure 2, at 40 %
    "softmax32": _Arm(20_000, 50, _adamw(5e-4, epsilon=1e-30), "float32"),
    "softmax64": _Arm(20_000, 50, _adamw(5e-4, epsilon=1e-30), "float64"),
    # Figure 6, its MLP
    "fig6_adamw": _Arm(500, 10, _adamw(5e-3)),
    "fig6_perpgrad": _Arm(500, 10, _behind_perpgrad(5e-3), interventions=(PerpGrad(),)),
    "fig6_perpsgd": _Arm(
        500, 10, SGD(10.0, momentum=0.8), "float64", (StableMax(), PerpGrad()), "float64"
    ),
}


def prieto25(
    *, seeds: int = 5, steps: int | None = None, arm: str = "stablemax", **changes: Any
) -> Protocol:
    r"""Modular addition by Prieto et al. 2025 {cite}`prieto2025grokking`, one run a seed from 0.

    p = 113, one-hot operands, an MLP with two hidden layers of 200 ReLU neurons and no biases; 40 %
    of the pairs, full batch, no weight decay, no warm-up; AdamW with $\beta_1$ = .9.

    | arm | of | learning rate | $\beta_2$, $\epsilon$ | loss | steps |
    |---|---|---|---|---|---|
    | `stablemax` | fig. 1 | .01 | .999, $10^{-25}$ | StableMax, float64 | 80,000 |
    | `perpgrad` | fig. 1 | .01 | .999, $10^{-8}$ | softmax, float32 | 300 |
    | `softmax` | fig. 1 | .01 | .99, $10^{-25}$ | softmax, float64 | 80,000 |
    | `softmax32`, `softmax64` | fig. 2 | .0005 | .99, $10^{-30}$ | softmax, as named | 20,000 |
    | `fig6_adamw` | fig. 6 | .005 | .99, $10^{-25}$ | softmax, float32 | 500 |
    | `fig6_perpgrad` | fig. 6 | .005 | .999, $10^{-8}$ | softmax, float32 | 500 |
    | `fig6_perpsgd` | fig. 6 | 10 | SGD, momentum .8 | StableMax, all in float64 | 500 |

    The numbers are those of the released script. It asks for $\beta_2$ = .99 behind PerpGrad, and
    its wrapper drops that and $\epsilon$: the arms have what was trained, and `beta2=.99,
    epsilon=1e-25` what was asked. Figure 2 at 60 and 70 % is `train_fraction` with
    `epsilon=1e-25`; its float16 loss and the transformer of figure 6 are left out. One seed, 42,
    is fixed in the code; five are ours, as is the onset rule (99 % of test accuracy at three
    evaluations in a row) and a grid finer than its log's. No run ends early: what collapses does
    so at the end. `steps` None is the arm's; `changes` are hyper-parameters by their short names.
    Raises `ValueError` for an unknown arm.
    """
    refuse_unknown_arm(arm, ARMS)
    chosen = ARMS[arm]
    run = Run(
        Task("add", 113),
        Split(0.4, seed=0),
        MLP(width=200, hidden_layers=2, embedding="one_hot", activation="relu", bias=False),
        chosen.optimizer,
        Loss(chosen.loss),
        precision=chosen.precision,
        interventions=chosen.interventions,
    ).replace(**changes)
    request = Request(
        steps=chosen.steps if steps is None else steps,
        evaluate_every=chosen.evaluate_every,
        rule=Rule(0.99, sustained=3),
        protocol="prieto25",
    )
    return Protocol(repeated(run, seeds), request)
