r"""What the measures of clock and pizza say of the ideal circuits, and of no circuit at all.

Gradient symmetricity, the mean cosine of $\partial\ell_c/\partial E_a$ and
$\partial\ell_c/\partial E_b$: 1 for any function of $E_a + E_b$, and $\cos\omega(a - b)$ for the
clock, 0 on average. Distance irrelevance, of the correct logits $O(s, d)$ at the sum s and the
distance d: the standard deviation over s at fixed d, averaged over d, against that of all. It is 0
for the pizza, whose correct logit is a function of d, and 0/0 for the clock, whose is constant; a
flaw that is a sum $f(a) + g(b)$ has one mean at all distances and takes the clock to about 1. Taken
over d at fixed s it would be 1 for the pizza as well.

Noise without any circuit is near 1 too, so that a large value alone shows no clock.
"""

import math

import numpy as np
import sympy as sp
from jaxtyping import Float, Int

from grokbook.theory.cyclic.circuit import a, b, c, omega
from grokbook.theory.cyclic.clock_pizza import in_exponentials
from grokbook.theory.identity import Identity

x_a, y_a, x_b, y_b, x_c, y_c = sp.symbols("x_a y_a x_b y_b x_c y_c", real=True)


def clock_gradient_identity() -> Identity:
    """Return the clock's gradients, their length and product; the wrong one has the sum."""
    logit = (x_a * x_b - y_a * y_b) * x_c + (x_a * y_b + y_a * x_b) * y_c
    circle = {
        symbol: wave(omega * token)
        for token, x, y in ((a, x_a, y_a), (b, x_b, y_b), (c, x_c, y_c))
        for symbol, wave in ((x, sp.cos), (y, sp.sin))
    }
    left = sp.Matrix([logit.diff(x_a), logit.diff(y_a)]).subs(circle)
    right = sp.Matrix([logit.diff(x_b), logit.diff(y_b)]).subs(circle)
    return Identity(
        "clock: |∂F/∂z_a|² = 1 and ⟨∂F/∂z_a, ∂F/∂z_b⟩ = cos ω(a − b)",
        sp.Matrix([left.dot(left), left.dot(right)]),
        sp.Matrix([1, sp.cos(omega * (a - b))]),
        wrong=sp.Matrix([1, sp.cos(omega * (a + b))]),
        by=in_exponentials,
    )


def sum_gradient_identity() -> Identity:
    """Return why a pizza's gradients are equal, whatever it computes; the wrong one subtracts."""
    f = sp.Function("f")
    left, right = x_a + x_b, y_a + y_b
    return Identity(
        "∂f(z_a + z_b)/∂z_a = ∂f(z_a + z_b)/∂z_b for every f",
        sp.Matrix([f(left, right).diff(symbol) for symbol in (x_a, y_a)]),
        sp.Matrix([f(left, right).diff(symbol) for symbol in (x_b, y_b)]),
        wrong=sp.Matrix([f(x_a - x_b, y_a - y_b).diff(symbol) for symbol in (x_b, y_b)]),
    )


def variance_identity(size: int = 2) -> Identity:
    r"""Return the variance of a table within and between its columns, the distances d.

    With the next identity: distance irrelevance is at most $\sqrt{1 - \eta^2}$, where $\eta^2$ is
    the share of the variance that the distance explains. The wrong variant forgets what lies
    between.
    """
    table = sp.Matrix(size, size, sp.symbols(f"O:{size * size}", real=True))
    columns = [list(table.col(d)) for d in range(size)]
    within = _mean([_variance(column) for column in columns])
    return Identity(
        f"Var O = mean_d Var_s O(s, d) + Var_d mean_s O(s, d), {size} × {size}",
        _variance(list(table)),
        within + _variance([_mean(column) for column in columns]),
        wrong=within,
    )


def spread_identity(size: int = 3) -> Identity:
    """Return why a mean deviation is at most the root of the mean variance; the sign is wrong."""
    sigmas = list(sp.symbols(f"sigma:{size}", positive=True))
    squares = _mean([sigma**2 for sigma in sigmas])
    return Identity(
        f"(mean_d σ_d)² = mean_d σ_d² − Var_d σ_d, {size} distances",
        _mean(sigmas) ** 2,
        squares - _variance(sigmas),
        wrong=squares + _variance(sigmas),
    )


