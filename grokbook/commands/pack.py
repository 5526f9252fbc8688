"""`grokbook pack EXPERIMENT`: put a finished experiment into the book."""

import argparse

HELP = "archive a protocol's finished runs as one file of the book"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("experiment", help="the protocol's name, such as nanda23")
    parser.add_argument("--seeds", type=int, help="number of runs (default: the paper's)")


def act(chosen: argparse.Namespace) -> int:
    """Write `book/runs/EXPERIMENT.nc` from the store; refuse while a run is missing."""
    from grokbook.archive import Store, pack
    from grokbook.archive.lookup import concatenate, look_up
    from grokbook.protocols import PROTOCOLS

    if chosen.experiment not in PROTOCOLS:
        names = ", ".join(PROTOCOLS)
        raise ValueError(f"no experiment {chosen.experiment!r}: choose from {names}.")
    seeds = {} if chosen.seeds is None else {"seeds": chosen.seeds}
    protocol = PROTOCOLS[chosen.experiment](**seeds)
    store = Store()
    found = {run.name: look_up(run, protocol.request, store) for run in protocol.runs}
    missing = [name for name, run in found.items() if run is None]
    if missing:
        raise ValueError(
            f"{len(missing)} of {len(found)} runs of {chosen.experiment} are missing: "
            f"`python -m grokbook run {chosen.experiment}` trains them."
        )
    kept = [run for run in found.values() if run is not None]
    path = pack(chosen.experiment, concatenate(kept))
    print(f"{path.name}: {len(kept)} runs, {path.stat().st_size / 1e6:.2f} MB")
    return 0
