r"""Three things that are called the effective rank of a batch of activations.

All are of the singular values $s_1 \ge s_2 \ge \dots$ of the matrix whose rows are the n examples,
as they are, their mean not taken from them. None exceeds the smaller of n and d (chapter 04).
"""

import torch
from jaxtyping import Float, Float64
from torch import Tensor

RANKS = ("stable_rank", "participation_ratio", "entropy_rank")


def ranks(h: Float[Tensor, "n d"]) -> dict[str, Float64[Tensor, ""]]:
    r"""All three by name: $\sum s^2/s_1^2$, $(\sum s^2)^2/\sum s^4$ and $e^{H}$.

    H is the entropy, in nats, of the shares $s_i^2/\sum s^2$. NaN for activations that are all 0.

    >>> {name: round(value.item(), 3) for name, value in ranks(torch.diag(torch.ones(3))).items()}
    {'stable_rank': 3.0, 'participation_ratio': 3.0, 'entropy_rank': 3.0}
    """
    square = torch.linalg.svdvals(h.double()).square()
    share = square / square.sum()
    entropy = torch.special.entr(share).sum()
    values = (1 / share.max(), 1 / share.square().sum(), entropy.exp())
    return dict(zip(RANKS, values, strict=True))
