r"""Functions on $\mathbb Z_n$ in the real Fourier basis: power, sparsity, key frequencies, circles.

The frequencies are $k = 0, \dots, \lfloor n/2\rfloor$, $\omega_k = 2\pi k/n$: 0 is the constant,
and n/2, for even n, the unpaired wave $(-1)^a$. Everything is float64, of one run, without a branch
on a value, so that `torch.func.vmap` lifts it to many runs.
"""

import torch
from jaxtyping import Bool, Float, Float64, Shaped
from torch import Tensor

Real = float | int
ROUNDING = 1e-12  # a share that is met up to this is met


def fourier_basis(
    n: int, *, device: torch.device | str | None = None
) -> Float64[Tensor, "{n} {n}"]:
    r"""Orthonormal real basis: the constant, then $\cos\omega_k a$ and $\sin\omega_k a$ by rows.

    For even n the last row is the unpaired wave $(-1)^a$. Raises `ValueError` unless n is at least
    1.

    >>> fourier_basis(3).round(decimals=3).tolist()
    [[0.577, 0.577, 0.577], [0.816, -0.408, -0.408], [0.0, 0.707, -0.707]]
    """
    if n < 1:
        raise ValueError(f"n = {n} is not the order of a group: give an integer of at least 1")
    rows = torch.arange(n, device=device)
    k = (rows + 1) // 2
    # The product k·a is reduced modulo n in integers, so that no angle is large.
    angles = 2 * torch.pi / n * (k[:, None] * rows % n).double()
    sine = (rows > 0) & (rows % 2 == 0)
    unpaired = (k == 0) | (2 * k == n)
    squares = torch.where(unpaired, n, n / 2).double()
    return torch.where(sine[:, None], angles.sin(), angles.cos()) / squares.sqrt()[:, None]


