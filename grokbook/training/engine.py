"""The engine: takes one run through its budget, and follows it as closely as the request asks.

It knows no archive. A checkpoint path makes it resumable: the state is saved every
`CHECKPOINT_SECONDS` and when it is asked to stop, and a resumed run equals an uninterrupted one.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
import xarray as xr
from jaxtyping import Float, Int
from torch import Tensor

from grokbook.measures import MEASURES
from grokbook.measures.onset import COMMON_RULES, onset
from grokbook.training import checkpoint, memory
from grokbook.training.closing import closing_look
from grokbook.training.looking_back import looked_back, refuse_unreadable
from grokbook.training.motion import held, moved
from grokbook.training.request import Request
from grokbook.training.result import Curves, dataset
from grokbook.training.run import Run
from grokbook.training.trajectory import Evaluation, Trajectory
from grokbook.training.watching import watched

CHECKPOINT_SECONDS = 60.0
REPORT_SECONDS = 1.0
SAFE_EPSILON = 1e-15  # far above 1e-19, the root of the smallest normal float32

Report = Callable[[int, dict[str, float]], None]


class StoppedError(Exception):
    """The run was asked to stop before its end; its checkpoint holds the way so far."""


def choose_device(device: str = "auto") -> str:
    """CUDA if there is one, else the CPU; a device without float64 is refused.

    >>> choose_device("mps")
    Traceback (most recent call last):
    ValueError: device = 'mps' has no float64, which the losses need: choose cpu, cuda or auto.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    kind = device.split(":")[0]
    if kind == "mps":
        raise ValueError(
            "device = 'mps' has no float64, which the losses need: choose cpu, cuda or auto."
        )
    if kind not in ("cpu", "cuda"):
        raise ValueError(f"device = {device!r} is not known: choose cpu, cuda or auto.")
    if kind == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device = {device!r} is not on this machine: choose cpu or auto.")
    return device


