"""An inequality is proved only from what it needs, and says what is wrong with it otherwise."""

import pytest
import sympy as sp

from grokbook.theory.identity import IdentityError
from grokbook.theory.inequality import Inequality

x, y = sp.symbols("x y", positive=True)
u, v = sp.symbols("u v", real=True)


def test_it_is_one_line_with_a_point_that_breaks_it_without_the_premise():
    checked = Inequality("product", x * y <= y, needs=x <= 1).check()
    assert repr(checked) == "product: True"
    assert checked.point[x] > 1
    assert checked.point[y] > 0


def test_a_conclusion_that_does_not_follow_is_refuted_by_a_point():
    with pytest.raises(IdentityError, match="wrong: fails at x = "):
        Inequality("wrong", x <= y, needs=x <= 2 * y).check()


def test_a_premise_that_is_not_needed_is_refused():
    with pytest.raises(IdentityError, match="it follows without u <= v"):
        Inequality("square", u**2 + v**2 >= 2 * u * v, needs=u <= v).check()


def test_signs_of_symbols_are_premises():
    Inequality("positive", x + y >= u, needs=u <= x).check()
    with pytest.raises(IdentityError, match="fails"):
        Inequality("real", u + v >= x, needs=x <= u).check()


def test_powers_and_quotients_are_read():
    Inequality("quotient", x / y + y / x >= 2 * x**2 / y**2, needs=sp.Eq(x, y)).check()
    Inequality("rational", x * sp.Rational(3, 2) > y, needs=2 * x >= 2 * y).check()


def test_an_algebraic_counterexample_is_a_number():
    with pytest.raises(IdentityError, match="fails at u = "):
        Inequality("root", u**2 < 2, needs=sp.Eq(u**2, 2)).check()


def test_what_z3_cannot_read_is_said():
    with pytest.raises(IdentityError, match="not a rational expression"):
        Inequality("sine", sp.sin(u) <= 1, needs=u <= 1).check()
