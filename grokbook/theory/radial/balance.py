r"""Where penalised layers rest that share their weights: an identity at any weights, and its zeros.

For $h_l = W_l a_l + b_l$ and any loss, $\langle W_l, \nabla\rangle + \langle b_l, \nabla\rangle$ is
the batch's mean of $\langle h_l, \nabla_{h_l}\rangle$; a ReLU and a linear layer above hand that
product on, less what their bias takes. The penalty's own product is $2\lambda\varrho(\varrho - 1)$,
the task's CE − H, H the mean entropy. So with penalties at layers 1 to L

$\langle W_l, \nabla\rangle + \sum_{k \ge l}\langle b_k, \nabla\rangle + \langle b_U, \nabla\rangle
= 2\lambda\sum_{k \ge l} E\varrho_k(\varrho_k - 1) + \mathrm{CE} - H$

and for the read-out U it is CE − H. While U still moves, the last layer rests at
$2\lambda E\varrho(\varrho - 1) = H - \mathrm{CE}$, and those below at $E\varrho^2 = E\varrho$.
Where U rests too, CE = H and all have $E\varrho^2 = E\varrho$: none is outside its sphere in the
mean.
"""

import sympy as sp

from grokbook.theory.identity import Identity
from grokbook.theory.inequality import Inequality
from grokbook.theory.radial.split import d, h, lam, norm, penalty_gradient, reduced

gap = sp.symbols("c", real=True)  # CE − H
rho, other = sp.symbols("rho_1 rho_2", positive=True)


def product(ratio: sp.Expr) -> sp.Expr:
    r"""Return $\langle h, \nabla_h\lambda L_{norm}\rangle = 2\lambda\varrho(\varrho - 1)$."""
    return 2 * lam * ratio * (ratio - 1)


def balanced_ratio() -> sp.Expr:
    r"""Return $\varrho = \frac12(1 + \sqrt{1 - 2(\mathrm{CE} - H)/\lambda})$."""
    return (1 + sp.sqrt(1 - 2 * gap / lam)) / 2


def product_identity() -> Identity:
    """Return the penalty's own radial product; the wrong variant leaves ‖h‖ out."""
    ratio = norm(h) / sp.sqrt(d)
    return Identity(
        "⟨h, ∇_h λL_norm⟩ = 2λϱ(ϱ − 1), ϱ = ‖h‖/√d",
        h.dot(penalty_gradient(h)),
        product(ratio),
        wrong=2 * lam * (ratio - 1),
        by=reduced,
    )


def ratio_identity() -> Identity:
    """Return the ratio at which the last layer's products cancel; the wrong one forgets the 2."""
    return Identity(
        "2λϱ(ϱ − 1) + CE − H = 0 at ϱ = ½(1 + √(1 − 2(CE − H)/λ))",
        product(balanced_ratio()) + gap,
        sp.Integer(0),
        wrong=product((1 + sp.sqrt(1 - gap / lam)) / 2) + gap,
    )


def layer_identity() -> Identity:
    """Return that weights and bias hold the mean product; the wrong variant forgets the bias.

    Two examples, two inputs and two units, whatever the gradients at the units are.
    """
    W = sp.Matrix(2, 2, sp.symbols("w:4", real=True))
    b = sp.Matrix(sp.symbols("b:2", real=True))
    inputs = [sp.Matrix(sp.symbols(f"{name}:2", real=True)) for name in "xy"]
    slopes = [sp.Matrix(sp.symbols(f"{name}:2", real=True)) for name in "fg"]
    mean = sum(((W * x + b).dot(g) for x, g in zip(inputs, slopes, strict=True))) / 2
    of_W = sum((g * x.T for x, g in zip(inputs, slopes, strict=True)), sp.zeros(2, 2)) / 2
    of_b = sum(slopes, sp.zeros(2, 1)) / 2
    weights = (W.T * of_W).trace()
    return Identity(
        "⟨W, ∇_W⟩ + ⟨b, ∇_b⟩ = mean of ⟨h, ∇_h⟩, h = Wx + b",
        weights + b.dot(of_b),
        mean,
        wrong=weights,
    )


def handed_identity() -> Identity:
    """Return what a ReLU and a layer hand on; the wrong variant hands on the bias too.

    Three units, the second silent, and a layer of two above.
    """
    below = sp.Matrix(sp.symbols("h0 h1 h2", real=True))
    active = sp.diag(1, 0, 1)
    W = sp.Matrix(2, 3, sp.symbols("w:6", real=True))
    b = sp.Matrix(sp.symbols("b:2", real=True))
    g = sp.Matrix(sp.symbols("g:2", real=True))
    above = W * active * below + b
    return Identity(
        "⟨h, ∇_h⟩ = ⟨h′ − b′, ∇_h′⟩ for h′ = W relu(h) + b′",
        below.dot(active * W.T * g),
        (above - b).dot(g),
        wrong=above.dot(g),
    )


def lower_inequality() -> Inequality:
    """Return that Eϱ² = Eϱ keeps the mean norm within the sphere, here of two examples."""
    return Inequality(
        "Eϱ² = Eϱ ⟹ Eϱ ≤ 1",
        rho + other <= 2,
        needs=sp.Eq(rho**2 + other**2, rho + other),
    )


def last_inequality() -> Inequality:
    """Return that a spread of norms only lowers the mean: (Eϱ)² − Eϱ is at most Eϱ(ϱ − 1)."""
    mean = (rho + other) / 2
    balance = (rho * (rho - 1) + other * (other - 1)) / 2
    return Inequality(
        "Eϱ(ϱ − 1) = −c ⟹ Eϱ(Eϱ − 1) ≤ −c",
        mean * (mean - 1) <= -gap,
        needs=sp.Eq(balance, -gap),
    )


def identities() -> tuple[Identity | Inequality, ...]:
    """Return where penalised layers with shared weights rest.

    >>> len(identities())
    6
    """
    return (
        product_identity(),
        ratio_identity(),
        layer_identity(),
        handed_identity(),
        lower_inequality(),
        last_inequality(),
    )
