"""Operation tables modulo p, and their splits into a training and a test set."""

import random
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from numbers import Real
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from grokbook.groups import checked_integer

Residues = Int64[np.ndarray, "n"]


class Table(NamedTuple):
    """The examples of a task: pairs in lexicographic order, their labels, the number of classes."""

    pairs: Int64[np.ndarray, "pairs 2"]
    labels: Int64[np.ndarray, "pairs"]
    classes: int


@dataclass(frozen=True)
class Task:
    r"""A binary operation on the residues $0, \dots, p-1$, to be learned from a part of its table.

    All but `multiply` are from Power et al. 2022, appendix A.1.1; $x / y$ is $x \cdot y^{-1}$:

    | operation | label, mod $p$ |
    |---|---|
    | `add`, `subtract`, `multiply` | $x + y$, $x - y$, $xy$ |
    | `divide` | $x / y$, for $y \ne 0$ and $p$ prime |
    | `divide_or_subtract` | $x / y$ if the number $0 \le y < p$ is odd, otherwise $x - y$ |
    | `x2_plus_y2` | $x^2 + y^2$ |
    | `x2_plus_xy_plus_y2` | $x^2 + xy + y^2$ |
    | `x2_plus_xy_plus_y2_plus_x` | $x^2 + xy + y^2 + x$ |
    | `x3_plus_xy` | $x^3 + xy$ |
    | `x3_plus_xy2_plus_y` | $x^3 + xy^2 + y$ |

    A polynomial is named by its monomials, joined by `_plus_`, with an exponent written behind its
    variable. Raises `ValueError` for an unknown operation, for a $p$ that is not an integer of at
    least 2, and for a division by a residue that has no inverse.

    >>> Task("divide", 5)
    Task(operation='divide', p=5)
    """

    operation: str
    p: int

    def __post_init__(self) -> None:
        if self.operation not in operations():
            names = ", ".join(operations())
            raise ValueError(f"operation = {self.operation!r} is not known: choose one of {names}")
        p = checked_integer(self.p, name="p", what="a modulus", least=2)
        object.__setattr__(self, "p", p)
        if self.operation in ("divide", "divide_or_subtract"):
            _refuse_division(self.operation, p)

    def table(self) -> Table:
        r"""Return all defined pairs $(x, y)$, ordered by $x$ and then $y$, their labels, and $p$.

        There are $p^2$ pairs, or $p(p-1)$ for `divide`.

        >>> pairs, labels, classes = Task("divide", 3).table()
        >>> pairs.tolist(), labels.tolist(), classes
        ([[0, 1], [0, 2], [1, 1], [1, 2], [2, 1], [2, 2]], [0, 0, 1, 2, 2, 1], 3)
        """
        x, y = np.divmod(np.arange(self.p**2), self.p)
        if self.operation == "divide":
            x, y = x[y != 0], y[y != 0]
        labels = _OPERATIONS[self.operation](x, y, self.p) % self.p
        return Table(np.stack([x, y], axis=1), labels, self.p)


@dataclass(frozen=True)
class Split:
    r"""Which part of a table is for training: a share, a seed, and the shuffle that was published.

    `python_shuffle` shuffles the pairs, listed in lexicographic order, with Python's own generator
    and trains on the first $\lfloor f N \rfloor$ of them, the product taken in float64, as the
    released code of Nanda et al. 2023 does: 3830 of 12769 for $p = 113$ and $f = 0.3$.

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


def operations() -> tuple[str, ...]:
    """Return the names that `Task` knows.

    >>> operations()[:5]
    ('add', 'subtract', 'multiply', 'divide', 'divide_or_subtract')
    """
    return tuple(_OPERATIONS)


def _divide(x: Residues, y: Residues, p: int) -> Residues:
    inverses = np.zeros(p, dtype=np.int64)
    divisors = np.unique(y)
    inverses[divisors] = [pow(int(divisor), -1, p) for divisor in divisors]
    return x * inverses[y] % p


def _divide_or_subtract(x: Residues, y: Residues, p: int) -> Residues:
    odd = y % 2 == 1
    labels = x - y
    labels[odd] = _divide(x[odd], y[odd], p)
    return labels


def _refuse_division(operation: str, p: int) -> None:
    factors = _prime_factors(p)
    # The odd residues are invertible modulo a power of two as well.
    if len(factors) == 1 or (operation == "divide_or_subtract" and set(factors) == {2}):
        return
    below = next(q for q in range(p - 1, 1, -1) if len(_prime_factors(q)) == 1)
    above = next(q for q in range(p + 1, 2 * p) if len(_prime_factors(q)) == 1)
    raise ValueError(
        f"division modulo {p} is not defined for every pair: "
        f"{p} = {'·'.join(map(str, factors))} is not prime; "
        f"choose a prime such as {below} or {above}"
    )


def _prime_factors(n: int) -> list[int]:
    factors, divisor = [], 2
    while divisor * divisor <= n:
        while n % divisor == 0:
            factors.append(divisor)
            n //= divisor
        divisor += 1
    return [*factors, n] if n > 1 else factors


def _python_shuffle(n: int, seed: int) -> Int64[np.ndarray, "n"]:
    # Shuffling the row numbers moves them as shuffling the pairs themselves would. An instance
    # of its own gives what random.seed and random.shuffle give, and leaves the global state alone.
    order = list(range(n))
    random.Random(seed).shuffle(order)
    return np.array(order, dtype=np.int64)


_OPERATIONS: dict[str, Callable[[Residues, Residues, int], Residues]] = {
    "add": lambda x, y, p: x + y,
    "subtract": lambda x, y, p: x - y,
    "multiply": lambda x, y, p: x * y,
    "divide": _divide,
    "divide_or_subtract": _divide_or_subtract,
    "x2_plus_y2": lambda x, y, p: x**2 + y**2,
    "x2_plus_xy_plus_y2": lambda x, y, p: x**2 + x * y + y**2,
    "x2_plus_xy_plus_y2_plus_x": lambda x, y, p: x**2 + x * y + y**2 + x,
    "x3_plus_xy": lambda x, y, p: x**3 + x * y,
    "x3_plus_xy2_plus_y": lambda x, y, p: x**3 + x * y**2 + y,
}

_SHUFFLES: dict[str, Callable[[int, int], Residues]] = {"python_shuffle": _python_shuffle}
