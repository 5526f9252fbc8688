r"""Radial and angular, chapter 04: a penalty on $\|h\|$ (arXiv 2606.32000), split and tested.

The rooms: the split of a gradient and the penalty's own derivatives; the flow of an activation that
is free; how shared weights couple what the split takes apart; the three propositions (anisotropy,
the null of the radial share, curvature); what the radial part of the task gradient is, and where it
lets penalised layers rest; where AdamW becomes unstable under a penalty; the formulas in float64.
"""

from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality
from grokbook.theory.radial import (
    anisotropy,
    balance,
    confidence,
    coupling,
    curvature,
    edge,
    flow,
    nulls,
    split,
)
from grokbook.theory.radial.prediction import (
    adam_edge,
    balanced_ratio,
    confidence_energy,
    excess,
    margin_energy,
    masked_null,
    mean_penalty,
    null_quantile,
    one_hot_spectrum,
    penalty,
    penalty_gradient,
    penalty_hessian,
    radial_energy,
    ranks,
    relative_error,
    relaxation_time,
    safe_curvature,
    steps_to_edge,
)

__all__ = [
    "ROOMS",
    "adam_edge",
    "anisotropy",
    "balance",
    "balanced_ratio",
    "confidence",
    "confidence_energy",
    "coupling",
    "curvature",
    "edge",
    "excess",
    "flow",
    "identities",
    "margin_energy",
    "masked_null",
    "mean_penalty",
    "null_quantile",
    "nulls",
    "one_hot_spectrum",
    "penalty",
    "penalty_gradient",
    "penalty_hessian",
    "radial_energy",
    "ranks",
    "relative_error",
    "relaxation_time",
    "safe_curvature",
    "split",
    "steps_to_edge",
]

ROOMS = (split, flow, coupling, anisotropy, nulls, confidence, balance, curvature, edge)


def identities() -> tuple[Identity | Inequality, ...]:
    """Return all steps of the derivation, room by room.

    >>> len(identities())
    63
    """
    return tuple(step for room in ROOMS for step in room.identities())
