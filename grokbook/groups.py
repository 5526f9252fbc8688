"""Finite groups as Cayley tables over the elements 0, 1, …, n − 1."""

import functools
import operator
import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, Int64
from numpy.typing import ArrayLike


@dataclass(frozen=True, eq=False)
class Group:
    r"""A finite group on the elements $0, \dots, n-1$, given by its Cayley table.

    $\text{table}[a, b] = a \cdot b$, $\text{identity} = e$ and
    $\text{inverses}[a] = a^{-1}$. The arrays are copied and made read-only. Two groups are equal
    if their tables are; the name does not count. The constructor trusts what it is given:
    a table from elsewhere goes through `Group.from_table`, which checks the axioms.

    >>> cyclic(3).table
    array([[0, 1, 2],
           [1, 2, 0],
           [2, 0, 1]])
    """

    name: str
    table: Int64[np.ndarray, "n n"]
    identity: int
    inverses: Int64[np.ndarray, "n"]

    def __post_init__(self) -> None:
        for field in ("table", "inverses"):
            array = np.array(getattr(self, field), dtype=np.int64)
            array.setflags(write=False)
            object.__setattr__(self, field, array)

    @classmethod
    def from_table(cls, table: ArrayLike, *, name: str = "G") -> "Group":
        r"""Return the group with this Cayley table, after checking every axiom.

        Closure, identity, inverses and then associativity, the last over all $n^3$ triples.

        Raises `ValueError` with the first axiom that fails and a witness, such as
        '(1·1)·2 = 2 but 1·(1·2) = 0'.

        >>> Group.from_table([[0, 1], [1, 0]], name="sign").inverses
        array([0, 1])
        """
        array = _square_array(table)
        _check_closure(array)
        array = array.astype(np.int64)
        identity = _find_identity(array)
        inverses = _find_inverses(array, identity)
        _check_associativity(array)
        return cls(name, array, identity, inverses)

    @property
    def order(self) -> int:
        """The number of elements, $n$."""
        return len(self.table)

    @property
    def is_abelian(self) -> bool:
        r"""Whether $a \cdot b = b \cdot a$ for all pairs."""
        return bool((self.table == self.table.T).all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Group) and np.array_equal(self.table, other.table)

    def __hash__(self) -> int:
        return hash(self.table.tobytes())


def cyclic(n: int) -> Group:
    r"""Return $\mathbb{Z}_n$, the integers modulo $n$ under addition: $a \cdot b = a + b \bmod n$.

    $n = 1$ is the trivial group. Raises `ValueError` unless $n$ is an integer of at least 1.

    >>> cyclic(5).inverses
    array([0, 4, 3, 2, 1])
    """
    n = checked_integer(n, name="n", what="the order of a group", least=1)
    residues = np.arange(n)
    return Group(f"Z_{n}", (residues[:, None] + residues) % n, 0, -residues % n)


def product(left: Group, right: Group) -> Group:
    r"""Return the direct product $G \times H$ of `left` $= G$ and `right` $= H$.

    $(g, h) \cdot (g', h') = (gg', hh')$, and the element $(g, h)$ has the number $g\,|H| + h$,
    so that `divmod(element, right.order)` gives the pair back, and products of three groups
    have the same table in either bracketing.

    >>> klein = product(cyclic(2), cyclic(2))
    >>> klein.name, klein.order, klein.inverses.tolist()
    ('Z_2 × Z_2', 4, [0, 1, 2, 3])
    """
    n, size = left.order * right.order, right.order
    table = left.table[:, None, :, None] * size + right.table[None, :, None, :]
    inverses = left.inverses[:, None] * size + right.inverses
    return Group(
        f"{left.name} × {right.name}",
        table.reshape(n, n),
        left.identity * size + right.identity,
        inverses.reshape(n),
    )


def named(name: str) -> Group:
    r"""Return the group of a name: `Z_n`, or a direct product such as `Z_11 × Z_11`.

    The sign of the product may be an x. Raises `ValueError` for a name that is no such group.

    >>> named("Z_2 x Z_3").name
    'Z_2 × Z_3'
    """
    factors = [re.fullmatch(r"Z_([1-9]\d*)", part) for part in re.split(r" *[×x] *", name)]
    if not all(factors):
        raise ValueError(f"group = {name!r} is not known: give Z_n, or a product Z_n × Z_m")
    return functools.reduce(product, [cyclic(int(factor[1])) for factor in factors])


def checked_integer(value: object, *, name: str, what: str, least: int) -> int:
    """Return `value` as a plain `int`, or raise `ValueError` with one sentence that names it.

    NumPy integers become Python ones, so that the result has one JSON form; booleans, floats and
    strings are refused, even where they equal an integer.

    >>> checked_integer(1, name="p", what="a modulus", least=2)
    Traceback (most recent call last):
        ...
    ValueError: p = 1 is not a modulus: give an integer of at least 2
    """
    try:
        integer = None if isinstance(value, bool | np.bool_) else operator.index(value)
    except TypeError:
        integer = None
    if integer is None or integer < least:
        raise ValueError(f"{name} = {value!r} is not {what}: give an integer of at least {least}")
    return integer


def _square_array(table: ArrayLike) -> Int[np.ndarray, "n n"]:
    try:
        array = np.asarray(table)
    except ValueError:
        raise ValueError(
            "rows of unequal length are not a Cayley table: give a square one, n by n"
        ) from None
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.size == 0:
        raise ValueError(
            f"a table of shape {array.shape} is not a Cayley table: give a square one, n by n"
        )
    if not np.issubdtype(array.dtype, np.integer):
        raise ValueError(
            f"a table of {array.dtype} is not a Cayley table: give the integers 0 to n − 1"
        )
    return array


def _check_closure(table: Int[np.ndarray, "n n"]) -> None:
    n = len(table)
    outside = np.argwhere((table < 0) | (table >= n))
    if len(outside):
        a, b = outside[0]
        raise ValueError(
            f"the table is not a group: closure fails, {a}·{b} = {table[a, b]} "
            f"is not one of the elements 0 to {n - 1}"
        )


def _find_identity(table: Int64[np.ndarray, "n n"]) -> int:
    elements = np.arange(len(table))
    for e in elements:
        if (table[e] == elements).all() and (table[:, e] == elements).all():
            return int(e)
    # Every candidate fails somewhere; element 0 is the witness, being the one people expect.
    a = int(np.flatnonzero((table[0] != elements) | (table[:, 0] != elements))[0])
    raise ValueError(
        f"the table is not a group: no element is an identity, "
        f"for example 0·{a} = {table[0, a]} and {a}·0 = {table[a, 0]}"
    )


def _find_inverses(table: Int64[np.ndarray, "n n"], identity: int) -> Int64[np.ndarray, "n"]:
    two_sided = (table == identity) & (table.T == identity)
    missing = np.flatnonzero(~two_sided.any(axis=1))
    if len(missing):
        a = missing[0]
        raise ValueError(
            f"the table is not a group: {a} has no inverse, "
            f"no b gives {a}·b = b·{a} = {identity}, the identity"
        )
    return two_sided.argmax(axis=1)


def _check_associativity(table: Int64[np.ndarray, "n n"]) -> None:
    # One row at a time: all triples at once would need n³ entries, 3 GB for a group of order 720.
    for a, row in enumerate(table):
        wrong = np.argwhere(table[row] != row[table])
        if len(wrong):
            b, c = wrong[0]
            raise ValueError(
                f"the table is not a group: associativity fails, "
                f"({a}·{b})·{c} = {table[row[b], c]} but {a}·({b}·{c}) = {row[table[b, c]]}"
            )
