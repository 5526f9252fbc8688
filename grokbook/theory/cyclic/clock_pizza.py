r"""Clock and pizza: two circuits that add on a circle, from products or from a sum alone.

Token a lies at $z_a = e^{i\omega a}$. The clock multiplies: $\mathrm{Re}(z_a z_b \bar z_c)$ is
$\cos\omega(a + b - c)$. The pizza sees the mean $m = (z_a + z_b)/2$ only, which points at half the
angle, $m = \cos\frac{\omega(a - b)}2\,e^{i\omega(a + b)/2}$, and whose sign is an accident of the
residues. Absolute values forget the sign and double the angle, so that the pizza's logit is
$|\cos\frac{\omega(a - b)}2| \cos\omega(a + b - c)$: weak where the operands lie opposite each
other, nothing at all for $a - b = n/2$ and odd k. Other frequencies are weak at other distances.
"""

import sympy as sp

from grokbook.theory.cyclic.characters import n
from grokbook.theory.cyclic.circuit import a, b, c, omega
from grokbook.theory.identity import Identity

t, u, phi, x = sp.symbols("t u phi x", real=True)
half_sum, half_gap = omega * (a + b) / 2, omega * (a - b) / 2


def in_exponentials(entry: sp.Expr) -> sp.Expr:
    r"""Write cosines and sines as powers of $e^{i\omega a}$, and expand; `simplify` is slower."""
    return sp.expand(entry.rewrite(sp.exp))


def sum_identity() -> Identity:
    """Return where the sum of two points of a circle lies; the wrong one has the sine's length."""
    left = sp.Matrix([wave(omega * a) + wave(omega * b) for wave in (sp.cos, sp.sin)])
    direction = sp.Matrix([sp.cos(half_sum), sp.sin(half_sum)])
    return Identity(
        "z_a + z_b = 2 cos(ω(a − b)/2) · (cos, sin)(ω(a + b)/2)",
        left,
        2 * sp.cos(half_gap) * direction,
        wrong=2 * sp.sin(half_gap) * direction,
        by=in_exponentials,
    )


def length_identity() -> Identity:
    """Return the squared length of the sum; the wrong one is that of the difference."""
    return Identity(
        "|z_a + z_b|² = 4 cos²(ω(a − b)/2) = 2 + 2 cos ω(a − b)",
        4 * sp.cos(half_gap) ** 2,
        2 + 2 * sp.cos(omega * (a - b)),
        wrong=2 - 2 * sp.cos(omega * (a - b)),
        by=in_exponentials,
    )


def clock_identity() -> Identity:
    """Return the clock, products of coordinates only; the wrong one adds c instead."""
    x_a, x_b, x_c = (sp.cos(omega * token) for token in (a, b, c))
    y_a, y_b, y_c = (sp.sin(omega * token) for token in (a, b, c))
    return Identity(
        "(x_a x_b − y_a y_b) x_c + (x_a y_b + y_a x_b) y_c = cos ω(a + b − c)",
        (x_a * x_b - y_a * y_b) * x_c + (x_a * y_b + y_a * x_b) * y_c,
        sp.cos(omega * (a + b - c)),
        wrong=sp.cos(omega * (a + b + c)),
        by=in_exponentials,
    )


def square_sum_identity() -> Identity:
    r"""Return the angle doubled by the square, $\mathrm{Re}((z_a + z_b)^2 \bar z_c)$.

    The wrong variant leaves the angle at $\omega(a + b)/2$, as a linear read-out would.
    """
    even, odd = (wave(omega * a) + wave(omega * b) for wave in (sp.cos, sp.sin))
    doubled = (even**2 - odd**2) * sp.cos(omega * c) + 2 * even * odd * sp.sin(omega * c)
    return Identity(
        "Re((z_a + z_b)² z̄_c) = 4 cos²(ω(a − b)/2) cos ω(a + b − c)",
        doubled,
        4 * sp.cos(half_gap) ** 2 * sp.cos(omega * (a + b - c)),
        wrong=4 * sp.cos(half_gap) ** 2 * sp.cos(half_sum - omega * c),
        by=in_exponentials,
    )


def phases_identity() -> Identity:
    r"""Return the angle doubled by absolute values, read out at every phase $\theta$.

    A neuron $|\mathrm{Re}(e^{-i\theta}m)| = |m||\cos(\theta - t)|$ with weight
    $\cos(2\theta - \varphi)$. The integrand repeats after $\pi$, so that $u = \theta - t$ runs over
    $(-\pi/2, \pi/2)$, where the cosine is positive. The wrong variant leaves the angle single.
    """
    integrand = sp.cos(u) * sp.cos(2 * (u + t) - phi) / sp.pi
    return Identity(
        "(1/π) ∫ |cos(θ − t)| cos(2θ − φ) dθ over half a turn = (2/3π) cos(2t − φ)",
        sp.Integral(integrand, (u, -sp.pi / 2, sp.pi / 2)),
        2 * sp.cos(2 * t - phi) / (3 * sp.pi),
        wrong=2 * sp.cos(t - phi) / (3 * sp.pi),
    )


