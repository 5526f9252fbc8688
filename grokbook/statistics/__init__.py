"""Statistics of onsets: survival of censored steps, paired tests, bootstrap, power.

An onset is the step at which a network reaches a level of accuracy. A run that has not reached it
within its budget is right-censored there: its onset is known to be later, and no more. Everywhere
`times` are steps, and `observed` says whether the onset was seen (`True`) or the run was censored.
"""

from grokbook.statistics.estimate import Estimate, bootstrap
from grokbook.statistics.paired import (
    PairedLogRank,
    logrank_scores,
    paired_logrank,
    sign_flip_p_values,
)
from grokbook.statistics.power import (
    expected_range,
    log_sd_from_range,
    power_of_paired_logrank,
)
from grokbook.statistics.ratio import onset_ratio
from grokbook.statistics.scaling import PowerLaw, power_law
from grokbook.statistics.survival import (
    Survival,
    censor,
    kaplan_meier,
    median_onset,
    right_censored,
)
from grokbook.statistics.unpaired import LogRank, logrank

__all__ = [
    "Estimate",
    "LogRank",
    "PairedLogRank",
    "PowerLaw",
    "Survival",
    "bootstrap",
    "censor",
    "expected_range",
    "kaplan_meier",
    "log_sd_from_range",
    "logrank",
    "logrank_scores",
    "median_onset",
    "onset_ratio",
    "paired_logrank",
    "power_law",
    "power_of_paired_logrank",
    "right_censored",
    "sign_flip_p_values",
]
