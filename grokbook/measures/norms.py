"""How large the weights are."""

from jaxtyping import Float
from torch import Tensor


def squared_norm(parameters: dict[str, Float[Tensor, "..."]]) -> dict[str, Float[Tensor, ""]]:
    r"""Squared Euclidean norm $\|W\|^2 = \sum_i W_i^2$ of each parameter group, in float64.

    >>> import torch
    >>> squared_norm({"W_E": torch.tensor([[3.0, 4.0]])})["W_E"].item()
    25.0
    """
    return {name: weight.double().square().sum() for name, weight in parameters.items()}
