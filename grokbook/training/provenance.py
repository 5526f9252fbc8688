"""What made a result: the code that trained it, the versions, the commit."""

import functools
import hashlib
import json
import platform
import subprocess
from importlib import metadata
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
TRAINING_ROOMS = ("groups.py", "tasks", "models", "measures", "training")


@functools.cache
def code_digest() -> str:
    """First 16 hexadecimal digits of the SHA-256 of every source file that a trajectory passes."""
    digest = hashlib.sha256()
    for room in TRAINING_ROOMS:
        path = PACKAGE / room
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(file.relative_to(PACKAGE).as_posix().encode() + file.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def versions() -> str:
    """Versions of Python and of the packages that a trajectory depends on, as JSON."""
    found = {name: metadata.version(name) for name in ("torch", "numpy", "xarray")}
    return json.dumps({"python": platform.python_version(), **found}, sort_keys=True)


@functools.cache
def git_commit() -> str:
    """Commit of the package's checkout, a plus sign behind it for changes; empty outside git."""

    def git(*words: str) -> str:
        answer = subprocess.run(
            ["git", "-C", str(PACKAGE), *words], capture_output=True, text=True, check=False
        )
        return answer.stdout.strip() if answer.returncode == 0 else ""

    try:
        commit = git("rev-parse", "HEAD")
        return commit + ("+" if commit and git("status", "--porcelain", ".") else "")
    except OSError:  # no git on this machine
        return ""
