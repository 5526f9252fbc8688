"""What the pictures of frames share: one run, its Fourier power, and an axis for its steps.

A frame is a look inside the network at one optimisation step, taken far less often than accuracy.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from xarray import Dataset

from .labels import axis_steps, count
from .style import TEST, TRAIN

Real = float | int


@dataclass(frozen=True)
class StepAxis:
    """An axis of optimisation steps, logarithmic where frames lie more evenly on such a one.

    Raises ValueError unless it has a length, and begins after step 0 where it is logarithmic.
    """

    first: Real
    last: Real
    log: bool

    def __post_init__(self) -> None:
        if not (self.first < self.last and (self.first > 0 or not self.log)):
            kind = "a log" if self.log else "an"
            raise ValueError(f"{kind} axis of steps cannot go from {self.first} to {self.last}.")

    def place(self, step: Real) -> int:
        """Return where a step stands, in 1/10,000 of the axis; beyond an end, at that end.

        >>> StepAxis(0, 400, log=False).place(100), StepAxis(10, 1000, log=True).place(0)
        (2500, 0)
        """
        step = min(max(step, self.first), self.last)
        if self.log:
            return round(1e4 * math.log(step / self.first) / math.log(self.last / self.first))
        return round(1e4 * (step - self.first) / (self.last - self.first))

    def ticks(self) -> list[float]:
        """Return a few steps to write at the axis, powers of ten where it is logarithmic.

        >>> StepAxis(0, 40_000, log=False).ticks()
        [0.0, 10000.0, 20000.0, 30000.0, 40000.0]
        """
        if self.log:
            low, high = math.floor(math.log10(self.first)), math.floor(math.log10(self.last))
            digits = (1, 2, 5) if self.last < 20 * self.first else (1,)
            values = [digit * 10.0**power for power in range(low, high + 1) for digit in digits]
            return [value for value in values if self.first <= value <= self.last]
        values = MaxNLocator(4, steps=[1, 2, 5, 10], integer=True).tick_values(
            self.first, self.last
        )
        return [float(value) for value in values if self.first <= value <= self.last]

    def draw(self, axes: Axes) -> None:
        """Make it the horizontal axis of some axes, with its label."""
        if self.log:
            axis_steps(axes, self.first, self.last)
            return
        axes.set_xlim(self.first, self.last)
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: count(step)))
        axes.set_xlabel("optimisation step")


def step_axis(steps: Float[np.ndarray, "frames"]) -> StepAxis:
    """Return the axis on which the middle frame stands closer to the middle.

    >>> step_axis(np.arange(0.0, 5000.0, 100.0)).log, step_axis(np.geomspace(1, 5000, 50)).log
    (False, True)

    Raises ValueError for fewer than two different steps.
    """
    positive = steps[steps > 0]
    if positive.size > 2:
        low, middle, high = positive[0], np.median(positive), positive[-1]
        off = abs((middle - low) / (high - low) - 0.5)
        if abs(np.log(middle / low) / np.log(high / low) - 0.5) < off:
            return StepAxis(float(low), float(high), log=True)
    return StepAxis(float(steps[0]), float(steps[-1]), log=False)


def single(runs: Dataset, needed: Iterable[str], picture: str) -> Dataset:
    """Return the one run of a dataset, with or without a dimension `run`, as one without.

    Raises ValueError where there is not one run, and where it lacks what the picture needs.
    """
    demand(runs, needed, picture)
    if "run" not in runs.dims:
        return runs
    if (number := runs.sizes["run"]) != 1:
        raise ValueError(f"{picture} shows one run, not {number}; choose it by .isel(run=0).")
    return runs.isel(run=0)


def demand(runs: Dataset, needed: Iterable[str], picture: str) -> None:
    """Refuse runs that lack a variable which a picture needs.

    Raises ValueError with the names of those that are missing.
    """
    if missing := sorted(set(needed) - set(runs.variables)):
        raise ValueError(f"the runs have no {', '.join(missing)}; {picture} needs them all.")


def shares(run: Dataset) -> tuple[Dataset, Float[np.ndarray, "frames frequencies"]]:
    r"""Return the frames that were taken, and $P_k / \sum_{j \ge 1} P_j$ for k = 1, 2, … in each.

    $P_k$ is the energy of the embedding in frequency k, `embedding_power`; column 0 is k = 1.
    A run that ended early has no power in later frames, and an embedding of 0 has shares of 0.

    Raises ValueError where fewer than two frames are left, or frequencies are not 0, 1, 2, ….
    """
    frequency = run["frequency"].to_numpy()
    if frequency.size < 2 or not np.array_equal(frequency, np.arange(frequency.size)):
        raise ValueError(f"frequencies must be 0, 1, 2, … without a gap, not {frequency.tolist()}.")
    taken = np.isfinite(run["embedding_power"]).all("frequency")
    run = run.isel(frame=np.flatnonzero(taken.to_numpy())).sortby("frame")
    if run.sizes["frame"] < 2:
        raise ValueError(f"at least two frames are needed, and the run has {run.sizes['frame']}.")
    power = run["embedding_power"].transpose("frame", "frequency").to_numpy().astype(float)[:, 1:]
    total = power.sum(axis=1, keepdims=True)
    return run, np.divide(power, total, out=np.zeros_like(power), where=total > 0)


def onsets(run: Dataset) -> list[tuple[str, float, str]]:
    """Return (colour, step, words) of memorisation and of grokking; the step may be NaN."""
    found = []
    for colour, name, verb in ((TRAIN, "t_mem", "memorised"), (TEST, "t_grok", "grokked")):
        step = float(run[name])
        words = f"{verb}: step {count(step)}" if math.isfinite(step) else f"not {verb}"
        found.append((colour, step, words))
    return found


def key_frequencies(run: Dataset) -> Int[np.ndarray, "keys"]:
    """Return the key frequencies in order, without the constant."""
    key = np.flatnonzero(run["key"].to_numpy().astype(float) == 1)  # NaN: a run without frames
    return key[key > 0]
