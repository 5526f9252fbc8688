"""Which examples a step sees, drawn on the CPU, so that a batch seed means the same anywhere."""

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

AHEAD = 64  # batches drawn at once with replacement; the sequence does not depend on it


class Batches:
    """The whole training set, or `size` of `n` examples at every step.

    Drawn with replacement; or dealt by `epochs`, each a permutation of the n examples in batches
    of `size`, the last one shorter.

    >>> batches = Batches(seed=0, size=3, n=10)
    >>> batches.next().shape
    torch.Size([3])
    >>> dealt = Batches(seed=0, size=6, n=10, epochs=True)
    >>> sorted(torch.cat([dealt.next(), dealt.next()]).tolist())
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    """

    def __init__(self, seed: int, size: int | None, n: int, *, epochs: bool = False) -> None:
        self.size, self.n, self.epochs = size, n, epochs
        self.generator = torch.Generator().manual_seed(seed)
        self.before = self.generator.get_state()  # as the block at hand was drawn
        self.block: Int[Tensor, " rows"] | None = None  # an epoch, or 64 batches
        self.used = 0  # batches of the block

    def next(self) -> Int[Tensor, " size"] | None:
        """The rows of the next batch, or None for all."""
        if self.size is None:
            return None
        batch = self.rest()[: self.size]
        self.used += 1
        return batch

    def rest(self) -> Int[Tensor, " rows"]:
        """What is left of the block at hand, its batches end to end; at its end, the next block."""
        if self.block is None or self.used * self.size >= len(self.block):
            self._draw()
        return self.block[self.used * self.size :]

    def _draw(self) -> None:
        self.before = self.generator.get_state()
        if self.epochs:
            self.block = torch.randperm(self.n, generator=self.generator)
        else:
            self.block = torch.randint(self.n, (AHEAD * self.size,), generator=self.generator)
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
