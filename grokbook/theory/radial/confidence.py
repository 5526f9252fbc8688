r"""The radial task gradient is confidence: $\langle h, \nabla_h\ell\rangle = \ell - H$.

Behind h lie ReLUs and linear layers without biases, so that the logits are homogeneous of degree 1
in h; the rest is chapter 03's: $\sum_c z_c(p_c - y_c) = \ell - H$, H the entropy of the prediction.
So $\tilde\Phi = d\,\|P_r\nabla\ell\|^2/\|\nabla\ell\|^2 = d(\ell - H)^2/(\|h\|^2\|\nabla\ell\|^2)$,
and the mean of $\langle h, \nabla\ell\rangle$ is the $\langle\theta, \nabla L\rangle$ of the layer
that reads h: radial inflation and the term that the delay law drops are one quantity, CE − H.

In the share the size of the loss cancels. With $w_c = p_c/(1 - p_y)$ for the wrong classes and the
mean margin $\gamma = z_y - \sum_c w_cz_c$, $\nabla_h\ell = -(1 - p_y)\nabla_h\gamma$ at fixed w and
$\ell - H = -(1 - p_y)\gamma$: $\tilde\Phi = d\,\gamma^2/(\|h\|^2\|\nabla\gamma\|^2)$, d times the
square of the distance from h to the plane $\langle\nabla\gamma, \cdot\rangle = 0$ over ‖h‖.
"""

import sympy as sp

from grokbook.theory.identity import Identity
from grokbook.theory.radial.split import d, g, projection, reduced
from grokbook.theory.radial.split import h as free

# Three units, the second of which is silent.
h = sp.Matrix(sp.symbols("h0 h1 h2", real=True))
ACTIVE = sp.diag(1, 0, 1)
readout = sp.Matrix(2, 3, sp.symbols("w:6", real=True))
bias = sp.Matrix(sp.symbols("b:2", real=True))


def logits(shift: sp.Matrix | None = None) -> sp.Matrix:
    r"""Return $z = U\,\mathrm{relu}(h) + b$ on one pattern of active units, two classes."""
    z = readout * ACTIVE * h
    return z if shift is None else z + shift


def probabilities(z: sp.Matrix) -> sp.Matrix:
    r"""Return the softmax of the logits."""
    total = sum(sp.exp(each) for each in z)
    return z.applyfunc(lambda each: sp.exp(each) / total)


def loss(z: sp.Matrix) -> sp.Expr:
    r"""Return $\ell = -\log p_y$ with the first class the right one, in nats."""
    return sp.log(sum(sp.exp(each) for each in z)) - z[0]


def entropy(z: sp.Matrix) -> sp.Expr:
    r"""Return $H = \log\sum_c e^{z_c} - \sum_c p_c z_c$, in nats."""
    return sp.log(sum(sp.exp(each) for each in z)) - probabilities(z).dot(z)


def slope(z: sp.Matrix) -> sp.Matrix:
    r"""Return $\nabla_h\ell$, by differentiation."""
    return sp.Matrix([sp.diff(loss(z), each) for each in h])


def confidence_identity() -> Identity:
    """Return ⟨h, ∇_hℓ⟩ behind a ReLU; the wrong variant has the sign turned."""
    z = logits()
    gap = loss(z) - entropy(z)
    return Identity(
        "⟨h, ∇_hℓ⟩ = ℓ − H behind a ReLU without biases", h.dot(slope(z)), gap, wrong=-gap
    )


def biased_identity() -> Identity:
    """Return it with a bias in the read-out; the wrong variant forgets to take it off."""
    z = logits(bias)
    error = probabilities(z) - sp.Matrix([1, 0])
    return Identity(
        "⟨h, ∇_hℓ⟩ = Σ_c (z_c − b_c)(p_c − y_c) with a bias b",
        h.dot(slope(z)),
        (z - bias).dot(error),
        wrong=z.dot(error),
    )


def energy_identity() -> Identity:
    r"""Return the radial energy by $\langle h, g\rangle$, any h and g; the wrong one has no square.

    With `confidence_identity` in the place of the product its numerator is that of confidence.
    """
    radial, product = projection(free) * g, free.dot(g)
    return Identity(
        "d‖P_r g‖²/‖g‖² = d⟨h, g⟩²/(‖h‖²‖g‖²)",
        d * radial.dot(radial) / g.dot(g),
        d * product**2 / (free.dot(free) * g.dot(g)),
        wrong=d * product / (free.dot(free) * g.dot(g)),
        by=reduced,
    )


def thread_identity() -> Identity:
    """Return that the layer that reads h has the same product; the wrong variant has half.

    So the mean of ⟨h, ∇_hℓ⟩ is the ⟨θ, ∇L⟩ of chapter 03 for the read-out.
    """
    z = logits()
    of_weights = sum(weight * sp.diff(loss(z), weight) for weight in readout)
    return Identity(
        "⟨h, ∇_hℓ⟩ = ⟨U, ∇_Uℓ⟩ for z = U relu(h)",
        h.dot(slope(z)),
        of_weights,
        wrong=of_weights / 2,
    )


def margin_identity() -> Identity:
    """Return ℓ − H and p − y by the mean margin, of 3 classes; the wrong one weighs both alike."""
    z = sp.Matrix(sp.symbols("z:3", real=True))
    p = probabilities(z)
    left = 1 - p[0]

    def by_margins(first: sp.Expr) -> sp.Matrix:
        gaps = [sp.Matrix([1, -1, 0]), sp.Matrix([1, 0, -1])]
        mean = first * gaps[0] + (1 - first) * gaps[1]
        return sp.Matrix([-left * mean.dot(z), *(-left * mean)])

    return Identity(
        "ℓ − H = −(1 − p_y)γ, p − y = −(1 − p_y)∇_z γ, w_c = p_c/(1 − p_y)",
        sp.Matrix([loss(z) - entropy(z), *(p - sp.Matrix([1, 0, 0]))]),
        by_margins(p[1] / left),
        wrong=by_margins(sp.S.Half),
    )


def distance_identity() -> Identity:
    r"""Return the share by the distance from the plane $\langle a, h\rangle = 0$, g along a.

    The foot of h lies on the plane, and the size of g cancels. The wrong variant keeps it.
    """
    size = sp.symbols("q", positive=True)  # 1 − p_y
    margin = free.dot(g)
    foot = free - margin * g / g.dot(g)
    far = (free - foot).dot(free - foot)
    slope_ = -size * g
    share = d * free.dot(slope_) ** 2 / (free.dot(free) * slope_.dot(slope_))
    return Identity(
        "g = −qa, γ = ⟨a, h⟩ ⟹ Φ̃ = d dist(h, γ = 0)²/‖h‖²",
        sp.Matrix([g.dot(foot), share]),
        sp.Matrix([0, d * far / free.dot(free)]),
        wrong=sp.Matrix([0, d * size**2 * far / free.dot(free)]),
        by=reduced,
    )


def identities() -> tuple[Identity, ...]:
    """Return what the radial part of the task gradient is.

    >>> len(identities())
    6
    """
    return (
        confidence_identity(),
        biased_identity(),
        energy_identity(),
        thread_identity(),
        margin_identity(),
        distance_identity(),
    )
