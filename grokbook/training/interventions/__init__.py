"""Interventions: one file per idea; `INTERVENTIONS` finds them by the name in a run's JSON."""

from grokbook.training.interventions.dropout import Dropout
from grokbook.training.interventions.gradient_noise import GradientNoise
from grokbook.training.interventions.grokfast import GrokfastEMA, GrokfastMA
from grokbook.training.interventions.intervention import Intervention, Look, Moment
from grokbook.training.interventions.isotropic_force import IsotropicForce
from grokbook.training.interventions.norm_clamp import NormClamp
from grokbook.training.interventions.perpgrad import PerpGrad
from grokbook.training.interventions.radial_penalty import RadialPenalty
from grokbook.training.interventions.stablemax import StableMax

INTERVENTIONS: dict[str, type[Intervention]] = {
    intervention.kind: intervention
    for intervention in (
        Dropout,
        GradientNoise,
        GrokfastEMA,
        GrokfastMA,
        IsotropicForce,
        NormClamp,
        PerpGrad,
        RadialPenalty,
        StableMax,
    )
}


def register(intervention: type[Intervention]) -> type[Intervention]:
    """Make a class of your own known, so that runs that use it can be stored and read back.

    Use it as a decorator. Raises `ValueError` for a kind that is taken by another class.
    """
    known = INTERVENTIONS.get(intervention.kind, intervention)
    if known.__qualname__ != intervention.__qualname__:
        raise ValueError(
            f"kind = {intervention.kind!r} is taken by {known.__name__}: choose another."
        )
    # The same name again is a notebook's cell run twice: what counts is what it says now.
    INTERVENTIONS[intervention.kind] = intervention
    return intervention


__all__ = [
    "INTERVENTIONS",
    "Dropout",
    "GradientNoise",
    "GrokfastEMA",
    "GrokfastMA",
    "Intervention",
    "IsotropicForce",
    "Look",
    "Moment",
    "NormClamp",
    "PerpGrad",
    "RadialPenalty",
    "StableMax",
    "register",
]
