"""The picture of verdicts: published against measured values, one row a claim."""

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from .forest_rows import GLYPHS, ForestRow, Place, scaled
from .labels import fold, number, width_of
from .picture import Picture
from .style import ARMS, INK, PUBLISHED, QUIET, RULE, WIDE, canvas, ink, style

_ROW, _LINE = 0.40, 0.17  # inches: of a row, and of each line of its numbers beyond the first
_AXIS = 2.0  # inches that are left to the axis


def forest(rows: Sequence[ForestRow], *, ratio: bool | None = None) -> Picture:
    """Draw measured values with 95 % intervals against published ones, one row a claim.

    Claims of one unit share an axis in that unit, logarithmic where all values are positive and
    span more than a factor 30. Claims of several units share a logarithmic axis of measured ÷
    published, on which every published number stands at 1 and a published range is a bar about
    1, divided like its measurement by the middle of the range. `ratio` overrules that choice.
    Published values are hollow diamonds, ranges grey bars; an arrow says that an interval goes
    on beyond the axis, a hollow one in place of a dot that the number is a bound; a row that has
    no ratio (no published number, 0, another sign) says so. The verdict stands at the right, as a
    glyph and in words.

    Raises ValueError without a row, and for `ratio=False` with claims of several units.
    """
    if not rows:
        raise ValueError("a forest needs at least one row; this one has none.")
    several = len({row.unit for row in rows}) > 1
    if several and ratio is False:
        raise ValueError(f"units {sorted({row.unit for row in rows})} do not share an axis.")
    ratio = several if ratio is None else ratio
    with style():
        claims = width_of([row.claim for row in rows], size=9.5)
        right = width_of([row.verdict for row in rows], size=9.5) + 0.4
        free = max(claims, WIDE - right - 0.2 - _AXIS)
        words = [fold(row.words, size=8.5, width=free) for row in rows]
        lines = max(len(each) for each in words)
        figure, (axes,) = canvas(
            0.84 + (_ROW + (lines - 1) * _LINE) * len(rows),
            left=max(claims, width_of(itertools.chain(*words), size=8.5)) + 0.2,
            right=right,
            top=0.32,
        )
        places = [scaled(row, ratio=ratio) for row in rows]
        _axis(axes, places, ratio, rows[0].unit)
        axes.set(ylim=(len(rows) - 0.5, -0.5), yticks=[])
        axes.spines["left"].set_visible(False)
        for height, (row, place, numbers) in enumerate(zip(rows, places, words, strict=True)):
            if height:
                axes.axhline(height - 0.5, color=RULE, lw=0.7, zorder=0)
            _row(axes, height, place)
            _words(axes, height, row, numbers)
        _key(axes)
    return Picture(figure, _alt(rows))


def _axis(axes: Axes, places: Sequence[Place], ratio: bool, unit: str) -> None:
    values = [place.measured for place in places if place.measured is not None]
    for ends in (*(p.published for p in places), *(p.interval for p in places)):
        values += ends or ()
    values = np.array([value for value in values if np.isfinite(value)])
    if ratio:
        values = np.append(values[values > 0], [0.8, 1.25])
    if values.size == 0:
        values = np.array([0.0, 1.0])
    low, high = float(values.min()), float(values.max())
    if ratio or (low > 0 and high > 30 * low):
        # Beyond a factor 100 a ratio has one message, which an arrow at the edge gives.
        low, high = (max(low, 1e-2), min(high, 1e2)) if ratio else (low, high)
        axes.set_xscale("log")
        axes.set_xlim(low / (high / low) ** 0.08, high * (high / low) ** 0.08)
        axes.xaxis.set_major_locator(FixedLocator(_nice(*axes.get_xlim())))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    else:
        air = 0.08 * (high - low) or 0.5 * abs(high) or 1.0
        axes.set_xlim(low - air, high + air)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axes.locator_params(axis="x", nbins=5)
    if ratio:
        axes.axvline(1, color=PUBLISHED, lw=0.8, ls=(0, (3, 2)), zorder=1)
    axes.set_xlabel("measured ÷ published" if ratio else unit or "value")


