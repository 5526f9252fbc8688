"""The picture of the phases: train, test, restricted and excluded loss against step.

Restricted loss keeps of the logits the key frequencies alone, excluded loss all but these: between
the onsets the first falls, while the network still lives by what the second is left with.
"""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from xarray import Dataset

from .frames import StepAxis, demand, step_axis
from .labels import axis_loss, count, label_line, number, write_above
from .picture import Picture
from .style import ARMS, TEST, TRAIN, canvas, style
from .traces import Onset

LOSSES = {
    "train": ("frame_train_loss", TRAIN),
    "test": ("frame_test_loss", TEST),
    "restricted": ("restricted_loss", ARMS[0]),
    "excluded": ("excluded_loss", ARMS[2]),
}


def progress(runs: Dataset) -> Picture:
    """Draw the four losses at the frames: a faint line a seed, the median strong, onsets marked.

    The dashed marks stand at the median onsets over all seeds, a censored seed counting as
    infinitely late. In the median a run that ended early keeps its last value, as in `traces`, and
    one whose frames are farther apart than others' has a straight line between two of its own.

    Raises ValueError where a loss or an onset is missing, without a run and without two frames.
    """
    needed = {variable for variable, _ in LOSSES.values()} | {"frame", "t_mem", "t_grok"}
    demand(runs, needed, "progress")
    if "run" not in runs.dims:
        runs = runs.expand_dims("run")
    taken = np.isfinite(runs["frame_test_loss"]).any("run").to_numpy()
    runs = runs.isel(frame=np.flatnonzero(taken)).sortby("frame")
    if runs.sizes["run"] == 0 or runs.sizes["frame"] < 2:
        raise ValueError(f"progress needs a run and two frames, not {dict(runs.sizes)}.")
    axis = step_axis(runs["frame"].to_numpy().astype(float))
    marks = [
        (Onset(runs[name].to_numpy().astype(float)), verb, colour)
        for name, verb, colour in (("t_mem", "memorised", TRAIN), ("t_grok", "grokked", TEST))
    ]
    with style():
        figure, (axes,) = canvas(3.2, top=0.34, right=0.34)
        axis.draw(axes)
        axis_loss(axes)
        for onset, _, colour in marks:
            if axis.first < onset.median <= axis.last:
                axes.axvline(onset.median, color=colour, lw=0.9, ls=(0, (3, 2)), zorder=1)
        medians = {name: _curves(axes, runs, axis, name) for name in LOSSES}
        axes.margins(y=0.14)  # a name fits above the highest line
        axes.autoscale_view(scalex=False)
        for name, line in medians.items():
            label_line(axes, line, name)
        above = [
            (float(np.clip(onset.median, axis.first, axis.last)), onset.words(verb), colour)
            for onset, verb, colour in marks
        ]
        write_above(axes, above, lift=5)
    return Picture(figure, _alt(runs, marks))


def _curves(axes: Axes, runs: Dataset, axis: StepAxis, name: str) -> Line2D:
    """The curves of one loss; the median is returned."""
    variable, colour = LOSSES[name]
    runs = runs.isel(frame=runs["frame"].to_numpy() >= axis.first)
    step = runs["frame"].to_numpy().astype(float)
    values = runs[variable].transpose("run", "frame").to_numpy().astype(float)
    values = np.where(values > 0, values, np.nan)  # what float32 rounds to 0 has no log
    faint = {"lw": 0.6, "alpha": 0.3 if len(values) <= 10 else 0.2}
    for run, seed in enumerate(values):
        seen = np.isfinite(seed)
        axes.plot(step[seen], seed[seen], color=colour, gid=f"run {run}", **faint)
    median = np.median(filled(step, values), axis=0)
    return axes.plot(step, median, color=colour, lw=1.9, zorder=3, gid=f"median {name}")[0]


def filled(
    step: Float[np.ndarray, "frames"], values: Float[np.ndarray, "runs frames"]
) -> Float[np.ndarray, "runs frames"]:
    """Return positive curves without gaps: straight in log loss, level after the last value.

    >>> filled(np.arange(5.0), np.array([[np.nan, 100.0, np.nan, 1.0, np.nan]])).round(6).tolist()
    [[nan, 100.0, 10.0, 1.0, 1.0]]
    """
    found = np.full(values.shape, np.nan)
    for row, curve in zip(found, values, strict=True):
        seen = np.isfinite(curve)
        if seen.any():
            row[:] = np.exp(np.interp(step, step[seen], np.log(curve[seen]), left=np.nan))
            row[seen] = curve[seen]
    return found


def _alt(runs: Dataset, marks: list[tuple[Onset, str, str]]) -> str:
    seeds, step = runs.sizes["run"], runs["frame"].to_numpy().astype(float)
    text = (
        f"Training, test, restricted and excluded loss in nats against optimisation step, log "
        f"scale, {seeds} seed{'s' * (seeds > 1)}, {step.size} frames to step {count(step[-1])}. "
    )
    said = []
    for name, (variable, _) in LOSSES.items():
        values = runs[variable].transpose("run", "frame").to_numpy().astype(float)
        median = np.median(filled(step, np.where(values > 0, values, np.nan)), axis=0)
        first, last = (_nats(float(median[at])) for at in (0, -1))
        said.append(f"{name} {first} to {last}")
    memorised, grokked = (onset.words(verb) for onset, verb, _ in marks)
    text += f"Median from the first frame to the last: {', '.join(said)}. "
    return f"{text}{memorised[0].upper()}{memorised[1:]}; {grokked}."


def _nats(loss: float) -> str:
    """A loss with two digits, small ones with an exponent."""
    if not np.isfinite(loss):
        return "0"  # below what float32 holds
    if not 0 < loss < 0.01:
        return number(float(f"{loss:.2g}"))
    mantissa, exponent = f"{loss:.0e}".split("e")
    return f"{mantissa}e−{-int(exponent)}"
