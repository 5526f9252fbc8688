"""Files of runs: what was written is read, and what was damaged is told and left alone."""

import errno
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from grokbook import DamagedError, Request, Run, Store, StoreError
from grokbook.archive import store as files
from grokbook.archive.lookup import concatenate
from grokbook.training import checkpoint
from grokbook.training.engine import train_run
from tests.tiny import tiny

NUMBER = 1234.5  # a value whose bytes are found in the file


@pytest.fixture(scope="module")
def trained() -> xr.Dataset:
    """One run with weights; its t_grok is NaN."""
    return train_run(tiny(), Request(40, keep_weights=True, protocol="tiny"))


@pytest.fixture(scope="module")
def small(trained) -> xr.Dataset:
    """Return one variable of each kind, in a file that can be damaged in many places."""
    kept = trained[["test_loss", "t_grok", "t_mem", "censored", "final_b_1"]].isel(step=[0, 1, 2])
    kept = kept.assign(t_mem=("run", [NUMBER]))
    return kept.drop_vars(set(kept.coords) - {"name", "run_json", "p", "step"})


def written(runs: xr.Dataset, folder: Path) -> Path:
    """Write runs to a file and return its path."""
    path = folder / "runs.nc"
    files.write_runs(path, runs)
    return path


# ------------------------------------------------------------------------------------ round trip


def test_a_run_is_read_as_it_was_written(trained, store):
    assert trained["t_grok"].isnull().all()
    store.write(trained)
    read = store.read(tiny().name)
    assert read is not None
    xr.testing.assert_equal(read, trained)
    assert {str(n): read[n].dtype for n in read} == {str(n): trained[n].dtype for n in trained}
    assert read["final_W_1"].dtype == np.float32
    assert Run.from_json(read["run_json"].item()) == tiny()
    assert store.names() == [tiny().name]


def test_runs_of_unequal_length_are_read_as_they_were_written(trained, tmp_path):
    other = train_run(tiny(seed=1), Request(70, keep_weights=True))
    both = concatenate([trained, other])
    assert both["test_loss"].isnull().any()
    read = files.read_runs(written(both, tmp_path))
    xr.testing.assert_equal(read, both)


def test_a_file_from_before_weights_were_kept_in_16_bits_is_read(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_to_bits", lambda runs: runs)
    read = files.read_runs(written(trained, tmp_path))
    xr.testing.assert_equal(read, trained)


def test_a_small_variable_takes_its_own_size(trained, tmp_path):
    path = written(trained, tmp_path)
    read = xr.load_dataset(path, engine="h5netcdf")  # with the encoding that it was written in
    plain = tmp_path / "plain.nc"
    read.to_netcdf(plain, engine="h5netcdf")
    assert path.stat().st_size < 0.85 * plain.stat().st_size


def test_no_run_is_none(store):
    assert store.read("0123456789abcdef") is None
    assert store.names() == store.unfinished() == []


# ---------------------------------------------------------------------------------------- damage


def test_a_truncated_file_is_damaged_at_any_length(small, tmp_path):
    path = written(small, tmp_path)
    content = path.read_bytes()
    for length in (0, 1, 7, 100, 2048, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(DamagedError, match=f"{path}.*is damaged.*move it away or delete it"):
            files.read_runs(path)
        assert path.stat().st_size == length


def test_a_flipped_byte_is_told_or_changes_nothing(small, tmp_path):
    path = written(small, tmp_path)
    content, told = path.read_bytes(), 0
    whole = files.read_runs(path)
    offsets = range(0, len(content), 211)
    for offset in offsets:
        damaged = bytearray(content)
        damaged[offset] ^= 0xFF
        path.write_bytes(damaged)
        try:
            read = files.read_runs(path)
        except DamagedError as error:
            assert str(path) in str(error)
            told += 1
        else:  # a byte that stands for nothing
            xr.testing.assert_identical(read, whole)
    assert told > len(offsets) / 4


def test_the_digest_sees_what_no_checksum_of_hdf5_covers(small, tmp_path):
    path = written(small, tmp_path)
    content = path.read_bytes()
    number = struct.pack("<d", NUMBER)
    assert content.count(number) == 1
    path.write_bytes(content.replace(number, struct.pack("<d", NUMBER + 1)))
    with xr.open_dataset(path, engine="h5netcdf") as read:
        assert read["t_mem"].item() == NUMBER + 1  # nothing else would have noticed
    with pytest.raises(DamagedError, match="does not match its checksum"):
        files.read_runs(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda runs: runs.assign(t_mem=("run", runs["t_mem"].values.view(">f8"))),
        lambda runs: runs.assign_coords(run_json=runs["run_json"].str.replace("5", "7")),
        lambda runs: runs.rename(t_mem="t_men"),
        lambda runs: runs.assign(test_loss=runs["test_loss"] + 1e-15),
        lambda runs: runs.assign(test_loss=runs["test_loss"].where(runs["step"] > 0)),
        lambda runs: runs.isel(step=[0, 1]),
        lambda runs: runs.assign(final_b_1=-runs["final_b_1"]),
    ],
    ids=["byte order", "word", "name", "digit", "NaN", "length", "weight"],
)
def test_the_digest_is_another_for_another_content(small, change):
    assert files.content_digest(change(small)) != files.content_digest(small)


def test_the_digest_is_the_same_for_the_same_content(small):
    swapped = small.assign(t_mem=small["t_mem"].astype(">f8"))
    assert files.content_digest(swapped) == files.content_digest(small.copy(deep=True))


def test_a_run_under_another_name_is_refused(small, store):
    store.write(small)
    other = tiny(seed=1).name
    store.path(tiny().name).rename(store.path(other))
    with pytest.raises(DamagedError, match=f"{other}.nc holds another run than its name says"):
        store.read(other)


def test_a_run_that_is_not_what_it_describes_is_refused(small, tmp_path):
    renamed = small.assign_coords(name=("run", [tiny(seed=1).name]))
    with pytest.raises(DamagedError, match="is not the one that it describes"):
        files.read_runs(written(renamed, tmp_path))


def test_a_damaged_file_is_never_overwritten(small, store):
    store.folder.mkdir()
    path = store.path(tiny().name)
    path.write_bytes(b"not a run")
    with pytest.raises(DamagedError, match=f"{path} is damaged"):
        store.write(small)
    assert path.read_bytes() == b"not a run"


# ------------------------------------------------------------------------ folders that do not take


def test_a_folder_that_cannot_be_made_is_told_in_one_sentence(small, tmp_path):
    (tmp_path / "file").write_text("no folder")
    store = Store(tmp_path / "file" / "store")
    assert store.read(tiny().name) is None
    assert store.names() == []
    with pytest.raises(StoreError) as caught:
        store.write(small)
    sentence = str(caught.value)
    assert str(store.folder) in sentence
    assert "Not a directory" in sentence
    assert "GROKBOOK_RUNS" in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC])
