"""Rescalings of a post-norm transformer's weights that change their norm and not its function."""

from torch import Tensor

Parameters = dict[str, Tensor]
Real = float | int

# What each takes times c, and what over c (chapter 03).
SYMMETRIES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "queries and keys": (("W_Q", "b_Q"), ("W_K",)),
    "values and output": (("W_V", "b_V"), ("W_O",)),
    "embeddings": (("W_E", "W_pos", "b_V", "b_O"), ("W_Q", "W_K")),
    "last norm of the block": (("norm2_w", "norm2_b"), ()),
}


def rescaled(parameters: Parameters, symmetry: str, c: Real) -> Parameters:
    """The weights at another point of an orbit on which the function is the same.

    Exactly so for a norm without ε. Raises `ValueError` for an unknown symmetry and for a scale
    that is not positive.

    >>> import torch
    >>> rescaled({"W_V": torch.ones(1), "W_O": torch.ones(1)}, "values and output", 2)
    {'W_V': tensor([2.]), 'W_O': tensor([0.5000])}
    """
    if symmetry not in SYMMETRIES:
        raise ValueError(f"symmetry = {symmetry!r} is not known: choose {', '.join(SYMMETRIES)}.")
    if not c > 0:
        raise ValueError(f"c = {c!r} is no scale: give a positive number.")
    times, over = SYMMETRIES[symmetry]
    return {
        name: weight * (c if name in times else 1 / c if name in over else 1)
        for name, weight in parameters.items()
    }
