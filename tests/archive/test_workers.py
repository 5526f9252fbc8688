"""Worker processes: what they are told, what they answer, and what the parent makes of it."""

import dataclasses
import io
import json
import signal
import sys
import threading
from pathlib import Path

import pytest

from grokbook import DamagedError, Request, StoreError
from grokbook.archive import worker, workers
from grokbook.archive.workers import Job, WorkerError, train_jobs
from grokbook.training import checkpoint
from grokbook.training.interventions import Intervention
from grokbook.training.trajectory import Trajectory
from tests.tiny import tiny

# Stands in for Python as the parent starts it: no package, and words of its own. The first line of
# each job is in `job`, its run's name in `name`.
STANDIN = """#!{python} -IS
import hashlib, json, sys
for line in sys.stdin:
    job = json.loads(line)
    name = hashlib.sha256(job["run"].encode()).hexdigest()[:16]
    def say(event, **more):
        print(json.dumps(dict(event=event, name=name, **more)), flush=True)
"""


def jobs(folder: Path, n: int = 3) -> list[Job]:
    """Return jobs for n runs."""
    return [Job(tiny(seed=seed), Request(20), folder, "cpu") for seed in range(n)]


@pytest.fixture
def standin(tmp_path, monkeypatch):
    """Return a function that puts a script in the place of the workers' Python."""
    python = sys.executable

    def put(body: str, start: str = STANDIN) -> None:
        path = tmp_path / "python"
        path.write_text(start.format(python=python) + body)
        path.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(path))

    return put


# --------------------------------------------------------------------------- the parent's side


def test_jobs_are_handed_out_one_at_a_time_and_events_passed_on(standin, tmp_path):
    standin("    say('progress', done=7, latest={'step': 5.0}); say('finished')\n")
    heard = []
    train_jobs(jobs(tmp_path), processes=2, progress=heard.append)
    names = {tiny(seed=seed).name for seed in range(3)}
    assert {event["name"] for event in heard if event["event"] == "finished"} == names
    progress = [event for event in heard if event["event"] == "progress"]
    assert {event["name"] for event in progress} == names
    assert progress[0] | {"name": ""} == {
        "event": "progress", "name": "", "done": 7, "latest": {"step": 5.0},
    }  # fmt: skip


def test_what_a_library_prints_is_no_event(standin, tmp_path):
    standin("    print('Warning: all is well', flush=True); print(); say('finished')\n")
    heard = []
    train_jobs(jobs(tmp_path), processes=2, progress=heard.append)
    assert [event["event"] for event in heard] == ["finished"] * 3


@pytest.mark.parametrize(
    "kind, error",
    [
        ("DamagedError", DamagedError),
        ("StoreError", StoreError),
        ("ValueError", ValueError),
        ("KeyError", WorkerError),
        ("ZeroDivisionError", WorkerError),
    ],
)
def test_a_failure_is_raised_as_what_it_was(standin, tmp_path, kind, error):
    standin(f"    say('failed', kind={kind!r}, message='the disk is full.')\n")
    with pytest.raises(error) as caught:
        train_jobs(jobs(tmp_path), processes=2, progress=None)
    assert type(caught.value) is error
    assert str(caught.value) == "the disk is full."


@pytest.mark.parametrize("body", ["    sys.exit(3)\n", ""], ids=["at a job", "at the start"])
def test_a_worker_that_ends_is_told_with_its_run_and_code(standin, tmp_path, body):
    standin(body, STANDIN if body else "#!{python} -IS\nimport sys\nsys.exit(3)\n")
    with pytest.raises(WorkerError, match=f"run ({'|'.join(r.run.name for r in jobs(tmp_path))}) "):
        train_jobs(jobs(tmp_path), processes=2, progress=None)


