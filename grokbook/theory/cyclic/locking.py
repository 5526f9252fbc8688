r"""The null of the phase-locking order: how well a random embedding lies on a circle.

Token a of a Gaussian embedding (p tokens, d dimensions) is projected on the measured cosine and
sine coefficients of a frequency. Relative to $\omega a$ its image is $(x, y)$ with the mean
$(\mu, 0)$ and, to leading order, independent noise of variance 1: the token is part of its own
coefficients, by $d\sqrt{2/p}$, against noise of variance d from the others. So
$\kappa = \mu^2 = 2d/p$, and the order under the null is $r_0 = E[x/\sqrt{x^2 + y^2}]$.
"""

import numpy as np
import sympy as sp
from jaxtyping import Complex, Float64

from grokbook.theory.identity import Identity

mu, kappa, t, rho, z = sp.symbols("mu kappa t rho z", positive=True)
x = sp.symbols("x", real=True)
theta = sp.symbols("theta", real=True)


def null_formula() -> sp.Expr:
    r"""Return $r_0 = \sqrt{\pi\kappa/8}\,e^{-\kappa/4}[I_0(\kappa/4) + I_1(\kappa/4)]$.

    >>> round(float(null_formula().subs(kappa, sp.Rational(256, 113))), 3)
    0.737
    """
    bessel = sp.besseli(0, kappa / 4) + sp.besseli(1, kappa / 4)
    return sp.sqrt(sp.pi * kappa / 8) * sp.exp(-kappa / 4) * bessel


def inverse_radius_identity() -> Identity:
    r"""Return the form of $1/\rho$ under which x and y separate."""
    return Identity(
        "1/ρ = √(2/π) ∫ e^{−t²ρ²/2} dt",
        1 / rho,
        sp.sqrt(2 / sp.pi) * sp.Integral(sp.exp(-(t**2) * rho**2 / 2), (t, 0, sp.oo)),
        wrong=sp.sqrt(1 / sp.pi) * sp.Integral(sp.exp(-(t**2) * rho**2 / 2), (t, 0, sp.oo)),
    )


def square_identity() -> Identity:
    r"""Return the completed square, with $z = 1 + t^2$ and $\mu/z$ as the new mean of x."""
    return Identity(
        "(x − μ)² + t²x² = z(x − μ/z)² + μ²t²/z, z = 1 + t²",
        ((x - mu) ** 2 + t**2 * x**2).subs(t, sp.sqrt(z - 1)),
        z * (x - mu / z) ** 2 + mu**2 * (z - 1) / z,
        wrong=z * (x - mu) ** 2 + mu**2 * (z - 1) / z,
    )


def gaussian_identity() -> Identity:
    r"""Return the mean under the integral over t; the wrong one forgets the integral over y.

    Moved by $\mu/z$, the first integral is that of $x + \mu/z$, whose odd part vanishes.
    """
    bell = sp.exp(-z * x**2 / 2) / sp.sqrt(2 * sp.pi)
    return Identity(
        "(μ/z) (∫ e^{−zx²/2} dx/√2π)² = μ/z², once for x, once for y",
        mu / z * sp.Integral(bell, (x, -sp.oo, sp.oo)) ** 2,
        mu / z**2,
        wrong=mu / z ** sp.Rational(3, 2),
    )


def tangent_identity() -> Identity:
    r"""Return the substitution $t = \tan\theta$; the wrong one forgets its derivative."""
    integrand = (1 + t**2) ** -2 * sp.exp(-kappa * t**2 / (1 + t**2) / 2)
    angle = sp.cos(theta) ** 2 * sp.exp(-kappa * sp.sin(theta) ** 2 / 2)
    tangent = sp.sin(theta) / sp.cos(theta)
    return Identity(
        "e^{−κt²/2z} z^{−2} dt = cos²θ e^{−κ sin²θ/2} dθ for t = tan θ",
        (integrand.subs(t, tangent) * sp.diff(tangent, theta)),
        angle,
        wrong=integrand.subs(t, tangent),
        by=lambda entry: sp.simplify(sp.trigsimp(sp.simplify(entry))),
    )


