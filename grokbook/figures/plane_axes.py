"""Axes of a plane that a cosine and a sine span, on one scale, with its zero lines."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter

from .labels import number
from .style import RULE


def plane_axes(axes: Axes, reach: float, *, low: bool = True, first: bool = True) -> None:
    """Make axes show a plane from −reach to reach, named below if `low` and at the left if `first`.

    The outer panels of a grid carry the names of all.
    """
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
    axes.set_aspect("equal")
    tick = nice(0.9 * reach)
    for axis, outer, name in ((axes.xaxis, low, "cosine"), (axes.yaxis, first, "sine")):
        axis.set_major_locator(FixedLocator([-tick, 0, tick]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axis.set_tick_params(labelbottom=outer, labelleft=outer)
        if outer:
            axis.set_label_text(f"{name} direction")
    axes.axhline(0, color=RULE, lw=0.7, zorder=0)
    axes.axvline(0, color=RULE, lw=0.7, zorder=0)


def nice(most: float | int) -> float:
    """Return the largest number of one digit and a power of ten that is not above another.

    >>> nice(0.49), nice(7), nice(12.5)
    (0.4, 7.0, 10.0)
    """
    power = int(np.floor(np.log10(most)))
    return float(f"{int(most / 10.0**power + 1e-9)}e{power}")