def train_run(
    run: Run,
    request: Request,
    *,
    device: str = "cpu",
    checkpoint_path: Path | None = None,
    checkpoint_seconds: float | int = CHECKPOINT_SECONDS,
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> xr.Dataset:
    """Train one run to the end of its request, on one thread, and return its dataset.

    `report(done, latest)` is told of the progress about once a second. `stop()` is asked at every
    step: where it says yes the state is saved and `StoppedError` raised. Raises `DamagedError` for
    a checkpoint that cannot be read, `OSError` where it cannot be written.
    """
    if request.frames and not request.follow_radial:
        refuse_unreadable(run)
    memory.start_counting(device)
    trajectory = Trajectory(run, device, follow=request.follow_norm)
    curves = Curves.empty(request)
    resume(trajectory, curves, request, checkpoint_path)
    started = saved = reported = time.monotonic()
    earlier = curves.seconds

    def keep() -> None:
        curves.seconds = earlier + time.monotonic() - started
        save(trajectory, curves, checkpoint_path)

    with one_thread(run):
        end = request.end(last_onset(curves, request))
        while trajectory.done < end and math.isnan(curves.diverged_at):
            if stop():
                keep()
                raise StoppedError(f"run {run.name} was stopped at step {trajectory.done}")
            now = time.monotonic()
            if now - saved > checkpoint_seconds:
                keep()
                saved = now
            if report is not None and now - reported > REPORT_SECONDS:
                report(trajectory.done, told(curves, request))
                reported = now
            end = _advance(trajectory, curves, request, end)
        if curves.last_step() < trajectory.done:
            _record(trajectory, curves, request, trajectory.evaluate("train"))
        keep()
    if report is not None:
        report(trajectory.done, told(curves, request))
    return finished(trajectory, curves, request, device=device)


def _advance(trajectory: Trajectory, curves: Curves, request: Request, end: float) -> float:
    """On the grid look, then step unless that was the end; returns where the run now ends."""
    due = trajectory.done % request.evaluate_every == 0 and curves.last_step() < trajectory.done
    full = trajectory.run.batch.size is None
    if due and not full:
        _record(trajectory, curves, request, trajectory.evaluate("train"))
        end = request.end(last_onset(curves, request))
        if trajectory.done >= end:
            return end  # before a batch is drawn: a longer run must draw it
    loss, gradient = trajectory.gradient()
    if not math.isfinite(loss):
        curves.diverged_at = float(trajectory.done)
        return end
    if due and full:
        # A full batch has already given the training side of the evaluation.
        _record(trajectory, curves, request, trajectory.seen(loss))
        end = request.end(last_onset(curves, request))
    if trajectory.done < end:
        trajectory.step(gradient)
        if trajectory.follower and curves.last_step() == trajectory.done - 1:
            curves.complete({k: v.item() for k, v in trajectory.follower.step().items()})
    return end


def _record(trajectory: Trajectory, curves: Curves, request: Request, train: Evaluation) -> None:
    """Add one evaluation, its training side given."""
    test = trajectory.evaluate("test")
    weights = {name: w.detach() for name, w in trajectory.parameters.items()}
    measured = {
        f"{name}/{label}": float(value)
        for name in request.measures
        for label, value in MEASURES[name].function(weights).items()
    }
    if trajectory.follower:
        measured |= {name: value.item() for name, value in trajectory.follower.row().items()}
    if request.follow_radial:
        seen = watched(trajectory.run, weights, *trajectory.train, trajectory.states)
        measured |= {name: value.item() for name, value in seen.items()}
    curves.record(trajectory.done, train, test, measured)
    if request.frames:
        pairs = trajectory.train[0]
        frame = framed(trajectory.run, request, trajectory.theta, weights, pairs)
        curves.frames.take(trajectory.done, frame)


def framed(
    run: Run,
    request: Request,
    theta: Float[Tensor, " P"],
    parameters: dict[str, Tensor],
    pairs: Int[Tensor, "n operands"],
) -> Float[Tensor, " numbers"]:
    """What a frame holds: the weights, or the activations of a few examples as they move."""
    return held(run, parameters, pairs) if request.follow_radial else theta


def told(curves: Curves, request: Request) -> dict[str, float]:
    """What a progress report says: the newest evaluation, and `t_grok` so far (NaN: not yet)."""
    found = onset(curves.tensor("step"), curves.tensor("test_accuracy"), request.rule)
    return curves.latest() | {"t_grok": found.item()}


def last_onset(curves: Curves, request: Request) -> float:
    """Step of the latest onset of generalisation by any rule, NaN while one is not reached."""
    steps, accuracy = curves.tensor("step"), curves.tensor("test_accuracy")
    found = [onset(steps, accuracy, rule).item() for rule in (request.rule, *COMMON_RULES.values())]
    return max(found) if all(t == t for t in found) else math.nan


def resume(trajectory: Trajectory, curves: Curves, request: Request, path: Path | None) -> None:
    """Take up a checkpoint of the same run that followed it at least as closely as asked."""
    arrays = checkpoint.load(path) if path is not None else None
    if arrays is None or str(arrays["run"]) != trajectory.run.to_json():
        return
    earlier = Curves.from_arrays(arrays)
    if int(arrays["done"]) > request.steps or not earlier.serves(request):
        return
    curves.take(earlier)
    trajectory.restore(arrays)


def save(trajectory: Trajectory, curves: Curves, path: Path | None) -> None:
    """Write what `resume` takes up, if there is a place for it."""
    if path is not None:
        run = {"run": np.array(trajectory.run.to_json())}
        checkpoint.save(path, trajectory.state() | curves.arrays() | run)


def finished(
    trajectory: Trajectory, curves: Curves, request: Request, *, device: str
) -> xr.Dataset:
    """The dataset of a run at its end, with the memory that training took."""
    weights = {}
    if request.keep_weights:
        weights = {name: w.detach().cpu() for name, w in trajectory.parameters.items()}
    found = dataset(trajectory.run, request, curves, weights, device=device)
    run, frames, done = trajectory.run, curves.frames, trajectory.done
    if request.frames and request.follow_radial:
        read = moved(run, frames, trajectory.parameters, trajectory.train[0], done)
        found = found.merge(read)
    elif request.frames:
        read = looked_back(run, trajectory.layout, frames, trajectory.theta, done, device)
        found = found.merge(read)
    if request.closing:
        found = found.merge(closing_look(trajectory))
    return found.assign(peak_memory_bytes=("run", [memory.peak(device)]))


@contextmanager
def one_thread(run: Run) -> Iterator[None]:
    """Train on one thread and without denormal numbers; the caller's thread count comes back.

    One thread, so that a run is bit for bit the same whatever runs beside it. Late in training the
    gradients of memorised examples become denormal, which is slow and changes nothing, unless the
    optimiser's epsilon is so small that it divides by what is left of them.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.set_flush_denormal(getattr(run.optimizer, "epsilon", 1.0) >= SAFE_EPSILON)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_flush_denormal(False)
