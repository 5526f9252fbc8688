"""Which part of a table a run trains on."""

import random
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from numbers import Real

import numpy as np
from jaxtyping import Int64

from grokbook.groups import checked_integer

Shuffle = Callable[[int, int], Int64[np.ndarray, "n"]]


@dataclass(frozen=True)
class Split:
    r"""Which part of a table is for training: a share, a seed, and the shuffle that was published.

    `python_shuffle` shuffles the pairs, listed in lexicographic order, with Python's own generator
    and trains on the first $\lfloor f N \rfloor$ of them, the product taken in float64, as the
    released code of Nanda et al. 2023 does: 3830 of 12769 for $p = 113$ and $f = 0.3$. `in_order`
    shuffles nothing, for a text whose end is the test set; its seed has no effect.

    Raises `ValueError` for a share outside $(0, 1)$, a seed that is not an integer of at least 0
    (Python's generator would take $-1$ for $1$), and an unknown method.

    >>> Split(0.3, seed=0)
    Split(train_fraction=0.3, seed=0, method='python_shuffle')
    """

    train_fraction: float
    _: KW_ONLY
    seed: int
    method: str = "python_shuffle"

    def __post_init__(self) -> None:
        share = self.train_fraction
        # Written so that NaN, which no comparison accepts, is refused too.
        if isinstance(share, bool) or not (isinstance(share, Real) and 0 < share < 1):
            raise ValueError(
                f"train_fraction = {share!r} is not a share of the data: "
                "give a number between 0 and 1, such as 0.3"
            )
        seed = checked_integer(self.seed, name="seed", what="a seed", least=0)
        if self.method not in list(_SHUFFLES):
            names = ", ".join(_SHUFFLES)
            raise ValueError(f"method = {self.method!r} is not known: choose one of {names}")
        object.__setattr__(self, "train_fraction", float(share))
        object.__setattr__(self, "seed", seed)

    def indices(self, n: int) -> tuple[Int64[np.ndarray, "train"], Int64[np.ndarray, "test"]]:
        r"""Return the rows of an $n$-row table that are for training, and those for testing.

        Each in the order of the shuffle. Raises `ValueError` if $\lfloor f n \rfloor = 0$.

        >>> train, test = Split(0.5, seed=0).indices(6)
        >>> train.tolist(), test.tolist()
        ([4, 2, 1], [0, 5, 3])
        """
        # A float below 1 times n stays below n, so that only the training set can be empty.
        size = int(self.train_fraction * n)
        if size == 0:
            share = f"train_fraction = {self.train_fraction!r} of {n} pairs"
            raise ValueError(f"{share} leaves none for training: give a larger share")
        order = _SHUFFLES[self.method](n, self.seed)
        return order[:size], order[size:]


def _python_shuffle(n: int, seed: int) -> Int64[np.ndarray, "n"]:
    # Shuffling the row numbers moves them as shuffling the pairs themselves would. An instance
    # of its own gives what random.seed and random.shuffle give, and leaves the global state alone.
    order = list(range(n))
    random.Random(seed).shuffle(order)
    return np.array(order, dtype=np.int64)


_SHUFFLES: dict[str, Shuffle] = {
    "python_shuffle": _python_shuffle,
    "in_order": lambda n, _: np.arange(n),
}
