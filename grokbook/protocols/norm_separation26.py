"""The delay law's experiment: modular addition by one post-norm encoder layer."""

from typing import Any

from grokbook.measures.onset import Rule
from grokbook.models import Transformer
from grokbook.protocols.protocol import Protocol
from grokbook.tasks import Split, Task
from grokbook.training.optimizers import AdamW
from grokbook.training.request import Request
from grokbook.training.run import Batch, Loss, Run, grid

FIRST_SEED = 42  # theirs


def norm_separation26(*, seeds: int = 10, steps: int = 50_000, **changes: Any) -> Protocol:
    r"""The base cell of arXiv 2603.13331 {cite}`norm_separation2026`, one run a seed from 42.

    p = 97, tokens `a b`, `torch.nn.TransformerEncoderLayer` (d_model 128, 4 heads, 512 GELU
    neurons, post-norm, biases, no dropout), a final norm and a linear map with bias, embeddings
    from N(0, 1); half of the pairs; batches of 512 with replacement; AdamW, learning rate
    $10^{-3}$, weight decay 1 on everything, no warm-up; float32 throughout. One seed is split,
    start and batches. Onsets are the first evaluation at 99 %, looked for every 50 steps (the
    authors: every 200); a run ends 2,000 steps after its last onset, as theirs do. What single
    steps do to the squared norm is logged. `changes` are hyper-parameters by their short names.
    """
    if seeds < 1:
        raise ValueError(f"seeds = {seeds} is no number of runs: give 1 or more.")
    model = Transformer(
        tokens=2,
        activation="gelu",
        norm_position="post",
        final_norm=True,
        attention_bias=True,
        unembedding_bias=True,
        init="encoder",
    )
    run = Run(
        Task("add", 97),
        Split(0.5, seed=FIRST_SEED),
        model,
        AdamW(1e-3, 1.0),
        Loss("float32"),
        Batch(512),
    ).replace(**changes)
    request = Request(
        steps=steps,
        evaluate_every=50,
        rule=Rule(0.99),
        stop_after_grok=2_000,
        follow_norm=True,
        protocol="norm_separation26",
    )
    return Protocol(tuple(grid(run, seed=range(FIRST_SEED, FIRST_SEED + seeds))), request)
