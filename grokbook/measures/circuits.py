r"""What a table of logits does in the directions of the circuit that adds modulo n.

The directions are unit vectors on the grid of pairs, $u_k \propto \cos\omega_k(a + b)$ and
$v_k \propto \sin\omega_k(a + b)$ {cite}`nanda2023progress`. They see of a table
$L_{abc}$ only its means over the pairs of one sum, $M_{sc} = \frac1n \sum_a L_{a,s-a,c}$: the part
$(u_k u_k^\top + v_k v_k^\top) L$ at (a, b, c) is $(P_k M)_{a+b,c}$, with $P_k$ the projection of
functions of s on frequency k. So nothing here is larger than the table itself. The constant, k = 0,
is no key frequency: masks are read from k = 1 on.
"""

from typing import Literal, NamedTuple

import torch
from jaxtyping import Bool, Float, Float64, Int64
from torch import Tensor

from grokbook.measures.fourier import by_frequency, diagonal_means, fourier_basis, power

SPAN = 650.0  # nats; float64 loses exponentials from 708 on


class Losses(NamedTuple):
    """Mean cross-entropy in nats on the training pairs, on the others, and on all."""

    train: Float64[Tensor, ""]
    test: Float64[Tensor, ""]
    all: Float64[Tensor, ""]


class Margins(NamedTuple):
    """Correct logit less the wrong ones: the smallest, the mean over pairs, the mean over all."""

    smallest: Float64[Tensor, ""]
    mean: Float64[Tensor, ""]
    over_wrong: Float64[Tensor, ""]


def component_powers(L: Float[Tensor, "n n classes"]) -> Float64[Tensor, "n//2+1"]:
    r"""Squared norm of the part of the logits in each pair of directions.

    $\|u_k^\top L\|^2 + \|v_k^\top L\|^2 = n\,\|P_k M\|^2$; k = 0 is the direction of the mean.
    """
    return _checked(L) * power(diagonal_means(L))


def amplitudes(L: Float[Tensor, "n n classes"]) -> Float64[Tensor, "n//2+1"]:
    r"""Coefficient $A_k$ of each wave $\cos\omega_k(a + b - c)$ in the logits, by least squares.

    The waves are orthogonal, so each is found alone, from the means over $\delta = a + b - c$;
    $A_0$ is the mean of all logits.

    >>> s = torch.arange(5)
    >>> delta = s[:, None, None] + s[:, None] - s
    >>> amplitudes(3 + 2 * (2 * torch.pi / 5 * 2 * delta).cos()).round(decimals=5).tolist()
    [3.0, 0.0, 2.0]
    """
    n = _checked(L)
    profile = diagonal_means(diagonal_means(L), sign=-1)
    cosines = _cosines(n, L.device)
    return cosines[:, 0] * (cosines @ profile)


def restricted(
    L: Float[Tensor, "n n classes"], keys: Bool[Tensor, "n//2+1"]
) -> Float64[Tensor, "n n classes"]:
    r"""Logits with only the directions of the key frequencies, and their mean over the inputs.

    $\sum_k (u_k u_k^\top + v_k v_k^\top) L$ plus the bias correction, the mean over all inputs of
    what this leaves out. The directions have mean 0, so the correction is the mean of the logits.
    """
    n = _checked(L)
    means = diagonal_means(L)
    return _on_pairs(_part(means, keys) + means.mean(0), n)


def excluded(
    L: Float[Tensor, "n n classes"], keys: Bool[Tensor, "n//2+1"]
) -> Float64[Tensor, "n n classes"]:
    r"""Logits without the directions of the key frequencies, and no bias correction.

    $L - \sum_k (u_k u_k^\top + v_k v_k^\top) L$; the mean over the inputs stays as it is.
    """
    n = _checked(L)
    return L.double() - _on_pairs(_part(diagonal_means(L), keys), n)


def losses(L: Float[Tensor, "n n classes"], train: Bool[Tensor, "n n"]) -> Losses:
    r"""Cross-entropy of a table of logits for the label $a + b$; NaN on a set without pairs.

    $\mathrm{softplus}(\log\sum_{c \ne y} e^{z_c} - z_y)$, without a floor at the rounding of 1.

    >>> both = losses(torch.zeros(3, 3, 3), torch.eye(3, dtype=torch.bool))
    >>> [round(value.item(), 6) for value in both]
    [1.098612, 1.098612, 1.098612]
    """
    right, wrong = _right_and_wrong(L)
    loss = _softplus(wrong.logsumexp(-1) - right)
    return Losses(_mean(loss, train), _mean(loss, ~train), loss.mean())


