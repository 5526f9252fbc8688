"""`grokbook runs`: list, verify and remove what the store holds."""

import argparse

HELP = "list the stored runs, verify their files, or remove some"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument("--verify", action="store_true", help="read every file and its checksums")
    parser.add_argument("--remove", nargs="+", metavar="NAME", default=[], help="delete these runs")


def act(chosen: argparse.Namespace) -> int:
    """Print a line a run; exit 1 where a file is damaged."""
    from grokbook.archive import Store
    from grokbook.training.checkpoint import DamagedError
    from grokbook.training.checkpoint import load as load_checkpoint

    store = Store()
    for name in chosen.remove:
        store.remove(name)
        print(f"{name}  removed")
    damaged = 0
    for name in store.names():
        try:
            run = store.read(name)
            if chosen.verify:
                load_checkpoint(store.state_path(name))
        except DamagedError as error:
            damaged += 1
            print(f"{name}  {error}")
            continue
        assert run is not None
        onset, budget = run["t_grok"].item(), run["budget"].item()
        outcome = "not grokked" if onset != onset else f"t_grok {onset:,.0f}"
        print(
            f"{name}  {run['protocol'].item() or 'no protocol'}  seed {run['init_seed'].item()}  "
            f"{budget:,.0f} steps  {outcome}" + ("  verified" if chosen.verify else "")
        )
    for name in store.unfinished():
        try:
            if chosen.verify:
                load_checkpoint(store.state_path(name))
        except DamagedError as error:
            damaged += 1
            print(f"{name}  {error}")
            continue
        print(f"{name}  unfinished; the command that began it goes on from its checkpoint")
    print(f"{len(store.names())} runs in {store.folder}, {damaged} damaged")
    return 1 if damaged else 0