def test_a_worker_that_ended_before_its_first_job_is_no_broken_pipe(standin, tmp_path):
    # The command line takes a broken pipe for a reader that has seen enough, and would say nothing.
    standin("", "#!{python} -IS\nimport sys\nsys.exit(3)\n")
    pool = workers._Pool(1, lambda event: None)
    pool.workers[0].wait()
    with pytest.raises(WorkerError, match="ended with code 3; run the same command again"):
        pool.work(jobs(tmp_path, 1))


def test_a_worker_that_does_not_end_is_ended(standin, tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "STOPPING_SECONDS", 0.2)
    standin("    say('finished')\nimport time\ntime.sleep(1000)\n")
    train_jobs(jobs(tmp_path, 2), processes=2, progress=None)


def test_one_run_or_one_process_or_a_gpu_needs_no_worker(standin, tmp_path, monkeypatch):
    standin("    sys.exit(3)\n")
    here = []
    monkeypatch.setattr(workers, "_train_here", lambda jobs, progress: here.append(len(jobs)))
    train_jobs(jobs(tmp_path, 1), processes=None, progress=None)
    train_jobs(jobs(tmp_path), processes=1, progress=None)
    train_jobs([Job(tiny(), Request(20), tmp_path, "cuda")] * 2, processes=2, progress=None)
    train_jobs([], processes=2, progress=None)
    assert here == [1, 3, 2, 0]


def test_an_intervention_of_the_user_s_own_is_trained_where_its_class_is(tmp_path, monkeypatch):
    @dataclasses.dataclass(frozen=True)
    class Own(Intervention):
        kind = "own"

    here = []
    monkeypatch.setattr(workers, "_train_here", lambda jobs, progress: here.append(len(jobs)))
    own = [dataclasses.replace(job, run=job.run.replace(interventions=(Own(),)))
           for job in jobs(tmp_path)]  # fmt: skip
    train_jobs(own, processes=2, progress=None)
    assert here == [3]


def test_ctrl_c_after_the_last_step_of_a_run_still_ends_the_rest(tmp_path, monkeypatch):
    trained = []

    def train_and_keep(run, *_: object, **__: object) -> bool:
        trained.append(run.name)
        signal.raise_signal(signal.SIGINT)
        return True

    monkeypatch.setattr(workers, "train_and_keep", train_and_keep)
    heard = []
    with pytest.raises(KeyboardInterrupt):
        train_jobs(jobs(tmp_path), processes=1, progress=heard.append)
    assert trained == [tiny().name]
    assert heard == [{"event": "finished", "name": tiny().name}]


# --------------------------------------------------------------------------- the worker's side


def answers(monkeypatch, capsys, job: Job) -> list[dict]:
    """Return what a worker says to a job after which its input ends."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(job.to_json()))
    worker.main()
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_the_end_of_the_input_saves_the_run_at_hand(monkeypatch, capsys, store):
    # The run itself ends the input, at its 20th step.
    job, read_end = Job(tiny(), Request(10**9), store.folder, "cpu"), threading.Event()

    class Input:
        def __iter__(self):
            yield job.to_json()
            read_end.wait()

    def slow(trajectory, gradient, step=Trajectory.step):
        step(trajectory, gradient)
        if trajectory.done >= 20:
            read_end.set()

    monkeypatch.setattr(Trajectory, "step", slow)
    monkeypatch.setattr(sys, "stdin", Input())
    worker.main()
    (said,) = map(json.loads, capsys.readouterr().out.splitlines())
    assert said == {"event": "stopped", "name": tiny().name}
    saved = checkpoint.load(store.state_path(tiny().name))
    assert saved is not None and saved["done"] >= 20
    assert store.names() == []


def test_a_failing_job_is_told_with_its_kind(monkeypatch, capsys, tmp_path):
    (tmp_path / "file").write_text("no folder")
    job = Job(tiny(), Request(20), tmp_path / "file" / "store", "cpu")
    (said,) = answers(monkeypatch, capsys, job)
    assert (said["event"], said["name"], said["kind"]) == ("failed", tiny().name, "StoreError")
    assert "Not a directory; free some space or set GROKBOOK_RUNS" in said["message"]
