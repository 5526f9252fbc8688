"""Operation tables of the residues and of finite groups, and their splits."""

from grokbook.tasks.split import Split
from grokbook.tasks.task import Table, Task, operations

__all__ = ["Split", "Table", "Task", "operations"]
