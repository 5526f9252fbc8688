"""What a chapter asks for: archived runs at its default parameters, fresh ones at others."""

import time

import xarray as xr

from grokbook.archive.lookup import look_up
from grokbook.archive.store import Store
from grokbook.archive.train import archived, train
from grokbook.protocols import Protocol
from grokbook.training.engine import choose_device
from grokbook.training.trajectory import Trajectory

PROBED_STEPS = 3
BYTES_PER_PARAMETER = 12  # of a checkpoint: the weight and two moments, in float32


def chapter_runs(
    asked: Protocol, default: Protocol, *, recompute: bool, device: str, command: str
) -> xr.Dataset | None:
    """The runs of a chapter, or None at its default parameters where none is archived.

    At the default nothing is trained: what the book does not hold is said to be `not yet run`, with
    the command that runs it. Anything else, or `recompute`, is trained after an announcement.
    """
    if asked == default and not recompute:
        found = archived(asked)
        if found.missing:
            print(f"not yet run: {len(found.missing)} of {len(asked.runs)}; `{command}` runs them")
        return found.runs
    store = Store()
    fresh = [run for run in asked.runs if recompute or not look_up(run, asked.request, store)]
    if fresh:
        print(announcement(Protocol(tuple(fresh), asked.request), device))
    return train(asked, device=device, recompute=recompute, store=store)


def announcement(asked: Protocol, device: str) -> str:
    """Runs, steps, seconds and bytes that a training will take at most, a few steps measured."""
    trajectory = Trajectory(asked.runs[0], choose_device(device))
    trajectory.step(trajectory.gradient()[1])
    started = time.perf_counter()
    for _ in range(PROBED_STEPS):
        trajectory.step(trajectory.gradient()[1])
    seconds = (time.perf_counter() - started) / PROBED_STEPS * asked.request.steps
    megabytes = trajectory.theta.numel() * BYTES_PER_PARAMETER * len(asked.runs) / 1e6
    return (
        f"training {len(asked.runs)} runs of at most {asked.request.steps:,} steps: "
        f"up to {seconds:,.0f} s each on one thread, {megabytes:.0f} MB kept"
    )
