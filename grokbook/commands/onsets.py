"""`grokbook onsets`: when each run memorised and grokked, one flat row a run."""

import argparse
import json
from typing import Any

HELP = "list the onsets of all runs, of the book and of the store"
NUMBERS = ("p", "train_fraction", "learning_rate", "weight_decay")
SEEDS = ("split_seed", "init_seed", "batch_seed")
KEYS = (
    "run", "protocol", "experiment", "arm", "operation", "p", "train_fraction", "optimizer",
    "learning_rate", "weight_decay", "interventions", "split_seed", "init_seed", "batch_seed",
    "t_mem", "t_grok", "censored", "diverged", "budget", "device", "archive",
)  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="protocols, experiments or runs (default: all)"
    )
    parser.add_argument("--json", action="store_true", help="a list of flat objects")


def act(chosen: argparse.Namespace) -> int:
    """Print the rows."""
    found = rows(chosen.names)
    if chosen.json:
        print(json.dumps(found, indent=1))
        return 0
    shown = ("run", "protocol", "operation", "p", "weight_decay", "init_seed", "t_mem", "t_grok")
    print("  ".join(f"{key:>14}" for key in shown))
    for row in found:
        cells = [row[key] if row[key] is not None else f">{row['budget']}" for key in shown]
        print("  ".join(f"{cell!s:>14}" for cell in cells))
    return 0


def rows(names: list[str]) -> list[dict[str, Any]]:
    """Rows of the runs that carry one of the names, archived ones first.

    Raises `ValueError` for a name that nothing carries.
    """
    from grokbook.archive import Store, experiments

    archived = experiments()
    found = [row(run) for run in archived.values()]
    store = Store()
    for name in store.names():
        run = store.read(name)
        if run is not None and name not in archived:
            found.append(row(run))
    for name in names:
        if not any(name in carried(one) for one in found):
            raise ValueError(f"no run carries the name {name!r}; `grokbook onsets` lists all runs.")
    return [one for one in found if not names or set(names) & carried(one)]


def carried(row: dict[str, Any]) -> set[str]:
    """The names by which a row can be asked for."""
    return {row[key] for key in ("run", "protocol", "experiment") if row[key]}


def row(run: Any) -> dict[str, Any]:
    """One run as a flat row; steps are whole numbers, an onset that was not reached is null."""
    archive = run["archive"].item() if "archive" in run.coords else None
    # Runs from before there were interventions have no such coordinate.
    joined = run["interventions"].item() if "interventions" in run.coords else ""
    values = {
        "run": run["name"].item(),
        "protocol": run["protocol"].item() or None,
        "experiment": archive.removesuffix(".nc") if archive else None,
        "arm": joined or "baseline",
        "operation": run["operation"].item(),
        "optimizer": run["optimizer"].item(),
        "interventions": joined.split("+") if joined else [],
        "censored": bool(run["censored"].item()),
        "diverged": _step(run["diverged_at"].item()) is not None,
        "device": run["device"].item(),
        "archive": archive,
    }
    values |= {key: run[key].item() for key in (*NUMBERS, *SEEDS)}
    values |= {key: _step(run[key].item()) for key in ("t_mem", "t_grok", "budget")}
    return {key: values[key] for key in KEYS}


def _step(value: float) -> int | None:
    return None if value != value else int(value)
