r"""Activations share weights: $\dot h_i = -\sum_j K_{ij}\nabla_j$, K the flow's tangent kernel.

For one linear layer h = Wx the kernel is $K_{ij} = \langle x_i, x_j\rangle I$. A strictly radial
penalty on $h_j$ then turns $h_i$ by $-(I - P_i)K_{ij}\nabla_j$. Whatever the numbers
$c_j = \langle\hat h_j, \nabla_j\rangle$, that vanishes if and only if
$(I - P_i)K_{ij}\hat h_j = 0$ for all j: orthogonal inputs, or parallel activations. Where inputs
depend on each other the $c_j$ are not any numbers, and terms may cancel. A single sample is safe in
a linear layer, and in a deeper one only where its h is an eigenvector of its own kernel.
What angular forces do to norms, $P_jK_{ji}(I - P_i)$, is the transpose of that. AdamW, which
divides by $D = \sqrt{\hat v} + \epsilon$, has $D^{-1}$ within the kernel while D stands still and
but for momentum and decay: then one sample in one linear layer can be turned, too.
"""

import sympy as sp

from grokbook.theory.identity import Identity
from grokbook.theory.radial.split import d, lam, norm, penalty, penalty_gradient, tangential

W = sp.Matrix(2, 2, sp.symbols("w:4", real=True))
x, y = (sp.Matrix(sp.symbols(f"{name}:2", real=True)) for name in "xy")
PAIR = {  # two samples whose activations are orthogonal and whose inputs are not
    "W": sp.Matrix([[2, -2], [0, 2 * sp.sqrt(2)]]),
    "x": (sp.Matrix([1, 0]), sp.Matrix([1, 1]) / sp.sqrt(2)),
}


def shared_velocity(weights: sp.Matrix, inputs: tuple[sp.Matrix, ...], which: int) -> sp.Matrix:
    r"""Return $\dot h_i = \dot W x_i$ as the weights descend the summed penalties."""
    free = sp.Matrix(2, 2, sp.symbols("v:4", real=True))
    total = sum(penalty(free * each) for each in inputs)
    slope = free.applyfunc(lambda weight: sp.diff(total, weight))
    return -slope.subs(dict(zip(free, weights, strict=True))) * inputs[which]


def kernel_velocity(weights: sp.Matrix, inputs: tuple[sp.Matrix, ...], which: int) -> sp.Matrix:
    r"""Return $-\sum_j\langle x_i, x_j\rangle\nabla_j$."""
    pulls = (inputs[which].dot(each) * penalty_gradient(weights * each) for each in inputs)
    return -sum(pulls, sp.zeros(2, 1))


def kernel_identity() -> Identity:
    """Return the kernel of a linear layer; the wrong variant moves each sample by itself."""
    alone = -x.dot(x) * penalty_gradient(W * x)
    return Identity(
        "ḣ_i = Ẇx_i = −Σ_j ⟨x_i, x_j⟩∇_j for h = Wx",
        shared_velocity(W, (x, y), 0),
        kernel_velocity(W, (x, y), 0),
        wrong=alone,
        by=_together,
    )


def turned_identity() -> Identity:
    r"""Return that a radial penalty turns $h_1$: two neurons, $h_1 = (2, 0)$, $h_2 = (0, 2)$.

    With d = 2 and λ = 1 the tangential part is $-(2 - \\sqrt2)/\\sqrt2$. The wrong variant is what
    free activations would do.
    """
    inputs, weights = PAIR["x"], PAIR["W"]
    velocity = shared_velocity(weights, inputs, 0).subs({d: 2, lam: 1})
    return Identity(
        "(I − P_1)ḣ_1 = (0, −(2 − √2)/√2) on two samples: the penalty turns h_1",
        tangential(weights * inputs[0]) * velocity,
        sp.Matrix([0, -(2 - sp.sqrt(2)) / sp.sqrt(2)]),
        wrong=sp.zeros(2, 1),
    )


def orthogonal_identity() -> Identity:
    """Return that orthogonal inputs are safe; the wrong variant has inputs that are not."""
    across = sp.Matrix([-x[1], x[0]])
    turn = tangential(W * x) * kernel_velocity(W, (x, across), 0)
    return Identity(
        "⟨x_1, x_2⟩ = 0 ⟹ (I − P_1)ḣ_1 = 0",
        turn,
        sp.zeros(2, 1),
        wrong=tangential(W * x) * kernel_velocity(W, (x, across + x), 0),
        by=_together,
    )


def parallel_identity() -> Identity:
    """Return that parallel activations are safe, whatever the inputs; the wrong one is not."""
    double = 2 * W * x  # the activation of a second sample, along that of the first
    pull = y.dot(x) * penalty_gradient(double)
    return Identity(
        "h_2 ∥ h_1 ⟹ (I − P_1)K_12 ∇_2 = 0",
        tangential(W * x) * pull,
        sp.zeros(2, 1),
        wrong=tangential(W * x) * y.dot(x) * penalty_gradient(W * y),
        by=_together,
    )


