"""The run store: look up, train what is missing, keep."""

from grokbook.archive.chapter import chapter_runs
from grokbook.archive.experiments import EXPERIMENTS, experiments, pack
from grokbook.archive.store import Store, StoreError
from grokbook.archive.train import Found, archived, train

__all__ = [
    "EXPERIMENTS", "Found", "Store", "StoreError",
    "archived", "chapter_runs", "experiments", "pack", "train",
]  # fmt: skip
