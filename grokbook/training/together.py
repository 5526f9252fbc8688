"""Trains runs as ensembles, with the datasets and checkpoints of runs that are trained alone.

Runs that differ in seeds and real numbers only form one ensemble, as far as they have come equally
far and the device has room. Between two evaluations nothing is asked of the device: that a run has
diverged is found out at the next evaluation, and what it did since is dropped.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import xarray as xr

from grokbook.training import engine, memory
from grokbook.training.ensemble import Ensemble
from grokbook.training.lifting import structure
from grokbook.training.looking_back import refuse_unreadable
from grokbook.training.request import Request
from grokbook.training.result import Curves
from grokbook.training.run import Run
from grokbook.training.sitting import Member, Report, Sitting
from grokbook.training.trajectory import Trajectory

OnFinished = Callable[[Run, xr.Dataset], None]


def groups(runs: Iterable[Run]) -> list[list[Run]]:
    """Runs that can form one ensemble side by side, in the order in which they are given.

    >>> from grokbook.models import MLP
    >>> from grokbook.tasks import Split, Task
    >>> run = Run(Task("add", 5), Split(0.6, seed=0), MLP(8))
    >>> [len(group) for group in groups([run, run.replace(width=9), run.replace(seed=1)])]
    [2, 1]
    """
    found: dict[str, list[Run]] = {}
    for run in runs:
        found.setdefault(structure(run), []).append(run)
    return list(found.values())


def train_together(
    runs: Sequence[Run],
    request: Request,
    *,
    device: str = "cpu",
    checkpoint_paths: Sequence[Path | None] | None = None,
    checkpoint_seconds: float | int = engine.CHECKPOINT_SECONDS,
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
    on_finished: OnFinished | None = None,
) -> list[xr.Dataset]:
    """Train runs of one structure to the end of their request, and return a dataset for each.

    The datasets are those of `train_run`, up to rounding; `wall_seconds` is each run's equal share
    of the time, and `peak_memory_bytes` the peak of its whole ensemble. Checkpoints are those of
    `train_run`: a run begun in either way can go on in the other. `on_finished(run, dataset)` is
    told of each run at its end, `report(run, done, latest)` of all about once a second. `stop()` is
    asked at every step: where it says yes all are saved and `StoppedError` is raised. Raises
    `ValueError` for runs of several structures, `DamagedError` for a checkpoint that cannot be
    read, `OSError` where one cannot be written.
    """
    if (several := len(groups(runs))) > 1:
        raise ValueError(f"these runs are of {several} structures: train each of groups() alone.")
    if not runs:
        return []
    paths = checkpoint_paths or [None] * len(runs)
    members = [_begin(run, request, path) for run, path in zip(runs, paths, strict=True)]
    results: dict[int, xr.Dataset] = {}

    def finish(member: Member) -> None:
        if report is not None:
            report(member.run, member.trajectory.done, engine.told(member.curves, request))
        found = engine.finished(member.trajectory, member.curves, request, device=device)
        results[id(member)] = found
        if on_finished is not None:
            on_finished(member.run, found)

    # What the smallest epsilon needs is right for all.
    with engine.one_thread(min(runs, key=lambda run: getattr(run.optimizer, "epsilon", 1.0))):
        for together in _ensembles(members, device):
            memory.start_counting(device)
            sitting = Sitting(together, request, device, finish)
            sitting.go(checkpoint_seconds=checkpoint_seconds, report=report, stop=stop)
    return [results[id(member)] for member in members]


def _begin(run: Run, request: Request, path: Path | None) -> Member:
    if request.frames and not request.follow_radial:
        refuse_unreadable(run)
    trajectory = Trajectory(run, "cpu", follow=request.follow_norm)
    curves = Curves.empty(request)
    engine.resume(trajectory, curves, request, path)
    end = request.end(engine.last_onset(curves, request))
    return Member(trajectory, curves, path, end)


def _ensembles(members: list[Member], device: str) -> list[list[Member]]:
    """Members that have come equally far, as many at once as the device has room for."""
    abreast: dict[tuple[int, int], list[Member]] = {}
    for member in members:
        place = member.trajectory.done, member.trajectory.batches.used
        abreast.setdefault(place, []).append(member)
    runs, most = [member.run for member in members], None
    if len(runs) > 1:
        follow = members[0].trajectory.follower is not None
        most = memory.room(lambda n: _try_out(runs[:n], device, follow=follow), device)
    return [part for group in abreast.values() for part in _parts(group, most)]


def _parts(group: list[Member], most: int | None) -> list[list[Member]]:
    """As few parts as may be, of sizes as equal as may be."""
    n = len(group)
    count = 1 if most is None else math.ceil(n / most)
    return [group[n * i // count : n * (i + 1) // count] for i in range(count)]


def _try_out(runs: Sequence[Run], device: str, *, follow: bool) -> None:
    """Take one step from the start of these runs and look once, to see what memory that takes."""
    ensemble = Ensemble([Trajectory(run, "cpu", follow=follow) for run in runs], device)
    ensemble.differentiate()
    ensemble.step()
    ensemble.evaluate("test")
