r"""Exact symmetries that change ‖θ‖ and not the function: the norm is no function-space quantity.

In this post-norm block only the weight and bias of the last norm inside it are scale-invariant, as
the final norm follows. Beside that: queries against keys, values against the output, embeddings
against what reads and joins them; and the bias of the keys does nothing at all.
"""

import sympy as sp

from grokbook.theory.identity import Identity

c = sp.symbols("c", positive=True)
WIDTH = 2


def _matrix(name: str, rows: int = WIDTH) -> sp.Matrix:
    return sp.Matrix(rows, WIDTH, sp.symbols(f"{name}:{rows * WIDTH}", real=True))


def scores_identity() -> Identity:
    """Return that queries times c and keys over c leave the scores; the wrong one scales both."""
    x, W_Q, W_K, b_Q = _matrix("x", 1), _matrix("Q"), _matrix("K"), _matrix("b", 1)
    keys = (_matrix("y") * W_K).T
    return Identity(
        "(x cW_Q + cb_Q)(y W_K/c)ᵀ = (x W_Q + b_Q)(y W_K)ᵀ",
        (x * c * W_Q + c * b_Q) * keys / c,
        (x * W_Q + b_Q) * keys,
        wrong=(x * W_Q + b_Q) * keys * c**2,
    )


def values_identity() -> Identity:
    """Return that values times c and the output over c leave the block; the wrong one adds."""
    z, W_V, W_O, b_V = _matrix("z", 1), _matrix("V"), _matrix("O"), _matrix("b", 1)
    return Identity(
        "(z cW_V + cb_V)(W_O/c) = (z W_V + b_V) W_O",
        (z * c * W_V + c * b_V) * W_O / c,
        (z * W_V + b_V) * W_O,
        wrong=(z * W_V + b_V) * W_O + (c - 1) * z * W_V * W_O,
    )


def embedding_identity() -> Identity:
    """Return embeddings times c, read over c, with b_V and b_O times c: the stream is c times.

    The norm that follows takes c out again. With one entry attended to; the wrong variant leaves
    the biases as they were.
    """
    e, W_V, W_O = _matrix("e", 1), _matrix("V"), _matrix("O")
    b_V, b_O = _matrix("b", 1), _matrix("o", 1)

    def stream(scale: sp.Expr | int, bias: sp.Expr | int) -> sp.Matrix:
        values = (e * scale) * W_V + b_V * bias
        return e * scale + values * W_O + b_O * bias

    return Identity(
        "ce + (ce W_V + cb_V)W_O + cb_O = c(e + (e W_V + b_V)W_O + b_O)",
        stream(c, c),
        c * stream(1, 1),
        wrong=c * stream(1, 1 / c),
    )


def norm_identity() -> Identity:
    """Return LayerNorm's scale invariance at ε = 0, three entries; the wrong one lets c through."""
    x = sp.Matrix(sp.symbols("x:3", real=True))

    def normed(values: sp.Matrix) -> sp.Matrix:
        centred = values - sp.ones(3, 1) * sum(values) / 3
        return centred / sp.sqrt(centred.dot(centred) / 3)

    return Identity(
        "LN(cx) = LN(x) for c > 0 and ε = 0",
        normed(c * x),
        normed(x),
        wrong=c * normed(x),
        by=lambda rest: sp.simplify(sp.factor(rest)),
    )


def key_bias_identity() -> Identity:
    """Return that the bias of the keys drops out of the softmax; that of the queries does not."""
    q, k0, k1, b = sp.symbols("q k0 k1 b", real=True)

    def weight(first: sp.Expr, second: sp.Expr) -> sp.Expr:
        return sp.exp(first) / (sp.exp(first) + sp.exp(second))

    return Identity(
        "softmax(q(k + b)) = softmax(qk) for two keys",
        weight(q * (k0 + b), q * (k1 + b)),
        weight(q * k0, q * k1),
        wrong=weight((q + b) * k0, (q + b) * k1),
    )


def least_norm_identity() -> Identity:
    """Return how the norm moves along such an orbit: c²Q + K/c², least at c⁴ = K/Q.

    Q and K are the squared norms of the two sides. The wrong variant is their sum as it is.
    """
    Q, K = sp.symbols("Q K", positive=True)
    total = c**2 * Q + K / c**2
    return Identity(
        "min_c c²Q + K/c² = 2√(QK)",
        total.subs(c, (K / Q) ** sp.Rational(1, 4)),
        2 * sp.sqrt(Q * K),
        wrong=Q + K,
    )


def identities() -> tuple[Identity, ...]:
    """Return the symmetries, in order.

    >>> len(identities())
    6
    """
    return (
        scores_identity(),
        values_identity(),
        embedding_identity(),
        norm_identity(),
        key_bias_identity(),
        least_norm_identity(),
    )
