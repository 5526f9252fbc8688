"""The sweeps of Nanda et al. 2023 over weight decay and over the share of the data."""

from typing import Any

from grokbook.protocols.nanda23 import nanda23
from grokbook.protocols.protocol import Protocol

WEIGHT_DECAYS = (0.0, 0.1, 0.3, 1.0, 3.0)
FRACTIONS = (0.2, 0.25, 0.3, 0.4, 0.5, 0.6)  # with weight decay 1
FRACTIONS_WITHOUT_DECAY = (0.4, 0.6, 0.8)


def nanda23_weight_decay(*, seeds: int = 2, steps: int = 15_000, **changes: Any) -> Protocol:
    r"""`nanda23` at five weight decays, $\lambda \in \{0, .1, .3, 1, 3\}$, on 30 % of the pairs.

    {cite:t}`nanda2023progress`. The paper trains 40,000 steps; the book's archive holds 15,000, so
    that a slower run is censored there. `changes` are hyper-parameters by their short names.
    """
    base = nanda23(seeds=seeds, steps=steps, **changes).replace(keep_weights=False)
    runs = [
        run.replace(weight_decay=weight_decay)
        for weight_decay in WEIGHT_DECAYS
        for run in base.runs
    ]
    return Protocol(tuple(runs), base.request)


def nanda23_data(*, seeds: int = 2, steps: int = 15_000, **changes: Any) -> Protocol:
    r"""`nanda23` on 20 to 60 % of the pairs with weight decay 1, and on 40 to 80 % without.

    {cite:t}`nanda2023progress`. The paper trains 40,000 steps; the book's archive holds 15,000.
    `changes` are hyper-parameters by their short names.
    """
    base = nanda23(seeds=seeds, steps=steps, **changes).replace(keep_weights=False)
    cells = [(fraction, 1.0) for fraction in FRACTIONS]
    cells += [(fraction, 0.0) for fraction in FRACTIONS_WITHOUT_DECAY]
    runs = [
        run.replace(train_fraction=fraction, weight_decay=weight_decay)
        for fraction, weight_decay in cells
        for run in base.runs
    ]
    return Protocol(tuple(runs), base.request)
