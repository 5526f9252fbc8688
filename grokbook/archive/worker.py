"""A worker process: reads jobs from standard input, trains them, reports on standard output.

Lines of JSON both ways and no pickles, in a fresh interpreter, so that a caller's script needs no
`__main__` guard. The end of the input, sent on purpose or because the parent died, saves the run at
hand and ends the process.
"""

import ctypes
import json
import queue
import sys
import threading
from pathlib import Path
from typing import Any

from grokbook.archive.keep import train_and_keep
from grokbook.training.request import Request
from grokbook.training.run import Run


def main() -> None:
    """Work until the input ends."""
    jobs: queue.Queue[dict[str, Any] | None] = queue.Queue()
    stopping = threading.Event()
    threading.Thread(target=_listen, args=(jobs, stopping), daemon=True).start()
    while (job := jobs.get()) is not None:
        _work(job, stopping)


def _work(job: dict[str, Any], stopping: threading.Event) -> None:
    run = Run.from_json(job["run"])
    try:
        finished = train_and_keep(
            run,
            Request.from_json(job["request"]),
            folder=Path(job["folder"]),
            device=job["device"],
            recompute=job["recompute"],
            report=lambda done, latest: _say("progress", run, done=done, latest=latest),
            stop=stopping.is_set,
        )
        _say("finished" if finished else "stopped", run)
    except Exception as error:  # whatever it is, the parent is told which run it struck
        _say("failed", run, kind=type(error).__name__, message=str(error))


def _listen(jobs: "queue.Queue[dict[str, Any] | None]", stopping: threading.Event) -> None:
    for line in sys.stdin:
        jobs.put(json.loads(line))
    stopping.set()
    jobs.put(None)


def _say(event: str, run: Run, **more: Any) -> None:
    try:
        print(json.dumps({"event": event, "name": run.name, **more}), flush=True)
    except BrokenPipeError:
        return  # the parent is gone; the listener has seen that too and stops the run


def keep_memory() -> None:
    """Let glibc keep freed memory: giving activations back at every step costs page faults."""
    try:
        libc = ctypes.CDLL(None)
        libc.mallopt(-3, 1 << 30)  # M_MMAP_THRESHOLD
        libc.mallopt(-1, 2**31 - 1)  # M_TRIM_THRESHOLD
    except (OSError, AttributeError, TypeError):
        return  # another C library: a little slower, nothing else


if __name__ == "__main__":
    keep_memory()
    main()
