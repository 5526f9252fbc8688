"""Notebooks that are executed side by side, in real builds of a tiny book."""

import os
import re
from pathlib import Path

import pytest

from grokbook.parallel_notebooks import reader_of
from tests.tiny_book import CONFIG, TOC, Book, notebook

# Each waits for the other, which has to be running for that: in turn, both would give up.
CELLS = """\
import time
from pathlib import Path
with open(Path("..") / "executions.txt", "a") as counter:
    counter.write("x")
Path("{me}").touch()
deadline = time.monotonic() + 40
while not Path("{other}").exists() and time.monotonic() < deadline:
    time.sleep(0.05)
print("{other} is there:", Path("{other}").exists())
"""
MARKDOWN = """\
---
jupytext:
  text_representation:
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
---

# In Markdown

```{{code-cell}} python
{}
```
"""


@pytest.fixture
def book(tmp_path: Path) -> Book:
    """A tiny book of two notebooks, one of them in Markdown, that meet."""
    book = Book(tmp_path)
    extension = "grokbook.sphinxext"
    config = CONFIG.replace(extension, f"{extension}, grokbook.parallel_notebooks")
    (tmp_path / "_config.yml").write_text(config, encoding="utf-8")
    (tmp_path / "_toc.yml").write_text(TOC + "- file: book/second\n", encoding="utf-8")
    source = Path(__file__).parents[1] / "grokbook" / "parallel_notebooks.py"
    (tmp_path / "grokbook" / source.name).write_bytes(source.read_bytes())
    book.chapter.write_text(notebook(CELLS.format(me="one", other="two")), encoding="utf-8")
    second = MARKDOWN.format(CELLS.format(me="two", other="one"))
    (tmp_path / "book" / "second.md").write_text(second, encoding="utf-8")
    return book


def said(book: Book, page: str) -> str:
    """The text of a page, without its markup."""
    return re.sub("<[^>]*>", "", book.page(page))


def test_two_notebooks_run_at_once_and_each_once(book: Book):
    assert book.build("-W", "-n") == 0
    pages = said(book, "chapter") + said(book, "second")
    met = "two is there: True" in pages and "one is there: True" in pages
    assert met == (os.cpu_count() > 1)  # a single core takes one after the other
    assert book.executions == 2
    assert book.build("-W", "-n") == 0
    assert book.executions == 2


def test_a_notebook_that_fails_beside_another_fails_the_build(book: Book):
    cells = CELLS.format(me="one", other="two") + "raise RuntimeError('on purpose')\n"
    book.chapter.write_text(notebook(cells), encoding="utf-8")
    assert book.build("-W", "-n") != 0
    assert "on purpose" in book.log
    assert not (book.root / "_build" / ".grokbook-digest").exists()


@pytest.mark.parametrize(
    ("name", "text", "reader"),
    [
        ("a.ipynb", "", "nbformat"),
        ("a.md", MARKDOWN, "myst_nb_md"),
        ("a.md", "# Prose", None),
        ("a.rst", "Prose", None),
    ],
)
def test_pages_with_code_have_a_reader(tmp_path: Path, name: str, text: str, reader: str | None):
    page = tmp_path / name
    page.write_text(text, encoding="utf-8")
    assert reader_of(page) == reader
