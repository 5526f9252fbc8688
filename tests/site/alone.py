"""Figures with a script, on a page of their own."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STATIC = Path(__file__).resolve().parents[2] / "book" / "_static"
PAGE = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{kind}</title>{styles}{script}</head>
<body style="margin:0"><article class="bd-article" style="padding:0 19px;max-width:640px">
{figures}</article></body></html>
"""
OUTPUT = '<div class="cell_output"><div class="output text_html">{}</div></div>'


def write(folder: Path, kind: str, figures: Iterable[Any], *, script: bool = True) -> str:
    """Write figures of one kind on a page, with or without their script; return its address."""
    sheets = ("fonts.css", "page.css", "parts.css", f"{kind}.css", "print.css")
    styles = (f'<link rel="stylesheet" href="{(STATIC / each).as_uri()}">' for each in sheets)
    source = f'<script defer src="{(STATIC / f"{kind}.js").as_uri()}"></script>'
    path = folder / f"{kind}{script}.html"
    page = PAGE.format(
        kind=kind,
        styles="".join(styles),
        script=source if script else "",
        figures="".join(OUTPUT.format(figure._repr_html_()) for figure in figures),
    )
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


def write_both(folder: Path, kind: str, figures: Iterable[Any]) -> dict[bool, str]:
    """The addresses of a page with these figures, with their script and without."""
    figures = tuple(figures)
    return {script: write(folder, kind, figures, script=script) for script in (True, False)}


@contextmanager
def without_errors(tab: Any) -> Iterator[Any]:
    """The tab; an error of a script in it fails the test."""
    errors: list[str] = []
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda message: message.type == "error" and errors.append(message.text))
    yield tab
    assert errors == []
