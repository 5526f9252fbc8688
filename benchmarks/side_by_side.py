"""Two single-threaded processes against one process of two threads: which trains more steps.

As a script it is one such process: it says when it is ready, waits for a line, and times its steps.
"""

import subprocess
import sys
import time
from pathlib import Path

from benchmarks import engine
from grokbook.archive.worker import keep_memory
from grokbook.training.run import Run

ROOT = Path(__file__).parents[1]


def gain(run: Run, *, seconds: float, processes: int = 2) -> float:
    """Steps a second of several one-thread processes, over those of one with as many threads."""
    together = sum(rates(run, seconds, threads=1, processes=processes))
    alone = sum(rates(run, seconds, threads=processes, processes=1))
    return together / alone


def rates(run: Run, seconds: float, *, threads: int, processes: int) -> list[float]:
    """Steps a second of each of several processes that begin together."""
    words = [sys.executable, "-m", "benchmarks.side_by_side", str(threads), str(seconds)]
    started = [
        subprocess.Popen(
            [*words, run.to_json()],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    for process in started:
        process.stdout.readline()
    for process in started:
        process.stdin.write("go\n")
        process.stdin.flush()
    found = [float(process.stdout.readline()) for process in started]
    for process in started:
        process.communicate()
    return found


def main(threads: int, seconds: float, run: Run) -> None:
    """Say ready, wait, and print the steps a second."""
    keep_memory()
    engine.threads(threads)
    take = engine.step(run)
    for _ in range(3):
        take()
    print("ready", flush=True)
    sys.stdin.readline()
    begin, steps = time.perf_counter(), 0
    while (spent := time.perf_counter() - begin) < seconds:
        take()
        steps += 1
    print(steps / spent, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]), Run.from_json(sys.argv[3]))
