"""Derivations: SymPy identities that are checked, and hand-written NumPy predictions of them."""
