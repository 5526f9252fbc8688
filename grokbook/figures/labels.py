"""Axes of steps, and labels that find their own free place beside a line."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cbook import STEP_LOOKUP_MAP
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter, NullLocator
from scipy.spatial import cKDTree

from .style import ink

_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, -1), (-1, 1), (1, 1), (-1, -1))
_AIR = 3.0  # points between a label and what it must not touch


def count(number: float | int) -> str:
    """Write a number of steps with thousands separators.

    >>> count(4200.0)
    '4,200'
    """
    return f"{number:,.0f}"


def number(value: float | int) -> str:
    """Write a value with three significant digits, a true minus sign, from 10⁻⁶ on no exponent.

    >>> number(4123.0), number(-0.25), number(0.00006611), number(float("inf"))
    ('4,120', '−0.25', '0.0000661', '∞')
    """
    if not np.isfinite(value):
        return "∞" if value > 0 else "−∞" if value < 0 else "not a number"
    rounded = float(f"{value:.3g}")
    text = f"{rounded:,.0f}" if abs(rounded) >= 1000 else f"{rounded:g}"
    if 1e-6 <= abs(rounded) < 1e-4:
        text = np.format_float_positional(rounded)
    return text.replace("-", "−")


def width_of(words: Iterable[str], *, size: float | int) -> float:
    """Return the width of the widest of some texts, in inches; call it inside `style()`."""
    renderer = FigureCanvasAgg(Figure()).get_renderer()
    font = FontProperties(size=size)
    widths = [renderer.get_text_width_height_descent(text, font, False)[0] for text in words]
    return max(widths) / renderer.dpi


def fold(text: str, *, size: float | int, width: float | int) -> list[str]:
    """Break a text between words into lines no wider than `width` inches; call it inside `style()`.

    A single word that is wider stands alone.
    """
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of([longer], size=size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def axis_steps(
    axes: Axes,
    first: float | int,
    last: float | int,
    *,
    label: bool = True,
    steps_an_epoch: int = 1,
) -> None:
    """Make the horizontal axis one of optimisation steps, on a log scale, in plain numbers.

    Its label says how many make an epoch, where it is several. Raises ValueError unless
    0 < first < last.
    """
    if not 0 < first < last:
        raise ValueError(f"a log axis of steps needs 0 < first < last, not {first} and {last}.")
    axes.set_xscale("log")
    axes.set_xlim(first, last)
    decades = np.log10(last / first)
    subs = (1.0,) if decades >= 2.5 else (1.0, 2.0, 5.0)
    axes.xaxis.set_major_locator(LogLocator(subs=subs, numticks=20))
    axes.xaxis.set_minor_locator(LogLocator(subs=np.arange(2.0, 10.0), numticks=20))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: count(step)))
    axes.xaxis.set_minor_formatter(NullFormatter())
    if label:
        epoch = f" ({steps_an_epoch} make an epoch)" if steps_an_epoch > 1 else ""
        axes.set_xlabel(f"optimisation step{epoch}")


def axis_loss(axes: Axes) -> None:
    """Make the vertical axis one of losses in nats, on a log scale, without small exponents."""
    axes.set_yscale("log")
    axes.set_ylabel("loss (nats)")
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda nats, _: f"{nats:g}" if nats > 5e-3 else f"1e{np.log10(nats):.0f}")
    )


def label_line(axes: Axes, line: Line2D, text: str, *, size: float | int = 10.5) -> Text:
    """Write a text beside its line, where it hides no other line and no other label.

    The limits of the axes must be final, and every line drawn. Of all places along the line the
    one with the fewest drawn points under the label is taken, then the one farthest from lines
    of other colours, then the one closest to the line and to the middle of the axes.
    """
    renderer = axes.figure.canvas.get_renderer()
    label = axes.text(0, 0, text, color=ink(line.get_color()), size=size, va="center", ha="center")
    air = _AIR * axes.figure.dpi / 72
    box = label.get_window_extent(renderer)
    half = np.array([box.width, box.height]) / 2 + air
    lines = [other for other in axes.lines if len(other.get_xdata()) > 1]
    drawn = cKDTree(np.concatenate([_trail(other) for other in lines]) / half)
    foreign = [_trail(o) for o in lines if o.get_color() != line.get_color()]
    foreign = cKDTree(np.concatenate(foreign) / half) if foreign else None

    own = _trail(line)
    stops = own[np.linspace(0, len(own) - 1, 90).astype(int)]
    crowded = np.zeros(len(stops))
    if foreign is not None:
        # Where another line runs over this one, nobody knows which of them a label means.
        crowded = foreign.query(stops / half)[0] < 2 * air / half.max()
    moves = np.array([(away, *side) for side in _SIDES for away in (1.0, 1.5, 2.2, 3.0)])
    centres = (stops + (moves[:, :1] * moves[:, 1:] * half)[:, None]).reshape(-1, 2)
    away, crowded = np.repeat(moves[:, 0], len(stops)), np.tile(crowded, len(moves))
    hidden = drawn.query_ball_point(centres / half, 1.0, p=np.inf, return_length=True)
    distance = 2.5 if foreign is None else foreign.query(centres / half)[0].clip(max=2.5)
    frame = axes.bbox
    off_centre = np.abs(2 * (centres[:, 1] - frame.y0) / frame.height - 1)
    score = 10.0 * hidden - 4 * distance + 4 * (away - 1) + 4 * off_centre + 15 * crowded
    score[((centres - half < frame.p0) | (centres + half > frame.p1)).any(1)] += 1e6
    for other in (t.get_window_extent(renderer) for t in axes.texts if t is not label):
        score[((centres - half < other.p1) & (centres + half > other.p0)).all(1)] += 1e6
    label.set_position(axes.transData.inverted().transform(centres[score.argmin()]))
    return label


def write_above(
    axes: Axes, marks: list[tuple[float, str, str]], *, lift: float | int = 12.0
) -> None:
    """Write (step, text, colour) marks above the axes, side by side, each close to its step.

    Two texts that would touch move apart; where the width does not suffice they take two rows.
    `lift` is the distance from the axes in points. At most two marks.
    """
    renderer = axes.figure.canvas.get_renderer()
    point = axes.figure.dpi / 72
    low, high = axes.bbox.x0, axes.bbox.x1
    texts, centres, halves = [], [], []
    for step, words, colour in marks:
        text = axes.text(0, 0, words, color=ink(colour), ha="center", va="bottom", clip_on=False)
        half = text.get_window_extent(renderer).width / 2
        place = axes.transData.transform((step, 0))[0]
        texts.append(text)
        halves.append(half)
        centres.append(float(np.clip(place, low + half, max(high - half, low + half))))
    rows = [0.0] * len(texts)
    if len(texts) == 2:
        centres, apart = _apart(centres, halves, low, high, 10 * point)
        rows = [0.0, 0.0] if apart else [13.0, 0.0]
    for text, centre, row in zip(texts, centres, rows, strict=True):
        place = axes.transAxes.inverted().transform((centre, axes.bbox.y1 + (lift + row) * point))
        text.set_transform(axes.transAxes)
        text.set_position(place)


def _apart(
    centres: list[float], halves: list[float], low: float, high: float, gap: float
) -> tuple[list[float], bool]:
    order = [0, 1] if centres[0] <= centres[1] else [1, 0]
    (left, right), (a, b) = [centres[i] for i in order], [halves[i] for i in order]
    overlap = (left + a + gap) - (right - b)
    if overlap <= 0:
        return centres, True
    move = min(overlap / 2, left - a - low)
    left -= move
    right += overlap - move
    if right + b > high:
        left -= right + b - high
        right = high - b
    if left - a < low - gap:
        return centres, False
    moved = [0.0, 0.0]
    moved[order[0]], moved[order[1]] = left, right
    return moved, True


def _trail(line: Line2D) -> Float[np.ndarray, "n 2"]:
    """Points along a line, one every three pixels, in display coordinates."""
    corners = STEP_LOOKUP_MAP[line.get_drawstyle()](*line.get_data(orig=False))
    points = line.get_transform().transform(np.column_stack(corners))
    points = points[np.isfinite(points).all(1)]
    length = np.concatenate([[0.0], np.hypot(*np.diff(points, axis=0).T).cumsum()])
    along = np.linspace(0.0, length[-1], max(2, int(length[-1] / 3)))
    return np.column_stack([np.interp(along, length, points[:, i]) for i in (0, 1)])
