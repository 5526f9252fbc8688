"""The rows of the benchmark: what is compared, what must come out, and what did.

Every number is a ratio of two works that took turns within one run; none is a time.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks import clock, engine, floor, gpu, side_by_side, textbook
from grokbook.archive.worker import keep_memory
from grokbook.protocols import PROTOCOLS
from grokbook.protocols.radial26 import published_run
from grokbook.training import interventions
from grokbook.training.run import Run


@dataclass(frozen=True)
class Row:
    """One comparison. `must` is a bound such as ">= 4.2", or empty where nothing is promised."""

    name: str
    ratio: float | None  # None: not yet run, for want of a device
    must: str
    threads: int
    device: str

    @property
    def holds(self) -> bool | None:
        """Whether the ratio keeps its bound; None where one of them is missing.

        >>> Row("a", 4.4, ">= 4.2", 1, "cpu").holds, Row("b", None, ">= 30", 1, "cuda").holds
        (True, None)
        """
        if self.ratio is None or not self.must:
            return None
        sign, bound = self.must.split()
        return self.ratio >= float(bound) if sign == ">=" else self.ratio <= float(bound)

    def describe(self) -> dict[str, Any]:
        """The row as a flat object."""
        ratio = None if self.ratio is None else round(self.ratio, 3)
        return {"name": self.name, "ratio": ratio, "must": self.must, "holds": self.holds} | {
            "threads": self.threads,
            "device": self.device,
        }


def runs() -> dict[str, Run]:
    """The two runs that the CPU's rows are about."""
    return {name: PROTOCOLS[name](seeds=1).runs[0] for name in ("nanda23", "norm_separation26")}


# (name, threads): at least so many times the textbook loop, at most so many times the floor.
STEPS = {
    ("nanda23", 1): (4.2, 1.3),
    ("nanda23", 2): (4.0, 1.4),
    ("norm_separation26", 1): (2.4, 2.0),
}
WORKERS = {"norm_separation26": 2.0, "nanda23": 1.3}
EVALUATIONS = {"nanda23": 10, "norm_separation26": 100}  # steps between two
EVALUATION_SHARE = 0.12


def measure(*, scale: float = 1.0) -> Iterator[Row]:
    """Measure every row, one after another; `scale` lengthens or shortens the time for each."""
    keep_memory()
    cores = os.cpu_count() or 1
    before = torch.get_num_threads()
    try:
        for (name, threads), bounds in STEPS.items():
            if threads <= cores:
                yield from steps(name, threads, bounds, seconds=16 * scale)
        engine.threads(1)
        for name, every in EVALUATIONS.items():
            yield evaluations(name, every, seconds=6 * scale)
        yield from costs(seconds=4 * scale)
    finally:
        torch.set_num_threads(before)
        torch.set_flush_denormal(False)
    for name, bound in WORKERS.items():
        gain = side_by_side.gain(runs()[name], seconds=8 * scale) if cores >= 2 else None
        yield Row(f"{name}: two workers / one process", gain, f">= {bound}", 2, "cpu")
    for name, ratio, must in gpu.ratios(seconds=10 * scale):
        yield Row(name, ratio, must, 1, "cuda")


def steps(name: str, threads: int, bounds: tuple[float, float], *, seconds: float) -> Iterator[Row]:
    """A step of the engine between the textbook loop's and the floor's."""
    engine.threads(threads)
    run = runs()[name]
    forms: dict[str, Callable[[], None]] = {
        form.__name__.split(".")[-1]: form.step(run) for form in (textbook, engine, floor)
    }
    spent = clock.least(forms, seconds=seconds)
    faster, slower = (
        spent["textbook"] / spent["engine"],
        spent["engine"] / spent["floor"],
    )
    yield Row(f"{name}: textbook / engine", faster, f">= {bounds[0]}", threads, "cpu")
    yield Row(f"{name}: engine / floor", slower, f"<= {bounds[1]}", threads, "cpu")


def evaluations(name: str, every: int, *, seconds: float) -> Row:
    """Share of the time that goes into evaluations on the protocol's grid."""
    run = runs()[name]
    spent = clock.least(
        {"step": engine.step(run), "evaluation": engine.evaluation(run)}, seconds=seconds
    )
    share = spent["evaluation"] / (every * spent["step"] + spent["evaluation"])
    must = f"<= {EVALUATION_SHARE}"
    return Row(f"{name}: evaluation every {every} steps / all", share, must, 1, "cpu")


def costs(*, seconds: float) -> Iterator[Row]:
    """What each intervention, with its default numbers, makes of a step's cost.

    One that begins with a look at hidden activations is measured on a network that has them.
    """
    mlp = published_run().replace(interventions=())
    for kind, intervention in interventions.INTERVENTIONS.items():
        looks = intervention().changes("begin")
        plain = mlp if looks else runs()["norm_separation26"]
        changed = plain.replace(interventions=(intervention(),))
        works = {"plain": engine.step(plain), "changed": engine.step(changed)}
        spent = clock.least(works, seconds=seconds)
        name = f"{'radial26' if looks else 'norm_separation26'} with {kind} / without"
        yield Row(name, spent["changed"] / spent["plain"], "", 1, "cpu")
