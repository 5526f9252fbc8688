"""Which protocol is the one of the radial penalty's paper? It released no code.

What could be recovered leaves the encoding, the batch and the unit of time open: an epoch is one
step on the full batch, and 19 steps of 256 examples. These grids look for the cell that reproduces
what is published, before anything is claimed of it.
"""

import itertools
from collections.abc import Iterable
from typing import Any

from grokbook.measures.onset import Rule
from grokbook.models import MLP
from grokbook.protocols.protocol import Protocol
from grokbook.tasks import Split, Task
from grokbook.training.interventions import RadialPenalty
from grokbook.training.optimizers import AdamW
from grokbook.training.request import Request
from grokbook.training.run import Batch, Run, grid

FIRST_SEED = 42  # of the group's later code
STRENGTHS, DECAYS, ENCODINGS = (0.05, 0.0), (1e-3, 1e-1), ("one_hot", "learned")
BATCH, STEPS_AN_EPOCH = 256, 19  # of 4,704 examples, the last batch shorter
EPOCHS = 4_000  # of the cells in which the protocol is looked for
EVERY = 10  # epochs between evaluations
AFTER = 200  # epochs from the last onset to the end


def radial26_full_batch(*, seeds: int = 1, steps: int = EPOCHS, **changes: Any) -> Protocol:
    r"""Eight cells of arXiv 2606.32000 {cite}`radial2026` on the full batch: an epoch is a step.

    a + b mod 97, half of the pairs; two hidden layers of 512 ReLU units with biases, at
    `torch.nn.Linear`'s start; AdamW, learning rate $10^{-3}$, $\beta = (.9, .999)$; cross-entropy
    in float64. Operands as concatenated one-hots or as learned embeddings from N(0, 1), 128 wide;
    penalty λ = .05 or none; weight decay $10^{-3}$ or $10^{-1}$. An onset is the first of three
    evaluations in a row at 90 % test accuracy, looked for every 10 epochs; a run ends 200 epochs
    after its last onset. `changes` are hyper-parameters by their short names.
    """
    return _cells(seeds, steps, 1, {"batch_size": None} | changes)


def radial26_batches(
    *, seeds: int = 1, steps: int = EPOCHS * STEPS_AN_EPOCH, **changes: Any
) -> Protocol:
    r"""The same eight cells in shuffled batches of 256, 4,000 epochs of 19 steps.

    {cite:t}`radial2026`. `changes` are hyper-parameters by their short names.
    """
    return _cells(seeds, steps, STEPS_AN_EPOCH, changes)


def _cells(seeds: int, steps: int, steps_an_epoch: int, changes: dict[str, Any]) -> Protocol:
    cells = [
        published_run().replace(
            embedding=encoding, radial_penalty_strength=strength, weight_decay=decay
        )
        for encoding, strength, decay in itertools.product(ENCODINGS, STRENGTHS, DECAYS)
    ]
    return Protocol(over_seeds(cells, seeds, changes), request(steps, steps_an_epoch))


def over_seeds(arms: Iterable[Run], seeds: int, changes: dict[str, Any]) -> tuple[Run, ...]:
    """Every arm with these changes, once a seed from 42 on; arms that are now one stand once.

    Raises `ValueError` for fewer than one seed.
    """
    if seeds < 1:
        raise ValueError(f"seeds = {seeds} is no number of runs: give 1 or more.")
    seeded = range(FIRST_SEED, FIRST_SEED + seeds)
    runs = (each for arm in arms for each in grid(arm.replace(**changes), seed=seeded))
    return tuple(dict.fromkeys(runs))


def published_run() -> Run:
    """What is published of the MLP, with one-hots and batches of 256 where nothing is."""
    return Run(
        Task("add", 97),
        Split(0.5, seed=FIRST_SEED),
        MLP(512, hidden_layers=2),
        AdamW(1e-3, 1e-3, beta2=0.999),
        batch=Batch(BATCH, epochs=True),
        interventions=(RadialPenalty(),),
    )


def request(steps: int, steps_an_epoch: int, **more: Any) -> Request:
    """Evaluations every 10 epochs, the published onset rule, 200 epochs after the last onset."""
    return Request(
        steps=steps,
        evaluate_every=EVERY * steps_an_epoch,
        rule=Rule(0.9, 3),
        stop_after_grok=AFTER * steps_an_epoch,
        follow_radial=True,
        protocol="radial26",
        **more,
    )
