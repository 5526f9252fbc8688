r"""The pictures of the norm: V through training beside pure decay, and the rate that is left."""

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from xarray import Dataset

from ..claims.delays import squared_norm_curve
from ..theory.contraction import measured_kappa
from ..theory.contraction import next_squared_norm as one_step
from .labels import count, label_line, write_above
from .picture import Picture
from .seeds import draw_seeds
from .style import ARMS, INK, TEST, TRAIN, canvas, style

EMBEDDINGS = ("W_E", "W_pos")


def norms(runs: Dataset) -> Picture:
    """Draw V of all weights, and of the embeddings, against step, with pure decay from t_mem on.

    Faint lines are seeds, strong ones medians; marks are the median onsets. All runs share learning
    rate and weight decay. Raises ValueError where they do not, and without a run.
    """
    rate, decay = _shared(runs)
    runs = _trained(runs)
    steps = runs["step"].values
    total = squared_norm_curve(runs)
    embedded = _of(runs, EMBEDDINGS)
    t_mem, t_grok = (float(np.median(runs[name].values)) for name in ("t_mem", "t_grok"))
    middle = np.nanmedian(total, axis=0)
    at_mem = float(np.interp(t_mem, steps, middle))
    with style():
        figure, (axes,) = canvas(3.1, left=0.78, right=0.3, top=0.3)
        axes.set_yscale("log")
        lines = {
            "all weights": draw_seeds(axes, steps, total, color=TEST),
            "embeddings": draw_seeds(axes, steps, embedded, color=ARMS[1]),
        }
        late = steps[steps >= t_mem]
        pure = at_mem * (1 - rate * decay) ** (2 * (late - t_mem))
        axes.set_ylim(bottom=max(1.0, 0.5 * float(np.nanmin(embedded))))
        kept = pure >= axes.get_ylim()[0]
        (lines["decay alone"],) = axes.plot(
            late[kept], pure[kept], color=INK, lw=1.2, ls=(0, (4, 2))
        )
        _finish(axes, steps, (t_mem, t_grok))
        axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 3.0), numticks=20))
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))
        axes.set_ylabel(r"squared norm $V$")
        for name, line in lines.items():
            label_line(axes, line, name)
    at_grok = float(np.interp(t_grok, steps, middle))
    last = float(middle[np.isfinite(middle)][-1])
    return Picture(
        figure,
        f"Squared norm of all weights and of the embeddings against step, log scale, "
        f"{runs.sizes['run']} seeds. Median V {count(middle[0])} at the start, {count(at_mem)} at "
        f"t_mem = {count(t_mem)}, {count(at_grok)} at t_grok = {count(t_grok)}, {count(last)} at "
        f"the end; decay alone would reach the value at t_grok after "
        f"{count(np.log(at_mem / at_grok) / (-2 * np.log1p(-rate * decay)))} steps.",
    )


def kappas(runs: Dataset) -> Picture:
    """Draw κ of single steps: as measured, and as the gradient in place of u would have it.

    1 is decay alone. Faint lines are seeds, strong ones medians. Raises as `norms` does.
    """
    runs = _trained(runs)
    steps, (true, with_gradient) = runs["step"].values, kappa_of_steps(runs)
    t_mem, t_grok = (float(np.median(runs[name].values)) for name in ("t_mem", "t_grok"))
    with style():
        figure, (axes,) = canvas(2.9, left=0.72, right=0.3, top=0.3)
        axes.axhline(1, color=INK, lw=1.0, ls=(0, (4, 2)), zorder=1)
        lines = {
            "measured": draw_seeds(axes, steps, true, color=TEST),
            "with g in the place of u": draw_seeds(axes, steps, with_gradient, color=ARMS[2]),
        }
        axes.set_ylim(-0.55, 1.35)
        _finish(axes, steps, (t_mem, t_grok))
        axes.set_ylabel(r"$\kappa$, share of pure decay")
        for name, line in lines.items():
            label_line(axes, line, name)
    delay = (steps > t_mem) & (steps <= t_grok)
    medians = [float(np.nanmedian(curves[:, delay])) for curves in (true, with_gradient)]
    return Picture(
        figure,
        f"κ of single steps against step, {runs.sizes['run']} seeds; 1 is weight decay alone. "
        f"Median over the delay: {medians[0]:.2f} measured, {medians[1]:.3f} if the gradient stood "
        "in the place of the update direction.",
    )


def kappa_of_steps(runs: Dataset) -> Float[np.ndarray, "two run step"]:
    """κ of every logged step: from V on both sides of it, and with g in the place of u."""
    rate, decay = _shared(runs)
    before = squared_norm_curve(runs)
    after = _total(runs, "squared_norm_after")
    with_gradient = one_step(
        before, _total(runs, "theta_dot_gradient"), _total(runs, "gradient_squared_norm"),
        rate, decay,
    )  # fmt: skip
    return np.stack(
        [measured_kappa(before, each, 1, rate, decay) for each in (after, with_gradient)]
    )


def _total(runs: Dataset, name: str) -> Float[np.ndarray, "run step"]:
    return runs[name].transpose("run", "step", "parameter").sum("parameter", min_count=1).values


def _of(runs: Dataset, names: tuple[str, ...]) -> Float[np.ndarray, "run step"]:
    chosen = runs["squared_norm"].sel(parameter=[*names])
    return chosen.transpose("run", "step", "parameter").sum("parameter", min_count=1).values


def _trained(runs: Dataset) -> Dataset:
    """Without the steps that none of these runs was trained to: another of the sweep was."""
    return runs.isel(step=np.isfinite(squared_norm_curve(runs)).any(axis=0))


def _shared(runs: Dataset) -> tuple[float, float]:
    if not runs.sizes["run"]:
        raise ValueError("a picture of the norm needs a run, and there is none.")
    pairs = set(
        zip(
            runs["learning_rate"].values.tolist(), runs["weight_decay"].values.tolist(), strict=True
        )
    )
    if len(pairs) > 1:
        raise ValueError(f"one learning rate and weight decay at a time, not {len(pairs)} pairs.")
    return next(iter(pairs))


def _finish(axes: Axes, steps: Float[np.ndarray, "n"], onsets: tuple[float, float]) -> None:
    """The axis of steps, and the two onsets with their words above it."""
    marks = list(zip(onsets, ("memorised", "grokked"), (TRAIN, TEST), strict=True))
    for step, _, colour in marks:
        axes.axvline(step, color=colour, lw=0.9, ls=(0, (3, 2)), zorder=1)
    axes.set_xlim(0, float(steps[-1]))
    write_above(axes, marks, lift=5)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda step, _: count(step)))
    axes.set_xlabel("optimisation step")
