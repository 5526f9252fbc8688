r"""Flatness, proposition 3: what the penalty itself adds to the Hessian, for h = Wx, and the loss.

$\nabla^2_W = E[\nabla^2_h pen \otimes xx^\top]$ has the trace
$\frac{2\lambda}d E[\|x\|^2(d - (d-1)\sqrt d/r)]$ and no eigenvalue above
$\frac{2\lambda}d\lambda_{max}(\Sigma)$. Its trace is positive for $r > \sqrt d(1 - \frac1d)$: at
the sphere the penalty adds curvature. Whatever flattens the minimum lies in where the weights move,
and about that nothing is proved. The task's own curvature in the logits, diag p − ppᵀ, has a trace
of at most 2ℓ: where the loss vanishes, so does the Gauss-Newton part of its Hessian.
"""

import sympy as sp

from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality
from grokbook.theory.radial.split import d, lam, norm, penalty, penalty_hessian, radius, target

W = sp.Matrix(2, 2, sp.symbols("w:4", real=True))
x = sp.Matrix(sp.symbols("x:2", real=True))


def trace(size: sp.Expr, length: sp.Expr) -> sp.Expr:
    r"""Return $\frac{2\lambda}d\|x\|^2(d - (d-1)\sqrt d/r)$ of one sample."""
    return 2 * lam / d * size * (d - (d - 1) * sp.sqrt(d) / length)


def kronecker_identity() -> Identity:
    """Return the Hessian in the rows of W; the wrong variant exchanges the factors."""
    h = W * x
    factors = penalty_hessian(h), x * x.T
    return Identity(
        "∇²_W (λ/d)(‖Wx‖ − √d)² = ∇²_h ⊗ xxᵀ",
        sp.hessian(penalty(h), list(W)),
        sp.kronecker_product(*factors),
        wrong=sp.kronecker_product(*reversed(factors)),
        by=_together,
    )


def trace_identity() -> Identity:
    """Return its trace, d = 2; the wrong variant counts d negative directions."""
    h = W * x
    wrong = 2 * lam / d * x.dot(x) * (d - d * sp.sqrt(d) / norm(h))
    both = sp.kronecker_product(penalty_hessian(h), x * x.T).trace()
    return Identity(
        "Tr ∇²_W = (2λ/d)‖x‖²(d − (d − 1)√d/r), here d = 2",
        both.subs(d, 2),
        trace(x.dot(x), norm(h)).subs(d, 2),
        wrong=wrong.subs(d, 2),
    )


def added_inequality() -> Inequality:
    """Return where the penalty adds trace, and does not take it: R = √d."""
    across = target**2 - (target**2 - 1) * target / radius
    return Inequality(
        "r > √d(1 − 1/d) ⟹ Tr ∇²_W > 0",
        across > 0,
        needs=radius > target * (1 - 1 / target**2),
        given=(target > 1,),
    )


def largest_inequality() -> Inequality:
    """Return that no direction v has more curvature than the radial one, 2λ/d; c = ⟨ĥ, v⟩²."""
    c, size = sp.symbols("c v", positive=True)
    along = (1 - target / radius) * size + target / radius * c
    return Inequality("⟨ĥ,v⟩² ≤ ‖v‖² ⟹ vᵀ∇²_h v ≤ (2λ/d)‖v‖²", along <= size, needs=c <= size)


def logits_identity() -> Identity:
    """Return the task's curvature in three logits; the wrong variant leaves out ppᵀ."""
    z = sp.Matrix(sp.symbols("z:3", real=True))
    exponentials = z.applyfunc(sp.exp)
    p = exponentials / sum(exponentials)
    return Identity(
        "∇²_z ℓ = diag p − ppᵀ, here of 3 classes",
        sp.hessian(sp.log(sum(exponentials)) - z[0], list(z)),
        sp.diag(*p) - p * p.T,
        wrong=sp.diag(*p),
        by=_together,
    )


def loss_identity() -> Identity:
    """Return what its trace leaves of 2(1 − p_y), which is at most 2ℓ: squares; wrong without p_y.

    With −log p ≥ 1 − p the trace is 2ℓ at most.
    """
    others = sp.Matrix(sp.symbols("p_1:3", positive=True))
    p = sp.Matrix([1 - sum(others), *others])
    return Identity(
        "2(1 − p_y) − Tr(diag p − ppᵀ) = (1 − p_y)² + Σ_{c≠y} p_c²",
        2 * (1 - p[0]) - (sp.diag(*p) - p * p.T).trace(),
        (1 - p[0]) ** 2 + others.dot(others),
        wrong=others.dot(others),
    )


def _together(rest: sp.Expr) -> sp.Expr:
    return sp.expand(sp.numer(sp.together(rest)))


def identities() -> tuple[Identity | Inequality, ...]:
    """Return the penalty's own curvature, and what the loss leaves of the task's.

    >>> len(identities())
    6
    """
    return (
        kronecker_identity(),
        trace_identity(),
        added_inequality(),
        largest_inequality(),
        logits_identity(),
        loss_identity(),
    )
