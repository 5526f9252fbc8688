"""Gromov 2023: a quadratic network learns modular addition by plain gradient descent."""

from typing import Any

from grokbook.measures.onset import Rule
from grokbook.models import Quadratic
from grokbook.protocols.protocol import Protocol, repeated
from grokbook.tasks import Split, Task
from grokbook.training.optimizers import SGD
from grokbook.training.request import Request
from grokbook.training.run import Loss, Run


def gromov23(*, seeds: int = 3, steps: int = 60_000, **changes: Any) -> Protocol:
    r"""Modular addition by Gromov 2023 {cite}`gromov2023grokking`, one run a seed from 0.

    p = 97, one-hot operands, N = 500 squaring neurons in mean-field parametrisation, all weights
    from N(0, 1); half of the pairs; mean squared error on one-hot answers, full-batch gradient
    descent, no momentum, no decay.

    The paper releases no code and states no learning rate: $10^5$, for a loss that is a mean over
    examples and classes, is the scale at which others have reproduced it, ours to answer for, as
    are the budget, the grid of 50 steps and the onset rule (99 % of test accuracy at three
    evaluations in a row). A run ends 2,000 steps after its last onset. `changes` are
    hyper-parameters by their short names.
    """
    run = Run(
        Task("add", 97),
        Split(0.5, seed=0),
        Quadratic(500),
        SGD(1e5, 0.0, momentum=0.0),
        Loss("float32", "mean_squared_error"),
    ).replace(**changes)
    request = Request(
        steps=steps,
        evaluate_every=50,
        rule=Rule(0.99, sustained=3),
        stop_after_grok=2_000,
        measures=("squared_norm", "participation"),
        keep_weights=True,
        protocol="gromov23",
    )
    return Protocol(repeated(run, seeds), request)
