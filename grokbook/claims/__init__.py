"""Every claim of the book, one file a source, and the ledger that judges them."""

from grokbook.claims.claim import VERDICTS, Claim, Published, Verdict
from grokbook.claims.ledger import CLAIMS, STORED, accept, find, ledger, moved, stored_verdicts

__all__ = [
    "CLAIMS", "STORED", "VERDICTS", "Claim", "Published", "Verdict",
    "accept", "find", "ledger", "moved", "stored_verdicts",
]  # fmt: skip
