"""A checked identity, and the wrong variant that its check must reject."""

import functools
from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from itertools import count, islice

import sympy as sp
from sympy.concrete.expr_with_limits import ExprWithLimits
from sympy.core.function import AppliedUndef

Side = sp.Expr | sp.MatrixBase | int
Point = dict[sp.Symbol, sp.Rational]

# Small numbers of both signs, integers and not, even, odd and prime: a value for most symbols'
# assumptions comes early, and few expressions vanish on all of them.
# fmt: off
CANDIDATES = ("3/2", "2", "5/3", "-1/2", "3", "1/3", "-2", "5", "7/4", "4",
              "-3/4", "1", "7", "6", "-5/2", "-3", "2/7", "11", "0")
# fmt: on
ATTEMPTS, ENOUGH = 40, 5
DIGITS, TOLERANCE = 30, sp.Rational(1, 10**12)
BINDING = (ExprWithLimits, sp.Derivative, sp.Limit, sp.Subs, sp.Lambda)


class IdentityError(ValueError):
    """An identity fails, cannot be decided, or is not told apart from its wrong variant."""


def simplified(entry: sp.Expr) -> sp.Expr:
    """Return 0 if expansion or SymPy's `simplify` finds it, the cheapest first, else the rest."""
    for rewrite in (sp.expand, sp.expand_trig, sp.simplify):
        if (rest := rewrite(entry)) == 0:
            break
    return rest


@dataclass(frozen=True)
class Checked:
    """What a check shows: its line, and a point at which the wrong variant differs."""

    name: str
    point: Point

    def __repr__(self) -> str:
        return f"{self.name}: True"


@dataclass(frozen=True)
class Identity:
    r"""A claim left ≡ right that SymPy proves, with a wrong variant that its check must reject.

    The sides are numbers, expressions or matrices of one shape, and may hold sums, integrals,
    derivatives, limits and undefined functions $f(x)$ or sequences $a_k$. `wrong` stands in the
    place of `right`: the slip that a reader would make in a sign, a factor or an index. `by` is the
    rewriting that turns left − right into 0, where expansion and `sympy.simplify` need help.

    Raises `ValueError` for sides of different shapes, for a float, since an identity is exact, and
    for a matrix that is a symbol.

    >>> x = sp.symbols("x")
    >>> Identity("(x + 1)² = x² + 2x + 1", (x + 1)**2, x**2 + 2*x + 1, wrong=x**2 + x + 1).check()
    (x + 1)² = x² + 2x + 1: True
    """

    name: str
    left: Side
    right: Side
    _: KW_ONLY
    wrong: Side
    by: Callable[[sp.Expr], sp.Expr] = simplified

    def __post_init__(self) -> None:
        for side in ("left", "right", "wrong"):
            value = sp.sympify(getattr(self, side))  # and a matrix becomes immutable
            if symbols := value.atoms(sp.MatrixSymbol):
                raise ValueError(f"{self.name}: write {symbols.pop()} out as a matrix of symbols")
            if value.has(sp.Float):
                raise ValueError(f"{self.name}: {side} = {value} holds a float: write a Rational")
            object.__setattr__(self, side, value)
        shapes = {_shape(side) for side in (self.left, self.right, self.wrong)}
        if len(shapes) > 1:
            raise ValueError(f"{self.name}: left, right and wrong differ in shape: {shapes}")

    def check(self) -> Checked:
        r"""Prove left − right ≡ 0, show a rational point where left ≠ wrong, return the line.

        First left and right are compared in numbers, at rational points that respect the symbols'
        assumptions; so a false identity is refused with its counter-example, and `by` decides
        nothing alone. Then `by` must turn left − right into 0, entry by entry. In the numbers an
        undefined function is a polynomial, which is enough to refute.

        Raises `IdentityError` if the identity fails, if `by` does not decide it, and if no point
        tells the wrong variant apart.
        """
        return _checked(self)


