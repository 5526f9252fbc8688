"""Sparse parity: which of two classes a word of bits belongs to is decided by a few of them."""

import random
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from grokbook.groups import checked_integer
from grokbook.tasks.task import Table

LONGEST = 62  # bits of a word that an int64 holds


@dataclass(frozen=True)
class SparseParity:
    r"""The parity $x_1 \oplus \dots \oplus x_k$ of the first k = `relevant` of p bits.

    Of the $2^p$ words `examples` distinct ones are drawn, always the same; a split divides these.
    Raises `ValueError` for more words than there are, and for a k that is not from 1 to p.

    >>> words, parities, classes = SparseParity(4, relevant=2, examples=3).table()
    >>> words.shape, classes, bool((words[:, :2].sum(1) % 2 == parities).all())
    ((3, 4), 2, True)
    """

    kind: ClassVar[str] = "sparse_parity"

    p: int
    relevant: int = 3
    examples: int = 50_000
    operation: Literal["parity"] = "parity"

    def __post_init__(self) -> None:
        p = checked_integer(self.p, name="p", what="a number of bits", least=2)
        object.__setattr__(self, "p", p)
        if p > LONGEST:
            raise ValueError(f"p = {p} bits are too many: give {LONGEST} or fewer.")
        if not 1 <= self.relevant <= p:
            raise ValueError(f"relevant = {self.relevant} is not from 1 to p = {p}.")
        if not 2 <= self.examples <= 2**p:
            raise ValueError(
                f"examples = {self.examples} cannot be drawn of the {2**p} words of {p} bits: "
                "give from 2 to that number."
            )

    def table(self) -> Table:
        """Return the words, one bit a column, their parities, and 2."""
        drawn = random.Random(0).sample(range(2**self.p), self.examples)
        words = np.array(drawn, dtype=np.int64)[:, None] >> np.arange(self.p) & 1
        return Table(words, words[:, : self.relevant].sum(1) % 2, 2)
