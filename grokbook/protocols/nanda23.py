"""Nanda et al. 2023: a transformer of one layer learns modular addition."""

from typing import Any

from grokbook.measures.onset import Rule
from grokbook.models import Transformer
from grokbook.protocols.protocol import Protocol, repeated
from grokbook.tasks import Split, Task
from grokbook.training.optimizers import AdamW
from grokbook.training.request import Request
from grokbook.training.run import Run


def nanda23(*, seeds: int = 5, steps: int = 40_000, **changes: Any) -> Protocol:
    r"""Modular addition by Nanda et al. 2023 {cite}`nanda2023progress`, one run a seed from 0.

    p = 113, tokens `a b =`, one layer without norms, d_model 128, 4 heads, 512 ReLU neurons; 30 %
    of the pairs; full-batch AdamW, learning rate $10^{-3}$, weight decay 1, $\beta = (.9, .98)$,
    warm-up $\min(t/10, 1)$; 40,000 steps, ended 3,000 after the last onset.

    Text and code: the code lets "=" be predicted (114 logits), which is followed here; its seed
    fixes the split alone, here split and start both. The paper states no onset rule: 99 % of test
    accuracy at three evaluations in a row, every 10 steps, is ours. Its code comments ask for a
    float64 loss and its helper casts to float32; here it is float64. `changes` are hyper-parameters
    by their short names.
    """
    run = Run(
        Task("add", 113),
        Split(0.3, seed=0),
        Transformer(equals_is_class=True),
        AdamW(1e-3, 1.0, warmup=10, beta1=0.9, beta2=0.98),
    ).replace(**changes)
    request = Request(
        steps=steps,
        evaluate_every=10,
        rule=Rule(0.99, sustained=3),
        stop_after_grok=3_000,
        keep_weights=True,
        protocol="nanda23",
    )
    return Protocol(repeated(run, seeds), request)
