"""Files of runs: one NetCDF4 file a run, written whole or not at all, and verified when read."""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr

from grokbook.archive import netcdf
from grokbook.training.checkpoint import DamagedError, write_atomically

DIGEST = "content_digest"


class StoreError(Exception):
    """The store could not take or give a file; the message says which, and what would help."""


def default_folder() -> Path:
    """`GROKBOOK_RUNS` if set, else `~/.cache/grokbook`."""
    chosen = os.environ.get("GROKBOOK_RUNS")
    return Path(chosen).expanduser() if chosen else Path.home() / ".cache" / "grokbook"


class Store:
    """A folder of runs, each named by its hash: `NAME.nc`, and `NAME.state.npz` to go on from."""

    def __init__(self, folder: Path | str | None = None) -> None:
        self.folder = Path(folder) if folder is not None else default_folder()

    def path(self, name: str) -> Path:
        """File of a finished run."""
        return self.folder / f"{name}.nc"

    def state_path(self, name: str) -> Path:
        """Checkpoint of a run, finished or not."""
        return self.folder / f"{name}.state.npz"

    def names(self) -> list[str]:
        """Names of the finished runs."""
        return sorted(path.stem for path in self.folder.glob("*.nc"))

    def unfinished(self) -> list[str]:
        """Names of the runs that have a checkpoint and no result yet."""
        states = {path.name.split(".")[0] for path in self.folder.glob("*.state.npz")}
        return sorted(states - set(self.names()))

    def read(self, name: str) -> xr.Dataset | None:
        """One run, or None if there is none; raises `DamagedError` for a file that is broken."""
        path = self.path(name)
        if not path.exists():
            return None
        found = read_runs(path)
        if found["name"].values.tolist() != [name]:
            raise DamagedError(
                f"{path} holds another run than its name says; move it away and run again."
            )
        return found

    def write(self, run: xr.Dataset) -> None:
        """Keep one run under its name, replacing a shorter one.

        Raises `StoreError` where the folder cannot be written, `DamagedError` where a broken file
        lies in the way: that one is never overwritten.
        """
        name = run["name"].item()
        self.read(name)  # a damaged file stays for its owner to look at
        with self.explained(f"run {name} could not be stored in {self.folder}"):
            write_runs(self.path(name), run)

    def remove(self, name: str) -> None:
        """Delete a run and its checkpoint. Raises `StoreError` for a name that is not there."""
        paths = [path for path in (self.path(name), self.state_path(name)) if path.exists()]
        if not paths:
            raise StoreError(
                f"no run {name!r} in {self.folder}: `grokbook runs` lists those there."
            )
        with self.explained(f"run {name} could not be removed from {self.folder}"):
            for path in paths:
                path.unlink()

    @contextlib.contextmanager
    def explained(self, what: str) -> Iterator[None]:
        """Turn an `OSError` into one sentence that says what to do."""
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"{what}: {error.strerror or error}; free some space or set GROKBOOK_RUNS to a "
                "folder that can be written, then run the same command again: "
                "finished runs are kept, and this one goes on from its last checkpoint."
            ) from error


def write_runs(path: Path, runs: xr.Dataset) -> None:
    """Write a dataset of runs as compressed NetCDF4 with checksums, in one step."""
    # How a file held its variables is of that file: a longer text would be cut to its length.
    runs = runs.drop_encoding().assign_attrs({DIGEST: content_digest(runs)})
    runs = _to_bits(runs)
    packing = {"zlib": True, "complevel": 5, "shuffle": True, "fletcher32": True}
    encoding = {
        name: packing
        for name, variable in runs.variables.items()
        if variable.ndim and variable.size > 1 and variable.dtype.kind in "fiub"
    }
    write_atomically(path, netcdf.written(runs, encoding))


def _to_bits(runs: xr.Dataset) -> xr.Dataset:
    """Final weights, rounded to half precision, as its 16 bits: NetCDF has no half."""
    for name in _final(runs):
        halves = runs[name].values.astype(np.float16)
        runs = runs.assign({name: (runs[name].dims, halves.view(np.uint16))})
    return runs


def _from_bits(runs: xr.Dataset) -> xr.Dataset:
    for name in _final(runs):
        if runs[name].dtype == np.uint16:  # older files hold the rounded numbers themselves
            halves = runs[name].values.view(np.float16)
            runs = runs.assign({name: (runs[name].dims, halves.astype(np.float32))})
    return runs


def _final(runs: xr.Dataset) -> list[str]:
    return [str(name) for name in runs.data_vars if str(name).startswith("final_")]


def read_names(path: Path) -> list[str]:
    """Read which runs a file says it holds, its content not verified; `read_runs` does that.

    Raises `DamagedError` or `StoreError` for a file that cannot be read so far.
    """
    with _told(path):
        return netcdf.names(path.read_bytes())


def read_runs(path: Path) -> xr.Dataset:
    """Read a dataset of runs and verify it. Raises `DamagedError` with the path."""
    with _told(path):
        runs = _from_bits(netcdf.read(path.read_bytes()))
        if runs.attrs.get(DIGEST) != content_digest(runs):
            raise ValueError("its content does not match its checksum")
        for text, name in zip(runs["run_json"].values, runs["name"].values, strict=True):
            if hashlib.sha256(str(text).encode()).hexdigest()[:16] != name:
                raise ValueError(f"its run {name} is not the one that it describes")
            json.loads(str(text))  # its classes may be unknown here: a user's own intervention
    return runs


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell what is wrong with a file in one sentence that names it."""
    try:
        yield
    except PermissionError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}; change its owner.") from error
    except Exception as error:  # HDF5 reports broken bytes through many exception types
        raise DamagedError(
            f"{path} is damaged ({error}); move it away or delete it, then run the same command "
            "again: no other run is touched."
        ) from error


def content_digest(runs: xr.Dataset) -> str:
    """SHA-256 over names, dimensions and values of all variables, whatever the file's layout."""
    digest = hashlib.sha256()
    for name in sorted(runs.variables, key=str):
        variable = runs.variables[name]
        values = variable.values
        if values.dtype.kind in "OUST":
            content = b"\0".join(str(value).encode() for value in values.flat)
        else:
            # In the order of this machine: a file that swaps its bytes holds other numbers.
            content = values.astype(values.dtype.newbyteorder("=")).tobytes()
        digest.update(f"{name}{variable.dims}{variable.shape}".encode() + content)
    return digest.hexdigest()
