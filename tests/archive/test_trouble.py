"""Kills, full disks and impatient users: what was finished is kept, what was begun goes on."""

import functools
import itertools
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grokbook import Request, Store, train
from grokbook.archive.workers import WorkerError
from grokbook.training import checkpoint
from grokbook.training.engine import StoppedError, train_run
from grokbook.training.trajectory import Trajectory
from tests.tiny import PATIENCE, Child, alive, assert_same, tiny, until

ROOT = Path(__file__).parents[2]
STEPS = 1000
RUNS = [tiny(batch_size=4, seed=seed) for seed in range(3)]

# A step takes 2 ms longer, so that there is time to interfere; `at` is told of each.
SLOW = """
import time
from grokbook.training.trajectory import Trajectory

def slow(trajectory, gradient, step=Trajectory.step):
    time.sleep(0.002)
    at(trajectory)
    step(trajectory, gradient)

Trajectory.step = slow
at = lambda trajectory: None
"""

OFTEN = """
import functools
from grokbook.archive import keep
keep.train_run = functools.partial(keep.train_run, checkpoint_seconds=0.02)
"""

TRAIN = """
from grokbook import Store, train
from tests.tiny import tiny
runs = [tiny(batch_size=4, seed=seed) for seed in {seeds}]
train(runs, steps={steps}, processes={processes}, store=Store())
"""

COMMAND = """
import sys
from grokbook import Request, protocols
from grokbook.__main__ import main
from tests.tiny import tiny

def protocol(seeds=3, steps={steps}, **changes):
    runs = tuple(tiny(batch_size=4, seed=seed).replace(**changes) for seed in range(seeds))
    return protocols.Protocol(runs, Request(steps))

protocols.PROTOCOLS["tiny"] = protocol
sys.exit(main({words!r}))
"""

# Workers import this before anything else. Each leaves a file once it is under way.
UNDER_WAY = """
import os
from pathlib import Path

def at(trajectory):
    if trajectory.done == 20:
        (Path({folder!r}) / f"under_way.{{trajectory.run.name}}").touch()
"""

SUICIDE = """
import os, signal

def at(trajectory):
    if trajectory.run.init_seed == 2 and trajectory.done == 20:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture(scope="module")
def uninterrupted():
    """The runs as nothing ever disturbed them, trained in this process."""
    return [train_run(run, Request(STEPS)) for run in RUNS]


@pytest.fixture
def slow_workers(tmp_path, monkeypatch):
    """Return a function that makes every worker process slow, and adds a script to it."""

    def add(script: str) -> dict[str, str]:
        folder = tmp_path / "site"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(SLOW + script)
        monkeypatch.setenv("PYTHONPATH", str(folder))
        return {"PYTHONPATH": str(folder)}

    return add


def resume(runs, store: Store):
    """Finish the runs in this process, and return the steps that this took."""
    taken, step = [], Trajectory.step

    def counting(trajectory, gradient):
        taken.append(trajectory.done)
        step(trajectory, gradient)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Trajectory, "step", counting)
        return train(runs, steps=STEPS, processes=1, store=store), taken


def assert_uninterrupted(runs, uninterrupted):
    """Compare runs with those that nothing disturbed, bit for bit."""
    for index, expected in enumerate(uninterrupted):
        assert_same(runs.isel(run=[index]), expected)


def saved(run, store: Store) -> int:
    """Return the step of a run's checkpoint, 0 without one."""
    arrays = checkpoint.load(store.state_path(run.name))
    return 0 if arrays is None else int(arrays["done"])


def under_way(folder: Path) -> int:
    """Count the runs that are under way."""
    return len(list(folder.glob("under_way.*")))


# ------------------------------------------------------------------------------------------ kill -9


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_at_random_equals_one_that_was_not(
    kills, tmp_path, store, uninterrupted, book_runs
):
    moments, reached = random.Random(9), 0
    script = SLOW + OFTEN + TRAIN.format(seeds=[0], steps=STEPS, processes=1)
    for _ in range(kills):
        with Child(script, tmp_path, GROKBOOK_RUNS=str(store.folder)) as child:
            until(lambda: saved(RUNS[0], store) > reached, "a further checkpoint")  # noqa: B023
            time.sleep(moments.uniform(0, 0.9 / kills))  # of the 2 s that all steps take
            child.send(signal.SIGKILL)
            assert child.wait() == -signal.SIGKILL
        reached = saved(RUNS[0], store)
        assert 0 < reached < STEPS
        assert (store.unfinished(), store.names()) == ([RUNS[0].name], [])
    resumed, taken = resume(RUNS[:1], store)
    assert taken == [*range(reached, STEPS)]
    assert_uninterrupted(resumed, uninterrupted[:1])


