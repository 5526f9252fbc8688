"""Reading NetCDF straight from HDF5, against xarray's own way."""

import io
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from grokbook.archive import netcdf
from grokbook.archive.experiments import EXPERIMENTS

SMALLEST = sorted(EXPERIMENTS.glob("*.nc"), key=lambda path: path.stat().st_size)[:3]


def slow(content: bytes) -> xr.Dataset:
    with xr.open_dataset(io.BytesIO(content), engine="h5netcdf") as file:
        return file.load()


def assert_alike(content: bytes) -> None:
    fast, reference = netcdf.read(content), slow(content)
    xr.testing.assert_identical(fast, reference)
    assert list(fast.data_vars) == list(reference.data_vars)
    assert list(fast.coords) == list(reference.coords)
    dtypes = [{name: each.dtype for name, each in one.variables.items()}
              for one in (fast, reference)]  # fmt: skip
    assert dtypes[0] == dtypes[1]


@pytest.mark.parametrize("path", SMALLEST, ids=lambda path: path.stem)
def test_archived_runs_are_read_as_xarray_reads_them(path: Path):
    assert_alike(path.read_bytes())


def test_every_kind_of_variable_comes_back():
    runs = xr.Dataset(
        {
            "curve": (("run", "step"), np.array([[1.0, np.nan, 3.0], [4.0, 5.0, -np.inf]])),
            "single": (("run", "step"), np.ones((2, 3), np.float32), {"units": "nats"}),
            "bits": (("step",), np.array([1, 2, 65535], np.uint16)),
            "yes": (("run",), np.array([True, False])),
            "square": (("side", "other"), np.eye(2)),
            "number": ((), 7),
            "said": ((), "näher"),
        },
        {
            "step": np.array([0, 10, 20]),
            "layer": ("layer", ["embedding", ""]),
            "name": ("run", ["a", "longer one"]),
            "empty": ("run", ["", ""]),
            "side": [0.5, 1.5],
            "none": ("none", np.array([], dtype=np.int64)),
        },
        {"content": "abc", "count": 3, "several": [1, 2]},
    )
    content = netcdf.written(runs, {"curve": {"zlib": True, "fletcher32": True}})
    assert_alike(content)
    xr.testing.assert_identical(netcdf.read(content), runs)


def test_broken_bytes_raise():
    content = netcdf.written(xr.Dataset({"curve": ("step", np.arange(9.0))}), {})
    for broken in (b"", b"no HDF5", content[: len(content) // 2]):
        with pytest.raises(OSError):
            netcdf.read(broken)
