"""`grokbook pack EXPERIMENT`: put a finished experiment into the book."""

import argparse

HELP = "archive a protocol's finished runs as one file of the book"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("experiment", help="a protocol or a sweep, such as nanda23")
    parser.add_argument("--seeds", type=int, help="seeds (default: the protocol's)")
    parser.add_argument("--steps", type=int, help="budget of each run (default: the protocol's)")
    parser.add_argument("--partial", action="store_true", help="archive what there is so far")


def act(chosen: argparse.Namespace) -> int:
    """Write `book/runs/EXPERIMENT.nc` from the store; refuse while a run is missing.

    A run that another experiment of the book holds as it is asked for is not written twice.
    """
    from grokbook.archive import Store, pack
    from grokbook.archive.experiments import held
    from grokbook.archive.lookup import concatenate, look_up, serves
    from grokbook.protocols import PROTOCOLS, SWEEPS

    known = PROTOCOLS | SWEEPS
    if chosen.experiment not in known:
        raise ValueError(f"no experiment {chosen.experiment!r}: choose from {', '.join(known)}.")
    asked = {"seeds": chosen.seeds, "steps": chosen.steps}
    asked = {name: number for name, number in asked.items() if number is not None}
    protocol = known[chosen.experiment](**asked)
    store = Store()
    found = {run.name: look_up(run, protocol.request, store) for run in protocol.runs}
    missing = [name for name, run in found.items() if run is None]
    if missing and not chosen.partial:
        command = " ".join([chosen.experiment, *(f"--{k} {number}" for k, number in asked.items())])
        raise ValueError(
            f"{len(missing)} of {len(found)} runs of {chosen.experiment} are missing: "
            f"`python -m grokbook run {command}` trains them."
        )
    own = f"{chosen.experiment}.nc"
    elsewhere = {
        name
        for name in found
        for run in held(name)
        if run["archive"].item() != own and serves(run, protocol.request)
    }
    kept = [run for name, run in found.items() if run is not None and name not in elsewhere]
    if not kept:
        raise ValueError(f"no run of {chosen.experiment} is stored: there is nothing to archive.")
    path = pack(chosen.experiment, concatenate(kept))
    print(f"{path.name}: {len(kept)} runs, {path.stat().st_size / 1e6:.2f} MB")
    return 0
