"""Grokking, derived and verified: train many small networks, exactly as the papers did.

>>> import grokbook
>>> run = grokbook.Run(grokbook.Task("add", 5), grokbook.Split(0.6, seed=0), grokbook.MLP(width=8))
>>> [r.optimizer.weight_decay for r in grokbook.grid(run, weight_decay=[0.1, 1])]
[0.1, 1.0]
"""

from grokbook import protocols
from grokbook.archive import Store, StoreError, archived, chapter_runs, experiments, pack, train
from grokbook.groups import Group, cyclic, product
from grokbook.measures.onset import Rule, onset
from grokbook.models import MLP, Decoder, Transformer
from grokbook.tasks import Split, Task
from grokbook.training import interventions
from grokbook.training.checkpoint import DamagedError
from grokbook.training.optimizers import SGD, Adam, AdamW
from grokbook.training.request import Request
from grokbook.training.run import Batch, Loss, Run, grid

__version__ = "0.1.0"

__all__ = [  # noqa: RUF022 - in the order in which they are used, not of the alphabet
    # what is learned
    "Group", "cyclic", "product", "Task", "Split",
    # by what, and how
    "Transformer", "Decoder", "MLP", "AdamW", "Adam", "SGD", "Loss", "Batch", "interventions",
    "Run", "grid", "protocols",
    # training and its files
    "Request", "Rule", "train", "archived", "chapter_runs", "experiments", "pack",
    "Store", "StoreError", "DamagedError",
    # reading the result
    "onset",
]  # fmt: skip