HALF = """
from pathlib import Path
from grokbook.training import checkpoint

class Half:
    def __init__(self, path, mode):
        self.path, self.file = path, open(path, mode)
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.file.close()
    def fileno(self):
        return self.file.fileno()
    def flush(self):
        self.file.flush()
    def write(self, content):
        if not str(self.path).count({what!r}) or not Path({after!r}).exists():
            return self.file.write(content)
        self.file.write(content[: len(content) // 2])
        self.file.flush()
        Path({marker!r}).touch()
        time.sleep(1000)

checkpoint.open = Half
"""

UNNAMED = """
import os
from pathlib import Path

def replace(source, target, replace=os.replace):
    if not str(target).endswith({what!r}) or not Path({after!r}).exists():
        return replace(source, target)
    Path({marker!r}).touch()
    time.sleep(1000)

os.replace = replace
"""


@pytest.mark.parametrize("where", [HALF, UNNAMED], ids=["half written", "not renamed yet"])
@pytest.mark.parametrize("what", ["nc", "npz"])
def test_a_kill_in_the_middle_of_a_write_leaves_no_half_file(
    tmp_path, store, book_runs, where, what
):
    run, steps, marker = RUNS[0], 40, tmp_path / "writing"
    # A checkpoint is cut off when there is one already, the result at its first writing.
    after = store.state_path(run.name) if what == "npz" else tmp_path
    trouble = where.format(what=what, after=str(after), marker=str(marker))
    script = SLOW + OFTEN + trouble + TRAIN.format(seeds=[0], steps=steps, processes=1)
    with Child(script, tmp_path, GROKBOOK_RUNS=str(store.folder)) as child:
        until(lambda: marker.exists() or child.ended(), "a write")
        child.send(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    (left,) = store.folder.glob(".*.tmp")
    assert what in left.name
    assert (store.unfinished(), store.names()) == ([run.name], [])
    assert store.read(run.name) is None
    assert checkpoint.load(store.state_path(run.name)) is not None
    resumed = train(run, steps=steps, processes=1, store=store)
    assert_same(resumed, train_run(run, Request(steps)))
    assert not left.exists()


def test_workers_whose_parent_is_killed_save_and_end_and_a_piped_script_goes_on(
    tmp_path, store, uninterrupted, slow_workers, monkeypatch
):
    environment = slow_workers(UNDER_WAY.format(folder=str(tmp_path)))
    monkeypatch.setenv("GROKBOOK_RUNS", str(store.folder))
    monkeypatch.setenv("PYTHONPATH", f"{environment['PYTHONPATH']}:{ROOT}")
    lines = TRAIN.format(seeds=[0, 1, 2], steps=STEPS, processes=2)
    script = tmp_path / "unguarded.py"
    script.write_text(lines)  # no `if __name__ == "__main__"`
    parent = subprocess.Popen([sys.executable, script])
    try:
        until(lambda: under_way(tmp_path) == 2 or parent.poll() is not None, "two runs under way")
        workers = children(parent.pid)
        assert len(workers) == 2
    finally:
        parent.kill()
        parent.wait()
    until(lambda: not any(map(alive, workers)), "the end of the workers")
    assert store.names() == []
    assert store.unfinished() == sorted(run.name for run in RUNS[:2])
    reached = [saved(run, store) for run in RUNS]
    assert 20 <= reached[0] < STEPS and 20 <= reached[1] < STEPS and reached[2] == 0

    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # without the delay
    subprocess.run([sys.executable, "-"], input=lines.encode(), check=True, timeout=PATIENCE)
    finished, taken = resume(RUNS, store)
    assert taken == []
    assert_uninterrupted(finished, uninterrupted)


def children(pid: int) -> list[int]:
    """Return the process ids of a process's children."""
    table = subprocess.run(["ps", "-A", "-o", "ppid=,pid="], capture_output=True, text=True)
    pairs = [line.split() for line in table.stdout.splitlines()]
    return [int(child) for parent, child in pairs if int(parent) == pid]


def test_a_killed_worker_is_told_and_takes_nothing_with_it(
    store, uninterrupted, slow_workers, book_runs
):
    slow_workers(SUICIDE)
    finished = []

    def note(event):
        if event["event"] == "finished":
            finished.append(event["name"])

    with pytest.raises(WorkerError) as caught:
        train(RUNS, steps=STEPS, processes=2, store=store, progress=note)
    sentence = str(caught.value)
    assert f"the process that trained run {RUNS[2].name} ended with code -9" in sentence
    assert "run the same command again: finished runs are kept" in sentence
    assert finished
    assert set(finished) <= set(store.names()) < {run.name for run in RUNS}
    resumed, _ = resume(RUNS, store)
    assert_uninterrupted(resumed, uninterrupted)


# ------------------------------------------------------------------------------------------- Ctrl-C


@pytest.mark.parametrize("processes", [1, 2])
def test_ctrl_c_saves_and_says_so(
    tmp_path, store, uninterrupted, slow_workers, book_runs, processes
):
    note = UNDER_WAY.format(folder=str(tmp_path))
    environment = slow_workers(note) | {"GROKBOOK_RUNS": str(store.folder)}
    words = ["run", "tiny", "--processes", str(processes)]
    script = SLOW + note + COMMAND.format(steps=STEPS, words=words)
    with Child(script, tmp_path, **environment) as child:
        until(lambda: under_way(tmp_path) == processes or child.ended(), "runs under way")
        child.send(signal.SIGINT)
        assert child.wait() == 130, child.said()
        _, said = child.said()
    assert said == (
        "grokbook: interrupted: 0 runs finished in this sitting are kept; "
        "the same command goes on from the checkpoints of the others.\n"
    )
    assert store.names() == []
    assert store.unfinished() == sorted(run.name for run in RUNS[:processes])
    reached = [saved(run, store) for run in RUNS[:processes]]
    assert all(20 <= done < STEPS for done in reached)
    resumed, taken = resume(RUNS, store)
    assert len(taken) == 3 * STEPS - sum(reached)
    assert_uninterrupted(resumed, uninterrupted)


# --------------------------------------------------------------------------------- the disk is full


@pytest.mark.parametrize("size, fits", [(4_000, "nothing"), (40_000, "the checkpoint")])
def test_a_full_disk_is_told_in_one_sentence_and_costs_nothing(
    tmp_path, store, book_runs, size, fits
):
    kept = train(RUNS[0], steps=40, processes=1, store=store)
    before = {path: path.read_bytes() for path in store.folder.iterdir()}
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))\n"
    script = COMMAND.format(steps=40, words=["run", "tiny", "--seeds", "2", "--processes", "1"])
    environment = {"GROKBOOK_RUNS": str(store.folder)}
    with Child(limit + script, tmp_path, **environment) as child:
        assert child.wait() == 2, child.said()
        _, said = child.said()
    assert said.count("\n") == 1
    assert said.startswith(f"grokbook: run {RUNS[1].name} could not be ")
    assert "File too large; free some space or set GROKBOOK_RUNS" in said
    assert "finished runs are kept" in said

    new = {path.name for path in store.folder.iterdir() if path not in before}
    state = {store.state_path(RUNS[1].name).name} if fits == "the checkpoint" else set()
    assert new == {f"{RUNS[1].name}.lock"} | state
    assert all(path.read_bytes() == content for path, content in before.items())
    assert_same(train(RUNS[0], steps=40, processes=1, store=store), kept)

    with Child(script, tmp_path, **environment) as child:
        assert child.wait() == 0, child.said()
    resumed = store.read(RUNS[1].name)
    assert resumed is not None
    assert_same(resumed, train_run(RUNS[1], Request(40)))


