"""How verdicts are shown in the book: one look for chapters and ledger, as text and as HTML."""

import re
from dataclasses import dataclass
from html import escape
from typing import Any


@dataclass(frozen=True)
class Shown:
    """Rows of the ledger; `print` gives text that nbval compares, a notebook shows the HTML."""

    rows: tuple[dict[str, Any], ...]
    link: str = ""  # page that holds a claim's own anchor, empty on that page itself

    def __repr__(self) -> str:
        return "\n".join(
            f"{row['id']}: {row['verdict']}; {measured(row)}. {row['note']}".rstrip()
            for row in self.rows
        )

    def _repr_html_(self) -> str:
        return f'<div class="claims">{"".join(map(self._card, self.rows))}</div>'

    def _card(self, row: dict[str, Any]) -> str:
        head = f'<a class="claim-id" href="{address(row, self.link)}">{escape(row["id"])}</a>'
        facts = (
            ("Published", row["published"]),
            ("Measured", measured(row)),
            ("Criterion", row["criterion"]),
            ("Note", row["note"]),
        )
        listed = "".join(
            f"<dt>{name}</dt><dd>{marked_up(text)}</dd>" for name, text in facts if text
        )
        # The anchor stands in the ledger alone, so that it is the claim's one address.
        identity = "" if self.link else f' id="{address(row)[1:]}"'
        return (
            f'<section class="claim"{identity}><header>{head}{badge(row["verdict"])}</header>'
            f"<p>{escape(row['statement'])}</p><dl>{listed}</dl></section>"
        )


def address(row: dict[str, Any], page: str = "") -> str:
    """Where a claim stands in the ledger.

    >>> address({"id": "nanda23.onset_range"}, "ledger.html")
    'ledger.html#nanda23-onset-range'
    """
    return f"{page}#{escape(row['id'].replace('.', '-').replace('_', '-'))}"


def marked_up(text: str) -> str:
    """Text as HTML, what stands in backticks as code.

    >>> marked_up("p < .05; `make book` shows it")
    'p &lt; .05; <code>make book</code> shows it'
    """
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


def badge(verdict: str) -> str:
    """The verdict as a badge that the page's style colours."""
    return f'<span class="verdict" data-verdict="{escape(verdict)}">{escape(verdict)}</span>'


def measured(row: dict[str, Any]) -> str:
    """The measured number, its unit, interval and number of seeds, in words."""
    if row["measured"] is None:
        return "nothing measured"
    bound = f"{row['bound']}\u00a0" if row["bound"] else ""
    text = f"{bound}{number(row['measured'])} {row['unit']}"
    if row["interval"]:
        low, high = map(number, row["interval"])
        text += f", 95\u00a0% interval {low} to {high}"
    seeds = "seed" if row["n"] == 1 else "seeds"
    return text + (f", n = {row['n']} {seeds}" if row["n"] else "")


def number(value: float | str) -> str:
    """Three significant digits, whole numbers from 1,000 on with thousands separated.

    >>> number(6800.0), number(-0.58198), number("censored")
    ('6,800', '-0.582', 'censored')
    """
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"
