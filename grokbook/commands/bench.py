"""`grokbook bench`: the engine against the textbook loop and the hardware's floor."""

import argparse
import datetime
import importlib
import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

HELP = "measure the engine against the textbook loop and the floor, as ratios (under 5 minutes)"
ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "benchmarks" / "results"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("--json", action="store_true", help="print the rows as JSON")
    parser.add_argument(
        "--store", action="store_true", help="keep rows and costs for the page on reproducing"
    )


def act(chosen: argparse.Namespace) -> int:
    """Measure every row and print it, whether its bound holds or not."""
    if not (ROOT / "benchmarks").is_dir():
        raise ValueError(
            f"there is no benchmarks folder in {ROOT}: bench runs from a checkout of the project."
        )
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    rows = []
    for row in importlib.import_module("benchmarks.rows").measure():
        rows.append(row.describe())
        if not chosen.json:
            print(line(rows[-1]), flush=True)
    if chosen.json:
        print(json.dumps(rows, indent=2))
    if chosen.store:
        costs = importlib.import_module("benchmarks.cost").of_every_protocol()
        path = RESULTS / "cpu.json"
        path.parent.mkdir(exist_ok=True)
        result = {**conditions(), "rows": rows, "costs": costs}
        path.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        print(f"kept in {path}", file=sys.stderr)
    return 0


def line(row: dict[str, Any]) -> str:
    """One row for a reader.

    >>> line({"name": "a / b", "ratio": 4.4, "must": ">= 4.2", "holds": True, "threads": 1})
    'a / b (1 thread)                                                    4.40   >= 4.2  holds'
    """
    verdict = {True: "holds", False: "BROKEN", None: "" if row["ratio"] else "not yet run"}
    threads = "1 thread" if row["threads"] == 1 else f"{row['threads']} threads"
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    said = f"{row['name'] + f' ({threads})':65s}{ratio:>7s} {row['must']:>8s}"
    return f"{said}  {verdict[row['holds']]}".rstrip()


def conditions() -> dict[str, Any]:
    """Device, date and versions: what a ratio must not be read without."""
    import torch

    return {
        "device": _processor(),
        "cores": os.cpu_count(),
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def _processor() -> str:
    """The processor's own name where the system tells it."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in told.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()
