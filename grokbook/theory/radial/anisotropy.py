r"""Anisotropy, proposition 2: the penalty of a linear layer, exactly, and the published form.

$E L_{norm} = \frac1d[\mathrm{Tr}(W\Sigma W^\top) - 2\sqrt d\,E\|h\| + d]$ with
$\Sigma = E[xx^\top]$; published is the first term alone. With $\varrho = \|h\|/\sqrt d$ that is
$\varrho^2$ for $(\varrho - 1)^2$, wrong by $\frac{2\varrho - 1}{(\varrho - 1)^2}$: that is 0 in the
limit of large $\varrho$, the published premise, and 10 % at most from $\varrho = 11 + \sqrt{110}$
on. The gradients differ by the factor $1 - 1/\varrho$, negative inside the sphere. On
concatenated one-hots of all pairs Σ has the eigenvalues 0, 2/p, and 1/p for all the rest: nearly a
multiple of the identity.
"""

import sympy as sp

from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality
from grokbook.theory.radial.split import d, norm

rho = sp.symbols("rho", positive=True)


def mean_penalty(trace: sp.Expr, length: sp.Expr) -> sp.Expr:
    r"""Return $\frac1d[\mathrm{Tr}(W\Sigma W^\top) - 2\sqrt d\,E\|h\| + d]$."""
    return (trace - 2 * sp.sqrt(d) * length + d) / d


def relative_error() -> sp.Expr:
    r"""Return $\frac{2\varrho - 1}{(\varrho - 1)^2}$, the published form's excess."""
    return (2 * rho - 1) / (rho - 1) ** 2


def mean_identity() -> Identity:
    """Return the mean over two samples of a layer of two; the wrong variant is the published."""
    W = sp.Matrix(2, 2, sp.symbols("w:4", real=True))
    samples = [sp.Matrix(sp.symbols(f"{name}:2", real=True)) for name in "xy"]
    lengths = [norm(W * sample) for sample in samples]
    left = sum((length - sp.sqrt(d)) ** 2 / d for length in lengths) / 2
    Sigma = sum((sample * sample.T for sample in samples), sp.zeros(2, 2)) / 2
    trace = (W * Sigma * W.T).trace()
    return Identity(
        "E(‖Wx‖ − √d)²/d = [Tr(WΣWᵀ) − 2√d E‖Wx‖ + d]/d",
        left,
        mean_penalty(trace, sum(lengths) / 2),
        wrong=trace / d,
    )


def error_identity() -> Identity:
    """Return how far the published form is off; the wrong variant divides by it."""
    return Identity(
        "(ϱ² − (ϱ − 1)²)/(ϱ − 1)² = (2ϱ − 1)/(ϱ − 1)²",
        rho**2 / (rho - 1) ** 2 - 1,
        relative_error(),
        wrong=(2 * rho - 1) / rho**2,
    )


def premise_identity() -> Identity:
    """Return what the published form tends to under its premise; the wrong one exchanges them."""
    errors = relative_error(), rho * relative_error()
    return Identity(
        "(2ϱ − 1)/(ϱ − 1)² → 0 and ϱ(2ϱ − 1)/(ϱ − 1)² → 2 as ϱ → ∞",
        sp.Matrix([sp.limit(each, rho, sp.oo) for each in errors]),
        sp.Matrix([0, 2]),
        wrong=sp.Matrix([2, 0]),
    )


def tenth_inequality() -> Inequality:
    """Return that the error is a tenth at most from the larger root of ϱ² − 22ϱ + 11 on."""
    return Inequality(
        "ϱ > 1, ϱ² − 22ϱ + 11 ≥ 0 ⟹ (2ϱ − 1)/(ϱ − 1)² ≤ 1/10",
        relative_error() <= sp.Rational(1, 10),
        needs=rho**2 - 22 * rho + 11 >= 0,
        given=(rho > 1,),
    )


def root_identity() -> Identity:
    """Return the roots, 11 ± √110; the wrong variant has those of ϱ² − 22ϱ + 1."""
    return Identity(
        "ϱ² − 22ϱ + 11 = (ϱ − 11 − √110)(ϱ − 11 + √110)",
        rho**2 - 22 * rho + 11,
        (rho - 11 - sp.sqrt(110)) * (rho - 11 + sp.sqrt(110)),
        wrong=(rho - 11 - sp.sqrt(120)) * (rho - 11 + sp.sqrt(120)),
    )


def slope_identity() -> Identity:
    """Return that the gradients differ by 1 − 1/ϱ; the wrong variant has the sign turned."""
    slope, published = sp.diff((rho - 1) ** 2, rho), sp.diff(rho**2, rho)
    return Identity(
        "d(ϱ − 1)²/dϱ = (1 − 1/ϱ) dϱ²/dϱ",
        slope,
        (1 - 1 / rho) * published,
        wrong=(1 / rho - 1) * published,
    )


def spread_identity() -> Identity:
    """Return the penalty by mean and variance, of two values; the wrong one has no variance."""
    a, b = sp.symbols("a b", positive=True)
    mean = (a + b) / 2
    variance = ((a - mean) ** 2 + (b - mean) ** 2) / 2
    return Identity(
        "E(ϱ − 1)² = (Eϱ − 1)² + Var ϱ",
        ((a - 1) ** 2 + (b - 1) ** 2) / 2,
        (mean - 1) ** 2 + variance,
        wrong=(mean - 1) ** 2,
    )


def least_inequality() -> Inequality:
    """Return that the trace alone bounds the penalty from below: E(ϱ−1)² ≥ (√Eϱ² − 1)²."""
    a, b, q = sp.symbols("a b q", positive=True)
    return Inequality(
        "q² = Eϱ² ⟹ E(ϱ − 1)² ≥ (q − 1)²",
        ((a - 1) ** 2 + (b - 1) ** 2) / 2 >= (q - 1) ** 2,
        needs=sp.Eq(q**2, (a**2 + b**2) / 2),
    )


def one_hot_identity() -> Identity:
    """Return the eigenvectors of Σ on all pairs of one-hots, p = 5; the wrong one is centred.

    Ones on both halves; ones and their negative; and in each half what sums to 0.
    """
    p = 5
    ones, zeros = sp.ones(p, 1), sp.zeros(p, 1)
    cross = ones * ones.T / p**2
    Sigma = sp.BlockMatrix([[sp.eye(p) / p, cross], [cross, sp.eye(p) / p]]).as_explicit()
    differ = sp.Matrix([1, -1] + [0] * (p - 2))
    vectors = [
        ones.col_join(ones),
        ones.col_join(-ones),
        differ.col_join(zeros),
        zeros.col_join(differ),
    ]
    values = [sp.Rational(2, p), sp.Integer(0), sp.Rational(1, p), sp.Rational(1, p)]
    right = [value * vector for value, vector in zip(values, vectors, strict=True)]
    centred = [sp.zeros(2 * p, 1), *right[1:]]
    return Identity(
        "Σ of all pairs of one-hots has the eigenvalues 2/p, 0 and 1/p, here p = 5",
        sp.Matrix.hstack(*[Sigma * vector for vector in vectors]),
        sp.Matrix.hstack(*right),
        wrong=sp.Matrix.hstack(*centred),
    )


def identities() -> tuple[Identity | Inequality, ...]:
    """Return what the penalty is for a linear layer, and where the published form is right.

    >>> len(identities())
    9
    """
    return (
        mean_identity(),
        error_identity(),
        premise_identity(),
        tenth_inequality(),
        root_identity(),
        slope_identity(),
        spread_identity(),
        least_inequality(),
        one_hot_identity(),
    )
