"""A checked inequality, and the premise without which its check must fail."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from grokbook.theory.identity import Checked, IdentityError, Point

MILLISECONDS = 20_000  # until z3 gives up

# How z3 writes what SymPy knows of a symbol.
FACTS = {
    "is_positive": lambda x: x > 0,
    "is_negative": lambda x: x < 0,
    "is_nonnegative": lambda x: x >= 0,
    "is_nonpositive": lambda x: x <= 0,
}


@dataclass(frozen=True)
class Inequality:
    r"""A conclusion that follows from premises, one of which, `needs`, cannot be left out.

    z3 finds no real numbers that satisfy `given` and `needs` and break the conclusion, and finds
    some once `needs` is dropped: the slip that a reader would make. All are polynomial or rational
    relations of real symbols, whose sign assumptions count as premises.

    >>> x, y = sp.symbols("x y", positive=True)
    >>> Inequality("x ≤ y ⟹ x² ≤ xy", x**2 <= x * y, needs=x <= y).check()
    x ≤ y ⟹ x² ≤ xy: True
    """

    name: str
    conclusion: Relational
    needs: Relational
    given: tuple[Relational, ...] = ()

    def check(self) -> Checked:
        """Prove the conclusion, show a point that breaks it where `needs` fails, return the line.

        Raises `IdentityError` if the conclusion does not follow, if z3 does not decide it, and if
        it follows without `needs`.
        """
        return _checked(self)


@functools.cache
def _checked(inequality: Inequality) -> Checked:
    """Do what `Inequality.check` says, once."""
    name, given = inequality.name, inequality.given
    if (point := _broken(name, (*given, inequality.needs), inequality.conclusion)) is not None:
        at = ", ".join(f"{symbol} = {value}" for symbol, value in point.items())
        raise IdentityError(f"{name}: fails at {at}")
    point = _broken(name, given, inequality.conclusion)
    if point is None:
        raise IdentityError(f"{name}: it follows without {inequality.needs}")
    return Checked(name, point)


def _broken(name: str, premises: tuple[Relational, ...], conclusion: Relational) -> Point | None:
    """Return a point that satisfies the premises and not the conclusion; None if there is none."""
    import z3  # 0.3 s that who only trains does not spend

    symbols = sorted(sp.And(conclusion, *premises).free_symbols, key=str)
    reals = {symbol: z3.Real(str(symbol)) for symbol in symbols}
    solver = z3.Solver()
    solver.set("timeout", MILLISECONDS)
    solver.add(*_facts(reals), *(_relation(premise, reals) for premise in premises))
    solver.add(z3.Not(_relation(conclusion, reals)))
    found = solver.check()
    if found == z3.unsat:
        return None
    if found == z3.unknown:
        raise IdentityError(f"{name}: undecided, since z3 gave up ({solver.reason_unknown()})")
    model = solver.model()
    return {symbol: _number(model.eval(x, model_completion=True)) for symbol, x in reals.items()}


def _facts(reals: dict[sp.Symbol, Any]) -> Iterator[Any]:
    for symbol, x in reals.items():
        for name, fact in FACTS.items():
            if getattr(symbol, name):
                yield fact(x)


def _relation(relation: Relational, reals: dict[sp.Symbol, Any]) -> Any:
    left, right = (_term(side, reals) for side in (relation.lhs, relation.rhs))
    compare = {
        "<": left.__lt__, "<=": left.__le__, ">": left.__gt__, ">=": left.__ge__,
        "==": left.__eq__,
    }  # fmt: skip
    return compare[relation.rel_op](right)


def _term(expression: sp.Expr, reals: dict[sp.Symbol, Any]) -> Any:
    """Return an expression of sums, products and whole powers as z3 writes it."""
    import z3

    if expression in reals:
        return reals[expression]
    if expression.is_Rational:
        return z3.Q(int(expression.p), int(expression.q))
    if expression.is_Pow and expression.exp.is_Integer:
        base, power = _term(expression.base, reals), int(expression.exp)
        product = functools.reduce(lambda a, b: a * b, [base] * abs(power))
        return product if power > 0 else 1 / product
    if expression.is_Add or expression.is_Mul:
        terms = [_term(each, reals) for each in expression.args]
        join = (lambda a, b: a + b) if expression.is_Add else (lambda a, b: a * b)
        return functools.reduce(join, terms)
    raise IdentityError(f"{expression} is not a rational expression: z3 cannot read it")


def _number(value: Any) -> sp.Expr:
    """Return a value of a model; an algebraic number to 20 digits."""
    import z3

    if not z3.is_rational_value(value):
        value = value.approx(20)
    return sp.Rational(value.numerator_as_long(), value.denominator_as_long())
