"""The smallest runs that still do everything, and processes of their own that start in no time."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from grokbook import MLP, AdamW, Run, Split, Store, Task
from grokbook.training.request import Request
from grokbook.training.result import Curves, dataset

PATIENCE = 240  # seconds; a machine that does much else besides can be very slow
WHERE_AND_WHEN = ["wall_seconds", "git_commit", "code_digest", "versions", "archive"]


def tiny(**changes: Any) -> Run:
    """Return a run of 15 examples and 16 neurons."""
    run = Run(Task("add", 5), Split(0.6, seed=0), MLP(width=16), AdamW(1e-2, 1.0))
    return run.replace(**changes)


def assert_same(left: xr.Dataset, right: xr.Dataset) -> None:
    """Compare two datasets bit for bit, but for where and when they were made."""
    xr.testing.assert_equal(
        *(one.drop_vars(WHERE_AND_WHEN, errors="ignore") for one in (left, right))
    )


def followed(request: Request, accuracies: Mapping[int, tuple[float, float]], **changes: Any):
    """Return a run's dataset as if it had been trained: (train, test) accuracy by step."""
    curves = Curves()
    for step, (train, test) in accuracies.items():
        numbers = {"train_accuracy": train, "test_accuracy": test}
        losses = {"train_loss": 1 - train, "test_loss": 1 - test}
        curves.append(step, {**losses, **numbers, "squared_norm/W_U": step / 7})
    return dataset(tiny(**changes), request, curves, {}, device="cpu")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store that does not exist yet."""
    return Store(tmp_path / "store")


@pytest.fixture
def book_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an empty folder in the place of `book/runs`."""
    folder = tmp_path / "book runs"
    folder.mkdir()
    # By sys.modules, since the package has a function of the module's name.
    monkeypatch.setattr(sys.modules["grokbook.archive.experiments"], "EXPERIMENTS", folder)
    return folder


PROLOGUE = """
import os, signal, sys
os.environ.update({environment!r})
for number, path in enumerate({paths!r}, start=1):
    os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever started the tests
"""


class Child:
    """A script in a process of its own, forked from a server that has imported grokbook."""

    def __init__(self, script: str, folder: Path, **environment: str) -> None:
        self.paths = [folder / f"child{time.monotonic_ns()}.{name}" for name in ("out", "err")]
        prologue = PROLOGUE.format(environment=environment, paths=[str(p) for p in self.paths])
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["grokbook", "grokbook.__main__", "grokbook.archive.worker"])
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        before = {name: os.environ.get(name) for name in threads}
        os.environ.update(threads)  # a process with several threads cannot be forked safely
        try:
            forkserver.ensure_running()
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})
        names = {"__name__": "__main__"}
        self.process = context.Process(target=exec, args=(prologue + script, names))
        self.process.start()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self.process.pid is not None
        return self.process.pid

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.pid, number)

    def wait(self) -> int:
        """Return the exit status, minus the signal's number if one ended it."""
        self.process.join(PATIENCE)
        status = self.process.exitcode
        if status is None:
            self.process.kill()
            self.process.join()
            raise AssertionError(f"the child did not end in {PATIENCE} s: {self.said()}")
        return status

    def ended(self) -> bool:
        """Say whether it has ended."""
        return self.process.exitcode is not None

    def said(self) -> tuple[str, str]:
        """Return its standard output and standard error."""
        return tuple(path.read_text() if path.exists() else "" for path in self.paths)

    def __enter__(self) -> "Child":
        return self

    def __exit__(self, *_: object) -> None:
        if not self.ended():
            self.process.kill()
        self.process.join()
        self.process.close()


def until(condition: Callable[[], Any], what: str) -> None:
    """Wait for a condition; fail with its name."""
    limit = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > limit:
            raise AssertionError(f"{what}: not in {PATIENCE} s")
        time.sleep(0.005)


def alive(pid: int) -> bool:
    """Say whether a process runs; one that has ended, and that nobody has asked, does not."""
    asked = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(asked.stdout.strip()) and not asked.stdout.strip().startswith("Z")


def plain(text: str) -> Any:
    """Read JSON, refusing NaN and infinity, which are no JSON."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)
