"""Runs made up for the judges of the delay law: onsets, squared norms and rates by cell."""

from typing import Any

import numpy as np
import xarray as xr

PARAMETERS = ("W_E", "W_U", "bits.W")  # the last belongs to another network: NaN throughout
SHARES = np.array([0.75, 0.25, np.nan])
COORDINATES = (
    "init_seed", "p", "tokens", "train_fraction", "learning_rate", "weight_decay", "momentum",
    "decay_until", "interventions",
)  # fmt: skip
Row = dict[str, Any]


def usual() -> Row:
    """One run about as the base cell: it memorises, forgets half its norm twice, and groks."""
    return {
        "t_mem": 700.0,
        "t_grok": 1_700.0,  # NaN: censored
        "budget": None,  # 2,000 steps after the last onset, or 20,000 where one is missing
        "V_mem": 4_000.0,
        "V_grok": 1_000.0,
        "V_end": 500.0,
        "curve": None,  # V by step, else through the three above
        "before": 1.5e-3,  # rates at t_mem
        "after": 1.5e-3,
        "train_accuracy": 1.0,  # the largest
        "p": 97,
        "tokens": 2,
        "train_fraction": 0.5,
        "learning_rate": 1e-3,
        "weight_decay": 1.0,
        "momentum": 0.0,
        "decay_until": np.nan,
        "interventions": "",
    }


def cell(first_seed: int = 42, **values: Any) -> list[Row]:
    """Runs with seeds from 42: a list has a value a seed, anything else stands for all.

    `delay` says t_grok − t_mem, `law` V at the end by the time of pure decay from V_mem.
    """
    n = max([len(value) for value in values.values() if isinstance(value, list)], default=1)
    rows = []
    for i in range(n):
        row = usual() | {k: v[i] if isinstance(v, list) else v for k, v in values.items()}
        if "delay" in row:
            row["t_grok"] = row["t_mem"] + row.pop("delay")
        if "law" in row:
            kept = (1 - row["learning_rate"] * row["weight_decay"]) ** (2 * row.pop("law"))
            row["V_end"] = row["V_mem"] * kept
        rows.append(row | {"init_seed": first_seed + i})
    return rows


def made(*cells: list[Row]) -> xr.Dataset:
    """All runs of the cells, as an archive gives them: every run NaN at the steps of others."""
    rows = [row for each in cells for row in each]
    ends = [budget_of(row) for row in rows]
    grids = [np.linspace(0, end, 41) for end in ends]
    steps = np.unique(np.concatenate(grids))
    V = np.full((len(rows), len(steps)), np.nan)
    for i, (row, grid) in enumerate(zip(rows, grids, strict=True)):
        V[i, np.isin(steps, grid)] = curve_of(row, grid)
    n, risen = len(rows), np.where(np.isfinite(V), 0.01, np.nan)
    risen[np.arange(n), np.searchsorted(steps, ends)] = [row["train_accuracy"] for row in rows]
    onsets = np.array([[row["V_mem"], row["V_grok"]] for row in rows])
    onsets[np.isnan([[row["t_mem"], row["t_grok"]] for row in rows])] = np.nan
    rates = np.full((n, 2, 2), 9.0)  # at t_grok no judge may look
    rates[:, 0] = [[row["before"], row["after"]] for row in rows]
    return xr.Dataset(
        {
            "t_mem": ("run", np.array([row["t_mem"] for row in rows], dtype=float)),
            "t_grok": ("run", np.array([row["t_grok"] for row in rows], dtype=float)),
            "budget": ("run", np.array(ends)),
            "train_accuracy": (("run", "step"), risen),
            "squared_norm": (("run", "step", "parameter"), V[..., None] * SHARES),
            "squared_norm_at_onset": (("run", "onset", "parameter"), onsets[..., None] * SHARES),
            "rate_at_onset": (("run", "onset", "side"), rates),
        },
        {
            "step": steps,
            "parameter": list(PARAMETERS),
            "onset": ["t_mem", "t_grok"],
            "side": ["before", "after"],
            "name": ("run", [f"{i:016x}" for i in range(n)]),
            "device": ("run", ["cpu"] * n),
        }
        | {name: ("run", [row[name] for row in rows]) for name in COORDINATES},
    )


def budget_of(row: Row) -> float:
    """The last step of a run."""
    if row["budget"] is not None:
        return float(row["budget"])
    onsets = [row["t_mem"], row["t_grok"]]
    return 20_000.0 if np.isnan(onsets).any() else max(onsets) + 2_000.0


def curve_of(row: Row, grid: np.ndarray) -> np.ndarray:
    """V along a run, its logarithm straight between the onsets and the end."""
    if row["curve"] is not None:
        return row["curve"](grid)
    knots = {row["t_mem"]: row["V_mem"], row["t_grok"]: row["V_grok"]}
    knots = {step: V for step, V in knots.items() if np.isfinite(step)} | {grid[-1]: row["V_end"]}
    at = sorted(knots)
    V = np.exp(np.interp(grid, at, np.log([knots[step] for step in at])))
    V[-1] = row["V_end"]  # to the last digit
    return V
