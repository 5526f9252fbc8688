"""Whether a neuron uses one frequency or all: the inverse participation ratio of its weights."""

import torch
from jaxtyping import Float, Float64
from torch import Tensor


def inverse_participation(weights: Float[Tensor, "n neuron"]) -> Float64[Tensor, " neuron"]:
    r"""$\sum_k |\tilde w_k|^4$ of each neuron's discrete Fourier transform, scaled to norm 1.

    {cite:t}`gromov2023grokking`, with r = 2: 1/2 for a cosine, since $k$ and $-k$ share it, and
    about $2/n$ for Gaussian weights.

    >>> angles = torch.arange(7) * 2 * torch.pi / 7
    >>> inverse_participation(torch.cos(2 * angles)[:, None])
    tensor([0.5000], dtype=torch.float64)
    """
    power = torch.fft.fft(weights.double(), dim=0).abs().square()
    return (power / power.sum(0)).square().sum(0)


def participation(parameters: dict[str, Float[Tensor, "..."]]) -> dict[str, Float64[Tensor, ""]]:
    """Mean inverse participation ratio over the neurons of a `Quadratic` network.

    Of the weights that read the first operand, those that read the second, and those that write.
    Raises `ValueError` for weights of another architecture.
    """
    if set(parameters) != {"W_1", "W_2"}:
        raise ValueError(
            f"participation reads a quadratic network, W_1 and W_2, not {', '.join(parameters)}."
        )
    first, second = parameters["W_1"].chunk(2)
    parts = {"first": first, "second": second, "out": parameters["W_2"].T}
    return {name: inverse_participation(weights).mean() for name, weights in parts.items()}
