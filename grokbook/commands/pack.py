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

    A run that another experiment of the book holds as it is asked for is not written twice; but
    where another processor gave it other numbers the experiment keeps those that it has.
    """
    from grokbook.archive import Store, pack
    from grokbook.archive.experiments import held
    from grokbook.archive.lookup import concatenate, cut, look_up, serves
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
    kept = []
    for name, run in found.items():
        archived = [each for each in held(name) if serves(each, protocol.request)]
        archived = [cut(each, protocol.request) for each in archived]
        others = [each for each in archived if each["archive"].item() != own]
        before = [each for each in archived if each["archive"].item() == own]
        losses = [each.variables["test_loss"] for each in before[:1] + others[:1]]
        if not others:
            kept += [run] if run is not None else []
        elif before and not losses[0].equals(losses[1]):
            kept += before
    if not kept:
        raise ValueError(f"no run of {chosen.experiment} is stored: there is nothing to archive.")
    path = pack(chosen.experiment, concatenate(kept))
    print(f"{path.name}: {len(kept)} runs, {path.stat().st_size / 1e6:.2f} MB")
    return 0
