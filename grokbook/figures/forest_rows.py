"""What a forest shows, as numbers: claims with their values, and their places on its axis."""

from dataclasses import dataclass

import numpy as np

from ..claims.claim import Bound
from .labels import number

Number = float | int

GLYPHS = {
    "reproduced": "✓",
    "reproduced in part": "◐",
    "not reproduced": "✗",
    "refuted": "✗",
    "not testable as stated": "–",
    "not yet run": "○",
}
OTHER_WAY: dict[Bound, Bound] = {"": "", "≥": "≤", "≤": "≥"}  # divided by a negative number


@dataclass(frozen=True)
class ForestRow:
    """One claim: what was published (a number, or both ends of a range), measured and judged.

    `interval` is the 95 % interval of `measured`; what does not exist is None. `unit` is a word
    such as "steps", empty for a pure number. `bound` is ≥ or ≤ where `measured` is only a bound.

    Raises ValueError for an unknown verdict and for ends in the wrong order.
    """

    claim: str
    published: Number | tuple[Number, Number] | None
    measured: Number | None
    interval: tuple[Number, Number] | None
    verdict: str
    unit: str = ""
    bound: Bound = ""

    def __post_init__(self) -> None:
        if self.verdict not in GLYPHS:
            raise ValueError(f"verdict {self.verdict!r} of {self.claim} is none of {list(GLYPHS)}.")
        for ends in (self.published, self.interval):
            if isinstance(ends, tuple) and not ends[0] <= ends[1]:
                raise ValueError(f"{ends} of {self.claim} is no range; give the lower end first.")

    @property
    def reference(self) -> Number | None:
        """What a ratio divides by: the published number, or the (geometric) middle of a range."""
        if not isinstance(self.published, tuple):
            return self.published
        low, high = self.published
        return float(np.sqrt(low * high) * np.sign(low)) if low * high > 0 else (low + high) / 2

    @property
    def words(self) -> str:
        """The numbers in words, the first with its unit: what the row shows below the claim."""
        unit = f" {self.unit}" if self.unit else ""
        text = "no measurement"
        if self.measured is not None:
            text = f"{self.bound} {number(self.measured)}".strip()
            if self.interval is not None:
                text += f" ({number(self.interval[0])} to {number(self.interval[1])})"
            text, unit = text + unit, ""
        if self.published is not None:
            ends = self.published if isinstance(self.published, tuple) else (self.published,)
            text += f", published {' to '.join(number(end) for end in dict.fromkeys(ends))}{unit}"
        return text


@dataclass(frozen=True)
class Place:
    """A row in the units of the axis: ends of what was published and measured, or why not."""

    published: tuple[Number, Number] | None = None
    measured: Number | None = None
    interval: tuple[Number, Number] | None = None
    excuse: str = ""
    bound: Bound = ""


def scaled(row: ForestRow, *, ratio: bool) -> Place:
    """Return the place of a claim on an axis in its own unit, or of measured ÷ published."""
    published = row.published
    if published is not None and not isinstance(published, tuple):
        published = (published, published)
    if not ratio:
        return Place(published, row.measured, row.interval, bound=row.bound)
    by = row.reference
    if by is None:
        return Place(excuse="no published number")
    if by == 0:
        return Place(excuse="published 0: no ratio")
    if row.measured is not None and row.measured / by <= 0:
        return Place(excuse="other sign: no ratio")

    def divided(ends: tuple[Number, Number] | None) -> tuple[Number, Number] | None:
        return ends and (min(ends[0] / by, ends[1] / by), max(ends[0] / by, ends[1] / by))

    measured = None if row.measured is None else row.measured / by
    bound = row.bound if by > 0 else OTHER_WAY[row.bound]
    return Place(divided(published), measured, divided(row.interval), bound=bound)
