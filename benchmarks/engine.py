"""The engine's own step, and its step with evaluations on the protocol's grid."""

from collections.abc import Callable

import torch

from grokbook.training.run import Run
from grokbook.training.trajectory import Trajectory


def step(run: Run, device: str = "cpu") -> Callable[[], None]:
    """Return one training step of the engine, without evaluation."""
    trajectory = Trajectory(run, device)

    def take() -> None:
        trajectory.step(trajectory.gradient()[1])

    return take


def evaluation(run: Run, device: str = "cpu") -> Callable[[], None]:
    """Return what an evaluation adds to a step: the test set, and of a minibatch run the rest."""
    trajectory = Trajectory(run, device)
    loss, _ = trajectory.gradient()
    full = run.batch.size is None

    def look() -> None:
        trajectory.evaluate("test")
        trajectory.seen(loss) if full else trajectory.evaluate("train")

    return look


def threads(count: int) -> None:
    """Let torch use this many threads, and flush denormals as the engine does."""
    torch.set_num_threads(count)
    torch.set_flush_denormal(True)
