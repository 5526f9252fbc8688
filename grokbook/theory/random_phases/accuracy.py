r"""How often the analytic network is right, as a function of p and N: one answer, two shortcuts.

The outputs of an input are $f_c = z_\delta/(2pN)$ with $\delta = a + b - c$ and
$$z_\delta = \sum_k \mathrm{Re}\,C_k e^{-2\pi ik\delta/p},\qquad
C_k = \sum_{j: \sigma_j = k} (\cos\alpha_j + \cos\beta_j)^2 e^{i(\alpha_j + \beta_j)}.$$
All inputs have the same law of z, so that the expected accuracy is the probability that z is
largest at 0. It is (a) sampled; (b) averaged over the right class, the wrong ones taken as Gaussian
with what energy is left; (c) taken from a Gaussian z of the same mean and covariance. (c) is wrong:
$z_0$ is skew, and shares its energy with the wrong classes.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import sympy as sp
from jaxtyping import Bool, Complex128, Float64

from grokbook.theory.cyclic.cyclotomic import modulo_cyclotomic, root
from grokbook.theory.identity import Identity
from grokbook.theory.random_phases.network import check_network, draw_frequencies

SLICE = 2**20  # neurons or outputs that are held at a time
Z = 1.959964  # of a 95 % interval


@dataclass(frozen=True)
class Accuracy:
    """An expected accuracy from a sample: its value, standard error and 95 % interval."""

    value: float
    standard_error: float
    low: float
    high: float

    @classmethod
    def of_hits(cls, hits: Bool[np.ndarray, "networks"]) -> "Accuracy":
        """Summarise right and wrong answers, with Wilson's interval, which holds up at 1.

        >>> accuracy = Accuracy.of_hits(np.ones(1000, dtype=bool))
        >>> accuracy.value, accuracy.standard_error, round(accuracy.low, 4)
        (1.0, 0.0, 0.9962)
        """
        share, count = float(hits.mean()), len(hits)
        spread = share * (1 - share) / count
        centre = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
        radius = Z * math.sqrt(spread + (Z / (2 * count)) ** 2) / (1 + Z**2 / count)
        return cls(share, math.sqrt(spread), centre - radius, min(centre + radius, 1.0))

    @classmethod
    def of_probabilities(cls, values: Float64[np.ndarray, "networks"]) -> "Accuracy":
        """Summarise probabilities of a right answer, with the normal interval of their mean."""
        mean, error = float(values.mean()), float(values.std() / math.sqrt(len(values)))
        return cls(mean, error, max(mean - Z * error, 0.0), min(mean + Z * error, 1.0))


def output_mean(p: int, width: int, frequencies: str = "even") -> Float64[np.ndarray, "p"]:
    r"""Return $E f$ for $\delta = 0, \dots, p - 1$: $s_\delta/4p$, $s$ the mean of the cosines.

    With equally many neurons a frequency $s_\delta = (p\,1[\delta = 0] - 1)/(p - 1)$. Raises
    `ValueError` unless p is an odd prime and the width at least 1.

    >>> (4 * 7 * 6 * output_mean(7, 30)).round(9)
    array([ 6., -1., -1., -1., -1., -1., -1.])
    """
    return _mean_cosine(p, width, frequencies) / (4 * p)


def output_variance(p: int, width: int, frequencies: str = "even") -> Float64[np.ndarray, "p"]:
    r"""Return $\mathrm{Var} f$ for $\delta = 0, \dots, p - 1$: $(1 + s_{2\delta}/16)/(4p^2N)$.

    With random frequencies $(\frac98 + \frac{3}{16} s_{2\delta} - \frac14 s_\delta^2)/(4p^2N)$.

    >>> (4 * 7**2 * 30 * output_variance(7, 30))[:3].round(6)
    array([1.0625  , 0.989583, 0.989583])
    """
    return np.diagonal(output_covariance(p, width, frequencies)).copy()


def output_covariance(p: int, width: int, frequencies: str = "even") -> Float64[np.ndarray, "p p"]:
    r"""Return $(s_{\delta - \delta'} + \frac{1}{16} s_{\delta + \delta'})/(4p^2N)$ for all pairs.

    With random frequencies
    $(\frac98 s_{\delta - \delta'} + \frac{3}{16} s_{\delta + \delta'}
    - \frac14 s_\delta s_{\delta'})/(4p^2N)$.
    """
    s, shifts = _mean_cosine(p, width, frequencies), np.arange(p)
    near, far = s[(shifts[:, None] - shifts) % p], s[(shifts[:, None] + shifts) % p]
    if frequencies == "random":
        neuron = 9 / 8 * near + 3 / 16 * far - np.multiply.outer(s, s) / 4
    else:
        neuron = near + far / 16
    return neuron / (4 * p**2 * width)


def sampled_accuracy(
    p: int, width: int, count: int, *, seed: int, frequencies: str = "even"
) -> Accuracy:
    """Return (a), the expected accuracy itself: `count` inputs, each with phases of its own.

    Raises `ValueError` unless p is an odd prime, and the width and the count at least 1.

    >>> round(sampled_accuracy(97, 48, 10_000, seed=0).value, 2)
    0.87
    """
    _check(p, width, count, frequencies)
    waves = _waves(p)
    slices = _amplitudes(p, width, count, seed, frequencies)
    return Accuracy.of_hits(np.concatenate([_hits(_split(C) @ waves) for C in slices]))


def conditional_accuracy(
    p: int, width: int, count: int, *, seed: int, frequencies: str = "even"
) -> Accuracy:
    r"""Return (b), $E[\Phi((z_0 - \mu)/s)^{p - 1}]$: right class and energy as sampled.

    $\mu = -z_0/(p - 1)$ and $s^2 = (\frac p2 \sum_k |C_k|^2 - z_0^2)/(p - 1) - \mu^2$ are mean and
    variance of the wrong classes, by Parseval. Raises `ValueError` as `sampled_accuracy` does.

    >>> round(conditional_accuracy(97, 48, 5_000, seed=0).value, 2)
    0.87
    """
    values = []
    for C in _amplitudes(p, width, count, seed, frequencies):
        right, energy = C.real.sum(axis=1), (np.abs(C) ** 2).sum(axis=1)
        mean = -right / (p - 1)
        square = (p / 2 * energy - right**2) / (p - 1) - mean**2
        # Two wrong classes can tie, and rounding then leaves a negative square.
        score = (right - mean) / np.sqrt(np.maximum(square, np.finfo(float).tiny))
        values.append(normal_cdf(score) ** (p - 1))
    return Accuracy.of_probabilities(np.concatenate(values))


def gaussian_accuracy(
    p: int, width: int, count: int, *, seed: int, frequencies: str = "even"
) -> Accuracy:
    """Return (c), what the central limit theorem predicts: `count` Gaussian outputs.

    They have the exact mean and covariance, and still too low an accuracy. Raises `ValueError` as
    `sampled_accuracy` does.

    >>> gaussian_accuracy(97, 48, 10_000, seed=0).value < 0.83
    True
    """
    _check(p, width, count, frequencies)
    mean = output_mean(p, width, frequencies)
    scales, axes = np.linalg.eigh(output_covariance(p, width, frequencies))
    root = axes * np.sqrt(np.maximum(scales, 0))  # the constant direction is 0 up to rounding
    rng, hits = np.random.default_rng(seed), []
    for size in _sizes(count, p):
        hits.append(_hits(mean + rng.standard_normal((size, p)) @ root.T))
    return Accuracy.of_hits(np.concatenate(hits))


def normal_cdf(x: Float64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
    r"""Return $\Phi(x)$, the standard Gaussian's distribution function.

    >>> normal_cdf(np.array([-2.0, 0.0, 2.0])).round(4)
    array([0.0228, 0.5   , 0.9772])
    """
    return np.vectorize(math.erfc, otypes=[np.float64])(-x / math.sqrt(2)) / 2


def parseval_identity(order: int = 5) -> Identity:
    r"""Return mean and mean square of the wrong classes from the right one and the energy.

    $z_\delta = \sum_k \mathrm{Re}\,C_k e^{-2\pi ik\delta/p}$, with $\bar C_k$ a symbol of its own.
    The wrong variant has p for p/2, and so counts every frequency twice.
    """
    half = order // 2
    C, C_bar = sp.symbols(f"C1:{half + 1}"), sp.symbols(f"Cbar1:{half + 1}")
    pairs = list(enumerate(zip(C, C_bar, strict=True), start=1))
    z = [
        sum(c * root(-k * shift, order) + c_bar * root(k * shift, order) for k, (c, c_bar) in pairs)
        for shift in range(order)
    ]
    right, energy = sum(C + C_bar) / 2, sum(c * c_bar for _, (c, c_bar) in pairs)

    def wrong_classes(weight: sp.Rational) -> sp.Matrix:
        return sp.Matrix([-right, weight * energy - right**2]) / (order - 1)

    return Identity(
        f"mean of z, z² off 0: −z₀/(p − 1), (½p Σ|C_k|² − z₀²)/(p − 1), for p = {order}",
        sp.Matrix([sum(z[1:]) / 2, sum(value**2 for value in z[1:]) / 4]) / (order - 1),
        wrong_classes(sp.Rational(order, 2)),
        wrong=wrong_classes(sp.Integer(order)),
        by=modulo_cyclotomic(order),
    )


def identities() -> tuple[Identity, ...]:
    """Return the step that the conditional accuracy rests on.

    >>> len(identities())
    1
    """
    return (parseval_identity(),)


def _mean_cosine(p: int, width: int, frequencies: str) -> Float64[np.ndarray, "p"]:
    r"""Return $s_\delta$, the mean of $\cos(2\pi\sigma\delta/p)$ over the neurons' frequencies."""
    check_network(p, width, frequencies)
    half = (p - 1) // 2
    if frequencies == "random":
        shares = np.full(half, 1 / half)
    else:
        shares = np.bincount(np.arange(width) % half, minlength=half) / width
    return shares @ _waves(p)[:half]


def _waves(p: int) -> Float64[np.ndarray, "waves p"]:
    r"""Return $\cos(2\pi k\delta/p)$ for all frequencies k, and below them the sines."""
    angles = 2 * np.pi / p * (np.arange(1, (p + 1) // 2)[:, None] * np.arange(p) % p)
    return np.concatenate([np.cos(angles), np.sin(angles)])


def _amplitudes(
    p: int, width: int, count: int, seed: int, frequencies: str
) -> Iterator[Complex128[np.ndarray, "networks half"]]:
    r"""Yield $C_1, \dots, C_{(p-1)/2}$ of `count` networks at one input each, a slice at a time."""
    _check(p, width, count, frequencies)
    rng, half = np.random.default_rng(seed), (p - 1) // 2
    for size in _sizes(count, width + p):
        alpha, beta = rng.uniform(0, 2 * np.pi, (2, size, width))
        strength, angle = (np.cos(alpha) + np.cos(beta)) ** 2, alpha + beta
        sigma = draw_frequencies(p, width, frequencies, rng, size)
        place = (half * np.arange(size)[:, None] + sigma - 1).ravel()
        even, odd = (
            np.bincount(place, (strength * wave(angle)).ravel(), size * half)
            for wave in (np.cos, np.sin)
        )
        yield (even + 1j * odd).reshape(size, half)


def _split(C: Complex128[np.ndarray, "networks half"]) -> Float64[np.ndarray, "networks waves"]:
    """Return real parts, then imaginary parts."""
    return np.concatenate([C.real, C.imag], axis=1)


def _hits(z: Float64[np.ndarray, "networks p"]) -> Bool[np.ndarray, "networks"]:
    """Say whether the largest output is the right one's, δ = 0."""
    return z.argmax(axis=1) == 0


def _sizes(count: int, width: int) -> Iterator[int]:
    """Yield how many networks a slice holds, `count` in all."""
    size = max(SLICE // width, 1)
    yield from (min(size, count - start) for start in range(0, count, size))


def _check(p: int, width: int, count: int, frequencies: str) -> None:
    """Refuse what is no network, and an empty sample."""
    check_network(p, width, frequencies)
    if count < 1:
        raise ValueError(f"count = {count} is no sample: give at least 1")
