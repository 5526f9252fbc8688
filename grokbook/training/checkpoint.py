"""Checkpoint files: plain arrays, written whole or not at all, and never unpickled."""

import io
import os
from pathlib import Path

import numpy as np


class DamagedError(Exception):
    """A file of the store that cannot be trusted; the message names it and says what to do."""


def write_atomically(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one step: a reader sees the old file or the new one, whole.

    Raises `OSError` (a full disk, a read-only folder) with the old file untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def save(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as one `.npz`, whose every member carries a checksum."""
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    write_atomically(path, buffer.getvalue())


def load(path: Path) -> dict[str, np.ndarray] | None:
    """Read the arrays back; None where there is no file. Raises `DamagedError` for a broken one."""
    if not path.exists():
        return None
    try:
        # Opened here, since np.load leaves the file of a broken archive open.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except Exception as error:  # broken bytes come as BadZipFile, ValueError, RuntimeError, …
        raise DamagedError(
            f"the checkpoint {path} is damaged ({error}); delete it and run again: "
            "the run then starts from step 0, and finished runs are not touched."
        ) from error
