"""Which examples a step sees, drawn on the CPU, so that a batch seed means the same anywhere."""

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

AHEAD = 64  # batches drawn at once; the sequence does not depend on it


class Batches:
    """The whole training set, or `size` of `n` examples drawn with replacement at every step.

    >>> batches = Batches(seed=0, size=3, n=10)
    >>> batches.next().shape
    torch.Size([3])
    """

    def __init__(self, seed: int, size: int | None, n: int) -> None:
        self.size, self.n = size, n
        self.generator = torch.Generator().manual_seed(seed)
        self.before = self.generator.get_state()  # as the block at hand was drawn
        self.block: Int[Tensor, "ahead size"] | None = None
        self.used = 0

    def next(self) -> Int[Tensor, " size"] | None:
        """The rows of the next batch, or None for all."""
        if self.size is None:
            return None
        if self.block is None or self.used == len(self.block):
            self._draw()
        self.used += 1
        return self.block[self.used - 1]

    def _draw(self) -> None:
        self.before = self.generator.get_state()
        self.block = torch.randint(self.n, (AHEAD, self.size), generator=self.generator)
        self.used = 0

    def state(self) -> dict[str, np.ndarray]:
        """What a checkpoint needs to go on with the next batch."""
        return {"generator": self.before.numpy(), "batches_used": np.array(self.used)}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        """Draw the block at hand again and go to its place."""
        self.generator.set_state(torch.from_numpy(arrays["generator"]))
        self.before, self.block, self.used = self.generator.get_state(), None, 0
        if self.size is not None and (used := int(arrays["batches_used"])):
            self._draw()
            self.used = used
