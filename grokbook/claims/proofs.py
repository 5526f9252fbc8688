"""Derivations before a judge: every identity proved, every wrong variant rejected."""

from grokbook.claims.claim import Verdict
from grokbook.theory.identity import Identity, IdentityError
from grokbook.theory.inequality import Inequality


def proved(identities: tuple[Identity | Inequality, ...]) -> tuple[int, Verdict | None]:
    """How many identities there are, and the verdict that ends the matter where one fails."""
    if not identities:
        return 0, Verdict("not yet run", note="The derivation has no step to check.")
    for identity in identities:
        try:
            identity.check()
        except IdentityError as error:
            return len(identities), Verdict("refuted", note=str(error))
    return len(identities), None
