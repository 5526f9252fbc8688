"""What a protocol costs: milliseconds of a step, and the memory of the process that trains it."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import clock, engine
from grokbook.archive.worker import keep_memory
from grokbook.protocols import PROTOCOLS

ROOT = Path(__file__).parents[1]


def of_every_protocol(*, seconds: float = 6.0) -> list[dict[str, Any]]:
    """Milliseconds a step, evaluations included, and MiB, each in a fresh process on one thread."""
    found = []
    for name in PROTOCOLS:
        words = [sys.executable, "-m", "benchmarks.cost", name, str(seconds)]
        said = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        found.append(json.loads(said))
    return found


def measure(name: str, seconds: float) -> dict[str, Any]:
    """The cost of one protocol's first run, in this process."""
    keep_memory()
    engine.threads(1)
    protocol = PROTOCOLS[name]()
    run, request = protocol.runs[0], protocol.request
    works = {"step": engine.step(run), "evaluation": engine.evaluation(run)}
    spent = clock.least(works, seconds=seconds)
    step = spent["step"] + spent["evaluation"] / request.evaluate_every
    return {
        "protocol": name,
        "runs": len(protocol.runs),
        "steps": request.steps,
        "ms_per_step": round(step * 1e3, 2),
        "memory_mib": round(_peak() / 2**20),
    }


def _peak() -> int:
    """Bytes of memory that this process held at most."""
    status = Path("/proc/self/status")
    if status.exists():  # what the resource module says there includes the parent's peak
        lines = status.read_text(encoding="utf-8").splitlines()
        return 2**10 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    unit = 1 if sys.platform == "darwin" else 2**10
    return unit * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[1], float(sys.argv[2]))))
