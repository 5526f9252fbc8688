"""Power et al. 2022: a decoder of two layers learns tables of binary operations."""

import math
from typing import Any

from grokbook.measures.onset import Rule
from grokbook.models import Decoder
from grokbook.protocols.protocol import Protocol, refuse_unknown_arm, repeated
from grokbook.tasks import Split, Task, operations
from grokbook.training.optimizers import Adam, AdamW
from grokbook.training.request import Request
from grokbook.training.run import Batch, Loss, Run

LARGEST_BATCH = 512
FRACTIONS = (0.25, 0.3, 0.35, 0.4)
OPERATIONS = tuple(name for name in operations() if name != "multiply")

# The optimiser of each arm, its budget and its grid, in steps.
ARMS = {
    "adamw": (AdamW(1e-3, 1.0, warmup=10, beta2=0.98), 100_000, 50),
    "figure_1": (Adam(1e-3, 0.0, warmup=10, beta2=0.98), 1_000_000, 100),
}


def power22(
    *, seeds: int = 3, steps: int | None = None, arm: str = "adamw", **changes: Any
) -> Protocol:
    r"""Division by Power et al. 2022 {cite}`power2022grokking`, one run a seed from 0.

    p = 97, tokens `<eos> a op b =`, two causal layers with a LayerNorm after each block, d_model
    128, 4 heads, 512 ReLU neurons, sinusoidal positions, no biases; half of the 9,312 pairs; each
    epoch dealt into batches of $\min(512, \lceil n/2 \rceil)$, the last one shorter; learning rate
    $10^{-3}$, $\beta = (.9, .98)$, warm-up $\min(t/10, 1)$, loss in float32. `arm` "adamw": weight
    decay 1 on every parameter, $10^5$ steps, as in all their comparisons; "figure_1": Adam without
    decay, $10^6$ steps, as in their figure 1.

    An onset is the first evaluation with 99 % of test accuracy, as in their figure 1; the grid, 50
    steps or 100, is ours, and a run ends 2,000 steps after its last onset. Their loss also asks for
    the final `<eos>`, and their softmax runs over the tokens of all their tasks: here the answer
    alone, among the 97 residues. Their code shuffles the equations once, with one seed for every
    run, and rounds the share of them: here each seed has a split of its own, so that an interval
    covers the split too, rounded down. `changes` are hyper-parameters by their short names. Raises
    `ValueError` for an unknown arm.
    """
    refuse_unknown_arm(arm, ARMS)
    optimizer, budget, every = ARMS[arm]
    run = Run(
        Task("divide", 97),
        Split(0.5, seed=0),
        Decoder(
            layers=2,
            d_model=128,
            heads=4,
            d_mlp=512,
            prefix="<eos> a op b =",
            activation="relu",
            norm_position="post",
            final_norm=False,
            positions="sinusoidal",
            attention_bias=False,
            mlp_bias=False,
            unembedding_bias=False,
            special_classes=False,
            init="linear",
        ),
        optimizer,
        Loss("float32"),
        Batch(LARGEST_BATCH, epochs=True),
    ).replace(**changes)
    if "batch_size" not in changes:
        run = run.replace(batch_size=batch_size(run))
    request = Request(
        steps=budget if steps is None else steps,
        evaluate_every=every,
        rule=Rule(0.99, sustained=1),
        stop_after_grok=2_000,
        protocol="power22",
    )
    return Protocol(repeated(run, seeds), request)


def batch_size(run: Run) -> int:
    r"""Their batch, $\min(512, \lceil n/2 \rceil)$ of the n training examples.

    >>> batch_size(power22(train_fraction=0.05).runs[0])
    233
    """
    train, _ = run.split.indices(len(run.task.table().pairs))
    return min(LARGEST_BATCH, math.ceil(len(train) / 2))


def power22_data(*, seeds: int = 3, steps: int = 20_000, **changes: Any) -> Protocol:
    r"""`power22` on 25, 30, 35 and 40 % of the division table, for 20,000 steps.

    {cite:t}`power2022grokking` report how the onset grows as data are taken away on the product of
    $S_5$, within $10^5$ steps; division stands in for it. `changes` are hyper-parameters by their
    short names.
    """
    cells = [
        power22(seeds=seeds, steps=steps, **{"train_fraction": fraction} | changes)
        for fraction in FRACTIONS
    ]
    return Protocol(tuple(run for cell in cells for run in cell.runs), cells[0].request)


def power22_operations(*, seeds: int = 3, steps: int = 100_000, **changes: Any) -> Protocol:
    r"""`power22` on the nine operations mod 97 of {cite:t}`power2022grokking`, half of each table.

    Their three on $S_5$ wait for its tables. `changes` are hyper-parameters by their short names.
    """
    cells = [
        power22(seeds=seeds, steps=steps, **{"operation": operation} | changes)
        for operation in OPERATIONS
    ]
    return Protocol(tuple(run for cell in cells for run in cell.runs), cells[0].request)
