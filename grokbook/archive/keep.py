"""Train one run under its lock and keep it: what every process that trains does."""

from collections.abc import Callable
from pathlib import Path

import filelock
import xarray as xr

from grokbook.archive.lookup import serves, shortens
from grokbook.archive.store import Store, StoreError
from grokbook.training import checkpoint
from grokbook.training.engine import Report, StoppedError, train_run
from grokbook.training.request import Request
from grokbook.training.run import Run


def train_and_keep(
    run: Run,
    request: Request,
    *,
    folder: Path,
    device: str,
    recompute: bool = False,
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Train a run and store it; False where it was asked to stop, its checkpoint then saved.

    Two processes never train one run: the second waits for the first and takes its result.
    """
    store = Store(folder)
    with store.explained(f"{store.folder} cannot be written"):
        store.folder.mkdir(parents=True, exist_ok=True)
        lock = _acquire(store.folder / f"{run.name}.lock", stop)
    if lock is None:
        return False
    with lock, store.explained(f"run {run.name} could not be kept in {store.folder}"):
        for left in store.folder.glob(f".{run.name}.*.tmp"):
            left.unlink(missing_ok=True)  # by a process that was killed as it wrote
        stored = store.read(run.name)  # a damaged file is told before the training, not after it
        if stored is not None and not recompute:
            if serves(stored, request):
                return True
            _refuse_to_shorten(stored, request)
        try:
            trained = train_run(
                run,
                request,
                device=device,
                checkpoint_path=_checkpoint_path(store, run, request, recompute=recompute),
                report=report,
                stop=stop,
            )
        except StoppedError:
            return False
        store.write(trained)
    return True


def _refuse_to_shorten(stored: xr.Dataset, request: Request) -> None:
    if shortens(stored, request):
        raise StoreError(
            f"run {stored['name'].item()} is kept with {stored['budget'].item():,.0f} steps, and "
            f"what is asked (at most {request.steps:,} steps, with this grid, onset rule and "
            "weights) would replace it with less: set GROKBOOK_RUNS to another folder, or "
            "recompute it on purpose."
        )


def _checkpoint_path(store: Store, run: Run, request: Request, *, recompute: bool) -> Path | None:
    """Where the run saves itself; nowhere, if what is saved there already goes further."""
    path = store.state_path(run.name)
    if recompute:
        path.unlink(missing_ok=True)
    saved = checkpoint.load(path)
    return None if saved is not None and int(saved["done"]) > request.steps else path


def _acquire(path: Path, stop: Callable[[], bool]) -> filelock.BaseFileLock | None:
    """The lock once it is free, or None if asked to stop first; a killed holder frees it."""
    lock = filelock.FileLock(path)
    while not stop():
        try:
            lock.acquire(timeout=0.5)
            return lock
        except filelock.Timeout:
            continue
    return None
