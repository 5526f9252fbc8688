"""Operation tables of residues and finite groups, sparse parity, and their splits."""

from grokbook.tasks.parity import SparseParity
from grokbook.tasks.split import Split
from grokbook.tasks.task import Table, Task, operations

TASKS = {"": Task, SparseParity.kind: SparseParity}

__all__ = ["TASKS", "SparseParity", "Split", "Table", "Task", "operations"]
