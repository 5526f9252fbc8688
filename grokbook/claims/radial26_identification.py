"""Which reading of arXiv 2606.32000 {cite}`radial2026` comes closest to what it publishes."""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import xarray as xr

from grokbook.claims.arms import arm, onsets
from grokbook.claims.radial26_arms import STRENGTH, STRONG_DECAY, WEAK_DECAY
from grokbook.claims.radial26_curves import steps_an_epoch
from grokbook.protocols.radial26 import EPOCHS

# Published onsets in epochs by strength of the penalty and weight decay; infinity: never.
PUBLISHED = {
    (STRENGTH, WEAK_DECAY): 2_460.0,
    (0.0, STRONG_DECAY): 15_540.0,
    (0.0, WEAK_DECAY): math.inf,
}
FITS = math.log10(2)
MIXED = "epochs and steps"
SETTING = ("embedding", "batch_size", "beta2", "loss_precision")
Setting = tuple[str, str, float, str]


class Reading(NamedTuple):
    """One reading: what it takes an epoch for, its onsets, and its distance from the paper.

    Encoding and batch were chosen among; `beta2` and `precision` of the loss are its details.

    `onsets` are the medians by cell in that unit, infinite where they were not reached in the
    cell's budget. `terms` are the |log10| ratios, both sides cut at the budget, and NaN for a cell
    that was not run.
    """

    embedding: str
    batch: str
    unit: str
    budgets: dict[tuple[float, float], float]
    onsets: dict[tuple[float, float], float]
    terms: dict[tuple[float, float], float]
    beta2: float
    precision: str

    @property
    def distance(self) -> float:
        """Sum of the three terms; NaN while one is missing."""
        return float(sum(self.terms.values()))

    @property
    def fits(self) -> bool:
        """Whether it reaches an onset, and no single one is off by more than a factor of two."""
        return self.reaches and all(term <= FITS for term in self.terms.values())

    @property
    def reaches(self) -> bool:
        """Whether one of the two onsets that were published was reached in the budget."""
        seen = [self.onsets[cell] for cell, each in PUBLISHED.items() if math.isfinite(each)]
        return any(math.isfinite(onset) for onset in seen)


def readings(runs: xr.Dataset) -> list[Reading]:
    """Every reading of the archived runs, the closest first, then those that reach no onset."""
    return sorted(
        (each for each in _readings(runs) if each.unit != MIXED),
        key=lambda each: (math.isnan(each.distance), not each.reaches, each.distance),
    )


def mixed_readings(runs: xr.Dataset) -> list[Reading]:
    """The penalty's onset in epochs and the others in steps: to look at, not to choose from."""
    return [each for each in _readings(runs) if each.unit == MIXED]


def _readings(runs: xr.Dataset) -> Iterator[Reading]:
    settings = zip(*(runs[name].values.tolist() for name in SETTING), strict=True)
    for setting in sorted(set(settings)):
        cells = arm(runs, **dict(zip(SETTING, setting, strict=True)))
        epoch = steps_an_epoch(cells)
        for unit in ("epochs", "steps", MIXED):
            if unit == "epochs" or epoch > 1:
                yield _reading(cells, setting, unit)


def _reading(cells: xr.Dataset, setting: Setting, unit: str) -> Reading:
    embedding, batch, beta2, precision = setting
    epoch = steps_an_epoch(cells)
    seen: dict[tuple[float, float], float] = {}
    terms: dict[tuple[float, float], float] = {}
    budgets: dict[tuple[float, float], float] = {}
    for cell, published in PUBLISHED.items():
        strength, decay = cell
        in_epochs = unit == "epochs" or (unit == MIXED and strength > 0)
        steps = epoch if in_epochs else 1
        budgets[cell] = budget = EPOCHS * epoch / steps
        here = arm(cells, radial_penalty_strength=strength, weight_decay=decay)
        if not here.sizes["run"]:
            seen[cell] = terms[cell] = math.nan
            continue
        times, reached = onsets(here)
        seen[cell] = float(np.median(np.where(reached, times / steps, np.inf)))
        terms[cell] = abs(math.log10(min(seen[cell], budget) / min(published, budget)))
    return Reading(embedding, batch, unit, budgets, seen, terms, beta2, precision)
