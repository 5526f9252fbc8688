"""The book's look: one style, colours with one meaning each, and empty figures of printed size."""

from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib
import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure

WIDE = 6.3  # inches: the text column in print
NARROW = 3.1  # inches: half of it, for two pictures side by side

OKABE_ITO = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "bluish green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "reddish purple": "#CC79A7",
}

# One meaning each, in every chapter. Yellow stays unused: it cannot be seen on white.
TRAIN = OKABE_ITO["vermillion"]
TEST = OKABE_ITO["blue"]
PUBLISHED = OKABE_ITO["black"]  # and what a formula predicts; points of it are hollow
ARMS = tuple(OKABE_ITO[name] for name in ("bluish green", "orange", "reddish purple", "sky blue"))

INK = "#262626"
QUIET = "#8C8C8C"
RULE = "#E3E3E3"

_DASHES = ("solid", (0, (4, 1.6)), (0, (1, 1.4)))


def arm_style(index: int) -> dict[str, object]:
    """Return colour and line style of the arm at a position of the fixed order.

    Colours come first; from the fifth arm on they return dashed, from the ninth dotted.

    >>> arm_style(0)
    {'color': '#009E73', 'linestyle': 'solid'}

    Raises ValueError beyond twelve arms, which no reader tells apart.
    """
    if not 0 <= index < len(ARMS) * len(_DASHES):
        raise ValueError(f"arm {index} has no style; a picture shows at most twelve arms.")
    return {"color": ARMS[index % len(ARMS)], "linestyle": _DASHES[index // len(ARMS)]}


@contextmanager
def style() -> Iterator[None]:
    """Apply the book's matplotlib style inside a `with` block, and nowhere else.

    STIX, which matplotlib ships, sets text and mathematics; every size is in printed points.
    """
    with matplotlib.rc_context(
        {
            "font.family": ["STIXGeneral", "DejaVu Sans"],
            "mathtext.fontset": "stix",
            "font.size": 10.5,
            "axes.labelsize": 10.5,
            "xtick.labelsize": 9.5,
            "ytick.labelsize": 9.5,
            "legend.fontsize": 9.5,
            "text.color": INK,
            "axes.labelcolor": INK,
            "axes.edgecolor": QUIET,
            "xtick.color": QUIET,
            "ytick.color": QUIET,
            "xtick.labelcolor": INK,
            "ytick.labelcolor": INK,
            "axes.linewidth": 0.7,
            "xtick.major.width": 0.7,
            "ytick.major.width": 0.7,
            "xtick.minor.width": 0.5,
            "xtick.minor.size": 1.8,
            "xtick.major.size": 3.5,
            "ytick.major.size": 3.5,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.unicode_minus": True,
            "axes.prop_cycle": matplotlib.cycler(color=ARMS),
            "grid.color": RULE,
            "grid.linewidth": 0.7,
            "lines.linewidth": 1.6,
            "lines.solid_capstyle": "round",
            "legend.frameon": False,
            "figure.facecolor": "white",
            "axes.facecolor": "white",
            "savefig.facecolor": "white",
            "figure.dpi": 100,
            "figure.constrained_layout.use": False,
        }
    ):
        yield


def ink(colour: str) -> str:
    """Return a colour darkened until text in it reads on white (contrast 4.5 : 1, WCAG AA).

    >>> ink("#0072B2")
    '#0072b2'
    """
    rgb = np.array(to_rgb(colour))
    while 1.05 / (_luminance(rgb) + 0.05) < 4.5:
        rgb = rgb * 0.97
    return to_hex(rgb)


def _luminance(rgb: Float[np.ndarray, "3"]) -> float:
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def canvas(
    height: float | int,
    *,
    width: float | int = WIDE,
    rows: int = 1,
    columns: int = 1,
    left: float | int = 0.62,
    right: float | int = 0.16,
    bottom: float | int = 0.52,
    top: float | int = 0.14,
    gap: float | int = 0.22,
) -> tuple[Figure, list[Axes]]:
    """Return a figure and its axes, all lengths in inches of print; call it inside `style()`.

    Margins are fixed rather than fitted, so that the axes of all figures of a page line up.
    The figure stands outside pyplot: nothing has to be closed. Panels come row by row.
    """
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    high = (height - bottom - top - (rows - 1) * gap) / rows
    wide = (width - left - right - (columns - 1) * gap) / columns
    grid = figure.add_gridspec(
        rows,
        columns,
        left=left / width,
        right=1 - right / width,
        bottom=bottom / height,
        top=1 - top / height,
        hspace=gap / high,
        wspace=gap / wide,
    )
    axes = grid.subplots(squeeze=False, sharex="col")
    return figure, list(axes.flat)
