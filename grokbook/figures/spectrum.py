"""The picture of what an embedding is made of: Fourier power over training, as a heat map."""

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator
from scipy.optimize import isotonic_regression
from xarray import Dataset

from .colours import ramp
from .frames import StepAxis, key_frequencies, onsets, shares, single, step_axis
from .labels import count, number, write_above
from .picture import Picture
from .style import QUIET, WIDE, canvas, style

_COLUMNS = 120  # frames that are drawn, at most: more would be narrower than a dot of the PNG
_HEIGHT, _TOP, _BOTTOM, _RIGHT = 3.2, 0.34, 0.52, 1.4  # inches
_LABEL = 9.5


def spectrum(run: Dataset) -> Picture:
    """Draw the share of each frequency in the embedding's non-constant power over training.

    The colour scale is that of the square root, from white for none to near-black for the largest
    share that occurs, or for eight times an equal share if that is more: noise stays pale. Key
    frequencies are written at the right edge, the onsets above and as dashed lines.

    Raises ValueError unless it is one run with two frames or more and all that is drawn.
    """
    needed = {"embedding_power", "key", "frequency", "frame", "t_mem", "t_grok"}
    run, share = shares(single(run, needed, "a spectrum"))
    step = run["frame"].to_numpy().astype(float)
    axis = step_axis(step)
    marks = onsets(run)
    with style():
        figure, (axes,) = canvas(_HEIGHT, top=_TOP, bottom=_BOTTOM, right=_RIGHT)
        axis.draw(axes)
        norm = PowerNorm(0.5, 0, min(max(float(share.max()), 8 / share.shape[1]), 1.0))
        _map(axes, axis, step, share, norm)
        for colour, onset, _ in marks:
            if axis.first < onset <= axis.last:
                line = axes.axvline(onset, color=colour, lw=1.1, ls=(0, (4, 2)), gid="onset")
                line.set_path_effects([withStroke(linewidth=2.6, foreground="white")])
        _keys(axes, key_frequencies(run), share)
        _scale(figure, norm)
        above = [
            (axis.last if np.isnan(onset) else float(np.clip(onset, axis.first, axis.last)), *rest)
            for colour, onset, words in marks
            for rest in [(words, colour)]
        ]
        write_above(axes, above, lift=5)
    return Picture(figure, _alt(run, share))


def _map(
    axes: Axes,
    axis: StepAxis,
    step: Float[np.ndarray, "frames"],
    share: Float[np.ndarray, "frames frequencies"],
    norm: PowerNorm,
) -> None:
    """Each frame as a column that reaches half way to its neighbours."""
    seen = np.flatnonzero((step >= axis.first) & (step <= axis.last))
    if seen.size > _COLUMNS:
        seen = seen[np.unique(np.linspace(0, seen.size - 1, _COLUMNS).round().astype(int))]
    step, share = step[seen], share[seen]
    halves = np.sqrt(step[1:] * step[:-1]) if axis.log else (step[1:] + step[:-1]) / 2
    edges = np.concatenate([step[:1], halves, step[-1:]])
    rows = np.arange(share.shape[1] + 1) + 0.5
    axes.pcolormesh(edges, rows, share.T, cmap=ramp(), norm=norm, gid="shares", linewidth=0)
    axes.set_ylim(rows[0], rows[-1])
    axes.set_ylabel("frequency $k$")
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10], integer=True))


def _keys(
    axes: Axes,
    keys: Int[np.ndarray, "keys"],
    share: Float[np.ndarray, "frames frequencies"],
) -> None:
    """The key frequencies right of the map, moved apart where they would touch; the strongest
    ones where there is no room for all."""
    low, high = axes.get_ylim()
    inches = (_HEIGHT - _TOP - _BOTTOM) / (high - low)
    gap = 1.05 * _LABEL / 72 / inches
    room = int((high - low) / gap) + 1
    keys = np.sort(keys[np.argsort(-share[-1, keys - 1], kind="stable")][:room])
    right = axes.get_yaxis_transform()
    for k, place in zip(keys, apart(keys.astype(float), gap, low, high), strict=True):
        bend = [1.005, 1.02, 1.04, 1.05]
        axes.plot(bend, [k, k, place, place], color=QUIET, lw=0.7, transform=right, clip_on=False)
        axes.text(1.058, place, f"{k}", transform=right, va="center", size=_LABEL, gid="key")


