"""The picture of waiting: the share of seeds that have not grokked yet, against step."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from xarray import Dataset

from ..statistics import Survival, kaplan_meier, right_censored
from .labels import axis_steps, count, label_line, width_of
from .picture import Picture
from .style import INK, RULE, arm_style, canvas, ink, style

_ROW = 0.175  # inches of a row of the table of seeds at risk
_TABLED = 6  # arms; more make the table longer than the picture


def survival(
    arms: Mapping[str, Dataset | None], *, rule: str = "t_grok", steps_an_epoch: int = 1
) -> Picture:
    """Draw the Kaplan–Meier share of seeds that have not grokked yet, one curve an arm.

    Arms take their colours in the order given; `None` keeps the place and the colour of an arm
    that has not been run. The band is pointwise, 95 %, from
    the first onset on. A vertical tick on a curve is a seed whose
    training ended before it grokked. Below the axis stand the seeds still at risk: neither
    grokked nor censored before that step (up to six arms). `rule` names the onset variable. The
    axis says how many steps make an epoch, where it is several.

    Raises ValueError where no arm holds a run.
    """
    present = {name: runs for name, runs in arms.items() if runs is not None}
    if not present:
        raise ValueError(f"survival needs an arm with runs; none of {list(arms)} has any.")
    seeds = {
        name: right_censored(runs[rule].to_numpy(), runs["budget"].to_numpy())
        for name, runs in present.items()
    }
    curves = {name: kaplan_meier(times, observed) for name, (times, observed) in seeds.items()}
    looks = {name: arm_style(place) for place, name in enumerate(arms)}
    tabled = len(present) <= _TABLED
    table = 0.26 + _ROW * len(present) if tabled else 0.0
    with style():
        left = max(0.62, width_of([*present, "seeds at risk"], size=9.5) + 0.32) if tabled else 0.62
        figure, (axes,) = canvas(2.7 + table, left=left, right=0.26, bottom=0.52 + table)
        _axes(axes, np.concatenate([times for times, _ in seeds.values()]), rule, steps_an_epoch)
        lines = {
            name: _curve(axes, curve, *seeds[name], looks[name]) for name, curve in curves.items()
        }
        for name, line in lines.items():
            label_line(axes, line, name)
        if tabled:
            _at_risk(axes, {name: times for name, (times, _) in seeds.items()}, looks)
    return Picture(figure, _alt(curves, seeds, rule))


def _axes(axes: Axes, times: Float[np.ndarray, "n"], rule: str, steps_an_epoch: int) -> None:
    before = 0.75 * times.min()
    power = 10.0 ** np.floor(np.log10(before))
    first = max(digit * power for digit in (1, 2, 5) if digit * power <= before)
    axis_steps(axes, first, times.max() * 1.03, steps_an_epoch=steps_an_epoch)
    axes.set(ylim=(-0.03, 1.05), yticks=[0, 0.5, 1], ylabel=f"share not yet {_verb(rule)}")
    axes.axhline(0.5, color=RULE, lw=0.7, zorder=0)


def _curve(
    axes: Axes,
    curve: Survival,
    times: Float[np.ndarray, "n"],
    observed: Bool[np.ndarray, "n"],
    look: dict[str, object],
) -> Line2D:
    start = axes.get_xlim()[0]
    steps = np.maximum(curve.times, start)
    # Before an arm's first onset the band says no more than its number of seeds, and the bands of
    # all arms lie on one another; of an arm without any onset it is all there is.
    said = curve.survival < 1 if observed.any() else np.full(steps.size, True)
    band = {"step": "post", "color": look["color"], "lw": 0}
    axes.fill_between(steps[said], curve.low[said], curve.high[said], alpha=0.15, **band)
    (line,) = axes.plot(steps, curve.survival, drawstyle="steps-post", lw=1.8, zorder=3, **look)
    ended = np.unique(times[~observed])
    height = curve.survival[np.searchsorted(curve.times, ended)]
    axes.plot(
        ended, height, ls="none", marker="|", ms=9, mew=1.3, color=look["color"], gid="censored"
    )
    return line


def _at_risk(
    axes: Axes, times: Mapping[str, Float[np.ndarray, "n"]], looks: Mapping[str, dict]
) -> None:
    low, high = axes.get_xlim()
    steps = [step for step in axes.xaxis.get_majorticklocs() if low <= step <= high]
    inch = 1 / (axes.get_position().height * axes.figure.get_figheight())
    margin = 0.2 / (axes.get_position().width * axes.figure.get_figwidth())
    across = axes.get_xaxis_transform()
    top = -0.62 * inch
    small = {"size": 9.5, "va": "center", "clip_on": False}
    axes.text(
        -margin, top, "seeds at risk", transform=axes.transAxes, ha="right", color=INK, **small
    )
    for row, (name, arm) in enumerate(times.items(), start=1):
        place = top - row * _ROW * inch
        colour = ink(looks[name]["color"])
        axes.text(-margin, place, name, transform=axes.transAxes, ha="right", color=colour, **small)
        for step in steps:
            left = str((arm >= step).sum())
            axes.text(step, place, left, transform=across, ha="center", color=INK, **small)


def _verb(rule: str) -> str:
    return "memorised" if rule.startswith("t_mem") else "grokked"


def _alt(curves: Mapping[str, Survival], seeds: Mapping[str, tuple], rule: str) -> str:
    verb = _verb(rule)
    text = f"Share of seeds that have not {verb} yet against optimisation step, log scale, "
    text += "with 95 % bands. "
    for name, curve in curves.items():
        times, observed = seeds[name]
        median = curve.median.value
        when = f"median step {count(median)}" if np.isfinite(median) else "median not reached"
        text += f"{name}: {observed.sum()} of {times.size} seeds {verb}, {when}. "
    return text
