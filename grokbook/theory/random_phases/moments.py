r"""Mean and covariance of Gromov's network, its random phases integrated out.

Neuron k of $f(x) = \frac{1}{DN} W_2 (W_1 x)^2$, $D = 2p$, has the frequency
$\omega = 2\pi\sigma_k/p$ and two independent uniform phases. With $\alpha = \omega a + \varphi_1$,
$\beta = \omega b + \varphi_2$, which are uniform too, and $\delta = \omega(a + b - c)$ it adds
$$g_\delta = (\cos\alpha + \cos\beta)^2 \cos(\alpha + \beta - \delta)$$
to class c. The moments of g come from integrals over α and β; those of f are sums over the
frequencies $1, \dots, (p - 1)/2$, which equally many of the N neurons carry.
"""

from collections.abc import Callable

import sympy as sp
from sympy.simplify.fu import TR8

from grokbook.theory.cyclic.cyclotomic import modulo_cyclotomic, root
from grokbook.theory.identity import Identity

alpha, beta, delta, epsilon = sp.symbols("alpha beta delta epsilon", real=True)
p, N = sp.symbols("p N", positive=True)
u, v = sp.symbols("u v", real=True)  # (α + β)/2 and (α − β)/2
hit = sp.symbols("hit", integer=True, nonnegative=True)  # 1[c ≡ a + b (mod p)]


def neuron(shift: sp.Expr = delta) -> sp.Expr:
    r"""Return $g_\delta$, what a neuron adds to the class that is off by the angle δ.

    >>> neuron().subs({alpha: 0, beta: 0})
    4*cos(delta)
    """
    return (sp.cos(alpha) + sp.cos(beta)) ** 2 * sp.cos(alpha + beta - shift)


def mean_wave() -> sp.Expr:
    r"""Return $s = (p\,1[c \equiv a + b] - 1)/(p - 1)$, the mean of $\cos\delta$ over frequencies.

    >>> mean_wave().subs(hit, 1), mean_wave().subs(hit, 0)
    (1, -1/(p - 1))
    """
    return (p * hit - 1) / (p - 1)


def mean_formula() -> sp.Expr:
    r"""Return $E f_c = (p\,1[c \equiv a + b] - 1)/(4p(p - 1)) = s/(4p)$.

    >>> mean_formula().subs(hit, 1)
    1/(4*p)
    """
    return mean_wave() / (4 * p)


def variance_formula() -> sp.Expr:
    r"""Return $\mathrm{Var} f_c = (1 + s/16)/(4p^2N)$.

    >>> variance_formula().subs(hit, 1)
    17/(64*N*p**2)
    """
    return (1 + mean_wave() / 16) / (4 * p**2 * N)


def phase_mean(value: sp.Expr, *phases: sp.Symbol) -> sp.Expr:
    r"""Return the mean over uniform phases, as an integral that is not evaluated.

    The integrand is multiplied out, since SymPy is quick with single terms.
    """
    terms = sp.expand(sp.expand_trig(value))
    ranges = [(phase, 0, 2 * sp.pi) for phase in phases]
    return sp.Integral(terms, *ranges) / (2 * sp.pi) ** len(phases)


def product_identity() -> Identity:
    """Return g as waves, of which one has no phase; the wrong one turns the sign of a δ."""
    total = alpha + beta - delta
    pair = sp.cos(alpha - beta + delta) + sp.cos(alpha - beta - delta)
    outer = sp.cos(total + 2 * alpha) + sp.cos(total + 2 * beta) + 2 * sp.cos(total + alpha + beta)
    others = sp.cos(total) + (pair + outer + 2 * sp.cos(2 * beta - delta)) / 4
    return Identity(
        "g = ½ cos δ + waves that hold a phase",
        neuron(),
        sp.cos(delta) / 2 + others + sp.cos(2 * alpha - delta) / 2,
        wrong=sp.cos(delta) / 2 + others + sp.cos(2 * alpha + delta) / 2,
        by=lambda entry: sp.expand(TR8(sp.expand(entry))),
    )


