"""The tables of the page `reproduce`, from a stored result of the benchmark: nothing is typed."""

import json
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "benchmarks" / "results"


def stored(device: str = "cpu") -> dict[str, Any] | None:
    """Read the stored result of a device, "cpu" or "cuda"; None where it was not yet run."""
    path = RESULTS / f"{device}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def conditions(result: dict[str, Any]) -> str:
    """One sentence: where, when and with what the numbers were measured."""
    return (
        f"Measured on {result['date']} on {result['cores']} cores of {result['device']}, "
        f"Python {result['python']}, torch {result['torch']}."
    )


def costs(result: dict[str, Any], gpu: dict[str, Any] | None = None) -> str:
    """A row a protocol: runs, steps, and on two cores milliseconds a step, hours in all, memory."""
    by_name = {row["protocol"]: row for row in (gpu or {"costs": []})["costs"]}
    head = (
        "| protocol | runs | steps, at most | ms a step, one core | hours on two cores, at most "
        "| memory a process, MiB | on a GPU |\n|---|--:|--:|--:|--:|--:|--:|\n"
    )
    return head + "\n".join(
        f"| `{row['protocol']}` | {row['runs']} | {row['steps']:,} | {row['ms_per_step']:.1f} "
        f"| {hours(row):.1f} | {row['memory_mib']:,} | {on_gpu(by_name.get(row['protocol']))} |"
        for row in result["costs"]
    )


def hours(row: dict[str, Any], processes: int = 2) -> float:
    """Hours for all runs of a protocol to the end of their budgets, two at a time.

    >>> hours({"runs": 3, "steps": 36_000, "ms_per_step": 100.0})
    2.0
    """
    rounds = -(-row["runs"] // processes)
    return rounds * row["steps"] * row["ms_per_step"] / 1e3 / 3600


def on_gpu(row: dict[str, Any] | None) -> str:
    """The same on a GPU, or that nobody has run it."""
    if row is None:
        return "not yet run"
    return f"{row['ms_per_step']:.1f} ms a step of all runs, {row['memory_mib']:,} MiB"


def rows(result: dict[str, Any]) -> str:
    """A row a comparison: ratio, what it must be, and whether it is."""
    said = {True: "holds", False: "**broken**", None: ""}
    lines = []
    for row in result["rows"]:
        ratio = "not yet run" if row["ratio"] is None else f"{row['ratio']:.2f}"
        must = row["must"].replace(">=", "≥").replace("<=", "≤")
        lines.append(
            f"| {row['name']} | {row['threads']} | {row['device']} | {ratio} | {must} "
            f"| {said[row['holds']]} |"
        )
    return (
        "| comparison | threads | device | ratio | must be | |\n|---|--:|---|--:|--:|---|\n"
        + "\n".join(lines)
    )
