"""The picture of training: accuracy (and loss) against step, one faint line a seed."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from xarray import Dataset

from .labels import axis_loss, axis_steps, count, label_line, write_above
from .picture import Picture
from .style import TEST, TRAIN, canvas, style


@dataclass(frozen=True)
class Onset:
    """When the seeds of an experiment reached one level: a median that knows its censored runs."""

    steps: Float[np.ndarray, "runs"]  # NaN where the budget ended first

    @property
    def reached(self) -> int:
        """Number of seeds that reached the level."""
        return int(np.isfinite(self.steps).sum())

    @property
    def median(self) -> float:
        """Median step over all seeds, a seed that never arrived counting as infinitely late.

        >>> Onset(np.array([100.0, 300.0, np.nan])).median
        300.0
        """
        return float(np.median(np.where(np.isnan(self.steps), np.inf, self.steps)))

    def words(self, verb: str) -> str:
        """The onset as a label: the verb, the median step, and how many seeds arrived."""
        seeds = self.steps.size
        share = "" if self.reached == seeds else f" ({self.reached} of {seeds} seeds)"
        if np.isfinite(self.median):
            return f"{verb}: step {count(self.median)}{share}"
        return f"not {verb}{share}"


def traces(
    runs: Dataset,
    *,
    loss: bool = False,
    mem: str = "t_mem",
    grok: str = "t_grok",
    steps_an_epoch: int = 1,
) -> Picture:
    """Draw accuracy against step: a faint line a seed, the median strong, both onsets marked.

    Steps are on a log scale and begin at the first evaluation after step 0. The dashed marks
    stand at the median onsets over all seeds (a censored seed counts as infinitely late), the
    small ticks above at each seed's own; a triangle says that a seed's training ended first,
    a cross that it diverged. The strong line is the median over seeds, a run that ended early
    keeping its last value: the median of the runs still alive would be one of the slow ones.

    With `loss`, a second panel holds the losses in nats, on log scales. `mem` and `grok` name
    the onset variables, such as `t_grok_95`. The axis says how many steps make an epoch, where it
    is several.

    Raises ValueError without a run or without two evaluations after step 0.
    """
    runs = runs.sel(step=runs["step"] > 0)
    if runs.sizes.get("run", 0) == 0 or runs.sizes["step"] < 2:
        raise ValueError(
            f"traces need a run and two evaluations after step 0, not {dict(runs.sizes)}."
        )
    observed = runs["test_accuracy"].notnull().any("run").to_numpy()
    steps = runs["step"].to_numpy()[observed].astype(float)
    onsets = {TRAIN: Onset(runs[mem].to_numpy()), TEST: Onset(runs[grok].to_numpy())}
    with style():
        figure, panels = canvas(4.5 if loss else 2.75, rows=1 + loss, top=0.42)
        for axes in panels:
            bottom = axes is panels[-1]
            axis_steps(axes, steps[0], steps[-1], label=bottom, steps_an_epoch=steps_an_epoch)
            for colour, onset in onsets.items():
                if steps[0] < onset.median <= steps[-1]:
                    axes.axvline(onset.median, color=colour, lw=0.9, ls=(0, (3, 2)), zorder=1)
        accuracy = panels[0]
        accuracy.set(ylim=(-0.02, 1.04), yticks=[0, 0.5, 1], ylabel="accuracy")
        _curves(accuracy, runs, "accuracy")
        if loss:
            axis_loss(panels[1])
            _curves(panels[1], runs, "loss")
            figure.align_ylabels(panels)
        for colour, onset in onsets.items():
            _rug(accuracy, runs, onset, colour)
        write_above(accuracy, _labels(onsets, steps))
    return Picture(figure, _alt(runs, onsets, loss))


def _curves(axes: Axes, runs: Dataset, quantity: str) -> None:
    step = runs["step"].to_numpy().astype(float)
    medians = {}
    faint = {"lw": 0.6, "alpha": 0.3 if runs.sizes["run"] <= 10 else 0.2}
    for split, colour in (("train", TRAIN), ("test", TEST)):
        values = runs[f"{split}_{quantity}"].transpose("run", "step").to_numpy()
        if quantity == "loss":
            values = np.where(values > 0, values, np.nan)  # what float32 rounds to 0 has no log
        for run, (seed, diverged) in enumerate(
            zip(values, runs["diverged_at"].to_numpy(), strict=True)
        ):
            seen = np.isfinite(seed)
            if not seen.any():
                continue
            axes.plot(step[seen], seed[seen], color=colour, gid=f"run {run}", **faint)
            if np.isfinite(diverged):
                axes.plot(step[seen][-1], seed[seen][-1], "x", color=colour, ms=5, gid="diverged")
        median = np.median(_held(values), axis=0)
        (medians[split],) = axes.plot(
            step, median, color=colour, lw=1.9, zorder=3, gid=f"median {split}"
        )
    axes.autoscale_view()
    for split, line in medians.items():
        label_line(axes, line, split)


def _held(values: Float[np.ndarray, "runs steps"]) -> Float[np.ndarray, "runs steps"]:
    """The curves with every gap filled by the last value before it (NaN before the first)."""
    last = np.where(np.isfinite(values), np.arange(values.shape[1]), 0)
    return np.take_along_axis(values, np.maximum.accumulate(last, axis=1), axis=1)


def _rug(axes: Axes, runs: Dataset, onset: Onset, colour: str) -> None:
    """Each seed's onset as a tick just above the axes, a triangle where its budget ended first."""
    above = axes.get_xaxis_transform()
    low, high = axes.get_xlim()
    reached = np.isfinite(onset.steps)
    axes.vlines(
        np.clip(onset.steps[reached], low, high),
        1.02,
        1.065,
        color=colour,
        lw=0.8,
        alpha=0.8,
        transform=above,
        clip_on=False,
        gid="onsets",
    )
    axes.plot(
        runs["budget"].to_numpy()[~reached].clip(low, high),
        np.full((~reached).sum(), 1.0425),
        ls="none",
        marker=">",
        ms=5,
        mfc="white",
        mec=colour,
        mew=0.8,
        transform=above,
        clip_on=False,
        gid="censored",
    )


def _labels(
    onsets: dict[str, Onset], steps: Float[np.ndarray, "steps"]
) -> list[tuple[float, str, str]]:
    verbs = {TRAIN: "memorised", TEST: "grokked"}
    return [
        (float(np.clip(onset.median, steps[0], steps[-1])), onset.words(verbs[colour]), colour)
        for colour, onset in onsets.items()
    ]


def _alt(runs: Dataset, onsets: dict[str, Onset], loss: bool) -> str:
    seeds = runs.sizes["run"]
    text = f"{'Accuracy and loss' if loss else 'Accuracy'} on training and test data against "
    text += f"optimisation step, log scale, {seeds} seed{'s' * (seeds > 1)}. "
    for split, onset in zip(("Training", "Test"), onsets.values(), strict=True):
        text += f"{split} accuracy reaches its level in {onset.reached} of {seeds}"
        if np.isfinite(onset.median):
            text += f", at {'median ' if seeds > 1 else ''}step {count(onset.median)}"
        text += ". "
    if diverged := int(runs["diverged_at"].notnull().sum()):
        text += f"Diverged: {diverged}. "
    return text + f"Longest training: {count(float(runs['budget'].max()))} steps."