def cancelling_identity() -> Identity:
    """Return three inputs 120° apart and W = tI: no sample is turned, though two terms are not 0.

    The wrong variant leaves one of the two out.
    """
    t, apart = sp.symbols("t", positive=True), sp.sqrt(3) / 2
    inputs = [sp.Matrix(each) for each in ((1, 0), (-sp.S.Half, apart), (-sp.S.Half, -apart))]
    turn = tangential(t * inputs[0])
    return Identity(
        "W = tI, x_j 120° apart ⟹ (I − P_1)ḣ_1 = 0, the terms cancel",
        turn * kernel_velocity(t * sp.eye(2), tuple(inputs), 0),
        sp.zeros(2, 1),
        wrong=turn * kernel_velocity(t * sp.eye(2), tuple(inputs[:2]), 0),
    )


def deep_identity() -> Identity:
    r"""Return a two-layer kernel of one sample, $K = \|a\|^2 I + \|x\|^2 UU^\top$, h = Ua, a = Vx.

    It has h as an eigenvector only where $UU^\top$ does. The wrong variant is the upper layer's.
    """
    U, V = (sp.Matrix(2, 2, sp.symbols(f"{name}:4", real=True)) for name in "uv")
    hidden = V * x
    total = penalty(U * hidden)
    dU, dV = (each.applyfunc(lambda weight: -sp.diff(total, weight)) for each in (U, V))
    upper = hidden.dot(hidden) * sp.eye(2)
    kernel = upper + x.dot(x) * U * U.T
    pull = penalty_gradient(U * hidden)
    return Identity(
        "ḣ = −(‖a‖²I + ‖x‖²UUᵀ)∇ for h = Ua, a = Vx",
        dU * hidden + U * dV * x,
        -kernel * pull,
        wrong=-upper * pull,
        by=_together,
    )


def transposed_identity() -> Identity:
    r"""Return that the two couplings are one: $P_jK_{ji}(I-P_i) = [(I-P_i)K_{ij}P_j]^\top$.

    $K_{ij} = J_iJ_j^\top$, J the derivatives by three weights. The wrong variant has $K_{ij}$ on
    both sides.
    """
    J = [sp.Matrix(2, 3, sp.symbols(f"{name}:6", real=True)) for name in "jk"]
    kernel = J[0] * J[1].T
    h = [sp.Matrix([1, 2]), sp.Matrix([-1, 3])]  # two directions that are neither equal nor across
    turning, radial = tangential(h[0]), sp.eye(2) - tangential(h[1])
    return Identity(
        "P_j K_ji (I − P_i) = [(I − P_i) K_ij P_j]ᵀ, K_ij = J_i J_jᵀ",
        radial * (J[1] * J[0].T) * turning,
        (turning * kernel * radial).T,
        wrong=radial * kernel * turning,
        by=sp.expand,
    )


def preconditioned_identity() -> Identity:
    r"""Return AdamW's kernel of one sample, $\mathrm{diag}_k\sum_m x_m^2/D_{km}$, for h = Wx.

    D, what it divides by, stands still. The wrong variant is the flow's, $\|x\|^2I$.
    """
    D = sp.Matrix(2, 2, sp.symbols("D:4", positive=True))
    slope = W.applyfunc(lambda weight: sp.diff(penalty(W * x), weight))
    velocity = -slope.multiply_elementwise(D.applyfunc(lambda each: 1 / each)) * x
    kernel = sp.diag(*(x[0] ** 2 / D[k, 0] + x[1] ** 2 / D[k, 1] for k in range(2)))
    pull = penalty_gradient(W * x)
    return Identity(
        "ḣ = −diag_k(Σ_m x_m²/D_km)∇ for h = Wx and AdamW",
        velocity,
        -kernel * pull,
        wrong=-x.dot(x) * pull,
        by=_together,
    )


def _together(rest: sp.Expr) -> sp.Expr:
    """Return the numerator, expanded: both sides have the same roots."""
    return sp.expand(sp.numer(sp.together(rest)))


def turning_share() -> sp.Expr:
    r"""Return tangential over radial speed of one sample in two layers, U = diag(2, 1), a = (1, 1).

    With $\|x\| = 1$: the kernel is diag(6, 3), h = (2, 1).

    >>> turning_share()
    2/9
    """
    h = sp.Matrix([2, 1])
    pull = sp.diag(6, 3) * h
    return norm(tangential(h) * pull) / (h.dot(pull) / norm(h))


def identities() -> tuple[Identity, ...]:
    """Return how shared weights couple radius and direction.

    >>> len(identities())
    8
    """
    return (
        kernel_identity(),
        turned_identity(),
        orthogonal_identity(),
        parallel_identity(),
        cancelling_identity(),
        deep_identity(),
        transposed_identity(),
        preconditioned_identity(),
    )
