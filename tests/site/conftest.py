"""The built pages, a server for them on this machine, and a browser to read them with."""

import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.site.alone import without_errors

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# A browser of its own accord asks for updates, and these are not the book's requests.
SWITCHES = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PATIENCE = 180_000  # milliseconds: a busy machine is no broken page


@pytest.fixture(scope="session")
def html() -> Path:
    """Return the folder of built pages: GROKBOOK_HTML, or _build/html in this checkout."""
    root = Path(__file__).resolve().parents[2]
    folder = Path(os.environ.get("GROKBOOK_HTML", root / "_build" / "html")).resolve()
    if not (folder / "search.html").is_file():
        pytest.fail(f"There are no built pages in {folder}: run `make book` first.", pytrace=False)
    return folder


@pytest.fixture(scope="session")
def pages(html: Path) -> list[Path]:
    """Return every page that a reader sees: no redirect, and no template of the theme."""
    found = [page for page in sorted(html.rglob("*.html")) if "_static" not in page.parts]
    return [page for page in found if not is_redirect(page)]


def is_redirect(page: Path) -> bool:
    """Say whether a page only sends the reader on."""
    return 'http-equiv="Refresh"' in page.read_text(encoding="utf-8")[:500]


@pytest.fixture(scope="session")
def site(html: Path) -> Iterator[str]:
    """Serve the pages on the loopback interface and return their address."""
    handler = partial(Quiet, directory=str(html))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A file server that keeps its log to itself."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    """Start the system's Chromium; the browser tests are skipped by name where there is none."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        pytest.skip("no Chromium on this machine")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=SWITCHES.split())
        yield browser
        browser.close()


@pytest.fixture
def tab(chromium) -> Iterator:
    """Open a fresh tab, with a memory of its own, in a window of 1400 by 900 pixels."""
    with chromium.new_context(viewport={"width": 1400, "height": 900}) as context:
        context.set_default_timeout(PATIENCE)
        yield context.new_page()


@pytest.fixture
def page(tab, written):
    """The tab with a module's own page open: `written` holds its addresses, by script or none."""
    with without_errors(tab):
        tab.goto(written[True])
        yield tab