def phase_identity() -> Identity:
    """Return why only what has no phase survives; the wrong one is the mean at j = 0."""
    j, c = sp.symbols("j", integer=True, nonzero=True), sp.symbols("c", real=True)
    return Identity(
        "∫ cos(jα + c) dα/2π = 0 for an integer j ≠ 0",
        phase_mean(sp.cos(j * alpha + c), alpha),
        0,
        wrong=sp.cos(c),
    )


def mean_identity() -> Identity:
    """Return the mean of g; the wrong one forgets the ½ of the product-to-sum."""
    return Identity(
        "E g_δ = ½ cos δ",
        phase_mean(neuron(), alpha, beta),
        sp.cos(delta) / 2,
        wrong=sp.cos(delta),
    )


def covering_identity() -> Identity:
    r"""Return g in half sums and differences, where it separates; the wrong one keeps whole ones.

    u and v are independent and uniform too, since $(u, v) \mapsto (u + v, u - v)$ covers the torus
    of phases twice, evenly.
    """
    wave = sp.cos(2 * u - delta)
    return Identity(
        "g_δ = 4 cos² v cos² u cos(2u − δ) for α = u + v, β = u − v",
        neuron().subs({alpha: u + v, beta: u - v}),
        4 * sp.cos(v) ** 2 * sp.cos(u) ** 2 * wave,
        wrong=4 * sp.cos(2 * v) ** 2 * sp.cos(2 * u) ** 2 * wave,
    )


def second_moment_identity() -> Identity:
    """Return the mean of g²; the wrong one has the wave of the variance, 1/16."""
    return Identity(
        "E g_δ² = 9/8 + (3/16) cos 2δ",
        _moment(delta, delta),
        (18 + 3 * sp.cos(2 * delta)) / 16,
        wrong=(18 + sp.cos(2 * delta)) / 16,
    )


def covariance_identity() -> Identity:
    """Return the covariance of two classes; the wrong one is E g_δ g_δ', the means left in."""
    near, far = sp.cos(delta - epsilon), sp.cos(delta + epsilon)
    return Identity(
        "E g_δ g_δ' − E g_δ E g_δ' = cos(δ − δ') + (1/16) cos(δ + δ')",
        _moment(delta, epsilon) - _moment(delta) * _moment(epsilon),
        near + far / 16,
        wrong=sp.Rational(9, 8) * near + sp.Rational(3, 16) * far,
    )


def skewness_identity() -> Identity:
    r"""Return the third central moment of the right class, $g_0 \in [-1/2, 4]$: far from Gaussian.

    Over $(17/16)^{3/2}$ it is a skewness of 1.71. The wrong variant leaves the mean in.
    """
    mean, square, cube = (_moment(*[sp.S.Zero] * power) for power in (1, 2, 3))
    return Identity(
        "E (g_0 − ½)³ = 15/8",
        cube - 3 * square * mean + 2 * mean**3,
        sp.Rational(15, 8),
        wrong=sp.Rational(115, 32),
    )


def telescope_identity() -> Identity:
    """Return the difference that a cosine is, so that their sum is its ends; the wrong one adds."""
    k, theta = sp.symbols("k theta", real=True)
    above, below = (sp.sin((k + side) * theta) for side in (sp.S.Half, -sp.S.Half))
    return Identity(
        "2 sin(θ/2) cos kθ = sin((k + ½)θ) − sin((k − ½)θ)",
        2 * sp.sin(theta / 2) * sp.cos(k * theta),
        above - below,
        wrong=above + below,
    )


def half_sum_identity() -> Identity:
    """Return Σ cos kθ over k = 1 … h, by its ends; the wrong one takes cosines to sum to 0."""
    h, r = sp.symbols("h r", integer=True, positive=True)
    theta = 2 * sp.pi * r / (2 * h + 1)
    ends = sp.sin((h + sp.S.Half) * theta) - sp.sin(theta / 2)
    return Identity(
        "(sin((h + ½)θ) − sin(θ/2))/(2 sin(θ/2)) = −½ for θ = 2πr/(2h + 1)",
        ends / (2 * sp.sin(theta / 2)),
        -sp.S.Half,
        wrong=0,
    )


