"""The archived runs that the book shows: one NetCDF file an experiment, in `book/runs`."""

import functools
from pathlib import Path

import numpy as np
import xarray as xr
from jaxtyping import Bool, Float

from grokbook.archive.store import read_names, read_runs, write_runs
from grokbook.measures.contraction import OF_ONE_STEP
from grokbook.training.checkpoint import DamagedError
from grokbook.training.watching import AT_SITES, OVERALL

EXPERIMENTS = Path(__file__).parents[2] / "book" / "runs"
LARGEST = 3_000_000  # bytes of one experiment


def experiments(folder: Path | None = None) -> dict[str, xr.Dataset]:
    """Every archived run by name. Raises `DamagedError` for a broken file.

    Where two experiments hold one run, followed in two ways, it is that of the first file.
    """
    found: dict[str, xr.Dataset] = {}
    for stamp in _stamps(folder):
        found |= {name: run for name, run in _runs(*stamp).items() if name not in found}
    return found


def held(name: str, folder: Path | None = None) -> tuple[xr.Dataset, ...]:
    """The run of that name as each experiment that holds it has it; empty if none does.

    Of files without it only the names are read, since every process that trains asks: what else is
    wrong with them is told where they are read. Raises `DamagedError` for a broken file.
    """
    return tuple(_runs(*stamp)[name] for stamp in _stamps(folder) if name in _names(*stamp))


def _stamps(folder: Path | None) -> list[tuple[Path, int]]:
    """The files, each with its time, so that one that was written anew is read anew."""
    return [
        (path, path.stat().st_mtime_ns) for path in sorted((folder or EXPERIMENTS).glob("*.nc"))
    ]


@functools.lru_cache(maxsize=64)
def _names(path: Path, _: int) -> frozenset[str]:
    return frozenset(read_names(path))


@functools.lru_cache(maxsize=32)
def _runs(path: Path, _: int) -> dict[str, xr.Dataset]:
    found: dict[str, xr.Dataset] = {}
    runs = read_runs(path)
    for index, name in enumerate(runs["name"].values):
        run = runs.isel(run=[index])
        steps = run["step"].values[np.isfinite(run["test_loss"].values[0])]
        run = run.sel(step=steps).assign_coords(archive=("run", [path.name]))
        if "frame" in run.dims:
            read = _frames_read(run)
            run = run.sel(frame=run["frame"].values[read])
        found[str(name)] = _own_shapes(run)
    return found


def _frames_read(run: xr.Dataset) -> Bool[np.ndarray, " frame"]:
    """Which frames are the run's own, beside those of longer ones."""
    if "frame_radius" in run:
        return np.isfinite(run["frame_radius"].values[0]).any((1, 2))
    return np.isfinite(run["frame_train_loss"].values[0])


def _rounded(x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Round to the 24 bits of a float32, the exponent as it was: late gradients are below its
    smallest number. V itself is not: two of them nearly cancel in what a step changes."""
    mantissa, exponent = np.frexp(x)
    return np.ldexp(np.round(np.ldexp(mantissa, 24)), exponent - 24)


def _own_shapes(run: xr.Dataset) -> xr.Dataset:
    """The run without the NaN that its final weights end in beside those of a larger network."""
    for name in [name for name in run.data_vars if str(name).startswith("final_")]:
        seen = np.isfinite(run[name].values[0])
        for axis, along in enumerate(run[name].dims[1:]):
            others = tuple(other for other in range(seen.ndim) if other != axis)
            filled = np.flatnonzero(seen.any(axis=others))
            if filled.size:  # a run that diverged may have none
                run = run.isel({along: slice(filled[-1] + 1)})
    return run


def pack(experiment: str, runs: xr.Dataset, folder: Path | None = None) -> Path:
    """Write runs as one experiment of the book; the only way into `book/runs`.

    What would not fit is left out: the embeddings along the way of all runs but the first, and what
    a float32 does not hold of the products that single steps and activations were followed by.
    Raises `ValueError` for a file above 3 MB, which is then not written, and `DamagedError` for one
    that does not read back: what was there before stays.
    """
    path = (folder or EXPERIMENTS) / f"{experiment}.nc"
    if "frame_W_E" in runs:
        first = np.arange(runs.sizes["run"]) == 0
        runs = runs.assign(frame_W_E=runs["frame_W_E"].where(xr.DataArray(first, dims="run")))
    products = [
        name
        for name in (*OF_ONE_STEP, *AT_SITES, *OVERALL)
        if name != "squared_norm_after" and name in runs
    ]
    runs = runs.assign(
        {name: runs[name].copy(data=_rounded(runs[name].values)) for name in products}
    )
    trial = path.with_suffix(".nc.trial")
    write_runs(trial, runs.drop_vars("archive", errors="ignore"))
    size = trial.stat().st_size
    if size > LARGEST:
        trial.unlink()
        raise ValueError(
            f"{experiment} would weigh {size / 1e6:.1f} MB: an experiment stays under 3 MB, "
            "so keep fewer weights or fewer runs."
        )
    try:
        read_runs(trial)
    except DamagedError:
        trial.unlink()
        raise
    trial.replace(path)
    return path
