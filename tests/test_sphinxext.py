"""The notebook cache against real builds of a tiny book with a package of its own.

The builds need the network for nothing. Each takes seconds, so one book lives through a history of
builds, and every step of it is a statement about what was executed and what the page says.
"""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.tiny_book import CELLS, SOURCE, Book, notebook


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Book:
    """A book that has been built once; tests leave it built and right."""
    book = Book(tmp_path_factory.mktemp("tiny"))
    assert book.build("-W", "-n") == 0
    assert book.executions == 1
    assert "answer 1 first.nc" in book.page("chapter")
    return book


def test_only_a_change_that_a_notebook_can_see_executes_it(built: Book):
    before = built.executions

    built.prose.write_text("# Prose\n\nOther words.\n", encoding="utf-8")
    assert built.build() == 0
    assert "Other words" in built.page("prose")
    assert built.executions == before, "an edit in prose executed a notebook"

    built.say(2)
    assert built.build() == 0
    assert built.executions == before + 1, "an edit in the package executed nothing"
    assert "answer 2" in built.page("chapter")

    (built.root / "book" / "runs" / "second.nc").write_bytes(b"second")
    assert built.build() == 0
    assert built.executions == before + 2, "a new archived run executed nothing"
    assert "answer 2 first.nc second.nc" in built.page("chapter")
    assert (built.root / "_build/html/book/runs/second.nc").read_bytes() == b"second"


def test_a_failed_build_is_not_believed_by_the_next(built: Book):
    before = built.executions
    right = built.chapter.read_text(encoding="utf-8")
    built.chapter.write_text(notebook(CELLS + "raise RuntimeError"), encoding="utf-8")
    assert built.build() != 0
    assert built.executions == before + 1
    assert not stamp_of(built).exists()

    built.chapter.write_text(right, encoding="utf-8")
    built.say(3)
    assert built.build() == 0
    assert built.executions == before + 2
    assert "answer 3" in built.page("chapter")


def test_a_killed_build_is_not_believed_by_the_next(built: Book):
    before = built.executions
    built.package.write_text(
        "import time\n\ndef answer():\n    time.sleep(600)\n", encoding="utf-8"
    )
    process = built.start()
    try:
        deadline = time.monotonic() + 120
        while built.executions == before and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        kill_tree(process.pid)
        process.communicate()
    assert built.executions == before + 1
    assert not stamp_of(built).exists()

    built.say(4)
    assert built.build() == 0
    assert built.executions == before + 2
    assert "answer 4" in built.page("chapter")


def test_a_build_that_warned_warns_again(built: Book):
    before = built.executions
    right = built.prose.read_text(encoding="utf-8")
    built.prose.write_text(right + "\n[nowhere](nowhere.md)\n", encoding="utf-8")
    assert built.build("-W", "-n", "--keep-going") != 0
    assert built.build("-W", "-n", "--keep-going") != 0, (
        "the second build has forgotten the warning"
    )
    assert built.executions == before, "a warning in prose executed a notebook"
    built.prose.write_text(right, encoding="utf-8")


def stamp_of(book: Book) -> Path:
    """Return the place of a book's stamp."""
    return book.root / "_build" / ".grokbook-digest"


def kill_tree(pid: int) -> None:
    """Kill a build with SIGKILL, and the kernel that it started, which is a group of its own."""
    listing = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
    children: dict[int, list[int]] = {}
    for line in listing.splitlines():
        child, parent = map(int, line.split())
        children.setdefault(parent, []).append(child)
    doomed = [pid]
    for parent in doomed:
        doomed += children.get(parent, [])
    for victim in doomed:
        os.kill(victim, signal.SIGKILL)


# ------------------------------------------------------------------- the digest, without a build


@pytest.fixture
def extension(tmp_path: Path):
    """The extension as a module of a tiny package, so that the digest sees that package."""
    book = Book(tmp_path)
    spec = importlib.util.spec_from_file_location("tiny", tmp_path / "grokbook" / "sphinxext.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["tiny"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield SimpleNamespace(module=module, root=book.root)
    del sys.modules["tiny"]


@pytest.mark.parametrize(
    "name",
    [
        "grokbook/__init__.py",
        "grokbook/data/table.json",
        "book/runs/new.nc",
        "book/verdicts.json",
        "requirements.txt",
    ],
)
def test_the_digest_covers_what_a_notebook_reads(extension, name):
    before = extension.module.digest(extension.root)
    path = extension.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"changed")
    assert extension.module.digest(extension.root) != before


@pytest.mark.parametrize(
    "name", ["grokbook/__pycache__/a.pyc", "grokbook/.hidden", "book/prose.md", "tests/test_a.py"]
)
def test_the_digest_leaves_out_what_it_does_not(extension, name):
    before = extension.module.digest(extension.root)
    path = extension.root / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"changed")
    assert extension.module.digest(extension.root) == before


def test_a_renamed_file_counts(extension):
    before = extension.module.digest(extension.root)
    (extension.root / "book" / "runs" / "first.nc").rename(
        extension.root / "book" / "runs" / "renamed.nc"
    )
    assert extension.module.digest(extension.root) != before


def test_a_cache_outside_the_build_folder_is_left_alone(extension):
    treasure = extension.root / "elsewhere" / "treasure.txt"
    treasure.parent.mkdir()
    treasure.write_text("keep", encoding="utf-8")
    app = SimpleNamespace(
        outdir=str(extension.root / "_build" / "html"),
        srcdir=str(extension.root),
        builder=SimpleNamespace(name="html"),
        config=SimpleNamespace(nb_execution_cache_path=str(treasure.parent)),
    )
    with pytest.raises(ValueError, match=r"cache .*elsewhere must lie inside .*_build"):
        extension.module.CacheGuard().open(app)
    assert treasure.read_text(encoding="utf-8") == "keep"


def test_a_package_that_changes_during_a_build_leaves_no_stamp(extension):
    app = SimpleNamespace(
        outdir=str(extension.root / "_build" / "html"),
        doctreedir=str(extension.root / "_build" / ".doctrees"),
        srcdir=str(extension.root),
        builder=SimpleNamespace(name="html"),
        config=SimpleNamespace(nb_execution_cache_path=""),
        env=SimpleNamespace(),
        _warncount=0,
    )
    (extension.root / "_build").mkdir()
    stamp = extension.module.stamp_file(app)
    for edit, believed in ((False, True), (True, False)):
        guard = extension.module.CacheGuard()
        guard.open(app)
        if edit:
            (extension.root / "requirements.txt").write_text("numpy==3\n", encoding="utf-8")
        guard.close(app, None)
        assert stamp.exists() is believed


def test_a_notebook_that_failed_without_an_exception_leaves_no_stamp(extension):
    pages = {"a": {"exec_data": {"succeeded": True}}, "b": {"exec_data": {"succeeded": False}}}
    app = SimpleNamespace(env=SimpleNamespace(nb_metadata=pages | {"prose": {}}))
    assert extension.module.failed_notebooks(app) == ["b"]


def test_the_extension_needs_the_standard_library_alone():
    program = (
        "import sys; before = set(sys.modules); import runpy; "
        f"runpy.run_path({str(SOURCE)!r}); "
        "new = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-S", "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr
