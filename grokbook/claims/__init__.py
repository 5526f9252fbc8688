"""Every claim of the book, one file a source, and the ledger that judges them."""

from grokbook.claims.claim import VERDICTS, Claim, Published, Verdict
from grokbook.claims.ledger import (
    CLAIMS,
    STORED,
    accept,
    find,
    ledger,
    moved,
    outstanding,
    stored_verdicts,
)
from grokbook.claims.shown import Shown, address, badge, measured

__all__ = [
    "CLAIMS", "STORED", "VERDICTS", "Claim", "Published", "Shown", "Verdict",
    "accept", "address", "badge", "find", "ledger", "measured", "moved", "outstanding",
    "stored_verdicts",
]  # fmt: skip
