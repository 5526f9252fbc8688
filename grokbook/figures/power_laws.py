"""The picture of a scaling law: delays against a number, both logarithmic, theory beside them."""

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

from ..statistics import power_law
from .labels import count, number
from .picture import Picture
from .style import INK, PUBLISHED, TEST, canvas, style

_BAND = 0.12  # half the width of a median's bar, in ln x


@dataclass(frozen=True)
class Law:
    """One panel: what is varied, the delays of its runs, and what theory and paper say.

    `seen` is false for a delay that was longer than its budget, at which it then stands.
    `predicted` and `published` map values of x to steps.
    """

    label: str
    x: Float[np.ndarray, "n"]
    delays: Float[np.ndarray, "n"]
    seen: Bool[np.ndarray, "n"]
    predicted: Mapping[float, float] = field(default_factory=dict)
    published: Mapping[float, float] = field(default_factory=dict)


def power_laws(laws: Sequence[Law]) -> Picture:
    """Draw delays on two log axes, one panel a law, steps on one scale.

    Dots are seeds, a triangle one whose training ended first; the line is the fitted power law and
    its slope is written beside it. Crosses are predictions, hollow diamonds published numbers.

    Raises ValueError where there is no panel, and for one with fewer than two values of x.
    """
    if not laws:
        raise ValueError("power_laws needs a panel, and got none.")
    said = []
    with style():
        figure, axes = canvas(3.2, columns=len(laws), left=0.78, gap=0.2, bottom=0.55)
        for axis, law in zip(axes, laws, strict=True):
            said.append(_panel(axis, law))
        low = min(axis.get_ylim()[0] for axis in axes)
        high = max(axis.get_ylim()[1] for axis in axes)
        for axis in axes:
            axis.set_ylim(low, high)
            axis.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=20))
            axis.yaxis.set_minor_locator(NullLocator())
            axis.yaxis.set_major_formatter(FuncFormatter(lambda step, _: count(step)))
            if axis is not axes[0]:
                axis.tick_params(labelleft=False)
        axes[0].set_ylabel("delay (optimisation steps)")
        _legend(axes[0], laws)
    return Picture(figure, " ".join(said))


def _panel(axes: Axes, law: Law) -> str:
    values = np.unique(law.x)
    if len(values) < 2:
        raise ValueError(f"the panel {law.label} needs two values or more, not {len(values)}.")
    axes.set_xscale("log")
    axes.set_yscale("log")
    fit = power_law(law.x, law.delays, law.seen, seed=0)
    wide = np.exp(np.linspace(np.log(values[0]) - 0.1, np.log(values[-1]) + 0.1, 2))
    axes.plot(wide, fit.at(wide), color=TEST, lw=1.6, gid="fit")
    for value in values:
        cell = law.x == value
        spread = np.exp(np.linspace(-0.06, 0.06, cell.sum())) if cell.sum() > 1 else np.ones(1)
        seen = law.seen[cell]
        at, steps = value * spread, law.delays[cell]
        axes.plot(at[seen], steps[seen], "o", ms=3.6, color=TEST, alpha=0.85, mew=0, gid="seeds")
        hollow = {"mfc": "white", "mec": TEST, "mew": 1.1, "gid": "censored"}
        axes.plot(at[~seen], steps[~seen], "^", ms=5.5, **hollow)
    if law.predicted:
        points = sorted(law.predicted.items())
        axes.plot(*zip(*points, strict=True), "x", ms=6, mew=1.5, color=INK, gid="predicted")
    if law.published:
        points = sorted(law.published.items())
        look = {"ms": 6, "mfc": "none", "mec": PUBLISHED, "mew": 1.1, "gid": "published"}
        axes.plot(*zip(*points, strict=True), "D", **look)
    axes.xaxis.set_major_locator(FixedLocator(values.tolist()))
    axes.xaxis.set_minor_locator(NullLocator())
    written = functools.partial(_written, small=bool(values[0] < 1e-3))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: written(x)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(law.label)
    slope = fit.exponent
    words = f"slope {number(slope.value)} ({number(slope.low)} to {number(slope.high)})"
    axes.text(0.98, 0.97, words, transform=axes.transAxes, ha="right", va="top", size=9.5)
    medians = ", ".join(
        f"{count(np.median(law.delays[law.x == value]))} at {written(value)}" for value in values
    )
    censored = f", {int((~law.seen).sum())} censored" if not law.seen.all() else ""
    return f"Delay against {law.label}, both log: median {medians}{censored}; {words}."


def _written(x: float, *, small: bool) -> str:
    """A value; with its power of ten where some are small."""
    if not small or x >= 1:
        return f"{x:g}"
    power = math.floor(math.log10(x) + 1e-9)
    return f"{x / 10**power:g}e−{-power}"


def _legend(axes: Axes, laws: Sequence[Law]) -> None:
    hollow = {"mfc": "none"}
    known = {
        "measured, a seed": ("o", TEST, True, {}),
        "budget ended first": ("^", TEST, any(not law.seen.all() for law in laws), hollow),
        "pure decay": ("x", INK, any(law.predicted for law in laws), {}),
        "published": ("D", PUBLISHED, any(law.published for law in laws), hollow),
    }
    for words, (marker, colour, there, look) in known.items():
        if there:
            axes.plot([], [], marker, ms=5, color=colour, label=words, ls="", **look)
    axes.legend(loc="lower left", handletextpad=0.2, borderaxespad=0.1)
