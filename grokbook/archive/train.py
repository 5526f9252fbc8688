"""`train`: look up, train what is missing, keep."""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

import xarray as xr

from grokbook.archive.experiments import held
from grokbook.archive.lookup import concatenate, cut, look_up, serves
from grokbook.archive.store import Store
from grokbook.archive.workers import Job, Progress, train_jobs
from grokbook.protocols import Protocol
from grokbook.training.engine import choose_device
from grokbook.training.request import Request
from grokbook.training.run import Run


def train(
    runs: Run | Iterable[Run] | Protocol,
    *,
    steps: int | None = None,
    request: Request | None = None,
    device: str = "auto",
    processes: int | None = None,
    recompute: bool = False,
    store: Store | None = None,
    progress: Progress | None = None,
) -> xr.Dataset:
    """Return the asked runs as one dataset, training those that no file holds yet.

    A protocol brings its own request; plain runs need `steps` or `request`. On a CPU each run
    trains on one thread, `processes` at a time (default: one a core); every run is stored as soon
    as it is finished. `recompute` trains anew and never reads. Raises `ValueError` for a request or
    device that cannot be, `StoreError` and `DamagedError` for trouble with files.
    """
    chosen, request = _resolve(runs, request, steps)
    device = choose_device(device)
    store = store or Store()
    found: dict[str, xr.Dataset] = {}
    if not recompute:
        found = {run.name: kept for run in chosen if (kept := look_up(run, request, store))}
    missing = {run.name: run for run in chosen if run.name not in found}
    for name, kept in found.items() if progress else ():
        progress({"event": "kept", "name": name, "latest": {"t_grok": kept["t_grok"].item()}})
    jobs = [Job(run, request, store.folder, device, recompute) for run in missing.values()]
    train_jobs(jobs, processes=processes, progress=progress)
    for name in missing:
        trained = store.read(name)
        if trained is None:
            raise RuntimeError(f"run {name} was trained but is not in {store.folder}.")
        found[name] = cut(trained, request)
    return concatenate([found[run.name] for run in chosen])


@dataclass(frozen=True)
class Found:
    """What files hold of an experiment: its runs (None if there are none), and what is missing."""

    runs: xr.Dataset | None
    missing: tuple[Run, ...]


def archived(
    runs: Run | Iterable[Run] | Protocol,
    *,
    steps: int | None = None,
    request: Request | None = None,
) -> Found:
    """Look the runs up in the book's experiments alone, and never train.

    What a chapter shows at its default parameters, and what a verdict is computed from: neither
    depends on what happens to lie in a user's store.
    """
    return archived_together([_resolve(runs, request, steps)])


def archived_together(asked: Iterable[tuple[Iterable[Run], Request]]) -> Found:
    """What `archived` says of several requests, as one experiment; a run in two counts once."""
    kept: dict[str, xr.Dataset] = {}
    missing: dict[Run, None] = {}
    for chosen, request in asked:
        for run in chosen:
            if run.name in kept:
                continue
            serving = next((data for data in held(run.name) if serves(data, request)), None)
            if serving is None:
                missing[run] = None
            else:
                kept[run.name] = cut(serving, request)
    runs = concatenate(list(kept.values())) if kept else None
    return Found(runs, tuple(run for run in missing if run.name not in kept))


def _resolve(
    runs: Run | Iterable[Run] | Protocol, request: Request | None, steps: int | None
) -> tuple[list[Run], Request]:
    if isinstance(runs, Protocol):
        request, runs = request or runs.request, runs.runs
    if request is None:
        if steps is None:
            raise ValueError("say how long to train: give steps, a request, or a protocol.")
        request = Request(steps)
    elif steps is not None:
        request = dataclasses.replace(request, steps=steps)
    chosen = [runs] if isinstance(runs, Run) else list(runs)
    if not chosen:
        raise ValueError("there are no runs to train: give one or more.")
    return chosen, request