# ------------------------------------------------------------------------------------ two at a time


COUNTED = """
taken = []
at = lambda trajectory: taken.append(trajectory.done)
"""


def test_two_processes_that_want_one_run_train_it_once(tmp_path, store, uninterrupted, book_runs):
    script = SLOW + COUNTED + TRAIN.format(seeds=[0], steps=STEPS, processes=1)
    environment = {"GROKBOOK_RUNS": str(store.folder)}
    with (
        Child(script + "print(len(taken))", tmp_path, **environment) as one,
        Child(script + "print(len(taken))", tmp_path, **environment) as other,
    ):
        assert (one.wait(), other.wait()) == (0, 0), (one.said(), other.said())
        counts = sorted(int(child.said()[0]) for child in (one, other))
    assert counts == [0, STEPS]
    resumed, taken = resume(RUNS[:1], store)
    assert taken == []
    assert_uninterrupted(resumed, uninterrupted[:1])


# ---------------------------------------------------------------------------------------- the clock


def test_a_clock_that_is_moved_back_changes_nothing(store, uninterrupted, monkeypatch):
    now, stops = itertools.count(2e9, -3600), itertools.count()
    monkeypatch.setattr(time, "time", lambda: float(next(now)))
    stopped = functools.partial(train_run, RUNS[0], Request(STEPS))
    path = store.state_path(RUNS[0].name)
    with pytest.raises(StoppedError):
        stopped(checkpoint_path=path, stop=lambda: next(stops) == 300)
    os.utime(path, (4e9, 4e9))  # written "in the future", before the clock was put right
    runs, taken = resume(RUNS[:1], store)
    assert taken == [*range(300, STEPS)]
    assert_uninterrupted(runs, uninterrupted[:1])
    os.utime(store.path(RUNS[0].name), (0, 0))
    assert resume(RUNS[:1], store)[1] == []
