r"""The dropped term has a sign: $\langle\theta,\nabla L\rangle = D(CE - H)$ if homogeneous.

Euler's theorem gives $\langle\theta,\nabla z\rangle = Dz$ for logits of degree D, and cross-entropy
turns $\sum_c z_c(p_c - y_c)$ into the loss less the entropy of the prediction. It is negative if
and only if the network is under-confident on its training set. Per example it is at least
$-W((C-1)/e)$, W Lambert's function: so weight decay has a bounded opponent, and gradient flow obeys
$e^{-2\lambda t}V_0 \le V \le e^{-2\lambda t}V_0 + \frac{DW}{\lambda}(1 - e^{-2\lambda t})$, the
left side while $CE \le H$. The published upper bound is a lower bound.
"""

import sympy as sp

from grokbook.theory.contraction.one_step import V, dot, eta, lam, next_squared_norm, square
from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality

D, w, time, V_0 = sp.symbols("D w t V_0", positive=True)  # degree; Lambert's W((C − 1)/e)
gap = sp.symbols("h", real=True)  # H − CE


def _softmax(z: sp.Matrix) -> tuple[sp.Matrix, sp.Expr]:
    """Return the probabilities and the entropy of logits."""
    total = sum(sp.exp(each) for each in z)
    p = z.applyfunc(lambda each: sp.exp(each) / total)
    return p, -sum(each * sp.log(each) for each in p)


def _logs(rest: sp.Expr) -> sp.Expr:
    return sp.simplify(sp.expand_log(rest, force=True))


def logit_identity() -> Identity:
    """Return cross-entropy's own step for three classes; the wrong one adds the entropy."""
    z = sp.Matrix(sp.symbols("z:3", real=True))
    p, entropy = _softmax(z)
    loss = -sp.log(p[0])
    y = sp.Matrix([1, 0, 0])
    return Identity(
        "Σ_c z_c(p_c − y_c) = ℓ − H, for three classes",
        z.dot(p - y),
        loss - entropy,
        wrong=loss + entropy,
        by=_logs,
    )


def euler_identity() -> Identity:
    """Return Euler's theorem for two layers, z = b(a·x)²; the wrong one counts layers."""
    a0, a1, b, x0, x1 = sp.symbols("a0 a1 b x0 x1", real=True)
    z = b * (a0 * x0 + a1 * x1) ** 2
    left = sum(weight * sp.diff(z, weight) for weight in (a0, a1, b))
    return Identity("⟨θ,∇z⟩ = 3z for z = b(a·x)²", left, 3 * z, wrong=2 * z)


def homogeneous_identity() -> Identity:
    """Return both together, two classes and degree 2; the wrong one has degree 1."""
    a, b, feature = sp.symbols("a b x", real=True)
    z = sp.Matrix([a * b * feature, -a * b * feature])
    p, entropy = _softmax(z)
    loss = -sp.log(p[0])
    left = a * sp.diff(loss, a) + b * sp.diff(loss, b)
    return Identity(
        "⟨θ,∇ℓ⟩ = 2(ℓ − H) for logits ±abx",
        left,
        2 * (loss - entropy),
        wrong=loss - entropy,
        by=_logs,
    )


def spread_identity() -> Identity:
    """Return H − ℓ with all wrong classes alike; the wrong variant counts the right one too.

    For a given probability q of the right class no other prediction has more entropy.
    """
    odds, n = sp.symbols("r n", positive=True)  # (1 − q)/q and C − 1
    q = 1 / (1 + odds)
    left = -q * sp.log(q) - (1 - q) * sp.log((1 - q) / n) + sp.log(q)
    return Identity(
        "H − ℓ = (1 − q) log(q(C − 1)/(1 − q)) with equal wrong classes",
        left,
        (1 - q) * sp.log(n / odds),
        wrong=(1 - q) * sp.log((n + 1) / odds),
        by=_logs,
    )


