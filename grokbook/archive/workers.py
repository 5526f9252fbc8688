"""Several runs at once: on a CPU one single-threaded worker process a core, on a GPU ensembles.

Two such processes gave 2.2 times the throughput of one two-thread process on small minibatches and
1.4 times on full batches; their results do not depend on what runs beside them.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grokbook.archive.keep import train_and_keep
from grokbook.archive.store import StoreError
from grokbook.archive.together import train_and_keep_together
from grokbook.training.checkpoint import DamagedError
from grokbook.training.interventions import Intervention
from grokbook.training.request import Request
from grokbook.training.run import Run


class WorkerError(Exception):
    """A worker process ended, or failed, in the middle of a run."""


Progress = Callable[[dict[str, Any]], None]
ERRORS = {error.__name__: error for error in (DamagedError, StoreError, ValueError)}
STOPPING_SECONDS = 60.0  # for a worker to save its run


@dataclass(frozen=True)
class Job:
    """One run to train, and where to keep it."""

    run: Run
    request: Request
    folder: Path
    device: str
    recompute: bool = False

    def to_json(self) -> str:
        """One line for a worker."""
        plain = {"run": self.run.to_json(), "request": self.request.to_json()}
        plain |= {"folder": str(self.folder), "device": self.device, "recompute": self.recompute}
        return json.dumps(plain) + "\n"


def train_jobs(jobs: list[Job], *, processes: int | None, progress: Progress | None) -> None:
    """Train and keep every job. Raises the first failure after the other runs were saved.

    `progress` is told events: `progress` (with `done` and the `latest` evaluation), `finished`.
    Ctrl-C saves every run at hand and then raises `KeyboardInterrupt`. Runs with an intervention
    that is defined outside this package train in this process: a worker would not know its class.
    """
    progress = progress or (lambda event: None)
    if processes is None:
        processes = os.cpu_count() or 1
    own = any(_is_foreign(each) for job in jobs for each in job.run.interventions)
    if len(jobs) <= 1 or processes <= 1 or jobs[0].device != "cpu" or own:
        _train_here(jobs, progress)
    else:
        _Pool(min(processes, len(jobs)), progress).work(jobs)


def _is_foreign(intervention: Intervention) -> bool:
    return type(intervention).__module__.partition(".")[0] != "grokbook"


def _train_here(jobs: list[Job], progress: Progress) -> None:
    if jobs and jobs[0].device != "cpu":
        _train_together(jobs, progress)
        return
    for job in jobs:
        with _stop_on_interrupt() as interrupted:
            finished = train_and_keep(
                job.run,
                job.request,
                folder=job.folder,
                device=job.device,
                recompute=job.recompute,
                report=lambda done, latest, name=job.run.name: progress(
                    {"event": "progress", "name": name, "done": done, "latest": latest}
                ),
                stop=interrupted.is_set,
            )
        if finished:
            progress({"event": "finished", "name": job.run.name})
        if interrupted.is_set():
            raise KeyboardInterrupt


def _train_together(jobs: list[Job], progress: Progress) -> None:
    """In this process too, the jobs that are asked alike as ensembles."""
    alike: dict[tuple[Request, Path, str, bool], list[Run]] = {}
    for job in jobs:
        asked = job.request, job.folder, job.device, job.recompute
        alike.setdefault(asked, []).append(job.run)
    for (request, folder, device, recompute), runs in alike.items():
        with _stop_on_interrupt() as interrupted:
            train_and_keep_together(
                runs,
                request,
                folder=folder,
                device=device,
                recompute=recompute,
                report=lambda run, done, latest: progress(
                    {"event": "progress", "name": run.name, "done": done, "latest": latest}
                ),
                stop=interrupted.is_set,
                on_kept=lambda run: progress({"event": "finished", "name": run.name}),
            )
        if interrupted.is_set():
            raise KeyboardInterrupt


@contextmanager
def _stop_on_interrupt() -> Iterator[threading.Event]:
    """Turn Ctrl-C into a flag, so that no step is left half done; a second one breaks off."""
    interrupted = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield interrupted  # signals belong to the main thread
        return

    def on_interrupt(number: int, frame: object) -> None:
        if interrupted.is_set():
            raise KeyboardInterrupt
        interrupted.set()

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


class _Pool:
    """Worker processes, each with one job at a time, and one queue for what they say."""

    def __init__(self, size: int, progress: Progress) -> None:
        self.progress = progress
        self.events: queue.Queue[tuple[int, dict[str, Any] | None]] = queue.Queue()
        self.workers = [self._start(index) for index in range(size)]
        self.at_hand: dict[int, Job] = {}

    def _start(self, index: int) -> "subprocess.Popen[str]":
        root = str(Path(__file__).parents[2])
        paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
        worker = subprocess.Popen(
            [sys.executable, "-m", "grokbook.archive.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
            start_new_session=True,  # Ctrl-C is the parent's to interpret
        )
        threading.Thread(target=self._listen, args=(index, worker), daemon=True).start()
        return worker

    def _listen(self, index: int, worker: "subprocess.Popen[str]") -> None:
        assert worker.stdout is not None
        with worker.stdout:
            for line in worker.stdout:
                with suppress(ValueError):  # what a library prints is no event
                    self.events.put((index, json.loads(line)))
        self.events.put((index, None))

    def work(self, jobs: list[Job]) -> None:
        """Hand out the jobs and listen until all are finished."""
        waiting = list(reversed(jobs))
        try:
            for index in range(len(self.workers)):
                self._hand(index, waiting)
            while self.at_hand:
                index, event = self.events.get()
                self._heed(index, event)
                if event is not None and event["event"] == "finished":
                    self._hand(index, waiting)
        finally:
            self._stop()

    def _hand(self, index: int, waiting: list[Job]) -> None:
        self.at_hand.pop(index, None)
        if waiting:
            self.at_hand[index] = waiting.pop()
            stdin = self.workers[index].stdin
            assert stdin is not None
            try:
                stdin.write(self.at_hand[index].to_json())
                stdin.flush()
            except BrokenPipeError:
                self._heed(index, None)  # it is gone already

    def _heed(self, index: int, event: dict[str, Any] | None) -> None:
        if event is None:
            if index not in self.at_hand:
                return
            name, code = self.at_hand.pop(index).run.name, self.workers[index].wait()
            raise WorkerError(
                f"the process that trained run {name} ended with code {code}; run the same command "
                "again: finished runs are kept, and this one goes on from its last checkpoint."
            )
        if event["event"] == "failed":
            self.at_hand.pop(index)
            kind = ERRORS.get(event["kind"], WorkerError)
            raise kind(event["message"])
        self.progress(event)

    def _stop(self) -> None:
        """End the input of every worker, which makes it save its run, and wait for that."""
        for worker in self.workers:
            assert worker.stdin is not None
            try:
                worker.stdin.close()
            except BrokenPipeError:
                continue  # it is gone already
        for worker in self.workers:
            try:
                worker.wait(timeout=STOPPING_SECONDS)
            except subprocess.TimeoutExpired:
                worker.kill()
                worker.wait()
