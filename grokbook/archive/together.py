"""Train ensembles under the locks of their runs, and keep each run as it ends: for a GPU."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import filelock
import xarray as xr

from grokbook.archive.keep import _acquire, _checkpoint_path, _refuse_to_shorten
from grokbook.archive.lookup import serves
from grokbook.archive.store import Store
from grokbook.training.engine import StoppedError
from grokbook.training.request import Request
from grokbook.training.run import Run
from grokbook.training.sitting import Report
from grokbook.training.together import groups, train_together

Locks = dict[str, filelock.BaseFileLock]


def train_and_keep_together(
    runs: Sequence[Run],
    request: Request,
    *,
    folder: Path,
    device: str,
    recompute: bool = False,
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
    on_kept: Callable[[Run], None] = lambda run: None,
) -> bool:
    """Train runs as ensembles and store each; False where asked to stop, the rest then saved.

    `on_kept` is told of each run once its result is in the store. Two processes never train one
    run: those that another holds come last, and its results are taken.
    """
    store, waiting = Store(folder), list(runs)
    keeping = _Keeping(request, store, device, recompute, report, stop, on_kept)
    with store.explained(f"{store.folder} cannot be written"):
        store.folder.mkdir(parents=True, exist_ok=True)
    while waiting:
        before = len(waiting)
        for group in groups(waiting):
            if stop():
                return False
            with keeping.locked(group) as locks:
                held = [run for run in group if run.name in locks]
                if not keeping.train(held, locks):
                    return False
            waiting = [run for run in waiting if run not in held]
        if len(waiting) == before:  # all are held elsewhere; no lock is held while waiting for one
            lock = _acquire(keeping.lock_path(waiting[0]), stop)
            if lock is None:
                return False
            lock.release()
    return True


@dataclass(frozen=True)
class _Keeping:
    """What is asked of all runs, and what one group of them is put through."""

    request: Request
    store: Store
    device: str
    recompute: bool
    report: Report | None
    stop: Callable[[], bool]
    on_kept: Callable[[Run], None]

    def lock_path(self, run: Run) -> Path:
        return self.store.folder / f"{run.name}.lock"

    @contextmanager
    def locked(self, group: list[Run]) -> Iterator[Locks]:
        """Those locks of a group that nobody holds; each may be released before the end."""
        locks: Locks = {}
        try:
            for run in group:
                lock = filelock.FileLock(self.lock_path(run))
                with self.store.explained(f"{self.store.folder} cannot be written"):
                    try:
                        lock.acquire(timeout=0)
                    except filelock.Timeout:
                        continue
                locks[run.name] = lock
            yield locks
        finally:
            for lock in locks.values():
                lock.release()

    def train(self, held: list[Run], locks: Locks) -> bool:
        """Train what the store lacks of these runs, under their locks; False if asked to stop."""

        def kept(run: Run) -> None:
            locks[run.name].release()
            self.on_kept(run)

        def keep(run: Run, trained: xr.Dataset) -> None:
            self.store.write(trained)
            kept(run)

        with self.store.explained(f"{len(held)} runs could not be kept in {self.store.folder}"):
            missing = [run for run in held if not self._answered(run)]
            for run in held:
                if run not in missing:
                    kept(run)
            paths = [
                _checkpoint_path(self.store, run, self.request, recompute=self.recompute)
                for run in missing
            ]
            try:
                train_together(
                    missing,
                    self.request,
                    device=self.device,
                    checkpoint_paths=paths,
                    report=self.report,
                    stop=self.stop,
                    on_finished=keep,
                )
            except StoppedError:
                return False
        return True

    def _answered(self, run: Run) -> bool:
        """Whether the store has the run as asked; what a killed process left of it is cleared."""
        for left in self.store.folder.glob(f".{run.name}.*.tmp"):
            left.unlink(missing_ok=True)
        stored = self.store.read(run.name)  # a damaged file is told before the training
        if stored is None or self.recompute:
            return False
        if not serves(stored, self.request):
            _refuse_to_shorten(stored, self.request)
            return False
        return True
