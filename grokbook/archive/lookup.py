"""Whether a stored run answers a request, and what it looks like when cut to it.

A longer run serves a shorter request and is cut to it; onsets after the cut are censored there.
"""

import math

import numpy as np
import xarray as xr

from grokbook.archive.experiments import held
from grokbook.archive.store import Store
from grokbook.measures.contraction import OF_ONE_STEP
from grokbook.measures.onset import COMMON_RULES
from grokbook.training.closing import CURVATURE
from grokbook.training.looking_back import AT_THE_END, DIMENSIONS
from grokbook.training.request import Request
from grokbook.training.run import Run
from grokbook.training.watching import AT_SITES

FOLLOWED, WATCHED, CLOSING = OF_ONE_STEP[0], AT_SITES[0], CURVATURE[0]


def look_up(run: Run, request: Request, store: Store) -> xr.Dataset | None:
    """The run as the request asks for it, from the store or the experiments, or None."""
    for candidate in (store.read(run.name), *held(run.name)):
        if candidate is not None and serves(candidate, request):
            return cut(candidate, request)
    return None


def serves(run: xr.Dataset, request: Request) -> bool:
    """Whether a stored run answers a request without training; one that diverged ends there."""
    end, budget = _end(run, request), run["budget"].item()
    return (
        (budget >= end or run["diverged_at"].item() <= request.steps)
        and request.evaluate_every % run["evaluate_every"].item() == 0
        and (run["onset_level"].item(), run["onset_sustained"].item())
        == (float(request.rule.level), request.rule.sustained)
        and all(name in run for name in request.measures)
        and (not request.follow_norm or FOLLOWED in run)
        and (not request.follow_radial or WATCHED in run)
        # Weights are those of the last step, and what frames say is said with them.
        and (not request.keep_weights or (budget <= end and bool(_weights(run))))
        and (not request.frames or (budget <= end and _frames(request) in run))
        and (not request.closing or (budget <= end and CLOSING in run))
    )


def _frames(request: Request) -> str:
    """A variable that the frames of a request have, and those of another kind have not."""
    return "frame_radius" if request.follow_radial else "frame_train_loss"


def shortens(run: xr.Dataset, request: Request) -> bool:
    """Whether training a stored run anew, as asked, would leave fewer steps than there are."""
    return run["budget"].item() > _end(run, request)


def cut(run: xr.Dataset, request: Request) -> xr.Dataset:
    """A run as it looked at the end of a shorter request; later onsets are censored there."""
    end = _end(run, request)
    if run["budget"].item() <= end:
        run = run if request.keep_weights else run.drop_vars(_weights(run))
        run = run if request.closing else without_closing(run)
        return run if request.frames else without_frames(run)
    every = run["evaluate_every"].item()
    end -= end % every  # between two evaluations nothing is known
    run = without_closing(without_frames(run.drop_vars(_weights(run))))
    run = run.sel(step=run["step"] <= end)
    changed = {}
    for name in ("t_mem", "t_grok"):
        windows = {name: request.rule.sustained} | {
            f"{name}_{percent}": rule.sustained for percent, rule in COMMON_RULES.items()
        }
        for onset, sustained in windows.items():
            confirmed = run[onset] + (sustained - 1) * every <= end
            changed[onset] = run[onset].where(confirmed)
    if "first_slingshot" in run:  # runs from before it was logged have none
        changed["first_slingshot"] = run["first_slingshot"].where(run["first_slingshot"] <= end)
    changed["budget"] = ("run", [end])
    changed["censored"] = changed["t_grok"].isnull()
    changed["diverged_at"] = run["diverged_at"].where(run["diverged_at"] < end)
    run = run.assign(changed)
    return _censored(run, end) if FOLLOWED in run else run


def _censored(run: xr.Dataset, end: float) -> xr.Dataset:
    """Take back what was known at onsets, and over a delay, that lie beyond the end."""
    seen = xr.concat([run[str(name)] for name in run["onset"].values], dim=run["onset"]) <= end
    changed = {name: run[name].where(seen) for name in run if "onset" in run[name].dims}
    whole = run["t_grok"] <= end
    changed |= {name: run[name].where(whole) for name in run if str(name).endswith("_in_delay")}
    return run.assign({name: value.transpose(*run[name].dims) for name, value in changed.items()})