def largest_identity() -> Identity:
    r"""Return the value and the slope at margin m = 1 + W, where $We^W = (C-1)/e$.

    As a function of the margin $H - \ell$ is $m(C-1)/(e^m + C - 1)$. The wrong variant looks at
    m = W.
    """
    m = sp.symbols("m", positive=True)
    others = w * sp.exp(w + 1)  # C − 1
    value = m * others / (sp.exp(m) + others)
    both = sp.Matrix([value, sp.diff(value, m)])
    return Identity(
        "H − ℓ = W((C − 1)/e) and its slope is 0 at the margin 1 + W",
        both.subs(m, 1 + w),
        sp.Matrix([w, 0]),
        wrong=both.subs(m, w),
    )


def flow_identity() -> Identity:
    r"""Return that the upper curve solves $\dot U = -2\lambda U + 2DW$; the wrong one has DW."""
    decay = sp.exp(-2 * lam * time)
    U = decay * V_0 + D * w / lam * (1 - decay)
    return Identity(
        "U = e^{−2λt}V_0 + (DW/λ)(1 − e^{−2λt}) solves U̇ = −2λU + 2DW",
        sp.diff(U, time),
        -2 * lam * U + 2 * D * w,
        wrong=-2 * lam * U + D * w,
    )


def slowed_inequality() -> Inequality:
    """Return that an under-confident network contracts at most as fast as decay alone."""
    kappa = 1 - D * gap / (lam * V)
    return Inequality("H ≥ CE ⟹ κ = 1 − D(H − CE)/(λV) ≤ 1", kappa <= 1, needs=gap >= 0)


def kept_inequality() -> Inequality:
    """Return how far it can be slowed."""
    kappa = 1 - D * gap / (lam * V)
    return Inequality(
        "H − CE ≤ W ⟹ κ ≥ 1 − DW/(λV)", kappa >= 1 - D * w / (lam * V), needs=gap <= w
    )


def descent_inequality() -> Inequality:
    """Return that gradient descent contracts by less than the published bound's rate, not more."""
    return Inequality(
        "⟨θ,∇L⟩ ≤ 0 ⟹ V′ ≥ (1 − ηλ)²V for gradient descent",
        next_squared_norm() >= (1 - eta * lam) ** 2 * V,
        needs=dot <= 0,
        given=(eta * lam < 1, square >= 0),
    )


def flipped_identity() -> Identity:
    r"""Return that Adam's first step can turn the sign: θ = (1, 10), x = (1, −1/20), margin 1/2.

    With $s = 1/(1+e^{m})$ the gradient is $-sx$. The wrong variant forgets the signs.
    """
    theta, x = sp.Matrix([1, 10]), sp.Matrix([1, sp.Rational(-1, 20)])
    s = 1 / (1 + sp.exp(theta.dot(x)))
    g = -s * x
    return Identity(
        "⟨θ,g⟩ = −s/2 < 0 and ⟨θ,sign g⟩ = 9 > 0",
        sp.Matrix([theta.dot(g), theta.dot(g.applyfunc(sp.sign))]),
        sp.Matrix([-s / 2, 9]),
        wrong=sp.Matrix([-s / 2, -9]),
    )


def excess() -> sp.Expr:
    r"""Return $V' - (1-\eta\lambda)V$ of one step, positive: the published recursion broken.

    Plain descent on the cross-entropy of one example with logits ±θ, at θ = 1 with η = 1/10 and
    λ = 1/100: it is classified, the gradient has no noise, and V grows.

    >>> excess().evalf(4)
    0.04720
    """
    theta, rate, decay = sp.Integer(1), sp.Rational(1, 10), sp.Rational(1, 100)
    slope = -2 / (1 + sp.exp(2 * theta))
    after = (1 - rate * decay) * theta - rate * slope
    return after**2 - (1 - rate * decay) * theta**2


def identities() -> tuple[Identity | Inequality, ...]:
    """Return the sign of the dropped term, and what follows from it.

    >>> len(identities())
    10
    """
    return (
        logit_identity(),
        euler_identity(),
        homogeneous_identity(),
        spread_identity(),
        largest_identity(),
        flow_identity(),
        slowed_inequality(),
        kept_inequality(),
        descent_inequality(),
        flipped_identity(),
    )
