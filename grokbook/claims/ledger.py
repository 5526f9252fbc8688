"""The ledger: every claim with a verdict computed from the archived runs alone."""

import functools
import json
from pathlib import Path
from typing import Any

import xarray as xr

from grokbook.archive import Found, archived_together
from grokbook.claims import (
    gromov23,
    morwani23,
    nanda23,
    nanda23_circuits,
    nanda23_sweeps,
    norm_separation26,
    norm_separation26_bounds,
    norm_separation26_controls,
    norm_separation26_predictor,
    norm_separation26_rates,
    own,
    own_circuits,
    power22,
    radial26,
    radial26_energy,
    radial26_sequences,
    torus26,
    zhong23,
)
from grokbook.claims.claim import Claim, Experiment, asked

STORED = Path(__file__).parents[2] / "book" / "verdicts.json"
# The files of claims, by the chapter that judges them.
CHAPTERS = {
    "01_phenomenon": (power22, nanda23, nanda23_sweeps, own),
    "02_cyclic_groups": (
        nanda23_circuits,
        gromov23,
        morwani23,
        zhong23,
        torus26,
        own_circuits,
    ),
    "03_delay_law": (
        norm_separation26_bounds,
        norm_separation26,
        norm_separation26_rates,
        norm_separation26_predictor,
        norm_separation26_controls,
    ),
    "04_radial_angular": (radial26, radial26_energy, radial26_sequences),
}
CLAIMS: dict[str, Claim] = {
    claim.id: claim for files in CHAPTERS.values() for file in files for claim in file.CLAIMS
}


def find(claim: str) -> Claim:
    """The claim of that id; raises `ValueError` with the known ids."""
    if claim not in CLAIMS:
        raise ValueError(f"there is no claim {claim!r}: choose from {', '.join(CLAIMS)}.")
    return CLAIMS[claim]


@functools.lru_cache(maxsize=8)
def _found(experiment: Experiment) -> Found:
    return archived_together([(each.runs, each.request) for each in asked(experiment)])


def runs_behind(claim: str) -> xr.Dataset | None:
    """The archived runs that a claim is judged from; None for a theorem, and without runs."""
    experiment = find(claim).experiment
    return None if experiment is None else _found(experiment).runs


def ledger(source: str | None = None, *, chapter: str | None = None) -> list[dict[str, Any]]:
    """One flat row a claim, its verdict computed now; of one paper, or of one chapter, if asked.

    Raises `ValueError` for a source that has no claim, and for a chapter that has none.
    """
    if chapter is not None and chapter not in CHAPTERS:
        raise ValueError(f"no chapter {chapter!r}: choose from {', '.join(CHAPTERS)}.")
    files = CHAPTERS.values() if chapter is None else (CHAPTERS[chapter],)
    known = [claim for several in files for file in several for claim in file.CLAIMS]
    chosen = [claim for claim in known if source in (None, claim.source)]
    if not chosen:
        sources = sorted({claim.source for claim in CLAIMS.values()})
        raise ValueError(f"no claim has the source {source!r}: choose from {', '.join(sources)}.")
    rows = []
    for claim in chosen:
        if claim.experiment is None:
            rows.append(claim.row(None))
            continue
        found = _found(claim.experiment)
        rows.append(claim.row(found.runs, len(found.missing)))
    return rows


def outstanding() -> list[dict[str, Any]]:
    """What is not yet run: a row a command, its missing runs, and the claims that wait for them."""
    rows: dict[str, dict[str, Any]] = {}
    for claim in CLAIMS.values():
        if claim.experiment is None or not (missing := len(_found(claim.experiment).missing)):
            continue
        runs = sum(len(protocol.runs) for protocol in asked(claim.experiment))
        row = {"command": claim.command, "missing": missing, "runs": runs, "claims": []}
        rows.setdefault(claim.command, row)["claims"].append(claim.id)
    return list(rows.values())


def stored_verdicts() -> dict[str, dict[str, Any]]:
    """The verdicts as they were last accepted, by claim."""
    try:
        return json.loads(STORED.read_text()) if STORED.exists() else {}
    except json.JSONDecodeError as error:
        raise ValueError(f"{STORED} is no JSON ({error}): restore it from git.") from error


def accept(rows: list[dict[str, Any]]) -> None:
    """Write the verdicts of these rows as the accepted ones."""
    kept = {
        row["id"]: {key: row[key] for key in ("verdict", "measured", "interval", "n")}
        for row in rows
    }
    STORED.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")


def moved(rows: list[dict[str, Any]], stored: dict[str, dict[str, Any]]) -> list[str]:
    """One line, `claim: stored → now`, for every claim whose verdict or number is another."""
    lines = []
    for row in rows:
        before = stored.get(row["id"])
        if before is None or not _same(before, row):
            lines.append(f"{row['id']}: {_short(before)} → {_short(row)}")
    known = {row["id"] for row in rows}
    lines += [
        f"{claim}: {_short(stored[claim])} → no such claim"
        for claim in stored
        if claim not in known
    ]
    return lines


def _same(before: dict[str, Any], now: dict[str, Any]) -> bool:
    if (before["verdict"], before["n"]) != (now["verdict"], now["n"]):
        return False
    ends = [(before["measured"], now["measured"])]
    ends += list(zip(before["interval"] or [], now["interval"] or [], strict=False))
    if len(before["interval"] or []) != len(now["interval"] or []):
        return False
    return all(_close(a, b) for a, b in ends)


def _close(a: float | str | None, b: float | str | None) -> bool:
    """Numbers to one part in a million, which a change of library version does not move."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(a - b) <= 1e-6 * max(abs(a), abs(b))
    return a == b


def _short(row: dict[str, Any] | None) -> str:
    if row is None:
        return "nothing"
    number = row["measured"]
    shown = f"{number:.4g}" if isinstance(number, (int, float)) else number
    return row["verdict"] + (f" ({shown})" if number is not None else "")
