"""The null of the phase-locking order: formula, integral, Monte Carlo and random embeddings."""

import mpmath
import numpy as np
import pytest
import sympy as sp

from grokbook.theory.cyclic import locking_null, null_formula, simulate_locking

# (p, d): formula and mean over random embeddings, published to three digits
TABLE = {
    (113, 128): (0.737, 0.743),
    (97, 128): (0.768, 0.770),
    (59, 128): (0.857, 0.857),
    (113, 512): (0.938, 0.939),
    (113, 16): (0.322, 0.321),
}
KAPPAS = [0.01, 2.265, 2000.0]


@pytest.mark.parametrize(("p", "d"), TABLE)
def test_formula_gives_the_table(p, d):
    assert round(locking_null(p, d), 3) == TABLE[p, d][0]


@pytest.mark.parametrize(("p", "d"), TABLE)
def test_random_embeddings_follow_the_formula(p, d):
    runs = 60 if d > 500 else 200
    orders = simulate_locking(p, d, 3, runs, seed=1)
    assert orders.mean() == pytest.approx(locking_null(p, d), abs=0.01)
    assert orders.mean() > 3 * p**-0.5  # not what independent phases would give


@pytest.mark.parametrize("kappa", KAPPAS)
def test_numpy_agrees_with_sympy_and_with_bessel_functions(kappa):
    p, d = 20_000, round(10_000 * kappa)
    prediction = locking_null(p, d)
    exact = null_formula().subs(sp.Symbol("kappa", positive=True), sp.Rational(2 * d, p))
    assert prediction == pytest.approx(float(exact.evalf(25)), rel=1e-12)
    with mpmath.workdps(30):
        k = mpmath.mpf(2 * d) / p
        sine = mpmath.quad(
            lambda t: mpmath.cos(t) ** 2 * mpmath.exp(-k * mpmath.sin(t) ** 2 / 2),
            mpmath.linspace(0, mpmath.pi / 2, 9),
        )
        assert prediction == pytest.approx(float(mpmath.sqrt(2 * k / mpmath.pi) * sine), rel=1e-12)


def test_formula_is_the_mean_cosine_of_a_shifted_gaussian():
    rng = np.random.default_rng(0)
    for p, d in TABLE:
        x, y = rng.standard_normal((2, 400_000))
        x += np.sqrt(2 * d / p)
        cosine = x / np.hypot(x, y)
        assert abs(cosine.mean() - locking_null(p, d)) < 4 * cosine.std() / 400_000**0.5


def test_a_perfect_circle_is_beyond_the_null():
    p, d, k = 113, 128, 17
    angles = 2 * np.pi * k * np.arange(p) / p
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    plane = np.linalg.qr(np.random.default_rng(0).standard_normal((d, 2)))[0]
    embedding = circle @ plane.T
    cosine, sine = np.cos(angles) @ embedding, np.sin(angles) @ embedding
    found = np.arctan2(embedding @ sine, embedding @ cosine)
    assert abs(np.exp(1j * (found - angles)).mean()) == pytest.approx(1)
    assert locking_null(p, d) < 0.75


def test_the_order_by_its_definition():
    """One random embedding, cosines and sines written out."""
    p, d, k = 59, 40, 4
    embedding = np.random.default_rng(5).standard_normal((1, p, d))[0]
    angles = 2 * np.pi * k * np.arange(p) / p
    x = embedding @ (np.cos(angles) @ embedding)
    y = embedding @ (np.sin(angles) @ embedding)
    phase = np.arctan2(y, x) - angles
    expected = np.hypot(np.cos(phase).mean(), np.sin(phase).mean())
    assert simulate_locking(p, d, k, 1, seed=5)[0] == pytest.approx(expected, rel=1e-12)


def test_limits_and_refusal():
    assert locking_null(10**6, 1) == pytest.approx((np.pi / (4 * 10**6)) ** 0.5, rel=1e-5)
    assert locking_null(10, 10**5) == pytest.approx(1 - 10 / (4 * 10**5), rel=1e-8)
    with pytest.raises(ValueError, match="113 tokens in 0 dimensions"):
        locking_null(113, 0)
