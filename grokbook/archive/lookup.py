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
    """Whether a stored run answers a request without training."""
    if not math.isnan(run["diverged_at"].item()) and run["diverged_at"].item() <= request.steps:
        return True
    end, budget = _end(run, request), run["budget"].item()
    return (
        budget >= end
        and request.evaluate_every % run["evaluate_every"].item() == 0
        and (run["onset_level"].item(), run["onset_sustained"].item())
        == (float(request.rule.level), request.rule.sustained)
        and all(name in run for name in request.measures)
        # Weights are those of the last step, and of no earlier one.
        and (not request.keep_weights or (budget == end and _has_weights(run)))
    )


def cut(run: xr.Dataset, request: Request) -> xr.Dataset:
    """A run as it looked at the end of a shorter request; later onsets are censored there."""
    end = _end(run, request)
    if run["budget"].item() <= end:
        return run if request.keep_weights else _without_weights(run)
    run = _without_weights(run).sel(step=run["step"] <= end)
    every = run["evaluate_every"].item()
    for name in ("t_mem", "t_grok"):
        windows = {name: request.rule.sustained} | {
            f"{name}_{percent}": rule.sustained for percent, rule in COMMON_RULES.items()
        }
        for onset, sustained in windows.items():
            confirmed = run[onset] + (sustained - 1) * every <= end
            run = run.assign({onset: run[onset].where(confirmed)})
    censored = np.isnan(run["t_grok"].values)
    return run.assign(budget=("run", [end]), censored=("run", censored))


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
    """Runs side by side on the union of their steps; a shorter run ends in NaN."""
    return xr.concat(
        [run.drop_attrs() for run in runs],
        dim="run",
        join="outer",
        coords="different",
        compat="equals",
        data_vars="all",
        combine_attrs="drop",
    )
