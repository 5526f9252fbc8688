r"""The delay law of chapter 03: what a step does to $V = \|\theta\|^2$, and what follows.

The claim (arXiv 2603.13331) is that generalisation comes
$\Theta(\gamma^{-1}\log(V_{mem}/V_{post}))$ steps after memorisation. The rooms: one step; the upper
bound with its premise; the sign of the term that the published proof drops; κ and the corrected
law; how large Adam's update can be; lower bounds; symmetries; and the predictions in float64.
"""

from grokbook.theory.contraction import (
    adam,
    calibration,
    kappa,
    lower,
    one_step,
    symmetries,
    upper,
)
from grokbook.theory.contraction.prediction import (
    catapult,
    delay,
    flow_bounds,
    lambert,
    largest_gap,
    largest_update,
    mean_hitting_time,
    next_squared_norm,
    noise_floor,
    shortest_delay,
)
from grokbook.theory.contraction.prediction import kappa as measured_kappa
from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality

__all__ = [
    "ROOMS",
    "adam",
    "calibration",
    "catapult",
    "delay",
    "flow_bounds",
    "identities",
    "kappa",
    "lambert",
    "largest_gap",
    "largest_update",
    "lower",
    "mean_hitting_time",
    "measured_kappa",
    "next_squared_norm",
    "noise_floor",
    "one_step",
    "shortest_delay",
    "symmetries",
    "upper",
]

ROOMS = (one_step, upper, calibration, kappa, adam, lower, symmetries)


def identities() -> tuple[Identity | Inequality, ...]:
    """Return all steps of the derivation, room by room.

    >>> len(identities())
    40
    """
    return tuple(step for room in ROOMS for step in room.identities())
