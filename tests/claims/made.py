"""Runs made up for the judges: onsets by cell, with the coordinates that a sweep has."""

import numpy as np
import xarray as xr

Cell = tuple[float, float, list[float]]  # weight decay, share of the data, onsets (NaN: censored)


def sweep(*cells: Cell, budget: float = 15_000.0, t_mem: float = 100.0) -> xr.Dataset:
    """One run an onset, seeds from 0 in every cell, all trained to the budget."""
    rows = [
        (decay, fraction, seed, onset)
        for decay, fraction, onsets in cells
        for seed, onset in enumerate(onsets)
    ]
    decay, fraction, seeds, onsets = (list(column) for column in zip(*rows, strict=True))
    n = len(rows)
    return xr.Dataset(
        {
            "t_grok": ("run", np.array(onsets, dtype=float)),
            "t_mem": ("run", np.full(n, t_mem)),
            "budget": ("run", np.full(n, budget)),
        },
        {
            "name": ("run", [f"{i:016x}" for i in range(n)]),
            "init_seed": ("run", seeds),
            "device": ("run", ["cpu"] * n),
            "weight_decay": ("run", np.array(decay, dtype=float)),
            "train_fraction": ("run", np.array(fraction, dtype=float)),
        },
    )
