"""What the explorer knows of one pair of weight decay and share of the data: curves and words."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from xarray import Dataset

from .labels import count, number
from .traces import Onset, _held

FIRST = 10  # optimisation step at the left end of the axis
_TOLERANCE = 5  # per mille of accuracy: about a pixel

Real = float | int


@dataclass(frozen=True, eq=False)
class Curve:
    """Accuracy against step of one seed, or (`strong`) the median over the seeds of a cell."""

    split: str  # "train" or "test"
    strong: bool
    step: Float[np.ndarray, "points"]
    permille: Int[np.ndarray, "points"]

    def half_way(self) -> float:
        """Where the drawn curve first has an accuracy of one half, infinite if nowhere."""
        above = self.permille >= 500
        if not above.any():
            return np.inf
        around = slice(max(int(above.argmax()) - 1, 0), int(above.argmax()) + 1)
        x = np.log(self.step[around])  # the axis is one of log s
        return float(np.exp(np.interp(500, self.permille[around], x)))


@dataclass(frozen=True, eq=False)
class Cell:
    """The runs of one pair of weight decay and share of the data."""

    decay: Real
    share: Real
    mem: Onset
    grok: Onset
    budget: Float[np.ndarray, "runs"]
    curves: tuple[Curve, ...]

    @property
    def name(self) -> str:
        """The pair in words, such as "weight decay 1, 30 % of the pairs"."""
        return f"weight decay {self.decay:g}, {percent(self.share)} of the pairs"

    @property
    def sentence(self) -> str:
        """What happened, with the censored seeds: a median that they hide is not given."""
        start = f"{self.name[0].upper()}{self.name[1:]}: "
        if not self.mem.reached and not self.grok.reached:
            return f"{start}neither memorised nor grokked {self._missed(self.grok)}."
        if np.isfinite(self.mem.median):
            mem = f"memorised at step {count(self.mem.median)}"
            if self.mem.reached < self.mem.steps.size:
                mem += f" ({self.mem.reached} of {self.mem.steps.size} seeds)"
            return f"{start}{mem}, {self._grokked()}."
        return f"{start}not memorised {self._missed(self.mem)}; {self._grokked()}."

    def _grokked(self) -> str:
        seeds, reached = self.grok.steps.size, np.sort(self.grok.steps)[: self.grok.reached]
        if seeds == 1 and reached.size:
            return f"grokked at {count(reached[0])} (one seed)"
        if reached.size == seeds:
            spread = f"{count(reached[0])} to {count(reached[-1])}"
            return f"grokked at {count(self.grok.median)} (median of {seeds} seeds; {spread})"
        missed = f"not {{}}{self._missed(self.grok)}"
        if np.isfinite(self.grok.median):
            return (
                f"grokked at {count(self.grok.median)} (median of {seeds} seeds; "
                f"from {count(reached[0])} on, {missed.format('')})"
            )
        others = ""
        if reached.size:
            others = f" (the other{'s' * (reached.size > 1)} at {_range(reached)})"
        return missed.format("grokked ") + others

    def _missed(self, onset: Onset) -> str:
        seeds, late = onset.steps.size, np.isnan(onset.steps)
        who = "one seed" if seeds == 1 else f"{int(late.sum())} of {seeds} seeds"
        return f"within {_range(self.budget[late])} steps, {who}"

    @property
    def latest(self) -> float:
        """A step that the median onset lies above: each censored seed counted at its budget."""
        steps = self.grok.steps
        return float(np.median(np.where(np.isnan(steps), self.budget, steps)))

    @property
    def brief(self) -> str:
        """The median onset in thousands of steps, such as "6.8k", or ">15k"."""
        if np.isfinite(self.grok.median):
            return thousands(self.grok.median)
        digit = 10 ** max(len(str(int(self.latest))) - 2, 0)
        return f">{thousands(self.latest // digit * digit)}"  # rounded up it would not be true

    @property
    def outcome(self) -> str:
        """The share and its median onset, rounded, for the text form."""
        if np.isfinite(self.grok.median):
            return f"{percent(self.share)}: {number(self.grok.median)}"
        return f"{percent(self.share)}: not reached within {number(self.latest)} steps"


def percent(share: Real) -> str:
    """Write a share in per cent.

    >>> percent(0.3)
    '30 %'
    """
    return f"{100 * share:.3g} %"


def thousands(steps: Real) -> str:
    """Write a number of steps in thousands, with two digits below ten thousand.

    >>> thousands(6_815), thousands(340), thousands(15_000)
    ('6.8k', '0.34k', '15k')
    """
    short = f"{steps / 1000:.2g}k"
    return short if steps < 9_950 else f"{steps / 1000:.0f}k"


def _range(steps: Float[np.ndarray, "runs"]) -> str:
    low, high = count(steps.min()), count(steps.max())
    return low if low == high else f"{low} to {high}"


def cell(decay: Real, share: Real, runs: Dataset) -> Cell:
    """Return the cell of a pair from its runs, the steps from `FIRST` on."""
    runs = runs.sel(step=runs["step"] >= FIRST)
    step = runs["step"].to_numpy().astype(float)
    curves = []
    for split in ("train", "test"):
        values = runs[f"{split}_accuracy"].transpose("run", "step").to_numpy()
        several = values.shape[0] > 1
        drawn = [(seed, not several) for seed in values]
        if several and step.size:
            drawn.append((np.median(_held(values), axis=0), True))
        for line, strong in drawn:
            seen = np.isfinite(line)
            if seen.any():
                permille = np.rint(1000 * line[seen]).astype(int)
                curves.append(Curve(split, strong, step[seen], permille))
    mem, grok, budget = (
        runs[key].to_numpy().astype(float) for key in ("t_mem", "t_grok", "budget")
    )
    return Cell(decay, share, Onset(mem), Onset(grok), budget, tuple(curves))


def thin(curve: Curve, points: int) -> Int[np.ndarray, "kept 2"]:
    r"""Return steps and per mille at the points that a reader needs to see the same curve.

    From the two ends on, the point farthest (vertically) from the line between its neighbours,
    drawn against $\log s$, is added until none is more than 5 per mille away, or there are
    `points` of them: plateaus need two, rises and spikes get the rest.
    """
    x, y = np.log(curve.step), curve.permille.astype(float)

    def farthest(low: int, high: int) -> tuple[float, int, int, int]:
        if high - low < 2:
            return 0.0, low, low, high
        inside = slice(low + 1, high)
        away = np.abs(y[inside] - np.interp(x[inside], x[[low, high]], y[[low, high]]))
        return float(away.max()), low + 1 + int(away.argmax()), low, high

    kept, pieces = {0, x.size - 1}, [farthest(0, x.size - 1)]
    while len(kept) < points:
        away, index, low, high = worst = max(pieces)
        if away <= _TOLERANCE:
            break
        kept.add(index)
        pieces.remove(worst)
        pieces += [farthest(low, index), farthest(index, high)]
    chosen = sorted(kept)
    steps = np.rint(curve.step[chosen]).astype(int)
    return np.stack([steps, curve.permille[chosen]], axis=1)
