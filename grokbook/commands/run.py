"""`grokbook run PROTOCOL`: train a paper's experiment by name."""

import argparse
import dataclasses
import inspect
import itertools
import time
from typing import Any

HELP = "train a protocol; finished runs are kept, and an interrupted one goes on where it was"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's words."""
    parser.add_argument(
        "protocols",
        nargs="+",
        metavar="PROTOCOL",
        help="its name, such as nanda23, or that of a sweep; several run one after the other",
    )
    parser.add_argument("--seeds", type=int, help="number of seeds (default: the protocol's)")
    parser.add_argument("--steps", type=int, help="budget of each run (default: the protocol's)")
    parser.add_argument(
        "--set",
        dest="changes",
        metavar="KEY=VALUE[,VALUE…]",
        action="append",
        default=[],
        help="change a hyper-parameter; several values make a sweep",
    )
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    parser.add_argument("--processes", type=int, help="runs at a time on a CPU (default: cores)")
    parser.add_argument("--recompute", action="store_true", help="train anew what is stored")


def act(chosen: argparse.Namespace) -> int:
    """Train, with progress, and print an onset a line."""
    from grokbook.archive import Store, train
    from grokbook.commands.progress import Display

    # The arms of a protocol may have budgets and grids of their own.
    asked: dict[Any, list[Any]] = {}
    for name, changes in itertools.product(chosen.protocols, sweep(chosen.changes)):
        protocol = _protocol(name, chosen, changes)
        asked.setdefault(protocol.request, []).extend(protocol.runs)
    total, steps = sum(map(len, asked.values())), max(request.steps for request in asked)
    store = Store()
    names = ", ".join(chosen.protocols)
    print(f"{names}: {total} runs of at most {steps:,} steps, kept in {store.folder}")
    started = time.monotonic()
    display = Display(total=total, steps=steps)
    try:
        trained = [
            train(
                runs,
                request=request,
                device=chosen.device,
                processes=chosen.processes,
                recompute=chosen.recompute,
                store=store,
                progress=display,
            )
            for request, runs in asked.items()
        ]
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"interrupted: {display.finished} runs finished in this sitting are kept; "
            "the same command goes on from the checkpoints of the others."
        ) from None
    finally:
        display.close()
    for runs in trained:
        for index in range(runs.sizes["run"]):
            print(_line(runs.isel(run=index)))
    print(f"{total} runs in {time.monotonic() - started:.0f} s")
    return 0


def _protocol(name: str, chosen: argparse.Namespace, changes: dict[str, Any]) -> Any:
    from grokbook.parameters import described, fits
    from grokbook.protocols import PROTOCOLS, SWEEPS

    known = PROTOCOLS | SWEEPS
    if name not in known:
        raise ValueError(f"no protocol {name!r}: choose from {', '.join(known)}.")
    given = {"seeds": chosen.seeds, "steps": chosen.steps}
    protocol = known[name]
    has_arms = "arm" in inspect.signature(protocol).parameters
    arm = {name: value for name, value in changes.items() if has_arms and name == "arm"}
    changes = {name: value for name, value in changes.items() if name not in arm}
    run = protocol(**arm).runs[0]
    for name, value in changes.items():
        if name in given or name.endswith("seed"):
            option = "--steps" if name == "steps" else "--seeds"
            raise ValueError(f"--set {name} has no effect: {option} N sets it for the protocol.")
        if not fits(value, kind := _kind(run, name)):
            raise ValueError(f"{name} = {value!r} is not {described(kind)}.")
    numbers = {name: value for name, value in given.items() if value is not None}
    return protocol(**numbers, **arm, **changes)


def _kind(run: Any, name: str) -> Any:
    """The annotation of a hyper-parameter. Raises `ValueError` for a name that the run has not."""
    part, item = run._find(name)
    inner = {each.kind: each for each in run.interventions}
    owner = run if part is None else inner.get(part) or getattr(run, part)
    return next(field.type for field in dataclasses.fields(owner) if field.name == item)


def sweep(changes: list[str]) -> list[dict[str, Any]]:
    """Every combination of `key=value,value` words.

    >>> sweep(["p=59", "weight_decay=0,1"])
    [{'p': 59, 'weight_decay': 0}, {'p': 59, 'weight_decay': 1}]
    """
    choices = {}
    for change in changes:
        key, equals, values = change.partition("=")
        if not (key and equals and values):
            raise ValueError(f"--set {change!r} is not understood: write it as KEY=VALUE.")
        choices[key] = [literal(value) for value in values.split(",")]
    return [
        dict(zip(choices, chosen, strict=True)) for chosen in itertools.product(*choices.values())
    ]


def literal(word: str) -> Any:
    """A word of the command line as the number, truth value, None or text that it spells.

    >>> literal("59"), literal("1e-3"), literal("true"), literal("gelu")
    (59, 0.001, True, 'gelu')
    """
    if word == "None":
        return None
    if word.lower() in ("true", "false"):
        return word.lower() == "true"
    for kind in (int, float):
        try:
            return kind(word)
        except ValueError:
            continue
    return word


def _line(run: Any) -> str:
    onset = run["t_grok"].item()
    if run["diverged_at"].item() == run["diverged_at"].item():
        outcome = f"diverged at step {run['diverged_at'].item():,.0f}"
    elif onset != onset:
        outcome = f"not grokked in {run['budget'].item():,.0f} steps"
    else:
        outcome = f"t_mem {run['t_mem'].item():,.0f}, t_grok {onset:,.0f} steps"
    return f"  {run['name'].item()}  seed {run['init_seed'].item()}  {outcome}"
