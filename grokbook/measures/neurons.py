r"""How far each neuron keeps to one frequency, and which frequencies the logits read from them.

A neuron of frequency k is a combination of the eight waves $\cos\omega_k a$, $\sin\omega_k a$,
$\cos\omega_k b$, $\sin\omega_k b$ and their four products {cite}`nanda2023progress`. The products
span the waves in $a + b$ and in $a - b$; a wave in one of these four arguments sees only the means
along lines on which its argument is constant. So four small tables give all shares.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float, Float64, Int64
from torch import Tensor

from grokbook.measures.fourier import by_frequency, fourier_basis, power

Real = float | int


class SingleFrequency(NamedTuple):
    """The share of the neurons that keep to one frequency, and how many are dead."""

    share: Float64[Tensor, ""]
    dead: Int64[Tensor, ""]


def neuron_shares(activations: Float[Tensor, "n n m"]) -> Float64[Tensor, "n//2+1 m"]:
    r"""Share of each neuron's variance in the eight waves of each frequency.

    The constant is no variance: row 0 is 0. The unpaired wave of an even n has three waves,
    $(-1)^a$, $(-1)^b$ and $(-1)^{a+b}$. What is missing to 1 mixes two frequencies. A dead neuron,
    one that is the same at every pair, has no variance to share: NaN, as has one that holds a NaN.

    >>> angles = 2 * torch.pi / 5 * torch.arange(5)
    >>> product = angles.cos()[:, None] * angles.sin()
    >>> neuron_shares(product[..., None])[:, 0].round(decimals=6).tolist()
    [0.0, 1.0, 0.0]
    """
    n = activations.shape[0]
    lines, variation = _lines(activations)
    squares = n * (fourier_basis(n, device=activations.device) @ lines).square()
    if n % 2 == 0:
        # (−1)^(a+b) and (−1)^(a−b) are one wave.
        squares = torch.cat([squares[:, :-1], squares[:, -1:] * _once(squares.device)], dim=1)
    waves = by_frequency(squares.sum(0))[1:]
    shares = torch.cat([torch.zeros_like(waves[:1]), waves / variation])
    return torch.where(variation == 0, torch.nan, shares)


def best_frequency(shares: Float[Tensor, "K m"]) -> Int64[Tensor, " m"]:
    """Frequency with the largest share of each neuron, the smallest of equals; 0 for a dead one.

    >>> dead = torch.full((3,), torch.nan)
    >>> best_frequency(torch.stack([torch.tensor([0.0, 0.3, 0.6]), dead], dim=1)).tolist()
    [2, 0]
    """
    return shares.nan_to_num(0.0).argmax(0)


def single_frequency_share(shares: Float[Tensor, "K m"], level: Real = 0.85) -> SingleFrequency:
    """Share of the neurons of which one frequency explains more than `level` of the variance.

    Out of all neurons: a dead one counts as not explained, and how many are dead is said beside.

    >>> shares = torch.tensor([[0.0, 0.0, torch.nan, 0.0], [0.9, 0.5, torch.nan, 0.8]])
    >>> found = single_frequency_share(shares)
    >>> found.share.item(), found.dead.item()
    (0.25, 1)
    """
    explained = (shares.double() > level).any(0)
    return SingleFrequency(explained.double().mean(), shares.isnan().any(0).sum())


def neuron_logit_power(
    W_out: Float[Tensor, "m d"], W_U: Float[Tensor, "d n"]
) -> Float64[Tensor, "n//2+1"]:
    r"""Power of each frequency over the classes in the map from neurons to logits.

    Of $W_L = W_{\mathrm{out}} W_U$, summed over the neurons. Its `key_frequencies` are those of the
    network. Columns of `W_U` for other tokens, such as "=", are to be cut off first.

    >>> waves = torch.tensor([[1.0, 0.0, -1.0, 0.0], [1.0, -1.0, 1.0, -1.0]])
    >>> power = neuron_logit_power(torch.tensor([[1.0, 0.0], [2.0, 3.0]]), waves)
    >>> power.round(decimals=6).tolist()
    [0.0, 10.0, 36.0]
    """
    return power((W_out.double() @ W_U.double()).T)


def _lines(
    activations: Float[Tensor, "n n m"],
) -> tuple[Float64[Tensor, "4 n m"], Float64[Tensor, " m"]]:
    """Return the means over b, over a, over the pairs of a sum and of a difference; and variation.

    That is n² times the variance. One row at a time, which stays in cache. What a neuron is at the
    pair (0, 0) is taken off, so that one that never changes has exactly 0, and others lose little.
    """
    n, start = activations.shape[0], activations[0, 0].double()
    over_b, over_a, by_sum, by_difference, squares = [], 0, 0, 0, 0
    for a, row in enumerate(activations.unbind(0)):
        x = row.double() - start
        over_b.append(x.mean(0))
        over_a = over_a + x
        by_sum = by_sum + x.roll(a, 0)
        by_difference = by_difference + x.flip(0).roll(a + 1, 0)
        squares = squares + x.square().sum(0)
    lines = torch.stack([torch.stack(over_b), over_a / n, by_sum / n, by_difference / n])
    return lines, squares - (n * lines[0].mean(0)).square()


def _once(device: torch.device) -> Float64[Tensor, "4 1 1"]:
    """Return the weights of the waves in a, b, a + b and a − b where the last two are one."""
    return torch.tensor([1.0, 1.0, 1.0, 0.0], dtype=torch.float64, device=device)[:, None, None]
