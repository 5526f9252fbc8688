"""The line below each figure: the runs behind it, and the file that holds them."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

import numpy as np
from xarray import Dataset

from .labels import count

_TITLE = "Runs behind this figure"
_VERSIONED = {"torch": "torch", "python": "Python"}


@dataclass(frozen=True)
class Provenance:
    """What a reader needs in order to find or repeat the runs of a figure.

    `arms` holds (name, description) pairs, with an empty name for a figure of one arm;
    `downloads` the files, relative to the page. It shows itself as text and as HTML.
    """

    arms: tuple[tuple[str, str], ...]
    downloads: tuple[str, ...] = ()

    def __repr__(self) -> str:
        arms = [f"{name}: {text}" if name else text for name, text in self.arms]
        where = "".join(f"\nDownload: {path}" for path in self.downloads)
        if len(arms) == 1:
            return f"{_TITLE}: {arms[0]}{where}"
        return "\n- ".join([f"{_TITLE}:", *arms]) + where

    def _repr_html_(self) -> str:
        lines = [
            f"<b>{escape(name)}</b>: {escape(text)}" if name else escape(text)
            for name, text in self.arms
        ]
        links = [
            f'<a href="{escape(path)}" download>{escape(path.rsplit("/", 1)[-1])}</a>'
            for path in self.downloads
        ]
        body = f"<b>{_TITLE}.</b> {lines[0]}" if len(lines) == 1 else f"<b>{_TITLE}.</b>"
        body = [f"<p>{body}</p>"]
        body += [f"<p>{line}</p>" for line in lines] if len(lines) > 1 else []
        body += [f"<p>{' '.join(links)}</p>"] if links else []
        return f'<div class="runs-behind">{"".join(body)}</div>'


def provenance(
    runs: Dataset | Mapping[str, Dataset | None], *, download: str | None = None
) -> Provenance:
    """Return the line that names the runs of a figure: protocol, seeds, budget, device, versions.

    `runs` is what the figure was drawn from, one dataset or several arms. Archived runs know
    their file, and are offered as `runs/NAME.nc`; `download` names another file beside the page.

    Raises ValueError where there is no run, and for a download that is no plain relative path.
    """
    arms = {"": runs} if isinstance(runs, Dataset) else dict(runs)
    arms = {name: arm for name, arm in arms.items() if arm is not None}
    if not sum(arm.sizes["run"] for arm in arms.values()):
        raise ValueError("there is no run to name: the figure was drawn from nothing.")
    if download is not None:
        files = [download]
    else:
        named = {name for arm in arms.values() for name in _values(arm, "archive")}
        files = [f"runs/{name}" for name in sorted(named)]
    for path in files:
        if not re.fullmatch(r"\w[\w.+-]*(/\w[\w.+-]*)*", path):
            raise ValueError(f"download {path!r} is no path relative to the page's folder.")
    return Provenance(tuple((name, _described(arm)) for name, arm in arms.items()), tuple(files))


def _described(runs: Dataset) -> str:
    number = runs.sizes["run"]
    low, high = float(runs["budget"].min()), float(runs["budget"].max())
    budget = count(low) if low == high else f"{count(low)} to {count(high)}"
    parts = [
        ", ".join(_values(runs, "protocol")) or "no named protocol",
        f"{number} run" + "s" * (number > 1),
        *_seeds(runs),
        f"{budget} steps",
        " and ".join(_values(runs, "device")) or "device not recorded",
        _versions(runs),
    ]
    return ", ".join(part for part in parts if part)


def _values(runs: Dataset, name: str) -> list[str]:
    """The distinct values of a coordinate, none if the runs do not have it."""
    if name not in runs.coords:
        return []
    return sorted({str(value) for value in np.atleast_1d(runs[name].to_numpy())} - {""})


def _seeds(runs: Dataset) -> list[str]:
    """The seeds, each kind apart unless it is tied to the first; batch seeds if they matter."""
    kinds = {"split_seed": "split", "init_seed": "initialisation", "batch_seed": "batch"}
    if _values(runs, "batch_size") in (["full"], ["0"]):
        del kinds["batch_seed"]
    kinds = {name: word for name, word in kinds.items() if name in runs.coords}
    seeds = {word: runs[name].to_numpy().tolist() for name, word in kinds.items()}
    different = {tuple(values) for values in seeds.values()}
    if len(seeds) > 1 and len(different) == 1:
        seeds = {"": different.pop()}
    return [
        f"{word} {'seeds' if len(set(values)) > 1 else 'seed'} {_ranges(values)}".strip()
        for word, values in seeds.items()
    ]


def _ranges(numbers: Iterable[int]) -> str:
    """Whole numbers as ranges.

    >>> _ranges([0, 1, 2, 5, 7, 8])
    '0–2, 5, 7–8'
    """
    runs: list[list[int]] = []
    for number in sorted({int(number) for number in numbers}):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs)


def _versions(runs: Dataset) -> str:
    found: dict[str, set[str]] = {}
    for text in _values(runs, "versions"):
        for package, version in json.loads(text).items():
            found.setdefault(package, set()).add(version)
    return ", ".join(
        f"{shown} {' and '.join(sorted(found[package]))}"
        for package, shown in _VERSIONED.items()
        if package in found
    )
