r"""One step's effect on the squared norm: the exact identity, and where factors of 2 come from.

Every step of plain descent and of AdamW is $\theta' = (1 - \eta\lambda)\theta - \eta u$ with an
update direction u: the gradient g for the one, $\hat m/(\sqrt{\hat v} + \epsilon)$ for the other.
$V = \|\theta\|^2$ then shrinks by $(1 - \eta\lambda)^2$ before u does anything: 2ηλ a step to first
order, not ηλ.
"""

import sympy as sp

from grokbook.theory.identity import Identity

eta, lam = sp.symbols("eta lambda", positive=True)
V, V_mem, V_post = sp.symbols("V V_mem V_post", positive=True)
dot, square, noise = sp.symbols("d q sigma2", real=True)  # <θ, u>, |u|², σ²
x = sp.symbols("x", positive=True)  # ηλ
SIZE = 3  # weights in the identities that are written out


def vector(name: str, size: int = SIZE) -> sp.Matrix:
    """Return a vector of real symbols."""
    return sp.Matrix(sp.symbols(f"{name}:{size}", real=True))


def next_squared_norm() -> sp.Expr:
    r"""Return $(1-\eta\lambda)^2 V - 2\eta(1-\eta\lambda)\,d + \eta^2 q$.

    d is $\langle\theta,u\rangle$ and q is $\|u\|^2$.
    """
    kept = 1 - eta * lam
    return kept**2 * V - 2 * eta * kept * dot + eta**2 * square


def of(theta: sp.Matrix, u: sp.Matrix) -> sp.Expr:
    """Return the next squared norm with vectors in place of their products."""
    values = {V: theta.dot(theta), dot: theta.dot(u), square: u.dot(u)}
    return next_squared_norm().subs(values, simultaneous=True)


def step_identity() -> Identity:
    """Return the identity of one step; the wrong variant forgets the decay in the cross term."""
    theta, u = vector("theta"), vector("u")
    moved = (1 - eta * lam) * theta - eta * u
    forgotten = of(theta, u) - 2 * eta**2 * lam * theta.dot(u)
    return Identity(
        "‖(1 − ηλ)θ − ηu‖² = (1 − ηλ)²V − 2η(1 − ηλ)⟨θ,u⟩ + η²‖u‖²",
        moved.dot(moved),
        of(theta, u),
        wrong=forgotten,
    )


def coupled_identity() -> Identity:
    r"""Return the step of plain descent on $L + \frac\lambda2\|\theta\|^2$: the same, u = g.

    The wrong variant takes $\|\theta\|^2$ without its half.
    """
    theta, g = vector("theta"), vector("g")
    moved = theta - eta * (g + lam * theta)
    return Identity(
        "‖θ − η(g + λθ)‖² = the same with u = g",
        moved.dot(moved),
        of(theta, g),
        wrong=of(theta, g).subs(lam, 2 * lam),
    )


def convention_identity() -> Identity:
    r"""Return the step with $g + 2\lambda\theta$, as older code has it: λ stands for 2λ.

    The wrong variant is the rate that is then written beside it.
    """
    theta, g = vector("theta"), vector("g")
    moved = theta - eta * (g + 2 * lam * theta)
    return Identity(
        "‖θ − η(g + 2λθ)‖² = the same with 2λ in the place of λ",
        moved.dot(moved),
        of(theta, g).subs(lam, 2 * lam),
        wrong=of(theta, g),
    )


def expectation_identity() -> Identity:
    r"""Return the mean over a gradient $G \pm \xi$: noise adds $\eta^2\|\xi\|^2$.

    Linear in the second moment of the noise, so true of any law with that trace. The wrong variant
    has it with one η.
    """
    theta, G, xi = vector("theta"), vector("G"), vector("xi")
    mean = sum(of(theta, G + sign * xi) for sign in (1, -1)) / 2
    sigma2 = xi.dot(xi)
    return Identity(
        "E V′ = (1 − ηλ)²V − 2η(1 − ηλ)⟨θ,∇L⟩ + η²(‖∇L‖² + σ²)",
        mean,
        of(theta, G) + eta**2 * sigma2,
        wrong=of(theta, G) + eta * sigma2,
    )


def rate_identity() -> Identity:
    """Return the rate of pure decay of V for small x = ηλ; the wrong one is that of θ."""
    series = sp.series(-2 * sp.log(1 - x), x, 0, 4).removeO()
    return Identity(
        "−log(1 − x)² = 2x + x² + 2x³/3 + O(x⁴), x = ηλ",
        series,
        2 * x + x**2 + 2 * x**3 / 3,
        wrong=x + x**2 / 2 + x**3 / 3,
    )


def identities() -> tuple[Identity, ...]:
    """Return what one step does, in order.

    >>> len(identities())
    5
    """
    return (
        step_identity(),
        coupled_identity(),
        convention_identity(),
        expectation_identity(),
        rate_identity(),
    )