def apart(
    places: Float[np.ndarray, "n"], gap: float | int, low: float | int, high: float | int
) -> Float[np.ndarray, "n"]:
    """Return the ascending places that are closest to some, and at least a gap apart.

    They stay between `low` and `high` as far as these leave room.

    >>> apart(np.array([5.0, 41.0, 42.0]), 3.0, 0.0, 56.0)
    array([ 5., 40., 43.])
    """
    if not places.size:
        return places
    steps = gap * np.arange(places.size)
    free = isotonic_regression(places - steps).x
    return np.clip(free, low, max(high - steps[-1], low)) + steps


def _scale(figure: Figure, norm: PowerNorm) -> None:
    """The colour scale, at the right."""
    box = np.array([WIDE - 0.82, _BOTTOM, 0.12, _HEIGHT - _TOP - _BOTTOM])
    bar = figure.add_axes(tuple(box / (WIDE, _HEIGHT, WIDE, _HEIGHT)))
    colours = ramp()
    levels = norm.inverse(np.linspace(0, 1, colours.N + 1))
    middle = (levels[1:] + levels[:-1])[:, None] / 2
    bar.pcolormesh([0, 1], levels, middle, cmap=colours, norm=norm, linewidth=0)
    bar.set_yscale("function", functions=(np.sqrt, np.square))
    bar.set(xlim=(0, 1), ylim=(0, norm.vmax), xticks=[])
    for side in ("top", "right", "left", "bottom"):
        bar.spines[side].set_visible(True)
    bar.yaxis.set_major_locator(FixedLocator(_ticks(norm.vmax)))
    bar.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    bar.yaxis.set_minor_locator(FixedLocator([]))
    bar.yaxis.tick_right()
    bar.yaxis.set_label_position("right")
    bar.set_ylabel("share of non-constant power", size=_LABEL, va="bottom")
    bar.yaxis.set_label_coords(0.81 / 0.12, 0.5)  # at the edge of the picture, whatever the ticks


def _ticks(top: float) -> list[float]:
    """Round shares up to the top, as many as have room beside a scale of square roots."""
    ticks: list[float] = []
    for value in (digit * 10.0**power for power in (0, -1, -2, -3, -4) for digit in (5, 2, 1)):
        if value <= top and (not ticks or np.sqrt(ticks[-1] / top) - np.sqrt(value / top) > 0.12):
            ticks.append(value)
    return [0.0, *(value for value in ticks[::-1] if np.sqrt(value / top) > 0.1)]


def _alt(run: Dataset, share: Float[np.ndarray, "frames frequencies"]) -> str:
    step, keys = run["frame"].to_numpy().astype(float), key_frequencies(run)
    text = (
        f"Fourier power of the embedding at {step.size} frames from step {count(step[0])} to "
        f"{count(step[-1])}, frequencies 1 to {share.shape[1]}. "
    )
    if keys.size:
        first, last = (number(100 * share[at, keys - 1].sum()) for at in (0, -1))
        text += (
            f"Key frequencies {', '.join(map(str, keys))}: {first} % of the non-constant power "
            f"at the first frame, {last} % at the last. "
        )
    else:
        text += f"No key frequency; the strongest at the last frame is {share[-1].argmax() + 1}. "
    (_, _, memorised), (_, _, grokked) = onsets(run)
    return f"{text}{memorised[0].upper()}{memorised[1:]}; {grokked}."
