"""A tiny book with a package of its own, for tests that build it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from nbformat import v4

SOURCE = Path(__file__).resolve().parents[1] / "grokbook" / "sphinxext.py"

MAIN = "from jupyter_book.cli.main import main; main()"
CONFIG = """\
title: Tiny
only_build_toc_files: true
exclude_patterns: [_build, grokbook]
execute: {execute_notebooks: cache, timeout: 60}
sphinx:
  config:
    extensions: [myst_nb, jupyter_book, sphinx_external_toc, sphinx_comments, grokbook.sphinxext]
    html_theme: basic
    html_theme_options: {}
    nb_execution_raise_on_error: true
"""
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
TOC = "format: jb-book\nroot: book/prose\nchapters:\n- file: book/chapter\n"
# The counter is the proof of execution: no page, log or cache record can fake it.
CELLS = """\
from pathlib import Path
import grokbook
with open(Path("..") / "executions.txt", "a") as counter:
    counter.write("x")
runs = sorted(path.name for path in Path("runs").glob("*"))
print("answer", grokbook.answer(), *runs)
"""


def notebook(cells: str) -> str:
    """Return a notebook of one cell as JSON."""
    title, code = v4.new_markdown_cell("# Chapter"), v4.new_code_cell(cells)
    return v4.writes(v4.new_notebook(cells=[title, code], metadata={"kernelspec": KERNEL}))


class Book:
    """A tiny book: one page of prose, one notebook, a package that holds the extension."""

    def __init__(self, root: Path):
        self.root = root
        self.package = root / "grokbook" / "__init__.py"
        self.chapter = root / "book" / "chapter.ipynb"
        self.prose = root / "book" / "prose.md"
        for folder in ("grokbook", "book/runs"):
            (root / folder).mkdir(parents=True)
        shutil.copy(SOURCE, root / "grokbook" / "sphinxext.py")
        self.say(1)
        self.chapter.write_text(notebook(CELLS), encoding="utf-8")
        self.prose.write_text("# Prose\n\nFirst words.\n", encoding="utf-8")
        (root / "book" / "runs" / "first.nc").write_bytes(b"first")
        (root / "requirements.txt").write_text("numpy==2\n", encoding="utf-8")
        (root / "_config.yml").write_text(CONFIG, encoding="utf-8")
        (root / "_toc.yml").write_text(TOC, encoding="utf-8")

    def say(self, answer: object) -> None:
        """Make the package give another answer."""
        self.package.write_text(f"def answer():\n    return {answer!r}\n", encoding="utf-8")

    def start(self, *options: str) -> subprocess.Popen:
        """Start a build in a process group of its own."""
        environment = os.environ | {
            "PYTHONPATH": str(self.root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "OMP_NUM_THREADS": "1",
        }
        return subprocess.Popen(
            [sys.executable, "-c", MAIN, "build", ".", *options],
            cwd=self.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def build(self, *options: str) -> int:
        """Build to the end and return the exit code; the log stays for a failing test."""
        process = self.start(*options)
        self.log = process.communicate()[0]
        print(self.log)
        return process.returncode

    @property
    def executions(self) -> int:
        """How often the notebook has been executed."""
        counter = self.root / "executions.txt"
        return counter.stat().st_size if counter.exists() else 0

    def page(self, name: str) -> str:
        """Return a built page."""
        return (self.root / "_build" / "html" / "book" / f"{name}.html").read_text(encoding="utf-8")
