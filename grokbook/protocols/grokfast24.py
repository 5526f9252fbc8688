"""Lee et al. 2024, "Grokfast": amplified slow gradients on modular multiplication."""

from typing import Any

from grokbook.measures.onset import Rule
from grokbook.models import Decoder
from grokbook.protocols.protocol import Protocol, refuse_unknown_arm, repeated
from grokbook.tasks import Split, Task
from grokbook.training.interventions.grokfast import GrokfastEMA, GrokfastMA
from grokbook.training.optimizers import Adam
from grokbook.training.request import Request
from grokbook.training.run import Batch, Loss, Run

# Each filter with the weight decay that it was tuned with, and the baseline without either.
ARMS = {
    "ema": (0.005, (GrokfastEMA(alpha=0.98, lamb=2.0),)),
    "ma": (0.01, (GrokfastMA(window=100, lamb=5.0),)),
    "baseline": (0.0, ()),
}


def grokfast24(
    *, seeds: int = 5, steps: int = 300_000, arm: str = "ema", **changes: Any
) -> Protocol:
    r"""Modular multiplication by Lee et al. 2024 {cite}`lee2024grokfast`, one run a seed from 0.

    p = 97, tokens `a op b =`, two causal layers, d_model 128, 4 heads, 512 GELU neurons, learned
    positions; half of the pairs; batches of 512, Adam with coupled decay, learning rate $10^{-3}$,
    $\beta = (.9, .98)$, warm-up $\min(t/10, 1)$, loss in float32; 300,000 steps, here ended 2,000
    after the last onset. `arm` "ema": $\alpha$ = .98, $\lambda$ = 2, weight decay .005; "ma":
    window 100, $\lambda$ = 5, weight decay .01; "baseline": no filter, and **no decay**, so that
    filter and decay are confounded; `weight_decay=0` or `.005` takes them apart.

    An onset is the first evaluation with 95 % of test accuracy, once an epoch of 10 steps, as
    published. One seed was run, here five. The code normalises the residual stream itself before
    attention (the text calls it a standard decoder) and lets `op` and "=" be predicted; both are
    followed, as is that each epoch is dealt into batches, the last one shorter. It leaves out
    $y = 0$ (9,312 pairs; here 9,409), and takes its training accuracy while the weights move.
    `changes` are hyper-parameters by their short names, such as `grokfast_ema_alpha`. Raises
    `ValueError` for an unknown arm.
    """
    refuse_unknown_arm(arm, ARMS)
    weight_decay, interventions = ARMS[arm]
    model = Decoder(
        layers=2,
        d_model=128,
        heads=4,
        d_mlp=512,
        prefix="a op b =",
        activation="gelu",
        norm_position="lee24",
        final_norm=True,
        positions="learned",
        attention_bias=True,
        mlp_bias=True,
        unembedding_bias=False,
        special_classes=True,
        init="encoder",
    )
    run = Run(
        Task("multiply", 97),
        Split(0.5, seed=0),
        model,
        Adam(1e-3, weight_decay, warmup=10, beta1=0.9, beta2=0.98),
        Loss("float32"),
        Batch(512, epochs=True),
        interventions=interventions,
    ).replace(**changes)
    request = Request(
        steps=steps,
        evaluate_every=10,
        rule=Rule(0.95, sustained=1),
        stop_after_grok=2_000,
        protocol="grokfast24",
    )
    return Protocol(repeated(run, seeds), request)