def harmonics_identity(count: int = 3) -> Identity:
    r"""Return what |cos t| holds: $\frac4\pi\frac{(-1)^{m+1}}{4m^2 - 1}$ of $\cos 2mt$.

    The wrong variant forgets the alternating sign.
    """
    sizes = [4 / (sp.pi * (4 * m**2 - 1)) for m in range(1, count + 1)]
    found = [
        sp.Integral(2 * sp.cos(t) * sp.cos(2 * m * t) / sp.pi, (t, -sp.pi / 2, sp.pi / 2))
        for m in range(1, count + 1)
    ]
    return Identity(
        f"|cos t| = 2/π + (4/π) Σ_m (−1)^{{m+1}} cos(2mt)/(4m² − 1), first {count}",
        sp.Matrix(found),
        sp.Matrix([(-1) ** m * size for m, size in enumerate(sizes)]),
        wrong=sp.Matrix(sizes),
    )


def alias_identity(phases: int = 4) -> Identity:
    r"""Return what M phases $\theta_j = \pi j/M$ let through: harmonic 1, and M − 1 turned round.

    So the first error of |cos t| at M phases is $3/(4(M - 1)^2 - 1)$ of what is wanted, and at two
    phases, |cos t| − |sin t|, the two are one. The wrong variant takes M phases for all of them.
    """
    thetas = [sp.pi * j / phases for j in range(phases)]

    def passed(m: int) -> sp.Expr:
        terms = [sp.cos(2 * m * (t - theta)) * sp.cos(2 * theta - phi) for theta in thetas]
        return 2 * sum(terms) / phases

    silent = [0] * (phases - 3)
    return Identity(
        f"(2/M) Σ_j cos 2m(t − θ_j) cos(2θ_j − φ) for m = 1, …, M − 1, M = {phases}",
        sp.Matrix([passed(m) for m in range(1, phases)]),
        sp.Matrix([sp.cos(2 * t - phi), *silent, sp.cos(2 * (phases - 1) * t + phi)]),
        wrong=sp.Matrix([sp.cos(2 * t - phi), *silent, 0]),
    )


def weakest_identity() -> Identity:
    r"""Return the pizza's weakest distance for odd n: $k(a - b) \equiv (n \pm 1)/2$.

    The wrong variant forgets that the angle is halved.
    """
    return Identity(
        "cos(π(n − 1)/(2n)) = sin(π/(2n))",
        sp.cos(sp.pi * (n - 1) / (2 * n)),
        sp.sin(sp.pi / (2 * n)),
        wrong=sp.sin(sp.pi / n),
        by=lambda entry: sp.simplify(sp.expand_trig(sp.expand(entry, deep=True))),
    )


def blind_identity(order: int = 6) -> Identity:
    r"""Return the pizza's blind distance for even n and odd k: $z_a + z_{a + n/2} = 0$ for every a.

    The right answers $2a + n/2$ differ, and no function of the sum can tell them apart. The wrong
    variant lies one step beside it.
    """

    def sums(gap: int) -> sp.Matrix:
        angles = [2 * sp.pi * token / order for token in range(order)]
        step = 2 * sp.pi * gap / order
        rows = [[wave(at) + wave(at + step) for wave in (sp.cos, sp.sin)] for at in angles]
        return sp.Matrix(rows)

    return Identity(
        f"z_a + z_b = 0 for every a with b = a + n/2, n = {order}",
        sums(order // 2),
        sp.zeros(order, 2),
        wrong=sums(order // 2 + 1),
    )


def telescope_identity() -> Identity:
    r"""Return the step that sums the strengths of odd n: $\sum_d |\cos(\pi d/n)| = 1/\sin(\pi/2n)$.

    With $x = \pi/n$ and j from $-(n - 1)/2$ to $(n - 1)/2$ the ends are $\pm\sin(\pi/2)$. The wrong
    variant steps by x on both sides.
    """
    j = sp.symbols("j", integer=True)
    after, before = sp.sin((j + sp.Rational(1, 2)) * x), sp.sin((j - sp.Rational(1, 2)) * x)
    return Identity(
        "2 sin(x/2) cos jx = sin((j + 1/2)x) − sin((j − 1/2)x)",
        2 * sp.sin(x / 2) * sp.cos(j * x),
        after - before,
        wrong=sp.sin((j + 1) * x) - sp.sin((j - 1) * x),
        by=in_exponentials,
    )


def identities() -> tuple[Identity, ...]:
    """Return the derivation of the two circuits, in order.

    >>> len(identities())
    10
    """
    circuits = [clock_identity, sum_identity, length_identity, square_sum_identity]
    doubling = [phases_identity, harmonics_identity, alias_identity]
    weakness = [weakest_identity, blind_identity, telescope_identity]
    return tuple(step() for step in circuits + doubling + weakness)