def excluded_by_frequency(
    L: Float[Tensor, "n n classes"], train: Bool[Tensor, "n n"], keys: Bool[Tensor, "n//2+1"]
) -> Float64[Tensor, "n//2+1"]:
    r"""Training loss with the directions of one frequency removed, for each key; NaN elsewhere.

    What is removed depends on the sum alone, so $\sum_c e^{L_{abc} - (P_k M)_{sc}}$ is a product of
    matrices for each s: of the pairs with this sum by the classes, and of the classes by the
    frequencies. NaN also where a removed part spans more than 650 nats over the classes, since
    float64 would lose what is small there.
    """
    n = _checked(L)
    a = torch.arange(n, device=L.device)
    by_sum = (a[:, None] - a) % n  # row s, column a: the b with a + b = s
    right, wrong = (table[a, by_sum] for table in _right_and_wrong(L))
    top = wrong.amax(-1)
    basis = fourier_basis(n, device=L.device)
    coefficients = basis @ diagonal_means(L)
    removed = by_frequency(basis[:, :, None] * coefficients[:, None, :]).movedim(0, -1)
    least, most = removed.amin(1), removed.amax(1)  # each "s K"
    others = (wrong - top[..., None]).exp() @ (least[:, None] - removed).exp()
    own = removed.diagonal().T  # class s at the sum s
    gap = others.log() + top[..., None] - right[..., None] + (own - least)[:, None]
    pairs = train[a, by_sum][..., None]
    loss = torch.where(pairs, _softplus(gap), 0).sum((0, 1)) / pairs.sum()
    known = keys & ((most - least).amax(0) < SPAN) & (torch.arange(n // 2 + 1, device=L.device) > 0)
    return torch.where(known, loss, torch.nan)


def variance_explained(
    L: Float[Tensor, "n n classes"],
    keys: Bool[Tensor, "n//2+1"],
    centred: Literal["both", "classes", "mean"] = "both",
) -> Float64[Tensor, ""]:
    r"""Share of the logits' variance that $\sum_k A_k\cos\omega_k(a + b - c)$ explains.

    `both` centres the logits over the classes for each pair, since softmax ignores what is common
    to all classes, and over the pairs for each class, since a bias holds that without a look at the
    input. `classes` does the first only, and `mean` takes off the mean of all logits only, the
    plainest sense of "variance"; Nanda et al. do not say which theirs (95 %) is. The waves are
    orthogonal to all that is taken off, so the explained part is the same in the three. NaN if
    nothing varies.
    """
    n = _checked(L)
    cosines = _cosines(n, L.device)
    squares = amplitudes(L).square() * (n / cosines[:, 0]).square()
    rest = L.double() - L.double().mean()
    if centred != "mean":
        rest = rest - rest.mean(2, keepdim=True)
    if centred == "both":
        rest = rest - rest.mean((0, 1))
    return (squares * keys)[1:].sum() / rest.square().sum()


def margin(L: Float[Tensor, "n n classes"]) -> Margins:
    r"""Gaps between the correct logit and the wrong ones, over all pairs.

    The least of all, $\min_{ab}\min_{c \ne y}(z_y - z_c)$; the mean over pairs of each pair's
    least; and the mean over pairs and wrong classes. For the circuit
    $\sum_k A_k\cos\omega_k(a + b - c)$ the first two are the same, and the last is
    $\sum_k A_k\cdot n/(n - 1)$. Raises `ValueError` for a single class.
    """
    n = _checked(L)
    if n < 2:
        raise ValueError(f"n = {n} leaves no wrong class: give an order of at least 2")
    right, wrong = _right_and_wrong(L)
    least = right - wrong.amax(-1)
    everything = L.double().sum(-1)
    return Margins(least.amin(), least.mean(), ((n * right - everything) / (n - 1)).mean())


def _checked(L: Float[Tensor, "n m classes"]) -> int:
    """Return the order of the group, and refuse what is no full table."""
    if not L.shape[0] == L.shape[1] == L.shape[2]:
        raise ValueError(
            f"logits of shape {tuple(L.shape)} are no table of Z_n: give every pair, and n classes"
        )
    return L.shape[0]


def sums(n: int, device: torch.device) -> Int64[Tensor, "n n"]:
    """The label $a + b$ of every pair."""
    a = torch.arange(n, device=device)
    return (a[:, None] + a) % n


def _right_and_wrong(
    L: Float[Tensor, "n n classes"],
) -> tuple[Float64[Tensor, "n n"], Float64[Tensor, "n n classes"]]:
    """Return the correct logits, and all logits with −∞ in their place."""
    label, z = sums(_checked(L), L.device)[..., None], L.double()
    is_label = label == torch.arange(L.shape[2], device=L.device)
    return z.gather(2, label)[..., 0], torch.where(is_label, -torch.inf, z)


def _softplus(x: Float64[Tensor, "*d"]) -> Float64[Tensor, "*d"]:
    """Return log(1 + eˣ), precise at both ends."""
    return torch.logaddexp(x, torch.zeros_like(x))


def _mean(loss: Float64[Tensor, "n n"], pairs: Bool[Tensor, "n n"]) -> Float64[Tensor, ""]:
    """Return the mean over a set of pairs."""
    return torch.where(pairs, loss, 0).sum() / pairs.sum()


def _cosines(n: int, device: torch.device) -> Float64[Tensor, "K {n}"]:
    """Return the cosines of the basis, a frequency a row; at 0 each is one over its norm."""
    basis = fourier_basis(n, device=device)
    return torch.cat([basis[:1], basis[1::2]])


def _part(
    means: Float64[Tensor, "n classes"], keys: Bool[Tensor, "n//2+1"]
) -> Float64[Tensor, "n classes"]:
    """Return what the key frequencies hold of a function of the sum."""
    n = means.shape[0]
    rows = torch.arange(n, device=means.device)
    basis = fourier_basis(n, device=means.device)
    kept = keys[(rows + 1) // 2] & (rows > 0)
    return basis.T @ (kept[:, None] * (basis @ means))


def _on_pairs(by_sum: Float64[Tensor, "n classes"], n: int) -> Float64[Tensor, "n n classes"]:
    """Return a function of the sum as one of the pair."""
    return by_sum[sums(n, by_sum.device)]
