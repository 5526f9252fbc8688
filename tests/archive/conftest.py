"""Stores of their own, and a `book/runs` of their own, for the tests of the archive."""

from tests.tiny import book_runs, store

__all__ = ["book_runs", "store"]
