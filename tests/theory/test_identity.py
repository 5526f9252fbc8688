"""What an identity accepts, and above all what it refuses."""

import dataclasses

import pytest
import sympy as sp

from grokbook.theory.identity import Identity, IdentityError

x, y = sp.symbols("x y")
k = sp.symbols("k", integer=True)
n = sp.symbols("n", integer=True, positive=True)
tau = sp.symbols("tau", positive=True)
theta, phi = sp.symbols("theta phi", real=True)
f = sp.Function("f")
a = sp.IndexedBase("a")


def rotation(angle):
    return sp.Matrix([[sp.cos(angle), -sp.sin(angle)], [sp.sin(angle), sp.cos(angle)]])


ACCEPTED = {
    "polynomial": ((x + y) ** 2, x**2 + 2 * x * y + y**2, x**2 + y**2),
    "whole number": (sp.Sum(sp.cos(2 * sp.pi * k / 5), (k, 0, 4)), 0, 1),
    "matrix": (rotation(theta) * rotation(phi), rotation(theta + phi), rotation(theta - phi)),
    "finite sum": (sp.Sum(k, (k, 1, n)), n * (n + 1) / 2, n * (n - 1) / 2),
    "series": (sp.Sum(1 / k**2, (k, 1, sp.oo)), sp.pi**2 / 6, sp.pi / 6),
    "integral": (sp.Integral(sp.exp(-x / tau), (x, 0, sp.oo)), tau, 1 / tau),
    "limit": (sp.Limit((1 + x / n) ** n, n, sp.oo), sp.exp(x), sp.exp(-x)),
    "derivative": (sp.Derivative(f(x) ** 2, x), 2 * f(x) * f(x).diff(x), f(x) * f(x).diff(x)),
    "sequence": (sp.Sum(a[k], (k, 0, 2)), a[0] + a[1] + a[2], a[0] + a[1]),
    "complex": (sp.exp(sp.I * theta), sp.cos(theta) + sp.I * sp.sin(theta), sp.cos(theta)),
    "root": (sp.sqrt(tau**2), tau, -tau),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_true_identities_are_proved_and_print_one_line(name):
    left, right, wrong = ACCEPTED[name]
    assert repr(Identity(name, left, right, wrong=wrong).check()) == f"{name}: True"


@pytest.mark.parametrize("name", ACCEPTED)
def test_the_wrong_variant_is_refused_as_an_identity(name):
    left, right, wrong = ACCEPTED[name]
    with pytest.raises(IdentityError, match=rf"^{name}: fails.*left − right = "):
        Identity(name, left, wrong, wrong=right).check()


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_wrong_variant_that_is_right_is_not_told_apart(name):
    left, right, _ = ACCEPTED[name]
    with pytest.raises(IdentityError, match="no point tells the wrong variant"):
        Identity(name, left, right, wrong=right).check()


def test_the_point_is_rational_and_tells_the_variant_apart():
    left, right, wrong = (x + tau) ** 2, x**2 + 2 * x * tau + tau**2, x**2 + tau**2
    point = Identity("square", left, right, wrong=wrong).check().point
    assert all(value.is_rational for value in point.values())
    assert point[tau] > 0
    assert (left - wrong).subs(point) != 0


@pytest.mark.parametrize(
    "facts",
    [
        {"integer": True, "positive": True},
        {"prime": True},
        {"even": True},
        {"odd": True, "negative": True},
        {"integer": False, "rational": True},
        {"zero": False, "real": True},
    ],
)
def test_points_respect_assumptions(facts):
    symbol = sp.symbols("s", **facts)
    point = Identity("double", symbol + symbol, 2 * symbol, wrong=3 * symbol).check().point
    assert all(getattr(point[symbol], f"is_{fact}") is truth for fact, truth in facts.items())


def test_a_failure_shows_its_counter_example():
    with pytest.raises(IdentityError) as caught:
        Identity("root of a square", sp.sqrt(x**2), x, wrong=-x).check()
    assert str(caught.value) == "root of a square: fails at x = -1/2, left − right = 1.0000"


def test_one_wrong_entry_of_a_matrix_fails():
    matrix = sp.eye(3) * x
    slip = sp.Matrix(3, 3, lambda i, j: x if i == j else sp.Integer(i == 2 and j == 0))
    with pytest.raises(IdentityError, match="fails"):
        Identity("scaled", matrix, slip, wrong=2 * matrix).check()
    assert Identity("scaled", matrix, sp.diag(x, x, x), wrong=slip).check()


def test_what_is_not_proved_is_not_believed():
    # True, and true at every point, but not shown by doing nothing.
    identity = Identity(
        "square", (x + 1) ** 2, x**2 + 2 * x + 1, wrong=x, by=lambda difference: difference
    )
    with pytest.raises(IdentityError, match=r"square: undecided, since left − right = .* remains"):
        identity.check()


def test_a_rewriting_alone_decides_nothing():
    careless = Identity("no", x**2, x, wrong=-x, by=lambda difference: sp.S.Zero)
    with pytest.raises(IdentityError, match="fails"):
        careless.check()


def test_a_side_that_is_undefined_somewhere_is_not_proved_there():
    geometric = Identity(
        "geometric", sp.Sum(x**k, (k, 0, n)), (1 - x ** (n + 1)) / (1 - x), wrong=x**n
    )
    with pytest.raises(IdentityError, match="undecided"):
        geometric.check()


def test_sides_that_are_undefined_everywhere_tell_nothing_apart():
    with pytest.raises(IdentityError, match=r"no point tells|undecided"):
        Identity("nothing", x, x, wrong=sp.nan).check()


def test_a_symbol_that_no_rational_can_be():
    imaginary = sp.symbols("q", imaginary=True)
    with pytest.raises(IdentityError, match="no rational number is at hand for the symbol q"):
        Identity("square", imaginary * imaginary, imaginary**2, wrong=imaginary).check()


@pytest.mark.parametrize("side", ["left", "right", "wrong"])
def test_refuses_a_float(side):
    sides = {"left": x, "right": x, "wrong": 2 * x, side: 0.5 * x}
    with pytest.raises(ValueError, match=rf"half: {side} = 0.5\*x holds a float"):
        Identity("half", **sides)


def test_refuses_other_shapes():
    with pytest.raises(ValueError, match="differ in shape"):
        Identity("row", sp.Matrix([[x, y]]), sp.Matrix([x, y]), wrong=sp.Matrix([y, x]))
    with pytest.raises(ValueError, match="differ in shape"):
        Identity("scalar", x, sp.Matrix([x]), wrong=y)


def test_refuses_a_matrix_symbol():
    with pytest.raises(ValueError, match="write M out"):
        Identity("trace", sp.Trace(sp.MatrixSymbol("M", 2, 2)), x, wrong=y)


def test_an_identity_is_frozen_and_keeps_no_hold_on_a_matrix():
    matrix = sp.Matrix([[x]])
    identity = Identity("copy", matrix, sp.Matrix([[x]]), wrong=sp.Matrix([[y]]))
    matrix[0, 0] = y
    assert identity.check()
    with pytest.raises(dataclasses.FrozenInstanceError):
        identity.left = y
