r"""The best single neuron has the mean margin γ*: means, norms and the constant.

With $s_j = (|\hat u_j|^2 + |\hat v_j|^2 + |\hat w_j|^2)/3$ the geometric mean gives
$|\hat u_j \hat v_j \hat w_j| \le s_j^{3/2}$. For norm 1 Parseval gives
$\sum_{j \le (p-1)/2} s_j \le p/6$, and $\|\cdot\|_{3/2} \le \|\cdot\|_1$ that
$\sum_j s_j^{3/2} \le (p/6)^{3/2}$. Two such sums, for j and −j, times $\frac{2}{(p-1)p^2}$ are γ*.
Equality needs a single frequency, no constants, $\|u\| = \|v\| = \|w\|$ and phases with
$\theta_u + \theta_v = \theta_w$. Nothing here needs p to be prime, only odd.
"""

import sympy as sp

from grokbook.theory.cyclic.cyclotomic import modulo_cyclotomic, root
from grokbook.theory.identity import Identity
from grokbook.theory.max_margin.duality import p


def gamma() -> sp.Expr:
    r"""Return $\gamma^* = \sqrt{2/27}\,/\,(\sqrt p\,(p - 1))$, exact.

    >>> gamma().subs(p, 3)
    sqrt(2)/18
    """
    return sp.sqrt(sp.Rational(2, 27)) / (sp.sqrt(p) * (p - 1))


def geometric_mean_identity() -> Identity:
    r"""Return the arithmetic mean less the geometric, which is not negative for $A, B, C \ge 0$.

    With $A^3 = |\hat u_j|^2$ and so on it bounds $|\hat u_j \hat v_j \hat w_j|$ by $s_j^{3/2}$. The
    wrong variant forgets the half.
    """
    A, B, C = sp.symbols("A B C", nonnegative=True)
    squares = (A - B) ** 2 + (B - C) ** 2 + (C - A) ** 2
    return Identity(
        "A³ + B³ + C³ − 3ABC = ½ (A + B + C) ((A − B)² + (B − C)² + (C − A)²)",
        A**3 + B**3 + C**3 - 3 * A * B * C,
        (A + B + C) * squares / 2,
        wrong=(A + B + C) * squares,
    )


def equal_norms_identity() -> Identity:
    r"""Return the largest product on the sphere $x^2 + y^2 + z^2 = 1$, where $A = B = C$.

    The wrong variant takes the mean of the squares for the product.
    """
    x = 1 / sp.sqrt(3)
    return Identity(
        "xyz = ((x² + y² + z²)/3)^{3/2} = 3^{−3/2} at x = y = z = 1/√3",
        sp.Matrix([x**3, (3 * x**2 / 3) ** sp.Rational(3, 2)]),
        sp.Matrix([1, 1]) * sp.Integer(3) ** sp.Rational(-3, 2),
        wrong=sp.Matrix([1, 1]) / 3,
    )


def three_halves_identity() -> Identity:
    r"""Return why one frequency is best: $s^{3/2} + t^{3/2} \le (s + t)^{3/2}$, $s = \sigma^2$.

    The difference of the squares is not negative, and is 0 only if s or t is; so for any number of
    terms. The wrong variant has the sign of the product turned.
    """
    s, t = sp.symbols("sigma tau", nonnegative=True)
    rest = 2 * s**2 + 2 * t**2
    return Identity(
        "(σ² + τ²)³ − (σ³ + τ³)² = σ²τ² (2σ² + 2τ² + (σ − τ)²)",
        (s**2 + t**2) ** 3 - (s**3 + t**3) ** 2,
        s**2 * t**2 * (rest + (s - t) ** 2),
        wrong=s**2 * t**2 * (rest + (s + t) ** 2),
    )


def constant_identity() -> Identity:
    """Return the bound, put together; the wrong one forgets the frequencies −j."""
    front = 2 / ((p - 1) * p**2)
    power = (p / 6) ** sp.Rational(3, 2)
    return Identity(
        "γ* = √(2/27)/(√p (p − 1)) = 2/((p − 1)p²) · 2 (p/6)^{3/2}",
        gamma(),
        front * 2 * power,
        wrong=front * power,
    )


def aligned_identity(order: int = 3) -> Identity:
    r"""Return the cross term of cosines with the phases α, β, γ; the wrong one adds the third.

    $x = e^{i\alpha}$, $y = e^{i\beta}$, $z = e^{i\gamma}$. It is largest at γ = α + β.
    """
    x, y, z = sp.symbols("x_alpha y_beta z_gamma", nonzero=True)

    def wave(phase: sp.Expr, place: int) -> sp.Expr:
        return (phase * root(place, order) + root(-place, order) / phase) / 2

    left = sum(wave(x, a) * wave(y, b) * wave(z, a + b) for a in range(order) for b in range(order))
    square = sp.Rational(order**2, 4)
    return Identity(
        f"Σ cos(ωa + α) cos(ωb + β) cos(ω(a + b) + γ) = (p²/4) cos(α + β − γ), p = {order}",
        left,
        square * (x * y / z + z / (x * y)) / 2,
        wrong=square * (x * y * z + 1 / (x * y * z)) / 2,
        by=modulo_cyclotomic(order),
    )


def attained_by_one_identity() -> Identity:
    r"""Return the mean margin of an aligned neuron of norm 1: three waves of squared norm 1/3.

    A cosine has the squared norm p/2. The wrong variant has norm 1 for each of the three.
    """
    front = p / (p - 1) * 2 / p**2 * p**2 / 4
    scale = sp.sqrt(sp.Rational(2, 3) / p)
    return Identity(
        "p/(p − 1) · (2/p²) · (p²/4) s³ = γ* at s = √(2/(3p))",
        front * scale**3,
        gamma(),
        wrong=front * sp.sqrt(2 / p) ** 3,
    )


def even_identity() -> Identity:
    r"""Return what an unpaired wave $(-1)^a$ of norm 1 has for even p: more than γ*.

    It has $|\hat u_{p/2}|^2 = p/3$ in one place, not in two halves. The wrong variant counts it
    twice, as one does a pair.
    """
    front = 2 / ((p - 1) * p**2)
    power = (p / 3) ** sp.Rational(3, 2)
    return Identity(
        "even p: 2/((p − 1)p²) · (p/3)^{3/2} = √2 γ*",
        front * power,
        sp.sqrt(2) * gamma(),
        wrong=2 * sp.sqrt(2) * gamma(),
    )


def identities() -> tuple[Identity, ...]:
    """Return the bound on one neuron, and when it is sharp, in order.

    >>> len(identities())
    7
    """
    means = [geometric_mean_identity, equal_norms_identity, three_halves_identity]
    sharp = [constant_identity, aligned_identity, attained_by_one_identity, even_identity]
    return tuple(step() for step in means + sharp)
