"""Whether a stored run answers a request, and what it looks like when cut to it.

A longer run serves a shorter request and is cut to it; onsets after the cut are censored there.
"""

import math

import numpy as np
import xarray as xr

from grokbook.archive.experiments import experiments
from grokbook.archive.store import Store
from grokbook.measures.onset import COMMON_RULES
from grokbook.training.request import Request
from grokbook.training.run import Run


def look_up(run: Run, request: Request, store: Store) -> xr.Dataset | None:
    """The run as the request asks for it, from the store or the experiments, or None."""
    for candidate in (store.read(run.name), experiments().get(run.name)):
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
        # Weights are those of the last step, and of no earlier one.
        and (not request.keep_weights or (budget <= end and _has_weights(run)))
    )


def shortens(run: xr.Dataset, request: Request) -> bool:
    """Whether training a stored run anew, as asked, would leave fewer steps than there are."""
    return run["budget"].item() > _end(run, request)


def cut(run: xr.Dataset, request: Request) -> xr.Dataset:
    """A run as it looked at the end of a shorter request; later onsets are censored there."""
    end = _end(run, request)
    if run["budget"].item() <= end:
        return run if request.keep_weights else _without_weights(run)
    every = run["evaluate_every"].item()
    end -= end % every  # between two evaluations nothing is known
    run = _without_weights(run).sel(step=run["step"] <= end)
    for name in ("t_mem", "t_grok"):
        windows = {name: request.rule.sustained} | {
            f"{name}_{percent}": rule.sustained for percent, rule in COMMON_RULES.items()
        }
        for onset, sustained in windows.items():
            confirmed = run[onset] + (sustained - 1) * every <= end
            run = run.assign({onset: run[onset].where(confirmed)})
    if "first_slingshot" in run:  # runs from before it was logged have none
        run = run.assign(
            first_slingshot=run["first_slingshot"].where(run["first_slingshot"] <= end)
        )
    censored = np.isnan(run["t_grok"].values)
    diverged_at = run["diverged_at"].where(run["diverged_at"] < end)
    return run.assign(budget=("run", [end]), censored=("run", censored), diverged_at=diverged_at)


def _end(run: xr.Dataset, request: Request) -> float:
    names = ["t_grok", *(f"t_grok_{percent}" for percent in COMMON_RULES)]
    return request.end(max((run[name].item() for name in names), key=_nan_last))


def _nan_last(t: float) -> float:
    return math.inf if math.isnan(t) else t


def _has_weights(run: xr.Dataset) -> bool:
    return any(str(name).startswith("final_") for name in run.data_vars)


def _without_weights(run: xr.Dataset) -> xr.Dataset:
    return run.drop_vars([name for name in run.data_vars if str(name).startswith("final_")])


def concatenate(runs: list[xr.Dataset]) -> xr.Dataset:
    """Runs side by side on the union of their steps; a shorter run ends in NaN.

    A hyper-parameter that a run does not have is NaN or an empty word there, a variable NaN. Final
    weights stay only where those of all runs have one shape; each run's own file has its own.
    """
    if len({_shapes(run) for run in runs}) > 1:
        runs = [_without_weights(run) for run in runs]
    return xr.concat(
        _with_equal_coordinates(_with_equal_axes([run.drop_attrs() for run in runs])),
        dim="run",
        join="outer",
        coords="different",
        compat="equals",
        data_vars="all",
        combine_attrs="drop",
    )


def _shapes(run: xr.Dataset) -> frozenset[tuple[str, tuple[int, ...]]]:
    weights = [name for name in run.data_vars if str(name).startswith("final_")]
    return frozenset((str(name), run[name].shape[1:]) for name in weights)


def _with_equal_coordinates(runs: list[xr.Dataset]) -> list[xr.Dataset]:
    """Give every run the coordinates of all: architectures and optimisers have their own."""
    labels = {name for run in runs for name in run.coords if run[name].dims == ("run",)}
    for name in sorted(labels, key=str):
        kinds = [run[name].dtype.kind for run in runs if name in run.coords]
        if len(kinds) < len(runs):
            kind, absent = (float, np.nan) if set(kinds) <= set("iuf") else (str, "")
            runs = [
                run.assign_coords({name: ("run", _column(run, name, kind, absent))}) for run in runs
            ]
    return runs


def _with_equal_axes(runs: list[xr.Dataset]) -> list[xr.Dataset]:
    """Give every run the axes of all: older ones lack those of variables that came later."""
    axes = {str(name): run[name] for run in runs for name in run.indexes}
    return [
        run.assign_coords({name: axis for name, axis in axes.items() if name not in run.coords})
        for run in runs
    ]


def _column(
    run: xr.Dataset, name: object, kind: type, absent: float | str
) -> list[float] | list[str]:
    values = run[name].values if name in run.coords else [absent] * run.sizes["run"]
    return [kind(value) for value in values]