def additive_identity(order: int = 5) -> Identity:
    r"""Return why a sum f(a) + g(b) has one mean at all distances: s runs over both, n odd.

    $a = (s + d)/2$ with $1/2 = (n + 1)/2$ modulo n. The wrong variant halves as integers do.
    """
    f, g = sp.IndexedBase("f"), sp.IndexedBase("g")
    tokens, half = range(order), (order + 1) // 2

    def over_sums(d: int, left: list[int], right: list[int]) -> sp.Expr:
        return sum(f[left[s]] + g[right[s]] for s in tokens)

    exact = [[(s + sign * d) * half % order for s in tokens] for d in tokens for sign in (1, -1)]
    floor = [[(s + sign * d) % order // 2 for s in tokens] for d in tokens for sign in (1, -1)]
    return Identity(
        f"Σ_s f((s + d)/2) + g((s − d)/2) = Σ_a f(a) + Σ_b g(b) for every d, n = {order}",
        sp.Matrix([over_sums(d, *exact[2 * d : 2 * d + 2]) for d in tokens]),
        sp.Matrix([sum(f[token] + g[token] for token in tokens)] * order),
        wrong=sp.Matrix([over_sums(d, *floor[2 * d : 2 * d + 2]) for d in tokens]),
    )


def largest_share_identity(count: int = 8) -> Identity:
    r"""Return the mean of the largest of m shares of 1 that are uniform on the simplex, times m.

    $P(\max > x) = \sum_j (-1)^{j+1}\binom mj (1 - jx)_+^{m-1}$, integrated over x: each term gives
    $1/(jm)$. The wrong variant forgets that two shares may exceed x together.
    """
    sizes = range(1, count + 1)

    def total(m: int, sign: int) -> sp.Rational:
        return sum(sign ** (j + 1) * sp.binomial(m, j) / sp.Integer(j) for j in range(1, m + 1))

    return Identity(
        f"Σ_j (−1)^{{j+1}} C(m, j)/j = 1 + 1/2 + … + 1/m for m = 1, …, {count}",
        sp.Matrix([total(m, -1) for m in sizes]),
        sp.Matrix([sp.harmonic(m) for m in sizes]),
        wrong=sp.Matrix([total(m, 1) for m in sizes]),
    )


def clock_symmetricity(
    frequencies: Int[np.ndarray, "K"],
    lengths: Float[np.ndarray, "K"],
    triples: Int[np.ndarray, "t 3"],
    n: int,
) -> float:
    r"""Return the clock's mean of $\sum_k g_k^2 \cos\omega_k(a - b)/\sum_k g_k^2$ over the triples.

    $g_k$ is the length of a gradient in the plane of $\omega_k$: amplitude times radius. Over all
    triples the mean is 0.

    >>> every = np.indices((5, 5, 5)).reshape(3, -1).T
    >>> round(abs(clock_symmetricity(np.array([1, 2]), np.array([2.0, 1.0]), every, 5)), 9)
    0.0
    """
    turns = frequencies * (triples[:, :1] - triples[:, 1:2]) % n
    weights = lengths**2 / (lengths**2).sum()
    return float((np.cos(2 * np.pi / n * turns) @ weights).mean())


def irrelevance(correct: Float[np.ndarray, "n n"]) -> float:
    r"""Return the distance irrelevance of the correct logits of all (a, b), one distance at a time.

    >>> pizza = np.array([[4.0, 1, 2], [2, 4, 1], [1, 2, 4]])
    >>> irrelevance(pizza)
    0.0
    """
    n = len(correct)
    by_distance = [[correct[a, (a - d) % n] for a in range(n)] for d in range(n)]
    return float(np.mean([np.std(row) for row in by_distance]) / np.std(correct))


def noisy_irrelevance(by_distance: Float[np.ndarray, "n"], noise: float | int) -> float:
    r"""Return $c_n\tau/\sqrt{V + \tau^2}$: a function of distance of variance V, and noise.

    $\tau$ is the standard deviation of Gaussian noise, new for every pair, and
    $c_n = \sqrt{2/n}\,\Gamma(n/2)/\Gamma((n - 1)/2)$ what n draws keep of it. Without a function of
    distance $c_n$ is left: the value of noise alone, and of a clock with noise.

    >>> round(noisy_irrelevance(np.zeros(59), 1), 3), round(noisy_irrelevance(np.zeros(59), 7), 3)
    (0.987, 0.987)
    """
    n = len(by_distance)
    kept = math.sqrt(2 / n) * math.exp(math.lgamma(n / 2) - math.lgamma((n - 1) / 2))
    return float(kept * noise / np.sqrt(np.var(by_distance) + noise**2))


def circularity(embedding: Float[np.ndarray, "n d"], components: int = 4) -> float:
    r"""Return the mean over the first principal components of $2\max_k |\hat v_k|^2/n$, by sums.

    >>> angles = 2 * np.pi / 7 * np.arange(7)
    >>> round(circularity(np.stack([np.cos(angles), np.sin(angles)], axis=1), components=2), 9)
    1.0
    """
    n = len(embedding)
    centred = embedding - embedding.mean(axis=0)
    directions = np.linalg.eigh(centred @ centred.T)[1][:, ::-1][:, :components]
    best = []
    for v in directions.T:
        powers = [
            sum(v[t] * np.cos(2 * np.pi * k * t / n) for t in range(n)) ** 2
            + sum(v[t] * np.sin(2 * np.pi * k * t / n) for t in range(n)) ** 2
            for k in range(1, (n + 1) // 2)
        ]
        best.append(min(2 * max(powers) / n, 1))
    return float(np.mean(best))


def circularity_null(n: int) -> float:
    r"""Return the mean circularity of a Gaussian embedding, $(1 + \dots + 1/m)/m$, $m = (n - 1)/2$.

    Each principal component is uniform on the unit sphere beside the constant, so that its powers
    are uniform shares of 1. Raises `ValueError` for even n, whose $(-1)^a$ has one dimension only.

    >>> round(circularity_null(59), 3)
    0.137
    """
    if n < 3 or n % 2 == 0:
        raise ValueError(
            f"n = {n} has more than pairs of cosine and sine: give an odd n of at least 3"
        )
    m = (n - 1) // 2
    return sum(1 / k for k in range(1, m + 1)) / m


def identities() -> tuple[Identity, ...]:
    """Return what the predictions rest on, in order.

    >>> len(identities())
    6
    """
    symmetricity = [clock_gradient_identity, sum_gradient_identity]
    distance = [variance_identity, spread_identity, additive_identity]
    return tuple(step() for step in [*symmetricity, *distance, largest_share_identity])


def _mean(values: list[sp.Expr]) -> sp.Expr:
    """Return the mean."""
    return sum(values) / sp.Integer(len(values))


def _variance(values: list[sp.Expr]) -> sp.Expr:
    """Return the mean squared distance from the mean."""
    return _mean([(value - _mean(values)) ** 2 for value in values])
