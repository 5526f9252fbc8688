"""NetCDF4 files of runs, as bytes: written by h5netcdf, read straight from HDF5.

Through h5netcdf the book's archive takes seven times as long to read, nearly all of it in asking
HDF5 again and again for the name and size of a variable's dimensions.
"""

import io
from collections.abc import Hashable
from typing import Any

import h5netcdf
import h5py
import numpy as np
import xarray as xr
from xarray.backends import H5NetCDFStore

# What HDF5 and NetCDF4 keep of their own among the attributes.
OWN = {
    "CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates",
    "_NCProperties",
}  # fmt: skip
ONLY_A_DIMENSION = b"This is a netCDF dimension but not a netCDF variable"


def names(content: bytes) -> list[str]:
    """The names of the runs in a file, and nothing else of it. Raises as `read` does."""
    with h5py.File(io.BytesIO(content), "r") as file:
        return [str(name) for name in file["name"].asstr()[:]]


def read(content: bytes) -> xr.Dataset:
    """The dataset in a file that `written` made, as xarray itself reads it.

    Raises what h5py raises for a broken file: exceptions of many types.
    """
    with h5py.File(io.BytesIO(content), "r") as file:
        held = dict(file.items())
        scales = {name: scale for name, scale in held.items() if "CLASS" in scale.attrs}
        # By number: h5netcdf gives each variable those of its dimensions, in their order.
        dimensions = {scale.attrs["_Netcdf4Dimid"]: name for name, scale in scales.items()}
        for name, scale in scales.items():
            if scale.attrs["NAME"].startswith(ONLY_A_DIMENSION):
                del held[name]
        variables = {
            name: xr.Variable(
                [dimensions[axis] for axis in each.attrs.get("_Netcdf4Coordinates", ())],
                _values(each),
                _attributes(each),
            )
            for name, each in held.items()
        }
        return xr.decode_cf(xr.Dataset(variables, attrs=_attributes(file)))


def _values(held: h5py.Dataset) -> np.ndarray:
    if h5py.check_string_dtype(held.dtype):
        return np.asarray(held.asstr()[()]).astype(str)
    return np.asarray(held[()])


def _attributes(held: h5py.Dataset | h5py.File) -> dict[str, Any]:
    """The file's own attributes, a number as the scalar that was written."""
    values = {name: held.attrs[name] for name in held.attrs if name not in OWN}
    return {
        name: value[0] if isinstance(value, np.ndarray) and value.shape == (1,) else value
        for name, value in values.items()
    }


def written(runs: xr.Dataset, encoding: dict[Hashable, dict[str, Any]]) -> bytes:
    """The bytes of a NetCDF4 file.

    In HDF5's format of 1.10 a small variable takes its own size; in the oldest, which is what
    `Dataset.to_netcdf` writes and gives no choice of, two kilobytes of index beside it.
    """
    buffer = io.BytesIO()
    with h5netcdf.File(buffer, "w", libver=("v110", "v110")) as file:
        runs.dump_to_store(H5NetCDFStore(file), encoding=encoding)
    return buffer.getvalue()
