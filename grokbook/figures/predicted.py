"""The picture of a prediction: what a rule said, against what was measured, a dot a run."""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Bool, Float
from matplotlib.ticker import FuncFormatter, MaxNLocator

from .labels import count
from .picture import Picture
from .style import INK, QUIET, arm_style, canvas, ink, style

Numbers = Float[np.ndarray, "n"]
MARKS = ("o", "^", "s", "D")


def predicted(
    measured: Numbers,
    rules: Mapping[str, Numbers],
    kinds: Mapping[str, Bool[np.ndarray, "n"]] | None = None,
) -> Picture:
    """Draw predicted against measured steps, a panel a rule, with the line on which they agree.

    The mean absolute error stands in each panel. `kinds` names groups of runs, which differ in
    their marks; each has its own error in the text form. Raises ValueError without a rule or a
    run, and for kinds that leave a run out, share one, or are more than there are marks.
    """
    if not rules or not measured.size:
        raise ValueError("predicted needs a rule and a run.")
    kinds = kinds or {"": np.ones(measured.shape, dtype=bool)}
    if len(kinds) > len(MARKS) or (sum(mask.astype(int) for mask in kinds.values()) != 1).any():
        raise ValueError(
            f"each run needs to be of one kind, and there are marks for {len(MARKS)} kinds; "
            f"predicted got {', '.join(kinds)}."
        )
    high = 1.08 * max(measured.max(), *(np.nanmax(steps) for steps in rules.values()))
    said = []
    with style():
        figure, axes = canvas(2.5, columns=len(rules), left=0.7, gap=0.12, top=0.3)
        for place, (axis, (name, steps)) in enumerate(zip(axes, rules.items(), strict=True)):
            colour = arm_style(place)["color"]
            axis.plot([0, high], [0, high], color=QUIET, lw=0.9, zorder=1)
            for mark, (kind, of) in zip(MARKS, kinds.items(), strict=False):
                # The second kind is hollow, so that the marks differ in more than their outline.
                face = colour if mark in "os" else "none"
                look = {"ms": 4.5, "mfc": face, "mec": colour, "mew": 0.9, "alpha": 0.8}
                axis.plot(measured[of], steps[of], mark, color=colour, label=kind, **look)
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
            said.append(f"{name} {error:.0%}{_by_kind(measured, steps, kinds)}")
        if len(kinds) > 1:
            axes[0].legend(loc="lower left", bbox_to_anchor=(0.3, 0.1), handletextpad=0.1)
        axes[0].set_ylabel("predicted delay (steps)")
        middle = axes[len(axes) // 2]
        middle.set_xlabel("measured delay (steps)", color=INK)
    return Picture(
        figure,
        f"Predicted against measured delay of {measured.size} runs. Mean absolute error: "
        f"{', '.join(said)}.",
    )


def _by_kind(measured: Numbers, steps: Numbers, kinds: Mapping[str, Bool[np.ndarray, "n"]]) -> str:
    if len(kinds) == 1:
        return ""
    of = (f"{kind} {np.nanmean(abs(steps / measured - 1)[m]):.0%}" for kind, m in kinds.items())
    return f" ({', '.join(of)})"
