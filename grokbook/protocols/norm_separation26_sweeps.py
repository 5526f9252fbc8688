"""The sweeps of arXiv 2603.13331 over weight decay, learning rate, modulus, and their predictor.

By default as many seeds as a CPU can train in some hours; `seeds` asks for more.
"""

import itertools
from typing import Any

from grokbook.protocols.norm_separation26 import norm_separation26
from grokbook.protocols.protocol import Protocol

WEIGHT_DECAYS = (0.03, 0.1, 0.3, 0.5, 1.0)
SMALL_DECAY, LARGE_DECAY = 0.01, 2.0
LEARNING_RATES = (2e-3, 1e-3, 5e-4, 2e-4)
SMALL_RATE = 1e-4
JOINT = ((2e-3, 1e-3, 5e-4), (0.5, 1.0, 2.0))  # learning rate × weight decay
MODULI = (53, 67, 89, 97, 101, 113, 127)
TWO_TOKENS = 10  # seeds of the predictor's test that read `a b`; the others read `a b =`
SLOW_GRID = 100  # steps between evaluations where a delay takes tens of thousands


def norm_separation26_weight_decay(
    *, seeds: int = 3, steps: int = 150_000, **changes: Any
) -> Protocol:
    r"""`norm_separation26` at five weight decays, $\lambda \in \{.03, .1, .3, .5, 1\}$.

    {cite:t}`norm_separation2026` train 50,000 steps, and 15,000 for $\lambda \le .01$; here the
    budget is the same for all. `changes` are hyper-parameters by their short names.
    """
    return _cells(seeds, steps, [{"weight_decay": decay} for decay in WEIGHT_DECAYS], changes)


def norm_separation26_small_decay(
    *, seeds: int = 2, steps: int = 150_000, **changes: Any
) -> Protocol:
    r"""`norm_separation26` at $\lambda = .01$, where the paper stops at 15,000 steps.

    {cite:t}`norm_separation2026`; ten times their budget. `changes` are hyper-parameters by their
    short names.
    """
    cells = _cells(seeds, steps, [{"weight_decay": SMALL_DECAY}], changes)
    return cells.replace(evaluate_every=SLOW_GRID)


def norm_separation26_large_decay(
    *, seeds: int = 3, steps: int = 20_000, **changes: Any
) -> Protocol:
    r"""`norm_separation26` at $\lambda = 2$, where the paper saw three of ten seeds grok.

    {cite:t}`norm_separation2026`, within 50,000 steps. `changes` are hyper-parameters by their
    short names.
    """
    return _cells(seeds, steps, [{"weight_decay": LARGE_DECAY}], changes)


def norm_separation26_learning_rate(
    *, seeds: int = 3, steps: int = 200_000, **changes: Any
) -> Protocol:
    r"""`norm_separation26` at four learning rates, $\eta \in \{20, 10, 5, 2\} \cdot 10^{-4}$.

    {cite:t}`norm_separation2026`. `changes` are hyper-parameters by their short names.
    """
    cells = _cells(seeds, steps, [{"learning_rate": rate} for rate in LEARNING_RATES], changes)
    return cells.replace(evaluate_every=SLOW_GRID)


def norm_separation26_small_rate(
    *, seeds: int = 2, steps: int = 200_000, **changes: Any
) -> Protocol:
    r"""`norm_separation26` at $\eta = 10^{-4}$, the slowest cell of the paper.

    {cite:t}`norm_separation2026`. `changes` are hyper-parameters by their short names.
    """
    cells = _cells(seeds, steps, [{"learning_rate": SMALL_RATE}], changes)
    return cells.replace(evaluate_every=SLOW_GRID)


def norm_separation26_joint(*, seeds: int = 2, steps: int = 20_000, **changes: Any) -> Protocol:
    r"""`norm_separation26` at three learning rates times three weight decays.

    {cite:t}`norm_separation2026` train at least 50,000 steps. `changes` are hyper-parameters by
    their short names.
    """
    cells = [
        {"learning_rate": rate, "weight_decay": decay} for rate, decay in itertools.product(*JOINT)
    ]
    return _cells(seeds, steps, cells, changes).replace(evaluate_every=SLOW_GRID)


def norm_separation26_modulus(*, seeds: int = 3, steps: int = 50_000, **changes: Any) -> Protocol:
    r"""`norm_separation26` at seven moduli, $p \in \{53, 67, 89, 97, 101, 113, 127\}$.

    {cite:t}`norm_separation2026`. `changes` are hyper-parameters by their short names.
    """
    return _cells(seeds, steps, [{"p": p} for p in MODULI], changes)


def norm_separation26_predictor(
    *, seeds: int = 30, steps: int = 50_000, **changes: Any
) -> Protocol:
    """The runs of the predictor's test: ten seeds that read `a b`, the others `a b =`.

    {cite:t}`norm_separation2026` take 60. `changes` are hyper-parameters by their short names.
    """
    base = norm_separation26(seeds=seeds, steps=steps, **changes)
    runs = [run.replace(tokens=2 if i < TWO_TOKENS else 3) for i, run in enumerate(base.runs)]
    return Protocol(tuple(runs), base.request)


def _cells(
    seeds: int, steps: int, cells: list[dict[str, Any]], changes: dict[str, Any]
) -> Protocol:
    """Every cell of a sweep, each with all seeds; what `changes` names wins over the cell."""
    base = norm_separation26(seeds=seeds, steps=steps)
    runs = dict.fromkeys(run.replace(**cell | changes) for cell in cells for run in base.runs)
    return Protocol(tuple(runs), base.request)
