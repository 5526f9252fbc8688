"""Execute notebooks side by side, one process a core, before MyST-NB takes them in turn.

MyST-NB executes a page when it reads it, and one page after the other. This Sphinx extension fills
its cache first, so that it finds there what it would have executed.
"""

import logging
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor
from myst_nb.core.read import is_myst_markdown_notebook
from sphinx.util.logging import getLogger

from grokbook.sphinxext import cache_folder

# The executor would have the workers tell of their beginnings and ends, on stderr.
QUIET = logging.getLogger(__name__)
QUIET.setLevel(logging.ERROR)


def execute_ahead(app: Any, env: Any, pages: list[str]) -> None:
    """Fill the cache with the notebooks among the pages that are to be read, if two or more.

    One that fails is not cached: MyST-NB executes it again in its turn, and reports it. Of the
    execution's settings those are obeyed that the book sets: mode, cache and timeout.
    """
    if app.config.nb_execution_mode != "cache":
        return
    cache = get_cache(str(cache_folder(app)))
    records = [
        cache.add_nb_to_project(str(path), read_data={"name": reader, "type": "plugin"})
        for path in map(Path, map(env.doc2path, pages))
        if (reader := reader_of(path))
    ]
    waiting = [record.uri for record in records if cache.get_cached_project_nb(record.uri) is None]
    if len(waiting) > 1:
        getLogger(__name__).info(f"executing {len(waiting)} notebooks side by side")
        executor = load_executor("local-parallel", cache, QUIET)
        executor.run_and_cache(filter_uris=waiting, timeout=app.config.nb_execution_timeout)


def reader_of(page: Path) -> str | None:
    """Return the cache's name for the reader of a page, None for a page without code."""
    if page.suffix == ".ipynb":
        return "nbformat"
    text = page.read_text(encoding="utf-8") if page.suffix == ".md" else ""
    return "myst_nb_md" if is_myst_markdown_notebook(text) else None


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx, after the pages to read are known and before the first is read."""
    app.connect("env-before-read-docs", execute_ahead)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
