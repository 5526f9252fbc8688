"""The picture of sweeps: onsets against a hyper-parameter, seeds as points, on one log scale."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter
from xarray import Dataset

from ..statistics import median_onset, right_censored
from .labels import count, label_line
from .picture import Picture
from .style import TRAIN, arm_style, canvas, style

_APART = 0.16  # between the arms of one place, where places are 1 apart


@dataclass(frozen=True)
class Panel:
    """One sweep: the hyper-parameter, its name on the axis, and the runs of each arm.

    `None` keeps the place and the colour of an arm that has not been run. Places are evenly
    spaced, so that a weight decay of 0 has one. `percent` writes shares as such; what has no
    order, such as a seed, is not `joined`.
    """

    hyper_parameter: str
    label: str
    arms: Mapping[str, Dataset | None]
    percent: bool = False
    joined: bool = True

    @property
    def values(self) -> list[float]:
        """Every value that an arm has, in order."""
        present = [runs[self.hyper_parameter].to_numpy() for runs in self.arms.values() if runs]
        return sorted({float(value) for values in present for value in values})

    def written(self, value: float | int) -> str:
        """A value as the axis shows it."""
        return f"{100 * value:.0f}" if self.percent else f"{value:g}"


@dataclass(frozen=True)
class _Cell:
    """The seeds of one arm at one value: times (censored ones at their budget), seen or not."""

    times: Float[np.ndarray, "n"]
    seen: Bool[np.ndarray, "n"]

    @property
    def median(self) -> tuple[float, float, float]:
        """Median and its 95 % interval, infinite beyond the budgets."""
        found = median_onset(self.times, self.seen, seed=0)
        return found.value, found.low, found.high


def scaling(panels: Sequence[Panel], *, grok: str = "t_grok", mem: str = "t_mem") -> Picture:
    """Draw onsets against one hyper-parameter a panel, all on one log scale of steps.

    A dot is a seed, a triangle one whose training ended first, drawn at its budget. The line joins
    the medians, as far as they were reached; the bar is the 95 % bootstrap interval of the median,
    and ends at the highest triangle where it is unbounded. Crosses, joined by a thin line, are
    median steps of memorisation.

    Raises ValueError where no panel holds a run.
    """
    if not any(panel.values for panel in panels):
        raise ValueError("scaling needs a sweep with runs; none of the panels has any.")
    order = list(dict.fromkeys(name for panel in panels for name in panel.arms))
    looks = {name: arm_style(place) for place, name in enumerate(order)}
    text = []
    with style():
        figure, axes = canvas(3.1, columns=len(panels), left=0.78, gap=0.16, top=0.3, bottom=0.55)
        for axis, panel in zip(axes, panels, strict=True):
            text.append(_panel(axis, panel, looks, grok, mem))
        low = min(axis.get_ylim()[0] for axis in axes)
        high = max(axis.get_ylim()[1] for axis in axes)
        for axis in axes:
            _vertical(axis, low, high, first=axis is axes[0])
        for axis, panel in zip(axes, panels, strict=True):
            for line in [line for line in axis.lines if line.get_label() in panel.arms]:
                label_line(axis, line, line.get_label(), size=9.5)
        memorised = next(line for line in axes[0].lines if line.get_gid() == "memorised")
        label_line(axes[0], memorised, "memorised", size=9.5)
    return Picture(figure, " ".join(text))


def _panel(
    axes: Axes, panel: Panel, looks: Mapping[str, dict[str, object]], grok: str, mem: str
) -> str:
    values = panel.values
    axes.set_xlim(-0.6, len(values) - 0.4)
    axes.xaxis.set_major_locator(FixedLocator(range(len(values))))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: panel.written(values[round(x)])))
    axes.set_xlabel(panel.label)
    axes.set_yscale("log")
    said = []
    for number, (name, runs) in enumerate(panel.arms.items()):
        if runs is None:
            said.append(f"{name}: not yet run.")
            continue
        shift = _APART * (number - (len(panel.arms) - 1) / 2)
        cells = {value: _cell(runs, panel, value, grok) for value in values}
        places = {value: place + shift for place, value in enumerate(values) if cells[value]}
        line = _arm(axes, [(places[value], cells[value]) for value in places], looks[name])
        line.set(label=name, visible=line.get_visible() and panel.joined)
        _memory(axes, runs, panel, places, mem)
        medians = ", ".join(f"{_words(cells[v])} at {panel.written(v)}" for v in places)
        said.append(f"{name}: {medians}.")
    return f"Median steps to grok against {panel.label}, log scale. " + " ".join(said)


def _cell(runs: Dataset, panel: Panel, value: float, grok: str) -> _Cell | None:
    chosen = runs.isel(run=runs[panel.hyper_parameter].to_numpy() == value)
    if chosen.sizes["run"] == 0:
        return None
    return _Cell(*right_censored(chosen[grok].to_numpy(), chosen["budget"].to_numpy()))


def _arm(axes: Axes, cells: list[tuple[float, _Cell]], look: dict[str, object]) -> Line2D:
    colour = look["color"]
    medians, tops = [], []
    for place, cell in cells:
        middle, low, high = cell.median
        top = min(high, cell.times.max())
        medians.append(middle if np.isfinite(middle) else np.nan)
        tops.append(top)
        if cell.times.size > 1:
            axes.vlines(place, min(low, top), top, color=colour, lw=5, alpha=0.25, gid="interval")
        at = np.full(cell.times.size, place)
        seen = cell.seen
        axes.plot(
            at[seen], cell.times[seen], "o", ms=3.6, color=colour, alpha=0.9, mew=0, gid="seeds"
        )
        hollow = {"mfc": "white", "mec": colour, "mew": 1.1, "gid": "censored"}
        axes.plot(at[~seen], cell.times[~seen], "^", ms=5.5, **hollow)
    reached = bool(np.isfinite(medians).any())  # otherwise the name stands by the triangles
    (line,) = axes.plot(
        [place for place, _ in cells],
        medians if reached else tops,
        lw=1.6,
        zorder=1,
        gid="median",
        visible=reached,
        **look,
    )
    return line


def _memory(
    axes: Axes, runs: Dataset, panel: Panel, places: Mapping[float, float], mem: str
) -> None:
    """Median steps of memorisation; a place where half of the seeds never memorised has none."""
    middle = [
        np.median(runs[mem].to_numpy()[runs[panel.hyper_parameter].to_numpy() == value])
        for value in places
    ]
    axes.plot(
        list(places.values()), middle, "x-", color=TRAIN, lw=0.7, ms=3.5, mew=0.9, gid="memorised"
    )


def _vertical(axes: Axes, low: float, high: float, *, first: bool) -> None:
    axes.set_ylim(low, high)
    # Less than a decade may hold a single power of ten, and one number is no scale.
    subs = (1.0, 3.0) if high > 10 * low else (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)
    axes.yaxis.set_major_locator(LogLocator(subs=subs, numticks=20))
    axes.yaxis.set_minor_locator(LogLocator(subs=np.arange(2.0, 10.0), numticks=20))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda step, _: count(step)))
    if first:
        axes.set_ylabel("onset (optimisation steps)")
    else:
        axes.tick_params(labelleft=False)


def _words(cell: _Cell | None) -> str:
    middle = cell.median[0]
    reached = f"{cell.seen.sum()} of {cell.seen.size}"
    return count(middle) if np.isfinite(middle) else f"not reached ({reached})"
