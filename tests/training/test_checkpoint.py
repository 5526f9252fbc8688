"""Checkpoints: whole or not at all, checked when read, and never unpickled."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest

from grokbook.training import checkpoint
from grokbook.training.checkpoint import DamagedError, load, save, write_atomically

ARRAYS = {
    "theta": np.linspace(0, 1, 7, dtype=np.float32),
    "curve_squared_norm/W_E": np.array([1.5, np.nan]),
    "generator": np.arange(5, dtype=np.uint8),
    "batches_used": np.array(64),
    "intervention_0_mean": np.linspace(1, 2, 7),
    "done": np.array(3),
    "run": np.array('{"p":"θ"}'),
}


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_arrays_come_back_as_they_were(tmp_path):
    path = tmp_path / "new" / "folder" / "state.npz"
    save(path, ARRAYS)
    found = load(path)
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype
    assert names(path.parent) == ["state.npz"]


def test_no_file_is_no_checkpoint(tmp_path):
    assert load(tmp_path / "state.npz") is None


def damaged(whole):
    middle = len(whole) // 2
    return {
        "empty": b"",
        "words": b"rubbish",
        "cut short": whole[:-40],
        "cut in half": whole[:middle],
        "begins late": whole[9:],
        "a flipped bit": whole[:200] + bytes([whole[200] ^ 1]) + whole[201:],
        "a pickle": pickle.dumps({"theta": [1.0]}),
    }


@pytest.mark.parametrize("kind", list(damaged(b"0" * 400)))
def test_a_damaged_file_is_named_and_kept(tmp_path, kind):
    path = tmp_path / "state.npz"
    save(path, ARRAYS)
    content = damaged(path.read_bytes())[kind]
    path.write_bytes(content)
    with pytest.raises(DamagedError) as caught:
        load(path)
    assert f"the checkpoint {path} is damaged" in str(caught.value)
    assert "delete it and run again" in str(caught.value)
    assert path.read_bytes() == content


class Bomb:
    """An object whose unpickling would be seen."""

    def __reduce__(self):
        return os.mkdir, (Bomb.folder,)


def test_objects_are_never_unpickled(tmp_path):
    Bomb.folder = str(tmp_path / "exploded")
    path = tmp_path / "state.npz"
    with path.open("wb") as file:
        np.savez(file, theta=np.array([Bomb()], dtype=object))
    with pytest.raises(DamagedError):
        load(path)
    assert names(tmp_path) == ["state.npz"]


def test_the_old_file_stays_until_the_new_one_is_whole(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_atomically(path, b"old")
    seen = []
    replace = os.replace

    def look_and_replace(source, target):
        with open(source, "rb") as file:
            seen.append((path.read_bytes(), file.read(), os.path.dirname(source)))
        replace(source, target)

    monkeypatch.setattr(os, "replace", look_and_replace)
    write_atomically(path, b"new")
    assert seen == [(b"old", b"new", str(tmp_path))]
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("function", ["replace", "fsync"])
@pytest.mark.parametrize("error", [OSError("no space"), KeyboardInterrupt()])
def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch, function, error):
    path = tmp_path / "file"
    write_atomically(path, b"old")

    def fail(*_):
        raise error

    monkeypatch.setattr(os, function, fail)
    with pytest.raises(type(error)):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


# The module is loaded from its file, which spares the process the import of torch.
FULL_DISK = """
import importlib.util, pathlib, resource, sys

spec = importlib.util.spec_from_file_location("checkpoint", sys.argv[1])
checkpoint = importlib.util.module_from_spec(spec)
spec.loader.exec_module(checkpoint)
path = pathlib.Path(sys.argv[2])
checkpoint.write_atomically(path, b"old")
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    checkpoint.write_atomically(path, b"new" * 1000)
except OSError as error:
    print("refused:", error)
"""


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path):
    pytest.importorskip("resource")  # the limit that plays the full disk is a Unix one
    command = [sys.executable, "-c", FULL_DISK, checkpoint.__file__, str(tmp_path / "file")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("refused:")
    assert (tmp_path / "file").read_bytes() == b"old"
    assert names(tmp_path) == ["file"]
