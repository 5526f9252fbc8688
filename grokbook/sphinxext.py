r"""Tie the notebook cache to everything that the notebooks read.

The cache of executed notebooks knows a notebook by its code cells alone. After a change in this
package or in the archived runs it would therefore put yesterday's numbers on today's page, and
say nothing. This extension keeps one stamp beside the cache, the digest of what the notebooks
depend on, and its rule is: *no stamp, no trust*.

- A build takes the stamp away before it starts, and writes it back only after it has succeeded,
  no notebook has failed, and the digest is still what it was at the start. A build that is
  interrupted in any way, even by ``SIGKILL``, so leaves no stamp.
- A build that finds no stamp, or another digest, drops the cache and reads every page again.
- A build that warned forgets Sphinx's environment, so that the next one reads every page again,
  from the cache, and repeats its warnings: an incremental ``-W`` build after a failed one would
  otherwise be green.

Prose is no part of the digest: an edited Markdown page executes nothing.
"""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent

# What a notebook can read besides its own cells, relative to the book's root.
BOOK_INPUTS = ("book/runs", "book/verdicts.json", "requirements.txt")


def tracked_files(root: Path) -> dict[str, Path]:
    """Return every file that a notebook's result may depend on, by its name in the digest.

    The package is taken from where it is imported, the rest from the book's ``root``. Byte code
    and hidden files are left out: they change without a change of meaning.
    """
    tops = {"grokbook": PACKAGE} | {name: root / name for name in BOOK_INPUTS}
    files = {}
    for name, top in tops.items():
        for path in [top, *top.rglob("*")]:
            inner = path.relative_to(top)
            hidden = any(part.startswith((".", "__pycache__")) for part in inner.parts)
            if path.is_file() and not hidden:
                files[(Path(name) / inner).as_posix()] = path
    return files


def digest(root: Path) -> str:
    """Return a digest of names and contents, so that a renamed file counts as a change.

    >>> len(digest(PACKAGE.parent))
    64
    """
    whole = hashlib.sha256()
    for name, path in sorted(tracked_files(root).items()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        whole.update(f"{name}\0{content}\n".encode())
    return whole.hexdigest()


@dataclass
class CacheGuard:
    """Decides, for one build, whether the cache may be believed.

    The handlers are methods because what the start of a build has seen must be known at its end.
    """

    seen: str = ""
    fresh: bool = False

    def open(self, app: Any) -> None:
        """Take the stamp away, and drop the cache unless the stamp vouched for it.

        Raises ``ValueError`` where the cache lies outside the build folder, which this extension
        may empty, but nothing else.
        """
        cache, build = cache_folder(app), Path(app.outdir).resolve().parent
        if build not in cache.parents:
            raise ValueError(f"The notebook cache {cache} must lie inside {build}.")
        self.seen = fingerprint(app)
        stamp = stamp_file(app)
        self.fresh = stamp.is_file() and stamp.read_text(encoding="utf-8") == self.seen
        stamp.unlink(missing_ok=True)
        if not self.fresh and cache.exists():
            shutil.rmtree(cache)

    def outdated(self, app: Any, env: Any, added: Any, changed: Any, removed: Any) -> list[str]:
        """Return every page for reading unless the cache is to be believed."""
        return [] if self.fresh else sorted(env.found_docs)

    def close(self, app: Any, exception: Exception | None) -> None:
        """Write the stamp after a success, and forget the environment after a warning."""
        if exception is None and not failed_notebooks(app) and fingerprint(app) == self.seen:
            stamp_file(app).write_text(self.seen, encoding="utf-8")
        if app._warncount:  # Sphinx has no public count
            (Path(app.doctreedir) / "environment.pickle").unlink(missing_ok=True)


def fingerprint(app: Any) -> str:
    """Return the digest with the builder's name, since pages written by one serve no other."""
    return f"{app.builder.name} {digest(Path(app.srcdir))}\n"


def stamp_file(app: Any) -> Path:
    """Return the place of the stamp, beside the cache and outside the pages."""
    return Path(app.outdir).resolve().parent / ".grokbook-digest"


def cache_folder(app: Any) -> Path:
    """Return the folder of executed notebooks, by MyST-NB's own rule."""
    default = Path(app.outdir).parent / ".jupyter_cache"
    return Path(app.config.nb_execution_cache_path or default).resolve()


def failed_notebooks(app: Any) -> list[str]:
    """Return the pages whose notebook ran and did not finish."""
    metadata = getattr(app.env, "nb_metadata", {})
    runs = {page: metadata[page].get("exec_data") or {} for page in sorted(metadata)}
    return [page for page, run in runs.items() if not run.get("succeeded", True)]


def publish_runs(app: Any, exception: Exception | None) -> None:
    """Copy ``book/runs`` beside the pages, so that the links below the figures lead somewhere.

    The links are relative to the notebook, hence the same in Jupyter and on the page.
    """
    if exception is None and app.builder.format == "html":
        source, target = (Path(top) / "book" / "runs" for top in (app.srcdir, app.outdir))
        if target.exists():
            shutil.rmtree(target)
        if source.is_dir():
            shutil.copytree(source, target)


def setup(app: Any) -> dict[str, bool]:
    """Connect the guard to Sphinx, first at the start of a build and last at its end."""
    guard = CacheGuard()
    app.connect("builder-inited", guard.open, priority=1)
    app.connect("env-get-outdated", guard.outdated)
    app.connect("build-finished", publish_runs)
    app.connect("build-finished", guard.close, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
