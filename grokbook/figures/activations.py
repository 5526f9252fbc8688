r"""The picture of what is watched at activations: one panel a site, one line an arm."""

import numpy as np
from jaxtyping import Float
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from xarray import Dataset

from .labels import axis_steps, count, label_line, number
from .picture import Picture
from .seeds import draw_seeds, median_of_seeds
from .style import INK, arm_style, canvas, style


def activations(
    arms: dict[str, Dataset],
    name: str,
    label: str,
    *,
    reference: str = "",
    null: str = "",
) -> Picture:
    """Draw one watched quantity against step at every site, both axes logarithmic.

    Faint lines are seeds, strong ones medians. A dashed line stands at 1 and is called `reference`;
    `null` names the variable of what chance would give, dotted in the colour of its arm. Raises
    ValueError without an arm, and for arms that were watched at other sites.
    """
    sites = {tuple(runs["site"].values.tolist()) for runs in arms.values()}
    if len(sites) != 1:
        raise ValueError(f"arms of one picture share their sites; there are {len(sites)} kinds.")
    (sites,) = sites
    last = max(float(runs["step"].values[-1]) for runs in arms.values())
    first = min(float(np.sort(runs["step"].values)[1]) for runs in arms.values())
    with style():
        figure, panels = canvas(
            1.15 + 1.75 * len(sites), rows=len(sites), left=0.78, right=0.3, top=0.22, gap=0.3
        )
        for axes, site in zip(panels, sites, strict=True):
            lines: dict[str, Line2D] = {}
            for index, (arm, runs) in enumerate(arms.items()):
                look = arm_style(index)
                lines[arm] = draw_seeds(axes, *_rows(runs, name, site), **look)
                if null:
                    steps, rows = _rows(runs, null, site)
                    kept, middle = median_of_seeds(rows)
                    axes.plot(steps[kept], middle, color=look["color"], lw=1.1, ls=(0, (1, 1.4)))
            axes.axhline(1, color=INK, lw=1.0, ls=(0, (4, 2)), zorder=1)
            axes.set_yscale("log")
            axes.yaxis.set_major_locator(LogLocator(numticks=6))
            axes.yaxis.set_minor_formatter(NullFormatter())
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.set_ylabel(label)
            axis_steps(axes, first, last, label=axes is panels[-1])
            axes.set_title(site, loc="left", fontsize=9.5, pad=4)
            if reference:
                axes.text(1.0, 1, reference, transform=axes.get_yaxis_transform(),
                          ha="right", va="bottom", size=9.5)  # fmt: skip
            for arm, line in lines.items():
                label_line(axes, line, arm)
    said = "; ".join(_said(arms, name, site) for site in sites)
    return Picture(figure, f"{label} against step up to {count(last)}, medians over seeds. {said}.")


def _rows(
    runs: Dataset, name: str, site: str
) -> tuple[Float[np.ndarray, " step"], Float[np.ndarray, "run step"]]:
    """Steps after the first and the values there: a log axis has no 0."""
    rows = runs[name].sel(site=site).transpose("run", "step").values
    steps = runs["step"].values.astype(float)
    later = steps > 0
    return steps[later], rows[:, later]


def _said(arms: dict[str, Dataset], name: str, site: str) -> str:
    each = []
    for arm, runs in arms.items():
        _, middle = median_of_seeds(_rows(runs, name, site)[1])
        each.append(
            f"{arm} {number(float(middle[0]))} at first, {number(float(middle[-1]))} at last"
        )
    return f"{site}: {', '.join(each)}"
