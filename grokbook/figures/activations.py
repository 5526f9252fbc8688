r"""The picture of what is watched at activations: one panel a site, one line an arm."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
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
    steps_an_epoch: int = 1,
) -> Picture:
    """Draw one watched quantity against step at every site, both axes logarithmic.

    Faint lines are seeds, strong ones medians. A dashed line stands at 1 and is called `reference`;
    `null` names the variable of what chance would give, dotted in the colour of its arm. The axis
    says how many steps make an epoch, where it is several. Raises ValueError without an arm, and
    for arms that were watched at other sites.
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
            _vertical(axes, label)
            bottom = axes is panels[-1]
            axis_steps(axes, first, last, label=bottom, steps_an_epoch=steps_an_epoch)
            axes.set_title(words(site), loc="left", fontsize=9.5, pad=4)
            if reference:
                axes.text(1.0, 0.97, reference, transform=axes.get_yaxis_transform(),
                          ha="right", va="top", size=9.5)  # fmt: skip
            for arm, line in lines.items():
                label_line(axes, line, arm)
    said = "; ".join(_said(arms, name, site) for site in sites)
    return Picture(figure, f"{label} against step up to {count(last)}, medians over seeds. {said}.")


def words(site: str) -> str:
    """How a reader calls a site.

    >>> words("pre_1"), words("attention_out_2"), words("mlp_out_2")
    ('layer 1', 'attention, block 2', 'MLP, block 2')
    """
    kind, _, number = site.rpartition("_")
    names = {"pre": "layer", "attention_out": "attention, block", "mlp_out": "MLP, block"}
    return f"{names.get(kind, kind)} {number}"


def _vertical(axes: Axes, label: str) -> None:
    """A log axis with room for a word below 1, and with a number at least every half decade."""
    axes.set_yscale("log")
    low, high = axes.get_ylim()
    axes.set_ylim(min(low, 0.6), high)
    decades = np.log10(high / axes.get_ylim()[0])
    subs = (1.0, 1.5, 2.0, 3.0, 5.0) if decades < 1 else (1.0, 2.0, 5.0) if decades < 2 else (1.0,)
    axes.yaxis.set_major_locator(LogLocator(subs=subs, numticks=8))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylabel(label)


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
    return f"{words(site)}: {', '.join(each)}"
