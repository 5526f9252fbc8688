"""The picture of a prediction: what a rule said, against what was measured, a dot a run."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .labels import count
from .picture import Picture
from .style import INK, QUIET, arm_style, canvas, ink, style

Numbers = Float[np.ndarray, "n"]


def predicted(measured: Numbers, rules: Mapping[str, Numbers]) -> Picture:
    """Draw predicted against measured steps, a panel a rule, with the line on which they agree.

    The mean absolute error stands in each panel. Raises ValueError without a rule or a run.
    """
    if not rules or not measured.size:
        raise ValueError("predicted needs a rule and a run.")
    high = 1.08 * max(measured.max(), *(np.nanmax(steps) for steps in rules.values()))
    said = []
    with style():
        figure, axes = canvas(2.5, columns=len(rules), left=0.7, gap=0.12, top=0.3)
        for place, (axis, (name, steps)) in enumerate(zip(axes, rules.items(), strict=True)):
            colour = arm_style(place)["color"]
            axis.plot([0, high], [0, high], color=QUIET, lw=0.9, zorder=1)
            axis.plot(measured, steps, "o", ms=4, color=colour, alpha=0.8, mew=0)
            axis.set(xlim=(0, high), ylim=(0, high))
            error = float(np.nanmean(abs(steps / measured - 1)))
            axis.set_title(name, size=9.5, color=ink(colour), pad=3)
            words = f"error {error:.0%}"
            axis.text(0.96, 0.05, words, transform=axis.transAxes, ha="right", size=9.5)
            for each in (axis.xaxis, axis.yaxis):
                each.set_major_locator(MaxNLocator(3, integer=True))
                each.set_major_formatter(FuncFormatter(lambda step, _: count(step)))
            if place:
                axis.tick_params(labelleft=False)
            said.append(f"{name} {error:.0%}")
        axes[0].set_ylabel("predicted delay (steps)")
        middle = axes[len(axes) // 2]
        middle.set_xlabel("measured delay (steps)", color=INK)
    return Picture(
        figure,
        f"Predicted against measured delay of {measured.size} runs. Mean absolute error: "
        f"{', '.join(said)}.",
    )