def _end(run: xr.Dataset, request: Request) -> float:
    names = ["t_grok", *(f"t_grok_{percent}" for percent in COMMON_RULES)]
    return request.end(max((run[name].item() for name in names), key=_nan_last))


def _nan_last(t: float) -> float:
    return math.inf if math.isnan(t) else t


def _weights(run: xr.Dataset) -> list[str]:
    return [str(name) for name in run.data_vars if str(name).startswith("final_")]


def without_frames(run: xr.Dataset) -> xr.Dataset:
    """The run without what was read of its frames and, beside them, of its last weights."""
    return run.drop_dims(DIMENSIONS, errors="ignore").drop_vars(AT_THE_END, errors="ignore")


def without_closing(run: xr.Dataset) -> xr.Dataset:
    """The run without the last look at its network."""
    run = run.drop_dims(("rank_batch", "layer"), errors="ignore")
    return run.drop_vars(CURVATURE, errors="ignore")


def concatenate(runs: list[xr.Dataset]) -> xr.Dataset:
    """Runs side by side on the union of their steps; a shorter run ends in NaN.

    A hyper-parameter that a run does not have is NaN or an empty word there, a variable NaN. Final
    weights, and what is said neuron by neuron, end in NaN in a run that has fewer of them, and stay
    only where all runs have the same axes; each run's own file has its own.
    """
    runs = _with_equal_shapes(runs)
    return xr.concat(
        _with_equal_coordinates(_with_equal_axes(runs)),
        dim="run",
        join="outer",
        coords="different",
        compat="equals",
        data_vars="all",
        combine_attrs="drop",
    )


def _unlabelled(run: xr.Dataset) -> dict[str, tuple[str, ...]]:
    """The axes that no coordinate labels, of the variables that have one."""
    known = {"run", *map(str, run.indexes)}
    bare = {
        str(name): tuple(str(axis) for axis in run[name].dims if axis not in known)
        for name in run.data_vars
    }
    return {name: axes for name, axes in bare.items() if axes}


def _with_equal_shapes(runs: list[xr.Dataset]) -> list[xr.Dataset]:
    """Lengthen what has no labels to the longest run's; drop what the runs have other axes of."""
    each = [_unlabelled(run) for run in runs]
    common = {item for item in each[0].items() if all(item in axes.items() for axes in each)}
    kept = {axis for _, axes in common for axis in axes}
    runs = [
        run.drop_vars(name for name, axes in of_run.items() if (name, axes) not in common)
        for run, of_run in zip(runs, each, strict=True)
    ]
    most = {axis: max(run.sizes[axis] for run in runs) for axis in kept}
    short = [{axis: (0, n - run.sizes[axis]) for axis, n in most.items()} for run in runs]
    return [
        run.pad({axis: ends for axis, ends in lacking.items() if any(ends)})
        for run, lacking in zip(runs, short, strict=True)
    ]


def _with_equal_coordinates(runs: list[xr.Dataset]) -> list[xr.Dataset]:
    """Give every run the coordinates of all: architectures and optimisers have their own."""
    # Variables, and all coordinates of a run at once: a DataArray a label would take seconds.
    each = [
        {name: run.variables[name] for name in run.coords if run.variables[name].dims == ("run",)}
        for run in runs
    ]
    given: list[dict] = [{} for _ in runs]
    for name in sorted({name for labels in each for name in labels}, key=str):
        kinds = [labels[name].dtype.kind for labels in each if name in labels]
        if len(kinds) < len(runs):
            kind, absent = (float, np.nan) if set(kinds) <= set("iuf") else (str, "")
            for coordinates, labels, run in zip(given, each, runs, strict=True):
                values = labels[name].values if name in labels else [absent] * run.sizes["run"]
                coordinates[name] = ("run", [kind(value) for value in values])
    return [run.assign_coords(more) for run, more in zip(runs, given, strict=True)]


def _with_equal_axes(runs: list[xr.Dataset]) -> list[xr.Dataset]:
    """Give every run the axes of all: older ones lack those of variables that came later."""
    axes = {str(name): run[name] for run in runs for name in run.indexes}
    return [
        run.assign_coords({name: axis for name, axis in axes.items() if name not in run.coords})
        for run in runs
    ]
