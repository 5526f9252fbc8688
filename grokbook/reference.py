"""The page `api`: the public door, from its own signatures and docstrings."""

import inspect
import re
from typing import Any

import grokbook
from grokbook.protocols import PROTOCOLS, SWEEPS

SECTIONS = {
    "What is learned": ("Group", "cyclic", "product", "Task", "Split"),
    "By what, and how": (
        "Transformer", "Decoder", "MLP", "AdamW", "Adam", "SGD", "Loss", "Batch", "Run", "grid",
    ),
    "Interventions": (
        "interventions.Intervention", "interventions.Look", "interventions.Moment",
        "interventions.register", "interventions.GrokfastEMA", "interventions.GrokfastMA",
        "interventions.StableMax", "interventions.PerpGrad", "interventions.NormClamp",
        "interventions.GradientNoise", "interventions.RadialPenalty",
    ),
    "Protocols": tuple(f"protocols.{name}" for name in PROTOCOLS),
    "Sweeps": tuple(f"protocols.{name}" for name in SWEEPS),
    "Training and its files": (
        "Request", "Rule", "train", "archived", "chapter_runs", "experiments", "pack",
        "Store", "StoreError", "DamagedError",
    ),
    "Reading the result": ("onset",),
}  # fmt: skip


def page() -> str:
    """The whole reference as Markdown."""
    parts = []
    for title, names in SECTIONS.items():
        parts.append(f"## {title}")
        parts += [entry(name) for name in names]
    return "\n\n".join(parts)


def entry(name: str) -> str:
    """One name: heading, signature, docstring."""
    owner: Any = grokbook
    for part in name.split("."):
        owner = getattr(owner, part)
    return f"### `{name}`\n\n```python\n{signature(name, owner)}\n```\n\n{prose(owner)}"


def signature(name: str, owner: Any) -> str:
    """The call, without the noise of quotes and module names."""
    if inspect.isclass(owner) and issubclass(owner, Exception):
        return f"class {name}(Exception)"
    text = re.sub(r"(\w+\.)+(?=[A-Z])", "", str(inspect.signature(owner)))
    text = text.replace(" -> None", "")
    if len(text) > 80:
        head, arrow, result = text.rpartition(") ->")
        inside = head[1:] if arrow else text[1:-1]
        items = re.split(r", (?![^\[\(]*[\]\)])", inside)
        text = (
            "(\n"
            + "".join(f"    {item},\n" for item in items)
            + ")"
            + (f" ->{result}" if arrow else "")
        )
    return f"{'class ' if inspect.isclass(owner) else ''}{name}{text}"


def prose(owner: Any) -> str:
    """The docstring as Markdown, its examples fenced."""
    lines, fenced = [], False
    for line in (inspect.getdoc(owner) or "").splitlines():
        if line.startswith(">>>") and not fenced:
            lines, fenced = [*lines, "```pycon"], True
        if fenced and not line.strip():
            lines, fenced = [*lines, "```"], False
        lines.append(line)
    return "\n".join(lines + ["```"] * fenced)