@functools.cache
def _checked(identity: Identity) -> Checked:
    """Do what `Identity.check` says, once: a chapter and its verdict ask for the same proofs."""
    difference = _difference(identity.left, identity.right)
    if (found := _nonzero(difference)) is not None:
        point, gap = found
        raise IdentityError(f"{identity.name}: fails{_at(point)}, left − right = {sp.N(gap, 5)}")
    for entry in difference:
        if (rest := identity.by(entry)) != 0:
            raise IdentityError(f"{identity.name}: undecided, since left − right = {rest} remains")
    if (found := _nonzero(_difference(identity.left, identity.wrong))) is None:
        raise IdentityError(
            f"{identity.name}: no point tells the wrong variant {identity.wrong} apart"
        )
    return Checked(identity.name, found[0])


def _shape(side: sp.Expr | sp.ImmutableDenseMatrix) -> tuple[int, ...]:
    """Return the shape of a matrix, () for a scalar."""
    return tuple(side.shape) if isinstance(side, sp.MatrixBase) else ()


def _difference(
    left: sp.Expr | sp.ImmutableDenseMatrix, right: sp.Expr | sp.ImmutableDenseMatrix
) -> list[sp.Expr]:
    """Return the entries of left − right, as far evaluated as SymPy can."""
    difference = left - right
    entries = list(difference) if isinstance(difference, sp.MatrixBase) else [difference]
    return [entry.doit() for entry in entries]


def _nonzero(entries: list[sp.Expr]) -> tuple[Point, sp.Expr] | None:
    """Return a rational point where an entry is not 0, and its value there; None if none shows."""
    entries = [_sampled(entry) for entry in entries]
    symbols = sorted(set().union(*(entry.free_symbols for entry in entries)), key=str)
    defined = 0
    for point in islice(_points(symbols), ATTEMPTS):
        values = [value for entry in entries if (value := _value(entry, point)) is not None]
        for value in values:
            if abs(value) > TOLERANCE:
                return point, value
        defined += bool(values)
        if defined == ENOUGH:
            break
    return None


def _points(symbols: list[sp.Symbol]) -> Iterator[Point]:
    """Yield rational points that respect the symbols' assumptions, coordinates out of step."""
    numbers = [sp.Rational(text) for text in CANDIDATES]
    pools = {symbol: [x for x in numbers if _allowed(x, symbol)] for symbol in symbols}
    for symbol, pool in pools.items():
        if not pool:
            raise IdentityError(f"no rational number is at hand for the symbol {symbol}")
    for step in count() if symbols else [0]:
        yield {
            symbol: pool[(step * (2 * i + 1) + 3 * i) % len(pool)]
            for i, (symbol, pool) in enumerate(pools.items())
        }


def _allowed(number: sp.Rational, symbol: sp.Symbol) -> bool:
    """Say whether a number satisfies a symbol's assumptions."""
    facts = symbol.assumptions0.items()
    return all(getattr(number, f"is_{name}", None) in (truth, None) for name, truth in facts)


def _sampled(entry: sp.Expr) -> sp.Expr:
    """Put a polynomial in the place of each undefined function and each indexed sequence."""
    names = sorted({_head(term) for term in entry.atoms(AppliedUndef, sp.Indexed)})

    def polynomial(term: sp.Expr) -> sp.Expr:
        places = term.indices if isinstance(term, sp.Indexed) else term.args
        weight = 2 * names.index(_head(term)) + 3
        return 1 + sum(x**3 / (weight + k) + (k + 2) * x for k, x in enumerate(places))

    sampled = entry.replace(lambda term: isinstance(term, AppliedUndef | sp.Indexed), polynomial)
    return sampled.doit()


def _head(term: sp.Expr) -> str:
    """Return the name of an applied function or an indexed sequence."""
    return str(term.base) if isinstance(term, sp.Indexed) else str(term.func)


def _value(entry: sp.Expr, point: Point) -> sp.Expr | None:
    """Return the number that an entry is at a point, None where it is not finite or no number."""
    # `subs` knows which symbols are bound, and takes ten times as long where none is.
    there = entry.subs(point).doit() if entry.has(*BINDING) else entry.xreplace(point)
    # Without `maxn` a 0 is sought to 100 digits.
    value = sp.sympify(there).evalf(DIGITS, maxn=DIGITS)
    parts = value.as_real_imag()
    return value if all(part.is_Number and part.is_finite for part in parts) else None


def _at(point: Point) -> str:
    """Return a point as words."""
    return " at " + ", ".join(f"{symbol} = {x}" for symbol, x in point.items()) if point else ""