@pytest.mark.parametrize("step", ["open", "fsync", "replace"])
def test_a_write_that_fails_leaves_everything_as_it_was(small, store, monkeypatch, code, step):
    store.write(small)
    path = store.path(tiny().name)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    if step == "open":
        monkeypatch.setattr(checkpoint, "open", fail, raising=False)
    else:
        monkeypatch.setattr(checkpoint.os, step, fail)
    with pytest.raises(StoreError, match=f"{os.strerror(code)}; free some space"):
        store.write(small.assign(t_mem=("run", [7.0])))
    assert [one.name for one in store.folder.iterdir()] == [path.name]
    assert path.read_bytes() == before


def test_a_file_that_may_not_be_read_is_not_called_damaged(small, store, monkeypatch):
    store.write(small)

    def refuse(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(StoreError, match="cannot be read: Permission denied"):
        store.read(tiny().name)


# ------------------------------------------------------------------------------------------- names


def test_the_folder_is_the_environment_s_or_the_user_s(tmp_path, monkeypatch):
    monkeypatch.setenv("GROKBOOK_RUNS", str(tmp_path / "mine"))
    assert Store().folder == tmp_path / "mine"
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GROKBOOK_RUNS", "~/runs")
    assert Store().folder == tmp_path / "runs"
    monkeypatch.delenv("GROKBOOK_RUNS")
    assert Store().folder == tmp_path / ".cache" / "grokbook"


def test_unfinished_runs_are_those_with_a_checkpoint_alone(small, store):
    store.write(small)
    for name in (tiny().name, tiny(seed=1).name):
        checkpoint.save(store.state_path(name), {"done": np.array(1)})
    (store.folder / ".half.nc.123.tmp").write_bytes(b"half a file")
    assert store.names() == [tiny().name]
    assert store.unfinished() == [tiny(seed=1).name]


def test_removing_takes_the_run_and_its_checkpoint_and_nothing_else(small, store):
    store.write(small)
    checkpoint.save(store.state_path(tiny().name), {"done": np.array(1)})
    checkpoint.save(store.state_path(tiny(seed=1).name), {"done": np.array(1)})
    store.remove(tiny().name)
    assert [path.name for path in store.folder.iterdir()] == [f"{tiny(seed=1).name}.state.npz"]
    with pytest.raises(StoreError, match=f"no run '{tiny().name}' in .*`grokbook runs` lists"):
        store.remove(tiny().name)
