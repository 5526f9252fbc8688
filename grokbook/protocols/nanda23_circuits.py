"""The runs of Nanda et al. 2023 again, their weights along the way read for their circuit."""

from typing import Any

from grokbook.protocols.nanda23 import nanda23
from grokbook.protocols.protocol import Protocol

FRAMES = 96  # at most; about sixty stay


def nanda23_circuits(*, seeds: int = 5, steps: int = 40_000, **changes: Any) -> Protocol:
    """`nanda23` with frames: Fourier power, restricted and excluded loss, from first to last step.

    The runs are those of `nanda23`; more is asked of them.
    `changes` are hyper-parameters by their short names.
    """
    base = nanda23(seeds=seeds, steps=steps, **changes)
    return base.replace(keep_weights=False, frames=FRAMES)
