"""The radial penalty on transformers: modular addition, sums in digits, and a text.

Of these networks the paper's onsets are known and little else; what is not is said here.
"""

import dataclasses
from collections.abc import Iterable
from typing import Any

from grokbook.measures.onset import Rule
from grokbook.models import GPT, Decoder
from grokbook.protocols.protocol import Protocol
from grokbook.protocols.radial26 import (
    BATCH,
    FIRST_SEED,
    STEPS_AN_EPOCH,
    over_seeds,
    published_run,
    request,
)
from grokbook.protocols.radial26_arms import STRONG
from grokbook.tasks import Characters, DigitAddition, Split
from grokbook.training.interventions import RadialPenalty
from grokbook.training.optimizers import AdamW
from grokbook.training.request import Request
from grokbook.training.run import Batch, Run

TRANSFORMER_STEPS = 10_000 * STEPS_AN_EPOCH
LINES = 12_500  # sums, of which 10,000 are for training
LINES_A_STEP = 64
SMALL = {"layers": 4, "d_model": 128, "heads": 4}  # 0.8 million parameters
PUBLISHED = {"layers": 6, "d_model": 384, "heads": 6}  # 10.6 million
NANOGPT_STRENGTH = 0.01


def radial26_transformer(
    *, seeds: int = 2, steps: int = TRANSFORMER_STEPS, **changes: Any
) -> Protocol:
    r"""A pre-norm decoder of two layers, four heads, width 128, with the penalty and without.

    {cite:t}`radial2026`. Norms have no weights, as where the paper reports this pair of onsets.
    Ours: GELU, learned positions, biases, `torch.nn.Linear`'s start; batches, learning rate and
    weight decay of the MLP; λ = .05, at "=" alone, where the answer is read; 10,000 epochs.
    Activations are followed at both positions. `changes` are hyper-parameters by their short names.
    """
    run = _transformer()
    strengths = (run.interventions[0].strength, 0.0)
    return _pairs(run, strengths, seeds, request(steps, STEPS_AN_EPOCH), changes)


def radial26_transformer_decay(
    *, seeds: int = 2, steps: int = TRANSFORMER_STEPS, **changes: Any
) -> Protocol:
    r"""`radial26_transformer` with weight decay .1 and no penalty, as in the MLP's comparison.

    Ours: {cite:t}`radial2026` compare this network with itself alone. `changes` are
    hyper-parameters by their short names.
    """
    run = _transformer().replace(weight_decay=STRONG)
    return _pairs(run, (0.0,), seeds, request(steps, STEPS_AN_EPOCH), changes)


def _transformer() -> Run:
    model = Decoder(
        prefix="a b =",
        activation="gelu",
        norm_position="pre",
        final_norm=True,
        norm_affine=False,
        positions="learned",
        attention_bias=True,
        mlp_bias=True,
        unembedding_bias=True,
    )
    return dataclasses.replace(published_run(), model=model, batch=Batch(BATCH, epochs=True))


def radial26_digits(*, seeds: int = 1, steps: int = 22_500, **changes: Any) -> Protocol:
    r"""nanoGPT with 0.8 million parameters on 3-digit addition, λ = .01 and 0.

    {cite:t}`radial2026`, whose network has 10 million: `radial26_nanogpt`. Ours: 10,000 sums for
    training and 2,500 for the test, answers written backwards and they alone minimised; batches of
    64; AdamW with learning rate $10^{-3}$ after 100 steps, $\beta = (.9, .99)$, weight decay .1; no
    dropout; the penalty at every position. An onset is 90 % of answers right. `changes` are
    hyper-parameters by their short names.
    """
    return _digits(SMALL, seeds, steps, changes)


def radial26_nanogpt(*, seeds: int = 3, steps: int = 45_000, **changes: Any) -> Protocol:
    """`radial26_digits` with the published 10 million parameters.

    {cite:t}`radial2026`. `changes` are hyper-parameters by their short names.
    """
    return _digits(PUBLISHED, seeds, steps, changes)


def _digits(size: dict[str, int], seeds: int, steps: int, changes: dict[str, Any]) -> Protocol:
    run = Run(
        DigitAddition(examples=LINES),
        Split(0.8, seed=FIRST_SEED),
        GPT(**size),
        AdamW(1e-3, 0.1, beta2=0.99, warmup=100),
        batch=Batch(LINES_A_STEP, epochs=True),
        interventions=(RadialPenalty(NANOGPT_STRENGTH, at="all"),),
    )
    asked = Request(
        steps, evaluate_every=250, rule=Rule(0.9, 3), stop_after_grok=1_000, protocol="radial26"
    )
    return _pairs(run, (NANOGPT_STRENGTH, 0.0), seeds, asked, changes)


def radial26_text(*, seeds: int = 3, steps: int = 1_500, **changes: Any) -> Protocol:
    r"""The negative control: 0.5 million parameters read a play, with the penalty and without.

    {cite:t}`radial2026` take Tiny Shakespeare; here it is one play of its author, windows of 64
    characters, the last tenth for the test. λ = .01 and the rest as in `radial26_digits`. `changes`
    are hyper-parameters by their short names.
    """
    text = Characters()
    run = Run(
        text,
        Split(0.9, seed=FIRST_SEED, method="in_order"),
        GPT(4, 96, 4, context=text.window, answer=text.window, special=0),
        AdamW(1e-3, 0.1, beta2=0.99, warmup=100),
        batch=Batch(LINES_A_STEP, epochs=True),
        interventions=(RadialPenalty(NANOGPT_STRENGTH, at="all"),),
    )
    asked = Request(steps, evaluate_every=50, rule=Rule(0.9, 3), protocol="radial26")
    return _pairs(run, (NANOGPT_STRENGTH, 0.0), seeds, asked, changes)


def _pairs(
    run: Run, strengths: Iterable[float], seeds: int, asked: Request, changes: dict[str, Any]
) -> Protocol:
    arms = [run.replace(radial_penalty_strength=strength) for strength in strengths]
    return Protocol(over_seeds(arms, seeds, changes), asked)
