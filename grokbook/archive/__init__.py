"""The run store: look up, train what is missing, keep."""

from grokbook.archive.chapter import chapter_runs
from grokbook.archive.experiments import EXPERIMENTS, experiments, pack
from grokbook.archive.store import Store, StoreError
from grokbook.archive.train import Found, archived, archived_together, train

__all__ = [
    "EXPERIMENTS", "Found", "Store", "StoreError",
    "archived", "archived_together", "chapter_runs", "experiments", "pack", "train",
]  # fmt: skip
