"""Bursts of the training loss after memorisation: the slingshots of Thilak et al. 2022."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

FACTOR = 10.0  # times the recent loss
RECENT = 10  # evaluations


def slingshots(
    steps: Float[Tensor, " n"], train_loss: Float[Tensor, " n"], t_mem: Float[Tensor, ""]
) -> Float[Tensor, " bursts"]:
    r"""Steps at which the training loss bursts after memorisation {cite}`thilak2022slingshot`.

    A burst begins at the first evaluation after `t_mem` whose loss is at least 10 times the median
    (the lower of the two in the middle) of the ten evaluations before it, and ends once the loss
    has come back below that level; the next can begin from there. The rule is this package's: the
    paper describes the pattern, with the jump of the last layer's norm beside it, and gives no
    threshold. Evaluations that are not finite count as infinite.

    >>> steps = torch.arange(20.0)
    >>> loss = torch.full((20,), 1e-3).index_fill(0, torch.tensor([12, 13]), 1.0)
    >>> slingshots(steps, loss, torch.tensor(2.0)).tolist()
    [12.0]
    """
    found: list[float] = []
    loss = torch.where(train_loss.isfinite(), train_loss, math.inf)
    level: float | None = None  # of the burst at hand, if one is
    usual = loss.unfold(0, RECENT, 1).median(-1).values.tolist() if len(loss) >= RECENT else []
    memorised = t_mem.item()
    later = zip(steps.tolist()[RECENT:], loss.tolist()[RECENT:], usual, strict=False)
    for step, now, recent in later:
        if not step > memorised:  # NaN too: a run that has not memorised has no slingshots
            continue
        if level is not None and (now < level or now == 0):
            level = None
        elif level is None and now >= FACTOR * recent and now > 0:  # ten times 0 is no burst
            found.append(step)
            level = FACTOR * recent
    return torch.tensor(found, dtype=steps.dtype)