def by_frequency(x: Shaped[Tensor, "n *d"]) -> Shaped[Tensor, "n//2+1 *d"]:
    r"""Add up the rows of the basis that share a frequency: $y_k = x_{2k-1} + x_{2k}$.

    >>> by_frequency(torch.tensor([1, 2, 3, 4])).tolist()
    [1, 5, 4]
    """
    rows = torch.arange(x.shape[0], device=x.device)
    return x.new_zeros(x.shape[0] // 2 + 1, *x.shape[1:]).index_add(0, (rows + 1) // 2, x)


def power(x: Float[Tensor, "n *d"]) -> Float64[Tensor, "n//2+1"]:
    r"""Squared norm of each frequency's part of functions on $\mathbb Z_n$, $\|P_k x\|^2$.

    Summed over the other axes; the frequencies sum to $\|x\|^2$.

    >>> power(torch.tensor([1.0, -1.0, 1.0, -1.0])).round(decimals=9).tolist()
    [0.0, 0.0, 4.0]
    """
    basis = fourier_basis(x.shape[0], device=x.device)
    coefficients = basis @ x.double().reshape(x.shape[0], -1)
    return by_frequency(coefficients.square().sum(1))


def diagonal_means(x: Float[Tensor, "n n *d"], sign: int = 1) -> Float64[Tensor, "n *d"]:
    r"""Mean over the pairs with $a + b = s$ (or $a - b = s$, `sign` −1), for each s.

    All that a wave in $a \pm b$ sees of a function of the pair: with $M_s$ this mean,
    $\sum_{ab} f(a \pm b)\,x_{ab} = n \sum_s f(s) M_s$.

    >>> diagonal_means(torch.tensor([[1.0, 2.0], [3.0, 4.0]])).tolist()
    [2.5, 2.5]
    """
    n = x.shape[0]
    a = torch.arange(n, device=x.device)
    diagonal = (a[:, None] + sign * a) % n
    zeros = torch.zeros(n, *x.shape[2:], dtype=torch.float64, device=x.device)
    return zeros.index_add(0, diagonal.flatten(), x.double().flatten(0, 1)) / n


def gini(values: Float[Tensor, " N"]) -> Float64[Tensor, ""]:
    r"""Gini coefficient of non-negative values: 0 if all are equal, $1 - 1/N$ if one has all.

    $G = \sum_{i=1}^N (2i - N - 1)\,x_{(i)} \,/\, (N \sum_i x_i)$, the values in ascending order;
    the same as $\sum_{ij} |x_i - x_j| / (2N\sum_i x_i)$. NaN if all are 0.

    >>> gini(torch.ones(5)).item(), gini(torch.tensor([0.0, 0.0, 3.0, 0.0, 0.0])).item()
    (0.0, 0.8)
    """
    x = values.double().sort().values
    size = x.shape[0]
    rank = torch.arange(1, size + 1, device=x.device)
    return ((2 * rank - size - 1) * x).sum() / (size * x.sum())


def key_frequencies(power: Float[Tensor, " K"], share: Real = 0.95) -> Bool[Tensor, " K"]:
    """Smallest set of frequencies that carries `share` of the power outside the constant.

    The strongest first, of equal ones the smaller frequency; the unpaired wave counts as one. The
    rule is this package's: Nanda et al. take the "nontrivial coefficients" of the map from neurons
    to logits and give no threshold. Nothing is key where there is no power, or where it is NaN.
    Raises `ValueError` unless 0 < share ≤ 1.

    >>> key_frequencies(torch.tensor([99.0, 1.0, 50.0, 1.0, 48.0])).tolist()
    [False, False, True, False, True]
    """
    if not 0 < share <= 1:
        raise ValueError(f"share = {share!r} is no share of the power: give one such as 0.95")
    waves = power.double()[1:]
    strongest, order = waves.sort(descending=True, stable=True)
    carried = strongest.cumsum(0)
    missing = carried - strongest < (share - ROUNDING) * carried[-1:]
    key = torch.zeros_like(missing).scatter(0, order, missing)
    return torch.cat([torch.zeros_like(power[:1], dtype=torch.bool), key])


def phase_locking(embedding: Float[Tensor, "n d"]) -> Float64[Tensor, "n//2+1"]:
    r"""How well the elements lie on the circle of each frequency, in order: the mean of phases.

    $r_k = |\mathrm{mean}_a\,e^{i(\varphi_a - \omega_k a)}|$, 1 if they are all in their place.
    The angle of element a is that of $E_a \cdot C_k + i\,E_a \cdot S_k$, with the measured
    coefficients $C_k = \sum_a \cos(\omega_k a) E_a$ and $S_k = \sum_a \sin(\omega_k a) E_a$; the
    mean embedding is not taken off. Random embeddings are far above $1/\sqrt n$: compare with
    `theory.cyclic.locking_null`. NaN for k = 0 and n/2, which span no plane.

    >>> angles = 2 * torch.pi / 7 * 2 * torch.arange(7)
    >>> phase_locking(torch.stack([angles.cos(), angles.sin()], dim=1))[2].round(decimals=6).item()
    1.0
    """
    n = embedding.shape[0]
    inner = embedding.double() @ embedding.double().T
    basis = fourier_basis(n, device=embedding.device)
    pairs = (n - 1) // 2
    cosine, sine = basis[1 : 2 * pairs : 2], basis[2 : 2 * pairs + 1 : 2]
    found = torch.complex(cosine @ inner, sine @ inner)
    turned = found.sgn() * torch.complex(cosine, -sine)
    order = turned.mean(-1).abs() * (n / 2) ** 0.5  # the basis has norm 1, a phase modulus 1
    nan = order.new_full((1,), torch.nan)
    return torch.cat([nan, order] if n % 2 else [nan, order, nan])


def circle(embedding: Float[Tensor, "n d"], k: int) -> Float64[Tensor, "n 2"]:
    r"""Coordinates of the elements in the plane of $C_k$ and $S_k$, as in `phase_locking`.

    The first axis is along $C_k$; the second is perpendicular to it, in the plane, and on the side
    of $S_k$. On a perfect circle of radius R element a is at
    $R(\cos\omega_k a, \sin\omega_k a)$. The mean embedding is not taken off. NaN if the
    coefficients span no plane. Raises `ValueError` unless $1 \le k < n/2$.

    >>> angles = 2 * torch.pi / 4 * torch.arange(4)
    >>> wide = torch.stack([torch.zeros(4), 3 * angles.sin(), 3 * angles.cos()], dim=1)
    >>> circle(wide, 1).round(decimals=6).abs().tolist()
    [[3.0, 0.0], [0.0, 3.0], [3.0, 0.0], [0.0, 3.0]]
    """
    n = embedding.shape[0]
    if not 1 <= k < n / 2:
        raise ValueError(f"k = {k} spans no plane of Z_{n}: give 1 to {(n - 1) // 2}")
    basis = fourier_basis(n, device=embedding.device)
    cosine, sine = basis[2 * k - 1 : 2 * k + 1] @ embedding.double()
    first = cosine / cosine.norm()
    rest = sine - (sine @ first) * first
    return embedding.double() @ torch.stack([first, rest / rest.norm()], dim=1)