def half_angle_identity() -> Identity:
    """Return the double angle in which Bessel's integral stands; the wrong one keeps κ/2."""
    cosine = sp.cos(2 * theta)
    right = (1 + cosine) / 2 * sp.exp(kappa / 4 * cosine)
    return Identity(
        "cos²θ e^{−κ sin²θ/2} = e^{−κ/4} (1 + cos 2θ)/2 e^{(κ/4) cos 2θ}",
        sp.cos(theta) ** 2 * sp.exp(-kappa * sp.sin(theta) ** 2 / 2),
        sp.exp(-kappa / 4) * right,
        wrong=sp.exp(-kappa / 2) * right,
        by=lambda entry: sp.simplify(
            sp.powsimp(sp.expand(entry.subs(sp.sin(theta) ** 2, (1 - cosine) / 2)))
        ),
    )


def bessel_identity(order: int = 6) -> Identity:
    r"""Return $\int_0^\pi (1 + \cos\varphi) e^{z\cos\varphi} d\varphi = \pi (I_0(z) + I_1(z))$.

    Bessel's integral, power by power of z; the wrong variant has I_0 alone.
    """
    powers = [sp.integrate(sp.cos(theta) ** k, (theta, 0, sp.pi)) for k in range(order + 1)]
    moments = [(powers[k] + powers[k + 1]) / sp.factorial(k) for k in range(order)]

    def coefficient(nu: int, k: int) -> sp.Rational:
        j, odd = divmod(k - nu, 2)
        if odd or j < 0:
            return sp.S.Zero
        return sp.Rational(1, 2**k * sp.factorial(j) * sp.factorial(j + nu))

    first = sp.Matrix([coefficient(0, k) for k in range(order)])
    second = sp.Matrix([coefficient(1, k) for k in range(order)])
    return Identity(
        f"∫ (1 + cos φ) e^{{z cos φ}} dφ = π (I₀(z) + I₁(z)), first {order} powers",
        sp.Matrix(moments),
        sp.pi * (first + second),
        wrong=sp.pi * first,
    )


def null_identity() -> Identity:
    r"""Return the null, the factors put together; the wrong one forgets $d\theta = d\varphi/2$."""
    bessel = sp.besseli(0, kappa / 4) + sp.besseli(1, kappa / 4)
    front = sp.sqrt(2 * kappa / sp.pi) * sp.exp(-kappa / 4) / 2
    return Identity(
        "√(2κ/π) e^{−κ/4} (π/4)(I₀ + I₁) = √(πκ/8) e^{−κ/4} (I₀ + I₁), at κ/4",
        front * sp.pi / 2 * bessel,
        null_formula(),
        wrong=front * sp.pi * bessel,
    )


def locking_null(p: int, d: int) -> float:
    r"""Return $r_0$ at $\kappa = 2d/p$, by Bessel's integral: $I_0 + I_1$ as a mean over angles.

    The trapezoidal rule on a circle is exact to rounding here.

    >>> round(locking_null(113, 128), 3), round(locking_null(113, 16), 3)
    (0.737, 0.322)
    """
    if p < 1 or d < 1:
        raise ValueError(f"{p} tokens in {d} dimensions: give at least one of each")
    strength = 2 * d / p
    angles = 2 * np.pi / 4096 * np.arange(4096)
    bessel = ((1 + np.cos(angles)) * np.exp(strength / 4 * (np.cos(angles) - 1))).mean()
    return float(np.sqrt(np.pi * strength / 8) * bessel)


def simulate_locking(
    p: int, d: int, frequency: int, runs: int, *, seed: int
) -> Float64[np.ndarray, "runs"]:
    r"""Return the orders $|\mathrm{mean}_a e^{i(\varphi_a - \omega a)}|$ of random embeddings.

    >>> float(simulate_locking(113, 512, 5, 40, seed=0).mean().round(2))
    0.94
    """
    waves = np.exp(2j * np.pi / p * (frequency * np.arange(p) % p))
    embeddings = np.random.default_rng(seed).standard_normal((runs, p, d))
    return np.array([_order(embedding, waves) for embedding in embeddings])


def _order(embedding: Float64[np.ndarray, "p d"], waves: Complex[np.ndarray, "p"]) -> float:
    """Return the order of one embedding in the plane of its measured coefficients."""
    coefficients = waves @ embedding  # cosine + i · sine
    return float(abs(np.mean(np.exp(1j * np.angle(embedding @ coefficients)) / waves)))


def identities() -> tuple[Identity, ...]:
    """Return the derivation of the null, in order.

    >>> len(identities())
    7
    """
    gauss = [inverse_radius_identity, square_identity, gaussian_identity]
    bessel = [tangent_identity, half_angle_identity, bessel_identity, null_identity]
    return tuple(step() for step in gauss + bessel)
