"""Train one run under its lock and keep it: what every process that trains does."""

from collections.abc import Callable
from pathlib import Path

import filelock

from grokbook.archive.lookup import serves
from grokbook.archive.store import Store
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
        if recompute:
            store.state_path(run.name).unlink(missing_ok=True)
        else:
            stored = store.read(run.name)
            if stored is not None and serves(stored, request):
                return True
        try:
            trained = train_run(
                run,
                request,
                device=device,
                checkpoint_path=store.state_path(run.name),
                report=report,
                stop=stop,
            )
        except StoppedError:
            return False
        store.write(trained)
    return True


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
