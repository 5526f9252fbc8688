r"""What a fixed budget does to a mean onset: derivation and prediction of chapter 01.

An onset $T$ is the step at which a network groks; a run that has not grokked is stopped at its
budget $B$. The mean over the successes is $E[T \mid T \le B]$, and it is below $E[T]$ for any law.
The worked law is exponential with mean $\tau$, if wanted after a dead time $d$ before which no
network groks. First the steps of the derivation, then their predictions in float64, in steps.
"""

from grokbook.theory.censoring.derivation import (
    B,
    any_law_exponential_identity,
    any_law_identity,
    bias_formula,
    bias_identity,
    d,
    dead_time_identity,
    density,
    identities,
    large_budget_identity,
    likelihood_identity,
    mean_formula,
    mean_identity,
    mu,
    partition_identity,
    probability_identity,
    small_budget_identity,
    t,
    tau,
    total_time_identity,
    w,
)
from grokbook.theory.censoring.prediction import (
    censored_mle,
    relative_bias,
    simulate_onsets,
    success_probability,
    truncated_mean,
)

__all__ = [
    "B",
    "any_law_exponential_identity",
    "any_law_identity",
    "bias_formula",
    "bias_identity",
    "censored_mle",
    "d",
    "dead_time_identity",
    "density",
    "identities",
    "large_budget_identity",
    "likelihood_identity",
    "mean_formula",
    "mean_identity",
    "mu",
    "partition_identity",
    "probability_identity",
    "relative_bias",
    "simulate_onsets",
    "small_budget_identity",
    "success_probability",
    "t",
    "tau",
    "total_time_identity",
    "truncated_mean",
    "w",
]
