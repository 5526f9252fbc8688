"""Runs made up for the judges of the radial penalty: onsets and what was watched, by arm."""

from typing import Any

import numpy as np
import xarray as xr

Row = dict[str, Any]
SITES = ("pre_1", "pre_2")
LAYERS = ("pre_1", "hidden_1", "pre_2", "hidden_2")
WATCHED = ("norm_ratio", "radial_energy", "radial_energy_total", "radial_null", "radial_product")
COORDINATES = (
    "init_seed", "p", "train_fraction", "batch_size", "embedding", "weight_decay", "norm",
    "interventions", "radial_penalty_strength", "radial_penalty_radius", "radial_penalty_unit",
    "model", "layers", "d_model", "beta2", "loss_precision",
)  # fmt: skip


def usual() -> Row:
    """A penalised run of the MLP that groks at step 40,000 of 95,000."""
    return {
        "t_grok": 40_000.0,
        "budget": 95_000.0,
        "norm_ratio": (0.1, 1.1),  # at the start and at the end, a line between; one for each site
        "radial_energy": 0.5,
        "radial_energy_total": 30.0,
        "radial_null": 1.0,
        "radial_product": (1.0, -1.0),
        "calibration_gap": (1.0, -1.0),
        "test_loss": (4.0, 2.0),
        "train_loss": (1.0, 1e-6),
        "hessian_trace": 1.0,
        "scaled_trace": 1.0,
        "hessian_eigenvalue": 1.0,
        "rank": 100.0,
        "p": 97,
        "train_fraction": 0.5,
        "batch_size": "256",
        "embedding": "one_hot",
        "weight_decay": 1e-3,
        "norm": "none",
        "interventions": "radial_penalty",
        "radial_penalty_strength": 0.05,
        "radial_penalty_radius": 1.0,
        "radial_penalty_unit": "sqrt_d",
        "model": "mlp",
        "layers": 2,
        "d_model": 128,
        "beta2": 0.999,
        "loss_precision": "float64",
    }


def arm(**values: Any) -> list[Row]:
    """Runs with seeds from 42: a list has a value a seed, anything else stands for all."""
    n = max([len(value) for value in values.values() if isinstance(value, list)], default=3)
    return [
        usual()
        | {k: v[i] if isinstance(v, list) else v for k, v in values.items()}
        | {"init_seed": 42 + i}
        for i in range(n)
    ]


def dataset(*arms: list[Row]) -> xr.Dataset:
    """The arms side by side; a curve goes from 0 to the run's budget, NaN beyond it."""
    rows = [row for each in arms for row in each]
    steps = np.arange(0.0, max(row["budget"] for row in rows) + 1, 190.0)

    def curve(row: Row, value: Any) -> np.ndarray:
        if callable(value):
            line = value(steps)
        else:
            first, last = value if isinstance(value, tuple) else (value, value)
            line = first + (last - first) * steps / row["budget"]
        return np.where(steps <= row["budget"], line, np.nan)

    def sites(row: Row, value: Any) -> np.ndarray:
        several = value if isinstance(value, dict) else dict.fromkeys(SITES, value)
        return np.stack([curve(row, several[site]) for site in SITES], axis=-1)

    variables: dict[str, Any] = {
        name: (("run", "step", "site"), np.stack([sites(row, row[name]) for row in rows]))
        for name in WATCHED
    }
    for name in ("calibration_gap", "test_loss", "train_loss"):
        variables[name] = (("run", "step"), np.stack([curve(row, row[name]) for row in rows]))
    for name in ("t_grok", "budget", "hessian_trace", "scaled_trace", "hessian_eigenvalue"):
        variables[name] = ("run", [float(row[name]) for row in rows])
    ranks = np.array([[[row["rank"]] * 4, [1.5 * row["rank"]] * 4] for row in rows])
    for name in ("stable_rank", "participation_ratio", "entropy_rank"):
        variables[name] = (("run", "rank_batch", "layer"), ranks)
    coordinates = {name: ("run", [row[name] for row in rows]) for name in COORDINATES}
    return xr.Dataset(
        variables,
        coordinates
        | {
            "name": ("run", [f"{i:016x}" for i in range(len(rows))]),
            "device": ("run", ["cpu"] * len(rows)),
            "step": steps,
            "site": list(SITES),
            "layer": list(LAYERS),
            "rank_batch": [256, 2048],
        },
    )
