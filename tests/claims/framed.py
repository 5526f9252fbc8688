"""Runs with frames, made up for the judges: each seed a history of losses and spectra."""

from typing import Any

import numpy as np
import xarray as xr

P = 13
STEPS = np.arange(0, 1_001, 100)
GROKKED = 700.0  # step


def framed(*seeds: dict[str, Any], **common: Any) -> xr.Dataset:
    """One run a seed, each with `usual()` and what it or all have otherwise."""
    rows = [usual() | common | seed for seed in seeds]
    n, variables = len(rows), {}
    for name in rows[0]:
        values = np.array([np.asarray(row[name], dtype=float) for row in rows])
        dims = {
            (): ("run",),
            (len(STEPS),): ("run", "frame"),
            (P // 2 + 1,): ("run", "frequency"),
            (len(STEPS), P // 2 + 1): ("run", "frame", "frequency"),
        }[values.shape[1:]]
        variables[name] = (dims, values)
    variables["key"] = (("run", "frequency"), variables["key"][1].astype(bool))
    return xr.Dataset(
        variables,
        {
            "frame": STEPS,
            "frequency": np.arange(P // 2 + 1),
            "name": ("run", [f"{i:016x}" for i in range(n)]),
            "init_seed": ("run", list(range(n))),
            "device": ("run", ["cpu"] * n),
            "p": ("run", [P] * n),
        },
    )


def usual() -> dict[str, Any]:
    """A seed as the papers describe it: the circuit forms, then the network groks."""
    keys = np.isin(np.arange(P // 2 + 1), (1, 3, 4))
    return {
        "t_mem": 100.0,
        "t_grok": GROKKED,
        "budget": 1_000.0,
        "key": keys,
        "single_frequency_neurons": 0.85,
        "margin_mean": 5.0,
        "gradient_symmetricity": 0.99,
        "distance_irrelevance": 0.2,
        "variance_explained": np.linspace(0, 0.95, len(STEPS)),
        "frame_test_accuracy": np.where(STEPS >= GROKKED, 1.0, 0.1),
        # up while it memorises, then down at the onset
        "frame_test_loss": np.where(STEPS < 100, 2.5, np.where(STEPS < GROKKED, 9.0, 0.1)),
        "restricted_test_loss": np.where(STEPS < 400, 2.5, 0.05),
        "restricted_loss": np.where(STEPS < 100, 2.4, np.where(STEPS < 400, 2.5, 0.05)),
        "excluded_loss": np.where(STEPS < 100, 2.5, np.where(STEPS < 400, 0.5, 4.0)),
        "frame_squared_norm": np.where(STEPS < GROKKED, 100.0, 60.0),
        "embedding_power": spectra(np.linspace(0, 1, len(STEPS)), keys),
        "logit_amplitude": np.where(keys, 2.0, 0.0) * np.linspace(0, 1, len(STEPS))[:, None],
    }


def spectra(order: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Power by frame and frequency, from flat (order 0) to that of the keys alone (order 1)."""
    flat, few = np.ones(len(keys)) / len(keys), keys / keys.sum()
    return (1 - order)[:, None] * flat + order[:, None] * few
