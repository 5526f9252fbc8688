r"""The normalised margin of a network that squares: its largest value, and what a network has.

Neuron i adds $(u_i(a) + v_i(b))^2\,w_i(c)$ to the logit of class c, without biases. The network is
homogeneous of degree 3 in its weights, and its norm is the $L_3$ norm of its neurons' Euclidean
norms, $\|\theta\|_{2,3} = (\sum_i \|(u_i, v_i, w_i)\|_2^3)^{1/3}$ (Morwani et al. 2023,
arXiv:2311.07568). The margin is the least $f_{a+b} - f_{c'}$ over all a, b and $c' \ne a + b$
modulo p.
"""

import math

import numpy as np
from jaxtyping import Float, Float64

# One neuron a row, "neurons p", or one neuron, "p": `_check` refuses other shapes in words.
Weights = Float[np.ndarray, "..."]
Neuron = Float[np.ndarray, "..."]


def max_margin(p: int) -> float:
    r"""Return $\gamma^* = \sqrt{2/27}\,/\,(\sqrt p\,(p - 1))$, the largest normalised margin.

    It holds for every odd p of at least 3, prime or not, and $3(p - 1)$ neurons attain it. For even
    p the wave $(-1)^a$ has no partner, and the maximum is larger. Raises `ValueError` for another
    p.

    >>> round(max_margin(3), 6), max_margin(113) < max_margin(97)
    (0.078567, True)
    """
    check_modulus(p)
    return math.sqrt(2 / 27) / (math.sqrt(p) * (p - 1))


def check_modulus(p: int) -> None:
    """Refuse a modulus for which γ* is not the maximum."""
    if p < 3 or p % 2 == 0:
        raise ValueError(
            f"p = {p} has another maximum: the formula holds for odd p of at least 3, prime or not"
        )


def norm(u: Weights, v: Weights, w: Weights) -> float:
    r"""Return $\|\theta\|_{2,3}$ for weights "neurons p".

    Raises `ValueError` for arrays of different shapes, or not of that form with p at least 2.

    >>> norm(np.array([[3.0, 0.0]]), np.array([[0.0, 4.0]]), np.array([[12.0, 0.0]]))
    13.0
    """
    return float(np.cbrt(_cube(*_check(u, v, w))))


def margins(u: Weights, v: Weights, w: Weights) -> Float64[np.ndarray, "p p p-1"]:
    r"""Return $(f_{a+b} - f_{a+b+\delta})/\|\theta\|_{2,3}^3$ for all a, b and δ = 1, …, p − 1.

    The weights are "neurons p", of an order p of at least 2. Raises `ValueError` as `norm` does,
    and for a network whose weights are all 0.

    >>> one = np.array([[1.0, -1.0]]) / 6**0.5
    >>> margins(one, one, one)[:, :, 0].round(3)
    array([[0.544, 0.   ],
           [0.   , 0.544]])
    """
    u, v, w = _check(u, v, w)
    cube = _cube(u, v, w)
    if cube == 0:
        raise ValueError("all weights are 0, so that no norm can divide the margins: train first")
    return _gaps(u, v, w) / cube


def normalised_margin(u: Weights, v: Weights, w: Weights) -> float:
    r"""Return the least margin of a network over $\|\theta\|_{2,3}^3$: at most γ* for odd p.

    Not positive where the network errs. Raises `ValueError` as `margins` does.

    >>> one = np.array([[1.0, -1.0]])
    >>> normalised_margin(one, one, one)
    0.0
    """
    return float(margins(u, v, w).min())


def single_neuron_value(u: Neuron, v: Neuron, w: Neuron) -> float:
    r"""Return the mean margin of one neuron over all a, b and $c' \ne a + b$, by definition.

    At most $\gamma^* \|(u, v, w)\|^3$ for odd p; not divided by that norm. Raises `ValueError`
    unless u, v and w are vectors of one length p of at least 2.

    >>> wave = np.cos(2 * np.pi / 5 * np.arange(5)) / 7.5**0.5
    >>> abs(single_neuron_value(wave, wave, wave) / max_margin(5) - 1) < 1e-12
    True
    """
    u, v, w = _check(u, v, w, ("p",))
    return float(_gaps(u[None], v[None], w[None]).mean())


def fourier_value(u: Neuron, v: Neuron, w: Neuron) -> float:
    r"""Return the same by $\frac{2}{(p-1)p^2} \sum_{j \ne 0} \hat u_j \hat v_j \bar{\hat w}_j$.

    Raises `ValueError` as `single_neuron_value` does.

    >>> one = np.array([1.0, -1.0])
    >>> fourier_value(one, one, one), single_neuron_value(one, one, one)
    (4.0, 4.0)
    """
    u, v, w = _check(u, v, w, ("p",))
    p = len(u)
    product = np.fft.fft(u) * np.fft.fft(v) * np.fft.fft(w).conj()
    return float(2 / ((p - 1) * p**2) * product[1:].sum().real)


def _gaps(
    u: Float64[np.ndarray, "neurons p"],
    v: Float64[np.ndarray, "neurons p"],
    w: Float64[np.ndarray, "neurons p"],
) -> Float64[np.ndarray, "p p p-1"]:
    r"""Return $f_{a+b} - f_{a+b+\delta}$ from the table of all logits."""
    neurons, p = u.shape
    squares = (u[:, :, None] + v[:, None, :]) ** 2
    logits = (squares.reshape(neurons, p * p).T @ w).reshape(p, p, p)
    a, b, delta = np.ogrid[:p, :p, 1:p]
    return logits[a, b, (a + b) % p] - logits[a, b, (a + b + delta) % p]


def _cube(
    u: Float64[np.ndarray, "neurons p"],
    v: Float64[np.ndarray, "neurons p"],
    w: Float64[np.ndarray, "neurons p"],
) -> float:
    r"""Return $\|\theta\|_{2,3}^3$, the factor by which margins scale."""
    return float(((u**2 + v**2 + w**2).sum(axis=1) ** 1.5).sum())


def _check(
    u: Weights, v: Weights, w: Weights, axes: tuple[str, ...] = ("neurons", "p")
) -> list[Float64[np.ndarray, "..."]]:
    """Return the weights in float64, and refuse shapes that are no network."""
    shapes = [array.shape for array in (u, v, w)]
    if len(set(shapes)) > 1 or u.ndim != len(axes) or u.shape[-1] < 2:
        raise ValueError(
            f"u, v and w have the shapes {shapes[0]}, {shapes[1]} and {shapes[2]}: "
            f"give each {len(axes)} axes ({', '.join(axes)}) alike, with p of at least 2"
        )
    return [np.asarray(array, dtype=np.float64) for array in (u, v, w)]