def output_mean_identity(order: int = 7) -> Identity:
    """Return the mean output of every class; the wrong one takes the wrong classes' mean for 0."""
    mean = _frequency_mean(order, lambda shift: _wave(shift, order) / 2)
    return Identity(
        f"E f_c = (p 1[c ≡ a + b] − 1)/(4p(p − 1)), exactly for p = {order}",
        mean / (2 * order),
        _by_class(mean_formula(), order),
        wrong=_by_class(hit / (4 * p), order),
        by=modulo_cyclotomic(order),
    )


def output_variance_identity(order: int = 7) -> Identity:
    """Return the variance of every class; the wrong one leaves the squared means of g in."""
    variance = _frequency_mean(order, lambda shift: 1 + _wave(2 * shift, order) / 16)
    square = (18 + 3 * mean_wave()) / 16
    return Identity(
        f"Var f_c = (1 + (p 1[…] − 1)/(16(p − 1)))/(4p²N), exactly for p = {order}",
        variance / (4 * order**2 * N),
        _by_class(variance_formula(), order),
        wrong=_by_class(square / (4 * p**2 * N), order),
        by=modulo_cyclotomic(order),
    )


def random_variance_identity(order: int = 7) -> Identity:
    r"""Return the variance where the frequencies are random too; the wrong one has them even.

    The mean is the same; the variance grows by that of $\frac12 \cos\delta$ over the frequencies.
    """
    square = _frequency_mean(order, lambda x: (18 + 3 * _wave(2 * x, order)) / 16)
    mean = _frequency_mean(order, lambda x: _wave(x, order) / 2)
    return Identity(
        f"random frequencies: 4p²N Var f_c = 9/8 + 3s/16 − s²/4, exactly for p = {order}",
        square - mean.multiply_elementwise(mean),
        _by_class((18 + 3 * mean_wave()) / 16 - mean_wave() ** 2 / 4, order),
        wrong=_by_class(4 * p**2 * N * variance_formula(), order),
        by=modulo_cyclotomic(order),
    )


def identities() -> tuple[Identity, ...]:
    """Return the derivation, in order.

    >>> len(identities())
    12
    """
    first = [product_identity, phase_identity, mean_identity]
    second = [covering_identity, second_moment_identity, covariance_identity]
    sums = [skewness_identity, telescope_identity, half_sum_identity]
    outputs = [output_mean_identity, output_variance_identity, random_variance_identity]
    return tuple(step() for step in [*first, *second, *sums, *outputs])


def _moment(*shifts: sp.Expr) -> sp.Expr:
    r"""Return $E \prod_\delta g_\delta$ as an integral over v and one over u, not evaluated."""
    power, waves = len(shifts), sp.prod([sp.cos(2 * u - shift) for shift in shifts])
    inner, outer = sp.cos(v) ** (2 * power), 4**power * sp.cos(u) ** (2 * power) * waves
    return phase_mean(inner, v) * phase_mean(outer, u)


def _wave(turns: int, order: int) -> sp.Expr:
    r"""Return $\cos(2\pi j/p)$ in roots of unity."""
    return (root(turns, order) + root(-turns, order)) / 2


def _frequency_mean(order: int, statistic: Callable[[int], sp.Expr]) -> sp.Matrix:
    """Return the mean over the neurons, which share all frequencies, one row a shift δ."""
    half = order // 2
    return sp.Matrix(
        [sum(statistic(k * shift) for k in range(1, half + 1)) / half for shift in range(order)]
    )


def _by_class(value: sp.Expr, order: int) -> sp.Matrix:
    """Return a formula at p = order, for the right class first and then for the wrong ones."""
    rows = [int(shift == 0) for shift in range(order)]
    return sp.Matrix([value.subs({p: order, hit: row}) for row in rows])