def _nice(low: float, high: float) -> list[float]:
    """Ticks of a log axis: 1, 2, 5 times powers of ten, or the powers alone if that is many."""
    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    ticks = [digit * 10.0**power for power in powers for digit in (1, 2, 5)]
    ticks = [tick for tick in ticks if low <= tick <= high]
    return ticks if len(ticks) <= 4 else [t for t in ticks if np.isclose(np.log10(t) % 1, 0)]


def _row(axes: Axes, height: int, place: Place) -> None:
    low, high = axes.get_xlim()
    if place.excuse:
        middle = axes.get_yaxis_transform()
        axes.text(
            0.5,
            height,
            place.excuse,
            transform=middle,
            ha="center",
            va="center",
            size=9,
            color=ink(QUIET),
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5},
        )
        return
    if place.published is not None:
        ends = np.clip(place.published, low, high)
        if ends[0] < ends[1]:
            axes.plot(
                ends,
                [height] * 2,
                color="#C9C9C9",
                lw=9,
                solid_capstyle="butt",
                zorder=1,
                gid="published range",
            )
        elif low <= place.published[0] <= high:
            axes.plot(
                ends[0], height, "D", ms=6.5, mfc="white", mec=PUBLISHED, mew=1, gid="published"
            )
    if place.interval is not None:
        ends = np.clip(place.interval, low, high)
        axes.plot(ends, [height] * 2, color=ARMS[0], lw=1.6, zorder=3, gid="interval")
        for end, edge, marker in ((place.interval[0], low, "<"), (place.interval[1], high, ">")):
            if (end < low) if marker == "<" else (end > high):
                axes.plot(edge, height, marker, color=ARMS[0], ms=5, clip_on=False, gid="beyond")
    if place.measured is not None:
        inside = low <= place.measured <= high
        marker = "o" if inside else "<" if place.measured < low else ">"
        bound = {"≥": ">", "≤": "<"}.get(place.bound)
        axes.plot(
            np.clip(place.measured, low, high),
            height,
            bound or marker,
            color=ARMS[0],
            mfc="white" if bound else ARMS[0],
            ms=5,
            zorder=4,
            clip_on=False,
            gid="bound" if bound else "measured",
        )


def _words(axes: Axes, height: int, row: ForestRow, numbers: Sequence[str]) -> None:
    side = axes.get_yaxis_transform()
    inch = 1 / (axes.get_position().width * axes.figure.get_figwidth())
    left = -(axes.get_position().x0 * axes.figure.get_figwidth() - 0.06) * inch
    muted = ink(QUIET) if row.verdict == "not yet run" else INK
    common = {"transform": side, "clip_on": False}
    # The claim and its first line of numbers stand about the middle of what all lines take.
    high = axes.get_position().height * axes.figure.get_figheight() / sum(np.abs(axes.get_ylim()))
    up = height - 0.5 * (len(numbers) - 1) * _LINE / high
    axes.text(left, up - 0.02, row.claim, size=9.5, va="bottom", **common)
    told = "\n".join(numbers)
    axes.text(left, up + 0.05, told, size=8.5, va="top", color=ink(QUIET), **common)
    axes.text(
        1 + 0.16 * inch,
        height,
        GLYPHS[row.verdict],
        size=11,
        family="DejaVu Sans",
        va="center",
        ha="center",
        color=muted,
        **common,
    )
    axes.text(1 + 0.3 * inch, height, row.verdict, size=9.5, va="center", color=muted, **common)


def _key(axes: Axes) -> None:
    """One line above the rows: what the marks mean, of those that occur."""
    first = {line.get_gid(): line for line in reversed(axes.lines)}
    named = {"published": "published", "published range": "published range"}
    named |= {"measured": "measured, 95 % interval", "bound": "at least / at most"}
    shown = [name for name in named if name in first]
    axes.figure.legend(
        [first[name] for name in shown],
        [named[name] for name in shown],
        loc="upper right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=4,
        borderaxespad=0.2,
        handlelength=1.2,
        columnspacing=1.4,
        handletextpad=0.5,
    )


def _alt(rows: Sequence[ForestRow]) -> str:
    text = "Published and measured values with 95 % intervals, one row a claim. "
    return text + " ".join(f"{row.claim}: {row.words}, {row.verdict}." for row in rows)
