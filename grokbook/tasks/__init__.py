"""Operation tables of residues and finite groups, parity, digits, a text, and their splits."""

from grokbook.tasks.characters import Characters
from grokbook.tasks.digits import DigitAddition
from grokbook.tasks.parity import SparseParity
from grokbook.tasks.split import Split
from grokbook.tasks.task import Table, Task, operations

TASKS = {"": Task} | {task.kind: task for task in (SparseParity, DigitAddition, Characters)}

__all__ = [
    "TASKS",
    "Characters",
    "DigitAddition",
    "SparseParity",
    "Split",
    "Table",
    "Task",
    "operations",
]
