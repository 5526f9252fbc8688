"""The picture of circles: an embedding in the plane of a frequency, one panel a frequency."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator

from .colours import wheel
from .labels import number
from .picture import Picture
from .plane_axes import plane_axes
from .planes import flat, plane, rings
from .style import QUIET, WIDE, canvas, style

_MOST = 12  # panels: more would be smaller than their labels
_LEFT, _BOTTOM, _TOP, _RIGHT, _GAP = 0.72, 0.52, 0.26, 0.72, 0.3  # inches


def circle(
    embedding: Float[np.ndarray, "p d"], frequency: int | Sequence[int] | Int[np.ndarray, "k"]
) -> Picture:
    """Draw an embedding in the plane of one or several frequencies, on one scale.

    A dot is a residue, and keeps its hue in every panel; lines join the residues in the order of
    the angle that a perfect circle would give them. The numbers name the first residues. The
    share is that of the frequency in the non-constant power of the embedding.

    Raises ValueError for no frequency or more than twelve, and for one without a plane.
    """
    chosen = [int(k) for k in np.atleast_1d(frequency)]
    if not 1 <= len(chosen) <= _MOST:
        raise ValueError(f"circles are drawn for 1 to {_MOST} frequencies, not {len(chosen)}.")
    points = {k: flat(embedding, plane(embedding, k)) for k in chosen}
    radius = max(float(np.linalg.norm(places, axis=1).max()) for places in points.values())
    with style():
        figure, panels, side = _grid(len(chosen))
        columns = panels[0].get_gridspec().ncols
        reach = radius * side / (side - 0.38)  # room for the names of residues
        for place, (axes, (k, places)) in enumerate(zip(panels, points.items(), strict=True)):
            low, first = place + columns >= len(points), place % columns == 0
            plane_axes(axes, reach, low=low, first=first)
            _round(axes, places, k, side)
            above = {"transform": axes.transAxes, "va": "bottom"}
            axes.text(0, 1.02, f"$k = {k}$", **above)
            share = f"{number(100 * _share(embedding, k))} %"
            axes.text(1, 1.02, share, ha="right", size=9.5, **above)
        _key(figure, panels[columns - 1], len(embedding))
    return Picture(figure, _alt(embedding, points))


def _grid(number: int) -> tuple[Figure, list[Axes], float]:
    """A figure with square panels, at most four a row, and the length of their sides."""
    rows = -(-number // 4)
    columns = -(-number // rows)
    side = min((WIDE - _LEFT - _RIGHT - (columns - 1) * _GAP) / columns, 3.0)
    wide, high = (n * side + (n - 1) * _GAP for n in (columns, rows))
    left = (WIDE + _LEFT - wide - _RIGHT) / 2
    figure, panels = canvas(
        high + _BOTTOM + _TOP,
        rows=rows,
        columns=columns,
        left=left,
        right=WIDE - left - wide,
        bottom=_BOTTOM,
        top=_TOP,
        gap=_GAP,
    )
    for axes in panels[number:]:
        axes.remove()
    return figure, panels[:number], side


def _round(axes: Axes, points: Float[np.ndarray, "p 2"], k: int, side: float) -> None:
    p = len(points)
    order = rings(p, k)
    closed = points[np.concatenate([order, order[:, :1]], axis=1)]
    axes.add_collection(LineCollection(list(closed), colors=QUIET, linewidths=0.6, gid="rings"))
    size = np.clip(220 * side / p, 2.2, 4.5)  # points of print: a little more than their distance
    axes.scatter(*points.T, s=size**2, c=wheel(p), linewidths=0, zorder=2, gid="residues")
    for residue, place in _names(points, k).items():
        axes.annotate(
            f"{residue}",
            place,
            xytext=(6.5 + size / 2) * place / np.linalg.norm(place),
            textcoords="offset points",
            ha="center",
            va="center",
            size=8.5,
            gid="residue",
        )


def _names(points: Float[np.ndarray, "p 2"], k: int) -> dict[int, Float[np.ndarray, "2"]]:
    """The first residues, up to four, whose names do not meet: where the circle ends outwards."""
    p = len(points)
    radius, angle = np.linalg.norm(points, axis=1), np.arctan2(points[:, 1], points[:, 0])
    places: dict[int, Float[np.ndarray, "2"]] = {}
    for residue in range(min(p, 4 * p // k)):
        apart = np.abs((angle - angle[residue] + np.pi) % (2 * np.pi) - np.pi)
        if len(places) < 4 and all(apart[other] > 0.55 for other in places):
            out = radius[apart < 0.3].max()
            places[residue] = out * np.array([np.cos(angle[residue]), np.sin(angle[residue])])
    return places


def _key(figure: Figure, corner: Axes, p: int) -> None:
    """The hues of the residues, right of the panels."""
    bottom = _BOTTOM / figure.get_figheight()
    box = corner.get_position()
    bar = figure.add_axes((box.x1 + 0.16 / WIDE, bottom, 0.1 / WIDE, box.y1 - bottom))
    colours = ListedColormap(wheel(p))
    bar.pcolormesh([0, 1], np.arange(p + 1) - 0.5, np.arange(p)[:, None], cmap=colours)
    bar.set(xlim=(0, 1), ylim=(-0.5, p - 0.5), xticks=[])
    bar.spines[["left", "bottom"]].set_visible(False)
    bar.yaxis.tick_right()
    bar.yaxis.set_label_position("right")
    bar.yaxis.set_major_locator(FixedLocator([0, p - 1]))
    bar.yaxis.set_tick_params(length=0)
    bar.set_ylabel("residue", labelpad=-6)


def _share(embedding: Float[np.ndarray, "p d"], k: int) -> float:
    """The share of a frequency in the non-constant power, for k from 1 to below p/2."""
    waves = np.fft.fft(embedding.astype(float), axis=0)
    energy = (np.abs(waves) ** 2).sum(axis=1)
    return float(2 * energy[k] / energy[1:].sum())


def _alt(embedding: Float[np.ndarray, "p d"], points: dict[int, Float[np.ndarray, "p 2"]]) -> str:
    p = len(embedding)
    text = [f"The embedding of {p} residues in the plane of {_frequencies(list(points))}."]
    for k, places in points.items():
        radius = np.linalg.norm(places, axis=1)
        text.append(
            f"Frequency {k}: {number(100 * _share(embedding, k))} % of the non-constant power, "
            f"radius {number(radius.mean())} with a spread of "
            f"{number(round(100 * radius.std() / radius.mean(), 2))} %."
        )
    return " ".join(text)


def _frequencies(chosen: list[int]) -> str:
    if len(chosen) == 1:
        return f"frequency {chosen[0]}"
    return f"frequencies {', '.join(map(str, chosen[:-1]))} and {chosen[-1]}"
