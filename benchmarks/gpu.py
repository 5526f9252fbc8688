"""On a GPU: an ensemble of runs against the textbook loop, which trains them one after another."""

from collections.abc import Callable, Iterator

import torch

from benchmarks import clock, floor, textbook
from grokbook.models import MLP
from grokbook.protocols import PROTOCOLS
from grokbook.tasks import Split, Task
from grokbook.training.ensemble import Ensemble
from grokbook.training.optimizers import AdamW
from grokbook.training.run import Run, grid
from grokbook.training.trajectory import Trajectory

STEPS = 20  # in one timed piece of work, so that the wait at its end weighs little


def ensembles() -> dict[str, tuple[list[Run], float]]:
    """The runs of each row, and how many times faster than the textbook loop they must be."""
    mlps = Run(Task("add", 53), Split(0.5, seed=0), MLP(128), AdamW(1e-3, 1.0))
    return {
        "64 runs of norm_separation26": (list(PROTOCOLS["norm_separation26"](seeds=64).runs), 30.0),
        "16 runs of nanda23": (list(PROTOCOLS["nanda23"](seeds=16).runs), 10.0),
        "32 MLPs of width 128 (p = 53)": (grid(mlps, seed=range(32)), 8.0),
    }


def ratios(*, seconds: float, device: str = "cuda") -> Iterator[tuple[str, float | None, str]]:
    """Name, ratio and bound of each row; without a GPU every ratio is None."""
    for name, (runs, bound) in ensembles().items():
        faster = share = None
        if torch.cuda.is_available():
            works = {
                "textbook": repeated(textbook.step(runs[0], device)),
                "ensemble": repeated(step(runs, device)),
                "product": repeated(_large_product(device)),
            }
            spent = clock.least(works, seconds=seconds)
            faster = len(runs) * spent["textbook"] / spent["ensemble"]
            rate = len(runs) * _operations(runs[0]) / spent["ensemble"]
            share = rate / (2 * LARGE**3 / spent["product"])
        yield f"{name}: textbook / ensemble", faster, f">= {bound}"
        yield f"{name}: operations a second / those of a large fp32 product", share, ""


def step(runs: list[Run], device: str) -> Callable[[], None]:
    """Return one step of all runs as one ensemble."""
    ensemble = Ensemble([Trajectory(run, "cpu") for run in runs], device)

    def take() -> None:
        ensemble.differentiate()
        ensemble.step()

    return take


def repeated(take: Callable[[], None]) -> Callable[[], None]:
    """`STEPS` of them, and the wait until the device has done them."""

    def all_of_them() -> None:
        for _ in range(STEPS):
            take()
        if torch.cuda.is_available():
            torch.cuda.synchronize()

    return all_of_them


LARGE = 8192


def _large_product(device: str) -> Callable[[], None]:
    a, b = (torch.randn(LARGE, LARGE, device=device) for _ in range(2))
    return lambda: torch.mm(a, b)


def _operations(run: Run) -> float:
    """Floating-point operations of one step's matrix products."""
    products = ((*shape, 1)[:4] for shape in floor.shapes(run))
    return sum(3 * 2 * n * inputs * outputs * heads for n, inputs, outputs, heads in products)
