"""Groups that are not Z_p with p prime: the cyclic group of order 77, and Z_11 × Z_11."""

from typing import Any

from grokbook.protocols.nanda23 import nanda23
from grokbook.protocols.protocol import Protocol
from grokbook.tasks import Task

GROUPS = {"Z_77": 77, "Z_11 × Z_11": 121}


def products(*, seeds: int = 2, steps: int = 15_000, **changes: Any) -> Protocol:
    r"""`nanda23` on the tables of $Z_{77}$ and of $Z_{11} \times Z_{11}$, half of each.

    With one token an element $Z_7 \times Z_{11}$ is $Z_{77}$ under other names; in
    $Z_{11} \times Z_{11}$ no single character tells all elements apart. Half of the pairs, and not
    30 %, since the tables are smaller. `changes` are hyper-parameters by their short names.
    """
    base = nanda23(seeds=seeds, steps=steps, **{"train_fraction": 0.5} | changes)
    tasks = [Task("compose", order, group=group) for group, order in GROUPS.items()]
    runs = [
        run.replace(operation=task.operation, p=task.p, group=task.group)
        for task in tasks
        for run in base.runs
    ]
    return Protocol(tuple(runs), base.request)
