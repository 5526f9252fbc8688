"""Operation tables: binary operations modulo p, and the composition of a finite group."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Int64

from grokbook.groups import checked_integer, named

Residues = Int64[np.ndarray, "n"]


class Table(NamedTuple):
    """The examples of a task: what is read, their labels, the number of classes.

    Pairs stand in lexicographic order. An answer of several tokens has a label for each.
    """

    pairs: Int64[np.ndarray, "pairs operands"]
    labels: Int64[np.ndarray, "pairs *answer"]
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
    | `compose` | $x \cdot y$ in `group`, a group of p elements |

    A polynomial is named by its monomials, joined by `_plus_`, with an exponent written behind its
    variable. Raises `ValueError` for an unknown operation, for a $p$ that is not an integer of at
    least 2, for a division by a residue that has no inverse, and for a group of another order.

    >>> Task("divide", 5)
    Task(operation='divide', p=5, group='')
    >>> Task("compose", 4, group="Z_2 x Z_2").table().labels.reshape(4, 4)[3]
    array([3, 2, 1, 0])
    """

    operation: str
    p: int
    group: str = ""

    def __post_init__(self) -> None:
        known = (*operations(), "compose")
        if self.operation not in known:
            names = ", ".join(known)
            raise ValueError(f"operation = {self.operation!r} is not known: choose one of {names}")
        p = checked_integer(self.p, name="p", what="a modulus", least=2)
        object.__setattr__(self, "p", p)
        if self.operation in ("divide", "divide_or_subtract"):
            _refuse_division(self.operation, p)
        if self.operation == "compose":
            group = named(self.group)
            if group.order != p:
                raise ValueError(f"p = {p} is not the order of {group.name}: give {group.order}")
            object.__setattr__(self, "group", group.name)
        elif self.group:
            raise ValueError(
                f"group = {self.group!r} belongs to the operation compose, not {self.operation}"
            )

    def table(self) -> Table:
        r"""Return all defined pairs $(x, y)$, ordered by $x$ and then $y$, their labels, and $p$.

        There are $p^2$ pairs, or $p(p-1)$ for `divide`.

        >>> pairs, labels, classes = Task("divide", 3).table()
        >>> pairs.tolist(), labels.tolist(), classes
        ([[0, 1], [0, 2], [1, 1], [1, 2], [2, 1], [2, 2]], [0, 0, 1, 2, 2, 1], 3)
        """
        x, y = np.divmod(np.arange(self.p**2), self.p)
        if self.operation == "compose":
            return Table(np.stack([x, y], axis=1), named(self.group).table.flatten(), self.p)
        if self.operation == "divide":
            x, y = x[y != 0], y[y != 0]
        labels = _OPERATIONS[self.operation](x, y, self.p) % self.p
        return Table(np.stack([x, y], axis=1), labels, self.p)


def operations() -> tuple[str, ...]:
    """Return the operations modulo p that `Task` knows, all but the composition of a group.

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
