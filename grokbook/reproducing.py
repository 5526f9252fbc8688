"""Tables of setups and their costs, from the protocols and a stored benchmark: never typed."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from grokbook.protocols import PROTOCOLS, Protocol
from grokbook.training.optimizers import AdamW

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


def outstanding(rows: list[dict[str, Any]]) -> str:
    """A row a command that has runs left, from `claims.outstanding`; a sentence if none has."""
    if not rows:
        return "Every experiment that a claim asks for is archived."
    return "| command | missing runs | for |\n|---|--:|---|\n" + "\n".join(
        f"| `{row['command']}` | {row['missing']} of {row['runs']} "
        f"| {', '.join(f'`{claim}`' for claim in row['claims'])} |"
        for row in rows
    )


def setups(names: Iterable[str] = PROTOCOLS) -> str:
    """The exact setups side by side, a column a protocol."""
    columns = {name: _setup(PROTOCOLS[name]()) for name in names}
    lines = [" | ".join(("", "", *(f"`{name}`" for name in columns), "")).strip()]
    lines.append("|---" * (1 + len(columns)) + "|")
    for item in next(iter(columns.values())):
        lines.append(" | ".join(("", item, *(column[item] for column in columns.values()), "")))
    return "\n".join(line.strip() for line in lines)


def _setup(protocol: Protocol) -> dict[str, str]:
    run, request = protocol.runs[0], protocol.request
    optimizer, rule = run.optimizer, request.rule
    adaptive = hasattr(optimizer, "beta1")
    sustained = "first time" if rule.sustained == 1 else f"{rule.sustained} in a row"
    return {
        "task": f"{run.task.operation.replace('_', ' ')} mod {run.task.p}",
        "share of the pairs": f"{100 * run.split.train_fraction:.0f} %",
        "network": _network(run.model),
        "optimiser": type(optimizer).__name__,
        "rate η": f"{optimizer.learning_rate:g}",
        "β₁, β₂": f"{optimizer.beta1:g}, {optimizer.beta2:g}" if adaptive else "–",
        "warm-up": f"{optimizer.warmup} steps" if optimizer.warmup else "none",
        "weight decay": decay(optimizer),
        "batch": _batch(run.batch),
        "loss": _loss(run.loss),
        "onset": f"{100 * rule.level:.0f} %, {sustained}",
        "looked at every": f"{request.evaluate_every} steps",
        "budget": f"{request.steps:,} steps",
    }


def decay(optimizer: Any) -> str:
    r"""The decay and its convention: decoupled shrinks the weights, coupled adds to the gradient.

    >>> decay(AdamW(1e-3, 1.0))
    'λ = 1, decoupled'
    """
    if not optimizer.weight_decay:
        return "none"
    convention = "decoupled" if isinstance(optimizer, AdamW) else "coupled"
    return f"λ = {optimizer.weight_decay:g}, {convention}"


def _network(model: Any) -> str:
    if model.kind == "mlp":
        return f"MLP, {model.hidden_layers} layers of {model.width}"
    if model.kind == "quadratic":
        return f"quadratic, 1 layer of {model.width}"
    layers = getattr(model, "layers", 1)
    norms = {"none": "no norm", "lee24": "pre-norm"}
    norm = norms.get(model.norm_position, f"{model.norm_position}-norm")
    return f"transformer, {layers} layer{'s' * (layers > 1)} of {model.d_model}, {norm}"


def _loss(loss: Any) -> str:
    other = "" if loss.function == "cross_entropy" else f"{loss.function.replace('_', ' ')}, "
    return f"{other}{loss.precision}"


def _batch(batch: Any) -> str:
    if batch.size is None:
        return "full"
    return f"{batch.size}, {'by epochs' if batch.epochs else 'with replacement'}"
