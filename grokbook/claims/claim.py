"""What a claim is, and the few verdicts that it can have."""

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import xarray as xr

from grokbook.protocols import Protocol
from grokbook.statistics import Estimate

VERDICTS = (
    "reproduced",
    "reproduced in part",
    "not reproduced",
    "refuted",
    "not testable as stated",
    "not yet run",
)


def by_parts(held: int, parts: int = 2) -> str:
    """The word for a claim of several parts: all of them hold, some, or none.

    >>> by_parts(2), by_parts(1), by_parts(0), by_parts(1, parts=1)
    ('reproduced', 'reproduced in part', 'not reproduced', 'reproduced')
    """
    if held == parts > 0:
        return "reproduced"
    return "reproduced in part" if held else "not reproduced"


# What a claim is judged from: the runs of a protocol, or of several.
Experiment = Callable[[], Protocol | tuple[Protocol, ...]]

Bound = Literal["", "≥", "≤"]  # what a number is, where it is one

FEWEST_SEEDS = 3  # below, a claim is reproduced in part at best


@dataclass(frozen=True)
class Published:
    """What the source says: in words, as a number or a range where it gives one, and where."""

    text: str
    where: str
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What the runs say: the measured value, its 95 % interval, the number of seeds, a judgement.

    `bound` says that the value is one, from below (≥) or from above (≤), as where an onset that
    was not reached stands at its budget.

    Raises `ValueError` for a word that is not among the verdicts.
    """

    verdict: str
    measured: float | None = None
    interval: tuple[float, float] | None = None
    n: int = 0
    note: str = ""
    bound: Bound = ""

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ValueError(f"{self.verdict!r} is no verdict: choose from {', '.join(VERDICTS)}.")

    @classmethod
    def of(
        cls,
        verdict: str,
        estimate: Estimate,
        note: str = "",
        *,
        n: int | None = None,
        bound: Bound = "",
    ) -> "Verdict":
        """The judgement of an estimate, with its interval; `n` where its seeds are fewer."""
        seeds = estimate.n if n is None else n
        return cls(verdict, estimate.value, (estimate.low, estimate.high), seeds, note, bound)

    def limited(self) -> "Verdict":
        """The same, `reproduced in part` at best where fewer than three seeds stand behind it."""
        if self.verdict != "reproduced" or self.n >= FEWEST_SEEDS:
            return self
        return dataclasses.replace(
            self,
            verdict="reproduced in part",
            note=f"{self.note} Fewer than {FEWEST_SEEDS} seeds.".strip(),
        )


@dataclass(frozen=True)
class Claim:
    """One published statement, and how it is judged.

    `criterion` names the number at which the claim would have failed; it is committed before the
    runs. `judge` turns the runs of `experiment` into a verdict and is never asked without runs.
    A theorem's `judge` checks the derivation and, given runs, whether they meet its premise;
    without an `experiment` it is given None.
    """

    id: str
    source: str
    kind: Literal["theorem", "measurement"]
    statement: str
    published: Published
    criterion: str
    unit: str
    judge: Callable[[xr.Dataset | None], Verdict]
    experiment: Experiment | None = None
    command: str = ""  # that runs what is missing

    def verdict(self, runs: xr.Dataset | None, missing: int = 0) -> Verdict:
        """Judge what there is; without runs, say what is missing."""
        if self.experiment is not None and runs is None:
            return Verdict(
                "not yet run", note=f"No runs are archived; `{self.command}` trains them."
            )
        verdict = self.judge(runs).limited() if self.kind == "measurement" else self.judge(runs)
        if missing:
            are, them = ("run is", "it") if missing == 1 else ("runs are", "them")
            more = f"{missing} {are} not archived yet; `{self.command}` trains {them}."
            verdict = dataclasses.replace(verdict, note=f"{verdict.note} {more}".strip())
        return verdict

    def row(self, runs: xr.Dataset | None, missing: int = 0) -> dict[str, Any]:
        """The claim and its verdict as one flat object of plain JSON."""
        verdict = self.verdict(runs, missing)
        behind = runs if self.experiment is not None else None
        return {
            "id": self.id,
            "source": self.source,
            "kind": self.kind,
            "statement": self.statement,
            "published": f"{self.published.text} ({self.published.where})",
            "criterion": self.criterion,
            "verdict": verdict.verdict,
            "measured": _plain(verdict.measured),
            "bound": verdict.bound,
            "interval": _interval(verdict),
            "unit": self.unit,
            "n": verdict.n,
            "seeds": [] if behind is None else sorted({int(s) for s in behind["init_seed"].values}),
            "device": None if behind is None else ", ".join(sorted(set(behind["device"].values))),
            "runs": [] if behind is None else [str(name) for name in behind["name"].values],
            "note": verdict.note,
        }


def asked(experiment: Experiment) -> tuple[Protocol, ...]:
    """The protocols of an experiment."""
    found = experiment()
    return (found,) if isinstance(found, Protocol) else found


def _interval(verdict: Verdict) -> list[float | str | None] | None:
    """The interval's ends; one seed has none, whatever infinities stand for it."""
    if verdict.interval is None or verdict.n < 2:
        return None
    return [_plain(end) for end in verdict.interval]


def _plain(number: float | None) -> float | str | None:
    """JSON has no infinity: a censored end is written as a word."""
    if number is None or math.isfinite(number):
        return number
    return "censored"
