"""The archived runs that the book shows: one NetCDF file an experiment, in `book/runs`."""

import functools
from pathlib import Path

import numpy as np
import xarray as xr

from grokbook.archive.store import read_runs, write_runs

EXPERIMENTS = Path(__file__).parents[2] / "book" / "runs"
LARGEST = 3_000_000  # bytes of one experiment


def experiments(folder: Path | None = None) -> dict[str, xr.Dataset]:
    """Every archived run by name. Raises `DamagedError` for a broken file."""
    folder = folder or EXPERIMENTS
    stamps = tuple((path, path.stat().st_mtime_ns) for path in sorted(folder.glob("*.nc")))
    return _experiments(stamps)


@functools.lru_cache(maxsize=2)
def _experiments(stamps: tuple[tuple[Path, int], ...]) -> dict[str, xr.Dataset]:
    found = {}
    for path, _ in stamps:
        runs = read_runs(path)
        for index, name in enumerate(runs["name"].values):
            run = runs.isel(run=[index])
            steps = run["step"].values[np.isfinite(run["test_loss"].values[0])]
            found[str(name)] = run.sel(step=steps).assign_coords(archive=("run", [path.name]))
    return found


def pack(experiment: str, runs: xr.Dataset, folder: Path | None = None) -> Path:
    """Write runs as one experiment of the book; the only way into `book/runs`.

    Raises `ValueError` for a file above 3 MB, which is then not written.
    """
    path = (folder or EXPERIMENTS) / f"{experiment}.nc"
    trial = path.with_suffix(".nc.trial")
    write_runs(trial, runs.drop_vars("archive", errors="ignore"))
    size = trial.stat().st_size
    if size > LARGEST:
        trial.unlink()
        raise ValueError(
            f"{experiment} would weigh {size / 1e6:.1f} MB: an experiment stays under 3 MB, "
            "so keep fewer weights or fewer runs."
        )
    trial.replace(path)
    return path
