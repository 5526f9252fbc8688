"""The arms of the radial penalty's experiments, and what is asked of two of them."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import xarray as xr
from jaxtyping import Float

from grokbook.claims.arms import arm, median_is_seen, onsets
from grokbook.claims.claim import Bound, Claim
from grokbook.claims.radial26_criteria import CRITERIA, SOURCE
from grokbook.protocols import PROTOCOLS, SWEEPS, Protocol
from grokbook.statistics import Estimate, bootstrap

STRENGTH, WEAK_DECAY, STRONG_DECAY = 0.05, 1e-3, 0.1  # as published
FIRST_BETA2, CLOSER_BETA2 = 0.999, 0.98  # of the first comparison, and of the one nearer the paper


def measurement(name: str, experiments: Iterable[str], **of: object) -> Claim:
    """A claim of the paper on the runs of these protocols, measured by default."""
    names = tuple(experiments)

    def experiment() -> tuple[Protocol, ...]:
        return tuple((PROTOCOLS | SWEEPS)[each]() for each in names)

    return Claim(
        id=f"{SOURCE}.{name}" if "." not in name else name,
        source=SOURCE if "." not in name else name.split(".")[0],
        criterion=CRITERIA[name.split(".")[-1]],
        experiment=experiment,
        command=f"python -m grokbook run {' '.join(names)}",
        **{"kind": "measurement"} | of,
    )


def plain(runs: xr.Dataset) -> xr.Dataset:
    r"""The runs that only the penalty, or nothing, sets apart: on the sphere, no norm layers."""
    return arm(
        runs,
        interventions="radial_penalty",
        radial_penalty_radius=1.0,
        radial_penalty_unit="sqrt_d",
        norm="none",
    )


def closest_first(runs: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    r"""The runs of the $\beta_2$ to judge by, and those of the other.

    .98 comes closer to the paper, and is judged by once it has every run that .999 has.
    """
    closer, first = (arm(plain(runs), beta2=beta2) for beta2 in (CLOSER_BETA2, FIRST_BETA2))
    names = ("radial_penalty_strength", "weight_decay", "init_seed")
    has, needs = (set(zip(*(each[name].values for name in names), strict=True))
                  for each in (closer, first))  # fmt: skip
    return (closer, first) if has and has >= needs else (first, closer)


def penalised(runs: xr.Dataset) -> xr.Dataset:
    """The published penalty, with little weight decay."""
    return arm(plain(runs), radial_penalty_strength=STRENGTH, weight_decay=WEAK_DECAY)


def decayed(runs: xr.Dataset, weight_decay: float = WEAK_DECAY) -> xr.Dataset:
    """Weight decay and no penalty; by default the published baseline."""
    return arm(plain(runs), radial_penalty_strength=0.0, weight_decay=weight_decay)


def paired(first: xr.Dataset, second: xr.Dataset) -> tuple[xr.Dataset, xr.Dataset]:
    """The runs of two arms whose seeds both have, in the order of the seeds."""
    common = np.intersect1d(first["init_seed"].values, second["init_seed"].values)
    rows = [[list(one["init_seed"].values).index(seed) for seed in common]
            for one in (first, second)]  # fmt: skip
    return first.isel(run=rows[0]), second.isel(run=rows[1])


def ratio_of_medians(
    numerator: Float[np.ndarray, " seed"], denominator: Float[np.ndarray, " seed"]
) -> Estimate:
    """Ratio of two medians over the same seeds, with its bootstrap interval over them."""

    def ratio(seeds: np.ndarray) -> float:
        return float(np.median(numerator[seeds]) / np.median(denominator[seeds]))

    return bootstrap(np.arange(len(numerator)), ratio, seed=0, resamples=1999)


class SpeedUp(NamedTuple):
    """A ratio of median onsets, whether it is a bound, and what to say of onsets not reached."""

    ratio: Estimate
    bound: Bound
    said: str


def speed_up(without: xr.Dataset, penalised: xr.Dataset) -> SpeedUp:
    """Onset without the penalty over that with it.

    One that is not reached stands at its budget; where that is the median of one of the two arms
    the ratio is a bound.
    """
    without, penalised = paired(without, penalised)
    (late, seen), (early, both) = onsets(without), onsets(penalised)
    said = [
        f"{int((~here).sum())} of {len(here)} onsets {name} the penalty stand at their budget."
        for name, here in (("without", seen), ("with", both))
        if not here.all()
    ]
    slower, faster = median_is_seen(without), median_is_seen(penalised)
    bound: Bound = "" if slower == faster else "≤" if slower else "≥"
    return SpeedUp(ratio_of_medians(late, early), bound, " ".join(said))
