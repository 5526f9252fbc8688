"""Characters and the real basis: cyclotomic numbers, SymPy, NumPy and brute force."""

import numpy as np
import pytest
import sympy as sp

from grokbook.groups import cyclic
from grokbook.theory.cyclic import (
    block_identity,
    character_table,
    convolution_identity,
    exact_orthogonality_identity,
    fourier_basis,
    fourier_matrix,
    modulo_cyclotomic,
    polynomial,
    real_orthogonality_identity,
    root,
    shift,
    shift_identity,
    waves,
)

ORDERS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12]


def numbers(matrix: sp.Matrix) -> np.ndarray:
    return np.array(matrix.evalf(20).tolist(), dtype=complex)


@pytest.mark.parametrize("n", [1, 2, 4, 5, 9, 12])
def test_the_identities_hold_exactly_for_other_orders(n):
    steps = [exact_orthogonality_identity, shift_identity]
    steps += [real_orthogonality_identity, block_identity] if n <= 4 else []
    steps += [convolution_identity] if n <= 4 else []
    for step in steps:
        identity = step(n)
        assert all(identity.by(entry) == 0 for entry in identity.left - identity.right), step
        if n > 2:
            assert any(identity.by(entry) != 0 for entry in identity.left - identity.wrong), step


@pytest.mark.parametrize("n", ORDERS)
def test_remainders_are_exact(n):
    """A random sum of roots is 0 in floats if and only if its remainder is 0."""
    rng = np.random.default_rng(n)
    roots = np.exp(2j * np.pi * np.arange(n) / n)
    zeros = 0
    for divisor in [q for q in range(2, n + 1) if n % q == 0]:
        coefficients = np.zeros(n, dtype=int)
        for start in range(n // divisor):  # whole polygons sum to 0
            coefficients[start :: n // divisor] += rng.integers(-3, 4)
        for spoiled in (0, 1):
            coefficients[0] += spoiled
            terms = zip(coefficients, range(n), strict=True)
            exact = polynomial(sum(int(c) * root(j, n) for c, j in terms), n)
            assert (exact == 0) == (abs(coefficients @ roots) < 1e-9)
            assert complex(exact.subs(sp.symbols("x"), root(1, n)).evalf()) == pytest.approx(
                coefficients @ roots, abs=1e-9
            )
            zeros += exact == 0
    assert zeros or n == 1


def test_refuses_what_is_no_power():
    with pytest.raises(ValueError, match="no power of ω for n = 5"):
        polynomial(root(1, 3), 5)
    with pytest.raises(ValueError, match="holds i"):
        modulo_cyclotomic(5)(sp.I * root(1, 5))


@pytest.mark.parametrize("n", ORDERS)
def test_characters_are_the_homomorphisms(n):
    table, group = numbers(character_table(n)), cyclic(n).table
    np.testing.assert_allclose(table[:, group], table[:, :, None] * table[:, None, :], atol=1e-12)
    signal = np.random.default_rng(0).standard_normal(n)
    np.testing.assert_allclose(table.conj() @ signal, np.fft.fft(signal), atol=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3, 6, 59, 113, 128])
def test_basis_is_orthonormal(n):
    basis = fourier_basis(n)
    np.testing.assert_allclose(basis.matrix @ basis.matrix.T, np.eye(n), atol=2e-14)
    assert len(basis.labels) == len(set(basis.labels)) == n
    assert sorted(row for k in range(n // 2 + 1) for row in basis.rows(k)) == list(range(n))


@pytest.mark.parametrize("n", ORDERS)
def test_basis_agrees_with_sympy_and_with_the_waves(n):
    basis = fourier_basis(n).matrix
    np.testing.assert_allclose(basis, numbers(fourier_matrix(n)), atol=1e-14)
    raw = numbers(waves(n))
    assert abs(raw.imag).max() < 1e-14
    np.testing.assert_allclose(basis, raw / np.linalg.norm(raw, axis=1, keepdims=True), atol=1e-14)


@pytest.mark.parametrize("n", [5, 6, 113])
def test_each_row_has_its_frequency(n):
    """The power of every row stands at its frequency in NumPy's transform, and labels agree."""
    basis = fourier_basis(n)
    power = abs(np.fft.rfft(basis.matrix, axis=1)) ** 2
    np.testing.assert_array_equal(power.argmax(axis=1), basis.frequencies)
    for row, label in enumerate(basis.labels):
        k, angles = basis.frequencies[row], 2 * np.pi * basis.frequencies[row] * np.arange(n) / n
        wave = np.sin(angles) if label.startswith("sin") else np.cos(angles)
        np.testing.assert_allclose(basis.matrix[row], wave / np.linalg.norm(wave), atol=1e-12)
        assert label in (f"cos {k}", f"sin {k}", "1", "(−1)^a")


@pytest.mark.parametrize("n", [5, 6])
def test_shift_turns_every_pair(n):
    basis = fourier_basis(n)
    turned = basis.matrix @ np.array(shift(n), dtype=float) @ basis.matrix.T
    for k in range(1, (n + 1) // 2):
        rows, angle = basis.rows(k), 2 * np.pi * k / n
        turn = [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        np.testing.assert_allclose(turned[np.ix_(rows, rows)], turn, atol=1e-12)
        turned[np.ix_(rows, rows)] = 0
    expected = np.zeros((n, n))
    expected[0, 0], expected[-1, -1] = 1, -1 if n % 2 == 0 else 0
    np.testing.assert_allclose(turned, expected, atol=1e-12)


def test_basis_refuses_what_it_lacks():
    with pytest.raises(ValueError, match="n = 0 is not the order"):
        fourier_basis(0)
    with pytest.raises(ValueError, match="frequency 4 is not in the basis: give 0 to 3"):
        fourier_basis(6).rows(4)
